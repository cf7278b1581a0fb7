//! Which hashes are taken from elsewhere. `$1$` (MD5) and DES are not: they can be tried by the billion.

use common::account::PasswordHash;

use super::Recipe;
use crate::PrimaryError;

/// The crypt(3) schemes that are accepted, by their beginnings (crypt(5)).
const CRYPT_PREFIXES: [&str; 6] = ["$y$", "$gy$", "$2b$", "$2y$", "$6$", "$5$"];
/// Rounds of SHA-crypt, and the cost of bcrypt, that an imported hash may ask for.
const SHA_ROUNDS_MAX: u32 = 1_000_000;
const BCRYPT_COST_MAX: u32 = 14;
const ARGON2ID_PREFIX: &str = "$argon2id$";

/// What a stored hash is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// A PHC string of argon2id.
    Argon2id,
    /// A crypt(3) string with this beginning.
    Crypt(&'static str),
    /// No password is right (shadow(5)): `!`, `*` or `x` stands before or instead of a hash.
    Locked,
    /// Anything else.
    Refused,
}

impl Scheme {
    pub(super) fn of(hash: &str) -> Self {
        if hash.starts_with(ARGON2ID_PREFIX) {
            return Self::Argon2id;
        }
        if hash.starts_with(['!', '*']) || hash == "x" {
            return Self::Locked;
        }
        let known = CRYPT_PREFIXES.into_iter().find(|prefix| hash.starts_with(prefix));
        known.map_or(Self::Refused, Self::Crypt)
    }
}

/// Takes a hash from elsewhere: a PHC string of argon2id, or a crypt(3) string of a scheme that still holds.
pub fn accept_import(hash: &str) -> Result<PasswordHash, PrimaryError> {
    match Scheme::of(hash) {
        Scheme::Argon2id if Recipe::read(hash).is_none() => Err(PrimaryError::Unreadable {
            scheme: ARGON2ID_PREFIX,
            why: "it is damaged, or asks for more than 256 MiB or 16 passes",
        }),
        Scheme::Crypt(scheme) if !looks_whole(hash, scheme) => Err(PrimaryError::Unreadable {
            scheme,
            why: "it has too few parts or characters that no hash has",
        }),
        Scheme::Crypt(scheme) if !is_affordable(hash, scheme) => {
            Err(PrimaryError::Unreadable { scheme, why: "it asks for more work than a login may cost" })
        }
        Scheme::Argon2id | Scheme::Crypt(_) => Ok(PasswordHash::new(hash.to_owned())),
        Scheme::Locked => Err(PrimaryError::Locked),
        Scheme::Refused => Err(PrimaryError::WeakOrUnknownScheme { scheme: beginning(hash) }),
    }
}

/// Setting and hash, and none of the characters that crypt(5) forbids.
fn looks_whole(hash: &str, scheme: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_graphic() && !matches!(c, ':' | ';' | '*' | '!' | '\\');
    let rest = hash.strip_prefix(scheme).unwrap_or_default();
    let parts: Vec<_> = rest.split('$').collect();
    hash.chars().all(is_allowed) && parts.len() >= 2 && parts.iter().all(|part| !part.is_empty())
}

/// Whether the setting asks for work that each login of its user can bear.
fn is_affordable(hash: &str, scheme: &str) -> bool {
    let rest = hash.strip_prefix(scheme).unwrap_or_default();
    let setting = rest.split('$').next().unwrap_or_default();
    let at_most = |number: &str, most: u32| number.parse().is_ok_and(|asked: u32| asked <= most);
    match scheme {
        "$y$" | "$gy$" => is_affordable_yescrypt(setting),
        "$2b$" | "$2y$" => at_most(setting, BCRYPT_COST_MAX),
        _ => setting.strip_prefix("rounds=").is_none_or(|rounds| at_most(rounds, SHA_ROUNDS_MAX)),
    }
}

/// Flavour, N and r, one character each, as all of libxcrypt's settings have them: at most 256 MiB (`jDT`).
fn is_affordable_yescrypt(setting: &str) -> bool {
    matches!(setting.as_bytes(), [b'j', b'.'..=b'D', b'.'..=b'T'])
}

/// `$1$` of `$1$salt$hash`: enough to say which scheme it is, and nothing of the hash.
fn beginning(hash: &str) -> String {
    let name = hash.strip_prefix('$').and_then(|rest| rest.split_once('$')).map(|(name, _)| name);
    name.filter(|name| name.len() <= 10).map(|name| format!("${name}$")).unwrap_or_default()
}
