//! Generated secrets that people type: app passwords, recovery codes and temporary codes, kept as keyed hashes.
//! None of them is as long as another, so that each is known by its length.
//!
//! They are random, so one fast keyed hash suffices; the key is not in the database.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::keys::{KeyError, KeyId, KeyRing, Purpose};
use crate::random::Random;
use crate::{AccountId, Secret};

/// Lower case, without `i l o 0 1`: 31 characters, 4.95 bits each.
const ALPHABET: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// What a generated secret looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Four groups of five: 99 bits.
    AppPassword,
    /// Three groups of four: 59 bits.
    RecoveryCode,
    /// Three groups of five: 74 bits.
    TemporaryCode,
}

impl Shape {
    const fn groups(self) -> (usize, usize) {
        match self {
            Self::AppPassword => (4, 5),
            Self::RecoveryCode => (3, 4),
            Self::TemporaryCode => (3, 5),
        }
    }

    const fn purpose(self) -> Purpose {
        match self {
            Self::AppPassword => Purpose::AppPassword,
            Self::RecoveryCode => Purpose::RecoveryCode,
            Self::TemporaryCode => Purpose::TemporaryCode,
        }
    }

    /// A new secret, in groups joined by hyphens.
    pub fn generate(self, random: &dyn Random) -> Secret {
        let (groups, length) = self.groups();
        let mut text = Zeroizing::new(Vec::with_capacity(32));
        for group in 0..groups {
            if group > 0 {
                text.push(b'-');
            }
            text.extend((0..length).map(|_| character(random)));
        }
        Secret::new(text.to_vec())
    }

    /// The characters that count: without spaces and hyphens, in lower case; `None` if that is not of this shape.
    #[must_use]
    pub fn normalise(self, typed: &Secret) -> Option<Secret> {
        let (groups, length) = self.groups();
        let kept = typed.expose().iter().filter(|octet| !matches!(octet, b' ' | b'-'));
        let folded = Secret::new(kept.map(u8::to_ascii_lowercase).collect());
        let fits = folded.expose().len() == groups.saturating_mul(length)
            && folded.expose().iter().all(|octet| ALPHABET.contains(octet));
        fits.then_some(folded)
    }

    /// The keyed hash to store, under the newest key.
    pub fn hash(self, keys: &KeyRing, account: AccountId, typed: &Secret) -> Result<KeyedHash, KeyError> {
        let normal = self.normalise(typed).ok_or(KeyError::DoesNotSeal)?;
        KeyedHash::new(keys, self.purpose(), &[account.as_bytes(), normal.expose()])
    }

    /// The hashes of something typed, one under each live key: what stored hashes are compared with.
    /// Work is the same for every text, so nothing shows whether it had the right shape.
    pub fn candidates(
        self,
        keys: &KeyRing,
        account: AccountId,
        typed: &Secret,
    ) -> Result<Candidates, KeyError> {
        let normal = self.normalise(typed);
        let hashed = normal.as_ref().unwrap_or(typed);
        let parts: [&[u8]; 2] = [account.as_bytes(), hashed.expose()];
        let candidates = Candidates::new(keys, self.purpose(), &parts)?;
        Ok(if normal.is_some() { candidates } else { Candidates(Vec::new()) })
    }
}

/// A code to be sent: digits, each equally likely.
pub fn generate_digits(random: &dyn Random, digits: u8) -> Secret {
    let mut text = Vec::with_capacity(usize::from(digits));
    while text.len() < usize::from(digits) {
        let mut octet = [0];
        random.fill(&mut octet);
        // 250 = 25 * 10: beyond it the remainder would favour the first digits.
        let [octet] = octet;
        if octet < 250 {
            text.push(b'0'.saturating_add(octet.checked_rem(10).unwrap_or(0)));
        }
    }
    Secret::new(text)
}

/// The keyed hash of a code that is sent to a user, under the newest key.
pub fn hash_sent(keys: &KeyRing, user: &str, code: &Secret) -> Result<KeyedHash, KeyError> {
    KeyedHash::new(keys, Purpose::SentCode, &[user.as_bytes(), code.expose()])
}

/// The hashes of something typed, spaces left out, as a code that was sent; the work is the same for every text.
pub fn sent_candidates(keys: &KeyRing, user: &str, typed: &Secret) -> Result<Candidates, KeyError> {
    let digits = Secret::new(typed.expose().iter().copied().filter(|octet| *octet != b' ').collect());
    Candidates::new(keys, Purpose::SentCode, &[user.as_bytes(), digits.expose()])
}

/// One character, each equally likely.
fn character(random: &dyn Random) -> u8 {
    loop {
        let mut octet = [0];
        random.fill(&mut octet);
        // 248 = 8 * 31: beyond it the remainder would favour the first characters.
        let [octet] = octet;
        if octet < 248 {
            let index = usize::from(octet).checked_rem(ALPHABET.len()).unwrap_or(0);
            return ALPHABET.get(index).copied().unwrap_or(b'a');
        }
    }
}

/// A keyed hash at rest, with the id of its key. Written `1.HEX`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyedHash {
    key: KeyId,
    octets: [u8; 32],
}

impl KeyedHash {
    /// Of parts, under the newest key.
    pub(crate) fn new(keys: &KeyRing, purpose: Purpose, parts: &[&[u8]]) -> Result<Self, KeyError> {
        Self::under(keys, keys.newest(), purpose, parts)
    }

    fn under(keys: &KeyRing, key: KeyId, purpose: Purpose, parts: &[&[u8]]) -> Result<Self, KeyError> {
        Ok(Self { key, octets: keys.mac(key, purpose, parts)? })
    }
}

impl From<KeyedHash> for String {
    fn from(hash: KeyedHash) -> Self {
        format!("{}.{}", hash.key.0, HEXLOWER.encode(&hash.octets))
    }
}

impl TryFrom<String> for KeyedHash {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (key, octets) = text.split_once('.').ok_or(KeyError::DoesNotOpen)?;
        let key = KeyId(key.parse().map_err(|_| KeyError::DoesNotOpen)?);
        let octets = HEXLOWER.decode(octets.as_bytes()).map_err(|_| KeyError::DoesNotOpen)?;
        Ok(Self { key, octets: octets.try_into().map_err(|_| KeyError::DoesNotOpen)? })
    }
}

/// Hashes of something that somebody brings, to compare with stored ones.
pub struct Candidates(Vec<KeyedHash>);

impl Candidates {
    /// Of parts, one under each live key.
    pub(crate) fn new(keys: &KeyRing, purpose: Purpose, parts: &[&[u8]]) -> Result<Self, KeyError> {
        keys.ids().map(|key| KeyedHash::under(keys, key, purpose, parts)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a stored hash is one of them; constant time for each comparison.
    #[must_use]
    pub fn contain(&self, stored: &KeyedHash) -> bool {
        let equal = |candidate: &KeyedHash| {
            candidate.key == stored.key && bool::from(candidate.octets.ct_eq(&stored.octets))
        };
        self.0.iter().any(equal)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Shape;
    use crate::random::Stream;
    use crate::{AccountId, Secret};

    const ALL: [Shape; 3] = [Shape::AppPassword, Shape::RecoveryCode, Shape::TemporaryCode];

    #[test]
    fn each_kind_is_known_by_its_length_and_hashed_under_a_key_of_its_own() {
        let (keys, account) = (crate::world::keys(), AccountId::from_bytes([1; 16]));
        let random = Stream::new(b"0123456789abcdef", "codes");
        let mut lengths = BTreeSet::new();
        for shape in ALL {
            let secret = shape.generate(&random);
            let hash = shape.hash(&keys, account, &secret).unwrap();
            lengths.insert(shape.normalise(&secret).unwrap().expose().len());
            for other in ALL {
                let found = other.candidates(&keys, account, &secret).unwrap().contain(&hash);
                assert_eq!(found, other == shape, "{shape:?} as {other:?}");
            }
        }
        assert_eq!(lengths.len(), ALL.len());
        let purposes: BTreeSet<_> = ALL.iter().map(|shape| shape.purpose().info()).collect();
        assert_eq!(purposes.len(), ALL.len());
    }

    #[test]
    fn capitals_spaces_and_hyphens_do_not_matter() {
        let typed = Secret::from(" ABCDE fghjk-mnpqr ");
        assert_eq!(Shape::TemporaryCode.normalise(&typed).unwrap().expose(), b"abcdefghjkmnpqr");
        assert!(Shape::TemporaryCode.normalise(&Secret::from("abcde-fghjk-mnpq")).is_none());
        assert!(Shape::TemporaryCode.normalise(&Secret::from("abcde-fghjk-mnp0r")).is_none());
    }
}
