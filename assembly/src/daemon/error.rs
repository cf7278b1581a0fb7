//! Why a server cannot start or go on, whatever it serves.

use std::io;

use nix::errno::Errno;

use crate::AssemblyError;

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
    /// The command line.
    #[error("{problem}; see {program} --help")]
    Arguments {
        /// What is wrong with it.
        problem: String,
        /// Whose it is.
        program: &'static str,
    },
    /// The configuration; the text has lines and carets.
    #[error("{shown}")]
    Configuration {
        /// As the administrator reads it.
        shown: String,
    },
    /// Primary `pam` needs root at the start.
    #[error(
        "the primary `pam` needs a process that runs as root: start the server as root, it gives its own rights up"
    )]
    HelperNeedsRoot,
    /// The process that asks PAM could not be made.
    #[error("cannot start the process that asks PAM")]
    Helper {
        /// Why.
        source: AssemblyError,
    },
    /// The process that asks PAM is gone, and only root could make another.
    #[error("the process that asks PAM has ended; start the server again")]
    HelperEnded,
    /// The engine could not be put together.
    #[error("cannot open what logins are decided with")]
    Engine {
        /// Why.
        source: AssemblyError,
    },
    /// A thread could not be started.
    #[error("cannot start a thread")]
    Thread {
        /// Why.
        source: io::Error,
    },
    /// The thread that takes requests in has ended by itself; it has said why.
    #[error("no requests are taken in any more")]
    IntakeEnded,
}
