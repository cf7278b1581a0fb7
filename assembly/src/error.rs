//! Why an engine could not be put together.

use std::path::PathBuf;

use common::keys::KeyError;
use common::ports::StoreError;

/// Each names the culprit and what to do.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    /// The key file could not be read.
    #[error("cannot read the key file {}: put it back from your copy, with mode 0600 and the owner of its folder. Without it nothing in the store can be read; where there has never been a store, 'countersign init' makes both", path.display())]
    ReadKeys {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The key file could not be written.
    #[error("cannot write the key file {}", path.display())]
    WriteKeys {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The key file is no plain file, belongs to somebody else, or others can read it.
    #[error("the key file {} must be a plain file of the store's owner with mode 0600: look at who could have read it, then 'chmod 0600 {}'", path.display(), path.display())]
    KeysExposed {
        /// Which file.
        path: PathBuf,
    },
    /// The key file is not one of ours.
    #[error("the key file {} is too long, or has a line that is no key or an id that stands twice: restore it from your copy", path.display())]
    KeysUnreadable {
        /// Which file.
        path: PathBuf,
    },
    /// The state directory could not be looked at.
    #[error("cannot look at the state directory {}: run 'countersign init'", path.display())]
    StateDirectory {
        /// Which directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key could not be derived.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store could not be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The backend of the first password could not be set up.
    #[error(transparent)]
    Primary(#[from] primary::PrimaryError),
    /// The syslog sink could not be set up.
    #[error(transparent)]
    Audit(#[from] audit::AuditError),
    /// The server needs a root process to ask PAM.
    #[error(
        "primary.backend is \"pam\", which needs a process that runs as root: start the server as root, it drops its rights by itself"
    )]
    HelperMissing,
}
