//! Passwords whose hashes the store keeps: argon2id (RFC 9106) for our own, crypt(3) for imported ones.

mod crypt;
mod memory;
mod scheme;

use std::sync::OnceLock;

use argon2::password_hash::phc::{Output, PasswordHash as Phc, Salt};
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use common::account::PasswordHash;
use common::ports::{Identity, Names, PasswordCheck, Primary, Random, Stored};
use common::{Secret, Username};
use subtle::ConstantTimeEq as _;

use crate::PrimaryError;
use memory::{Afterwards, Pool};
use scheme::Scheme;
pub use scheme::accept_import;

/// 19 MiB, 2 passes, 1 lane: the OWASP Password Storage Cheat Sheet's second choice, and the least that RFC 9106's
/// reasoning bears on a server that answers many logins at once.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_OCTETS: usize = 16;
/// An imported hash may ask for this much and no more: it costs every login of its user.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 16;

/// The memory of all backends of this process: a reload makes a new backend beside the old one.
static MEMORY: Pool = Pool::new();

/// The `local` backend: who has an account in the store is known. As many passwords at once as there are cores are
/// checked with argon2id; the others wait.
#[derive(Clone, Copy, Debug, Default)]
pub struct Local {
    afterwards: Afterwards,
}

impl Local {
    /// For a server: it keeps the memory of a check, wiped, for the next one. [`Local::default`] keeps nothing.
    #[must_use]
    pub fn for_server() -> Self {
        Self { afterwards: Afterwards::Kept }
    }
}

impl Names for Local {
    fn identify(&self, name: &Username, stored: Stored) -> Identity {
        match stored {
            Stored::Yes => Identity::Known(name.clone()),
            Stored::No => Identity::Unknown,
        }
    }
}

impl Primary for Local {
    /// Where there is no hash, a password is hashed all the same, so that the time says nothing of the name.
    /// Imported crypt(3) hashes take their own time until the password is set anew.
    fn check(&self, _name: &Username, hash: Option<&PasswordHash>, password: &Secret) -> PasswordCheck {
        let Some(hash) = hash else { return self.refuse_like_a_wrong_password(password) };
        match Scheme::of(hash.expose()) {
            Scheme::Argon2id => self.check_argon2id(hash.expose(), password),
            Scheme::Crypt(_) => crypt::check(hash.expose(), password),
            Scheme::Locked => self.refuse_like_a_wrong_password(password),
            Scheme::Refused => PasswordCheck::Unavailable,
        }
    }

    fn pretend(&self) {
        let _ = self.refuse_like_a_wrong_password(&Secret::from("nobody"));
    }
}

/// Hashes a new password.
pub fn hash_password(random: &dyn Random, password: &Secret) -> Result<PasswordHash, PrimaryError> {
    let mut salt = [0; SALT_OCTETS];
    random.fill(&mut salt);
    let hash = argon2id().ok_or(PrimaryError::Hash { why: "its parameters are not accepted" })?;
    let hash = hash.hash_password_with_salt(password.expose(), &salt);
    let hash = hash.map_err(|_| PrimaryError::Hash { why: "argon2 refused it" })?;
    Ok(PasswordHash::new(hash.to_string()))
}

fn argon2id() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

impl Local {
    /// The work of a wrong password, and its answer.
    fn refuse_like_a_wrong_password(self, password: &Secret) -> PasswordCheck {
        let Some(hash) = nobodys_hash() else { return PasswordCheck::Unavailable };
        match self.check_argon2id(hash, password) {
            PasswordCheck::Right | PasswordCheck::Wrong => PasswordCheck::Wrong,
            PasswordCheck::Unavailable => PasswordCheck::Unavailable,
        }
    }

    /// Where a caller's limits do not allow the memory, that is `Unavailable`, not an abort.
    fn check_argon2id(self, hash: &str, password: &Secret) -> PasswordCheck {
        let Some(recipe) = Recipe::read(hash) else { return PasswordCheck::Unavailable };
        let Some(mut memory) = MEMORY.lend(recipe.blocks, self.afterwards) else {
            return PasswordCheck::Unavailable;
        };
        let mut output = zeroize::Zeroizing::new([0; Output::MAX_LENGTH]);
        let Some(output) = output.get_mut(..recipe.output.len()) else { return PasswordCheck::Unavailable };
        let (hasher, salt) = (&recipe.hasher, &recipe.salt);
        let made = hasher.hash_password_into_with_memory(password.expose(), salt, output, memory.blocks());
        match made {
            Ok(()) if bool::from(output.ct_eq(recipe.output.as_bytes())) => PasswordCheck::Right,
            Ok(()) => PasswordCheck::Wrong,
            Err(_) => PasswordCheck::Unavailable,
        }
    }
}

/// A hash that no password has.
fn nobodys_hash() -> Option<&'static str> {
    static NOBODY: OnceLock<Option<String>> = OnceLock::new();
    let hash = NOBODY.get_or_init(|| {
        let salt = Salt::new(&[0; SALT_OCTETS]).ok()?;
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
        let nobodys = Phc {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: (&params).try_into().ok()?,
            salt: Some(salt),
            hash: Output::new(&[0; Params::DEFAULT_OUTPUT_LEN]).ok(),
        };
        Some(nobodys.to_string())
    });
    hash.as_deref()
}

/// What a PHC string of argon2id asks for.
struct Recipe {
    hasher: Argon2<'static>,
    blocks: usize,
    salt: Salt,
    output: Output,
}

impl Recipe {
    fn read(hash: &str) -> Option<Self> {
        let phc = Phc::new(hash).ok()?;
        let version = Version::try_from(phc.version?).ok()?;
        let params = Params::try_from(&phc).ok()?;
        if params.m_cost() > MEMORY_KIB_MAX || params.t_cost() > PASSES_MAX {
            return None;
        }
        let blocks = params.block_count();
        let hasher = Argon2::new(Algorithm::Argon2id, version, params);
        Some(Self { hasher, blocks, salt: phc.salt?, output: phc.hash? })
    }
}

#[cfg(test)]
mod tests;
