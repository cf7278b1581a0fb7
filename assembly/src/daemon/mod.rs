//! What a long-lived server needs of the system before it serves anybody: fewer rights, signals to wait for, a log, and
//! a word to systemd.

mod log;
pub mod notify;
mod rights;
mod signals;

pub use log::Log;
pub use rights::Start;
pub use signals::{Event, Signals};

use std::error::Error;

use nix::errno::Errno;

/// Why a server cannot start or go on, whatever it serves.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The system user does not exist.
    #[error("there is no user {name}: `countersign init` makes it, or name another with --user")]
    NoUser {
        /// The name.
        name: String,
    },
    /// The system user is root.
    #[error("the server does not run as root: name another user with --user")]
    UserIsRoot,
    /// Real, effective and saved ids of the process differ.
    #[error(
        "the server was started with the rights of several users: start it as root or as one ordinary user"
    )]
    RightsOfSeveral,
    /// Rights could not be given up.
    #[error("cannot {operation}")]
    Rights {
        /// The verb and its object.
        operation: &'static str,
        /// Why.
        source: Errno,
    },
    /// Rights came back after they had been given up.
    #[error("the rights of root were given up and could be taken back: refusing to run")]
    RightsCameBack,
    /// A call of the kernel.
    #[error("cannot {operation}")]
    Kernel {
        /// The verb and its object.
        operation: &'static str,
        /// Why.
        source: Errno,
    },
}

/// An error and its causes, in one line for a log or terminal.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::{DaemonError, with_causes};

    #[test]
    fn an_error_is_told_with_its_causes() {
        let error = DaemonError::Rights { operation: "change the user", source: Errno::EPERM };
        assert_eq!(with_causes(&error), "cannot change the user: EPERM: Operation not permitted");
    }
}
