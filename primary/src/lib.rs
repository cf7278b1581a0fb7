//! Backends of the first password: hashes that the store keeps, or a PAM stack; and names by NSS.
//! A backend says right, wrong or that it could not tell; it decides no login.

#[cfg(feature = "groups")]
mod groups;
#[cfg(feature = "local")]
mod local;
mod nss;
#[cfg(feature = "pam")]
mod pam;

#[cfg(feature = "groups")]
pub use groups::{Members, members};
#[cfg(feature = "local")]
pub use local::{Local, accept_import, hash_password};
pub use nss::Nss;
#[cfg(feature = "pam")]
pub use pam::{HelperLimits, Pam, PamHelper, ServiceName};

/// What can go wrong when a backend is set up or a hash is made. A check never fails: it says `Unavailable`.
#[derive(Debug, thiserror::Error)]
pub enum PrimaryError {
    /// A password could not be hashed.
    #[error("the password could not be hashed: {why}")]
    Hash {
        /// What stood in the way; never the password.
        why: &'static str,
    },
    /// A hash from elsewhere is of a scheme that is too weak or unknown.
    #[error(
        "hashes beginning with {scheme:?} are not accepted: give argon2id, yescrypt, bcrypt, SHA-512 or SHA-256 crypt"
    )]
    WeakOrUnknownScheme {
        /// How the hash begins, never more.
        scheme: String,
    },
    /// A hash from elsewhere stands for a locked password.
    #[error("the hash stands for a locked password")]
    Locked,
    /// A hash from elsewhere does not read as what its beginning says.
    #[error("a hash of scheme {scheme:?} cannot be read: {why}")]
    Unreadable {
        /// How the hash begins.
        scheme: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A PAM service has a name that no file could have.
    #[error("{name:?} is no name of a PAM service: letters, digits, '-' and '_' only")]
    ServiceNameInvalid {
        /// The name.
        name: String,
    },
    /// A PAM service has no file; PAM would ask the service `other` instead.
    #[error(
        "there is no PAM service {name:?} in /etc/pam.d or /usr/lib/pam.d: write the lines that check a first password into \
         /etc/pam.d/{name}, such as 'auth required pam_unix.so' and 'account required pam_unix.so'"
    )]
    ServiceMissing {
        /// The name.
        name: String,
    },
    /// The process that asks PAM must be forked before any thread starts.
    #[error("the process that asks PAM must be forked before threads start; there are {threads}")]
    ThreadsRunning {
        /// How many run.
        threads: usize,
    },
    /// The process that asks PAM could not be set up.
    #[error("the process that asks PAM could not be set up: {operation} failed")]
    Helper {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
}
