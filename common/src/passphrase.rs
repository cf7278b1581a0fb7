//! Sealing under a passphrase: for secrets that leave the machine in a file, out of the reach of its master key.
//!
//! Argon2id (RFC 9106) makes the key; XChaCha20-Poly1305 binds each value to its place in the file.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroizing;

use crate::keys::{self, KEY_OCTETS};
use crate::limits::{PASSPHRASE_LANES_MAX, PASSPHRASE_MEMORY_KIB_MAX, PASSPHRASE_PASSES_MAX};
use crate::random::Random;
use crate::{Secret, limits};

/// Octets of a salt (RFC 9106 §3.1 recommends that many).
pub const SALT_OCTETS: usize = 16;
/// KiB of memory below which a file was not made by us.
pub const MEMORY_KIB_MIN: u32 = 8 * 1024;
/// The place of what tells whether a passphrase is the right one.
const CHECK: [&str; 1] = ["check"];

/// What went wrong with a passphrase or what is sealed to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// Too easy to guess.
    #[error(
        "a passphrase has {} characters at least: whoever gets the file can try as many as machines can. Several words are \
         easy to remember",
        limits::PASSPHRASE_CHARACTERS_MIN
    )]
    TooShort,
    /// Another passphrase, or the head of the file was changed.
    #[error("this is not the passphrase of the file, or its [sealed] table was changed")]
    Wrong,
    /// A value was changed, or stood elsewhere.
    #[error("a sealed value was changed, or was moved here from another place")]
    DoesNotOpen,
    /// Randomness or memory did not serve.
    #[error("{} MiB of memory are needed to make a key of a passphrase, and this process does not get them", .0 / 1024)]
    Memory(u32),
    /// The value could not be sealed.
    #[error("a value could not be sealed")]
    DoesNotSeal,
}

/// What making the key costs, within the limits that a hostile file meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// What is recommended where 2 GiB are too much (RFC 9106 §4, the second recommended option).
    pub const RECOMMENDED: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

    /// A cost that a file names; `None` beyond the limits.
    #[must_use]
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let fits = (MEMORY_KIB_MIN..=PASSPHRASE_MEMORY_KIB_MAX).contains(&memory_kib)
            && (1..=PASSPHRASE_PASSES_MAX).contains(&passes)
            && (1..=PASSPHRASE_LANES_MAX).contains(&lanes);
        fits.then_some(Self { memory_kib, passes, lanes })
    }

    /// KiB of memory.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub const fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes.
    #[must_use]
    pub const fn lanes(self) -> u32 {
        self.lanes
    }
}

/// What a sealed file says of itself: with the passphrase, the key comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Random, so that no two files have one key.
    pub salt: [u8; SALT_OCTETS],
    /// What making the key costs.
    pub cost: Cost,
    /// Nothing, sealed: it opens with the right passphrase alone.
    pub check: Vec<u8>,
}

/// A passphrase that is long enough to seal with.
pub struct Passphrase(Secret);

impl Passphrase {
    /// Takes what was typed, where it is long enough.
    pub fn parse(typed: Secret) -> Result<Self, PassphraseError> {
        let characters = typed.expose_text().map_or(0, |text| text.chars().count());
        if characters < limits::PASSPHRASE_CHARACTERS_MIN {
            Err(PassphraseError::TooShort)
        } else {
            Ok(Self(typed))
        }
    }

    /// As it was typed.
    #[must_use]
    pub const fn typed(&self) -> &Secret {
        &self.0
    }
}

/// A key that was made of a passphrase. It wipes itself.
#[derive(Clone)]
pub struct PassphraseKey(Zeroizing<[u8; KEY_OCTETS]>);

impl Lock {
    /// A lock for a new file, and its key.
    pub fn new(
        random: &dyn Random,
        passphrase: &Passphrase,
    ) -> Result<(Self, PassphraseKey), PassphraseError> {
        let mut salt = [0; SALT_OCTETS];
        random.fill(&mut salt);
        let cost = Cost::RECOMMENDED;
        let key = PassphraseKey(derive(&passphrase.0, &salt, cost)?);
        let check = key.seal(random, &CHECK, &Secret::new(Vec::new()))?;
        Ok((Self { salt, cost, check }, key))
    }

    /// The key, if this is the passphrase.
    pub fn open(&self, passphrase: &Secret) -> Result<PassphraseKey, PassphraseError> {
        let key = PassphraseKey(derive(passphrase, &self.salt, self.cost)?);
        match key.open(&CHECK, &self.check) {
            Ok(_) => Ok(key),
            Err(_) => Err(PassphraseError::Wrong),
        }
    }
}

impl PassphraseKey {
    /// Seals a secret to its place in the file.
    pub fn seal(
        &self,
        random: &dyn Random,
        place: &[&str],
        secret: &Secret,
    ) -> Result<Vec<u8>, PassphraseError> {
        keys::encrypt(random, &self.0, &binding(place), secret.expose())
            .map_err(|_| PassphraseError::DoesNotSeal)
    }

    /// Opens what [`PassphraseKey::seal`] made for the same place.
    pub fn open(&self, place: &[&str], sealed: &[u8]) -> Result<Secret, PassphraseError> {
        let opened = keys::decrypt(&self.0, &binding(place), sealed);
        opened.map(Secret::new).map_err(|_| PassphraseError::DoesNotOpen)
    }
}

/// The parts of a place, each preceded by its length, so that no two places are bound alike.
fn binding(place: &[&str]) -> Vec<u8> {
    let part = |part: &&str| {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes();
        [length.as_slice(), part.as_bytes()].concat()
    };
    place.iter().flat_map(part).collect()
}

/// Argon2id with memory that is wiped, and that is asked for: an allocation that fails must not end in an abort.
fn derive(
    passphrase: &Secret,
    salt: &[u8],
    cost: Cost,
) -> Result<Zeroizing<[u8; KEY_OCTETS]>, PassphraseError> {
    let Cost { memory_kib, passes, lanes } = cost;
    let refused = PassphraseError::Memory(memory_kib);
    let params = Params::new(memory_kib, passes, lanes, Some(KEY_OCTETS)).map_err(|_| refused)?;
    let mut memory = Zeroizing::new(Vec::new());
    memory.try_reserve_exact(params.block_count()).map_err(|_| refused)?;
    memory.resize(params.block_count(), Block::new());
    let mut key = Zeroizing::new([0; KEY_OCTETS]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(passphrase.expose(), salt, key.as_mut_slice(), memory.as_mut_slice())
        .map_err(|_| refused)?;
    Ok(key)
}

#[cfg(test)]
mod tests;
