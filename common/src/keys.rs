//! Keys for each purpose from one master key, and sealing of secrets.
//!
//! The master key lives outside of the database. Its ids allow rotation: the newest seals, every live one opens.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use data_encoding::BASE64;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::random::Random;
use crate::{AccountId, Secret};

/// Octets of a master key.
pub const KEY_OCTETS: usize = 32;
const NONCE_OCTETS: usize = 24;
const TAG_OCTETS: usize = 16;

/// Which master key sealed or hashed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub u32);

/// What a derived key is for. Each purpose has a key of its own (RFC 5869 `info`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Sealing factor secrets.
    Seal,
    /// Keyed hashes of app passwords.
    AppPassword,
    /// Keyed hashes of recovery codes.
    RecoveryCode,
    /// Keyed hashes of codes that are sent.
    SentCode,
    /// Keyed hashes of temporary codes.
    TemporaryCode,
    /// Keyed hashes of what remembered devices are bound to.
    Ticket,
    /// The MAC that chains records.
    Chain,
    /// Digests of answers in success records, names of lanes.
    Digest,
    /// The MACs of what stands in the break-glass file.
    BreakGlass,
    /// Sealing a carried session; one key for each day since the epoch.
    Session {
        /// Days since the epoch.
        day: u64,
    },
}

impl Purpose {
    pub(crate) fn info(self) -> String {
        match self {
            Self::Seal => "countersign/seal".to_owned(),
            Self::AppPassword => "countersign/app-password".to_owned(),
            Self::RecoveryCode => "countersign/recovery-code".to_owned(),
            Self::SentCode => "countersign/sent-code".to_owned(),
            Self::TemporaryCode => "countersign/temporary-code".to_owned(),
            Self::Ticket => "countersign/ticket".to_owned(),
            Self::Chain => "countersign/chain".to_owned(),
            Self::Digest => "countersign/digest".to_owned(),
            Self::BreakGlass => "countersign/break-glass".to_owned(),
            Self::Session { day } => format!("countersign/session/{day}"),
        }
    }
}

/// One master key.
pub struct MasterKey {
    /// Its id.
    pub id: KeyId,
    /// Its octets.
    pub octets: Zeroizing<[u8; KEY_OCTETS]>,
}

/// The live master keys, newest first, at least one.
pub struct KeyRing {
    newest: MasterKey,
    older: Vec<MasterKey>,
}

/// What went wrong with a key or a sealed value. It says nothing of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no such key in the key file.
    #[error("the key file has no key {}", .0.0)]
    UnknownKey(KeyId),
    /// The value was made with another key, for another account or field, or was changed.
    #[error("a sealed value does not open: wrong key file, or the value was changed or moved")]
    DoesNotOpen,
    /// The value could not be sealed.
    #[error("a value could not be sealed")]
    DoesNotSeal,
}

impl KeyRing {
    /// The newest key seals; all open.
    #[must_use]
    pub fn new(newest: MasterKey, older: Vec<MasterKey>) -> Self {
        Self { newest, older }
    }

    /// The id of the newest key.
    #[must_use]
    pub fn newest(&self) -> KeyId {
        self.newest.id
    }

    /// The ids of all live keys, newest first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> + '_ {
        std::iter::once(self.newest.id).chain(self.older.iter().map(|key| key.id))
    }

    /// The key for a purpose, under a master key.
    pub fn derive(&self, id: KeyId, purpose: Purpose) -> Result<Zeroizing<[u8; KEY_OCTETS]>, KeyError> {
        #[cfg(test)]
        work::DERIVED.set(work::DERIVED.get() + 1);
        let master = std::iter::once(&self.newest)
            .chain(&self.older)
            .find(|key| key.id == id)
            .ok_or(KeyError::UnknownKey(id))?;
        let mut derived = Zeroizing::new([0; KEY_OCTETS]);
        Hkdf::<Sha256>::new(None, master.octets.as_slice())
            .expand(purpose.info().as_bytes(), derived.as_mut_slice())
            .map_err(|_| KeyError::DoesNotSeal)?;
        Ok(derived)
    }

    /// HMAC-SHA-256 of `parts`, each preceded by its length, under the key for `purpose`.
    pub fn mac(&self, id: KeyId, purpose: Purpose, parts: &[&[u8]]) -> Result<[u8; 32], KeyError> {
        let key = self.derive(id, purpose)?;
        mac(&key, parts)
    }

    /// Seals a secret to an account and a field.
    pub fn seal(
        &self,
        random: &dyn Random,
        account: AccountId,
        field: &str,
        secret: &Secret,
    ) -> Result<Sealed, KeyError> {
        let key = self.derive(self.newest.id, Purpose::Seal)?;
        let aad = binding(account, field);
        let octets = encrypt(random, &key, &aad, secret.expose())?;
        Ok(Sealed { key: self.newest.id, octets })
    }

    /// Opens what [`KeyRing::seal`] made for the same account and field.
    pub fn open(&self, account: AccountId, field: &str, sealed: &Sealed) -> Result<Secret, KeyError> {
        let key = self.derive(sealed.key, Purpose::Seal)?;
        decrypt(&key, &binding(account, field), &sealed.octets).map(Secret::new)
    }
}

/// How often a key was used by this thread: every MAC and every seal derives one first, every code of an app is one.
#[cfg(test)]
pub(crate) mod work {
    use std::cell::Cell;

    thread_local! {
        pub(crate) static DERIVED: Cell<u64> = const { Cell::new(0) };
    }
}

/// HMAC-SHA-256 over length-prefixed parts, so that no two lists of parts give the same input.
pub fn mac(key: &[u8; KEY_OCTETS], parts: &[&[u8]]) -> Result<[u8; 32], KeyError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| KeyError::DoesNotSeal)?;
    for part in parts {
        let length = u64::try_from(part.len()).map_err(|_| KeyError::DoesNotSeal)?;
        mac.update(&length.to_be_bytes());
        mac.update(part);
    }
    Ok(mac.finalize().into_bytes().into())
}

fn binding(account: AccountId, field: &str) -> Vec<u8> {
    [account.as_bytes().as_slice(), field.as_bytes()].concat()
}

/// Nonce and ciphertext of XChaCha20-Poly1305.
pub(crate) fn encrypt(
    random: &dyn Random,
    key: &[u8; KEY_OCTETS],
    aad: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let mut nonce = [0; NONCE_OCTETS];
    random.fill(&mut nonce);
    let cipher = XChaCha20Poly1305::new(key.into());
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad })
        .map_err(|_| KeyError::DoesNotSeal)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// Opens what [`encrypt`] made.
pub(crate) fn decrypt(key: &[u8; KEY_OCTETS], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_OCTETS>().ok_or(KeyError::DoesNotOpen)?;
    XChaCha20Poly1305::new(key.into())
        .decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad })
        .map_err(|_| KeyError::DoesNotOpen)
}

/// A secret at rest: the key's id, then nonce and ciphertext. Written `1.BASE64`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sealed {
    key: KeyId,
    octets: Vec<u8>,
}

impl Sealed {
    /// Which key sealed it.
    #[must_use]
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// How many octets are in it: that much a sealed value says without its key.
    #[must_use]
    pub fn content_octets(&self) -> usize {
        self.octets.len().saturating_sub(NONCE_OCTETS).saturating_sub(TAG_OCTETS)
    }
}

impl From<Sealed> for String {
    fn from(sealed: Sealed) -> Self {
        format!("{}.{}", sealed.key.0, BASE64.encode(&sealed.octets))
    }
}

impl TryFrom<String> for Sealed {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (key, octets) = text.split_once('.').ok_or(KeyError::DoesNotOpen)?;
        let key = KeyId(key.parse().map_err(|_| KeyError::DoesNotOpen)?);
        let octets = BASE64.decode(octets.as_bytes()).map_err(|_| KeyError::DoesNotOpen)?;
        Ok(Self { key, octets })
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed(key {})", self.key.0)
    }
}
