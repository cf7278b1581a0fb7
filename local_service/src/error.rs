//! Why the service cannot start or go on. What becomes of single requests is in `counters`.

use std::io;
use std::path::PathBuf;

use assembly::AssemblyError;
use assembly::daemon::DaemonError;

/// An operation of the service that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The command line.
    #[error("{problem}; see countersign-local --help")]
    Arguments {
        /// What is wrong with it.
        problem: String,
    },
    /// The configuration; the text has lines and carets.
    #[error("{shown}")]
    Configuration {
        /// As the administrator reads it.
        shown: String,
    },
    /// Rights, signals.
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    /// The socket could not be made.
    #[error("cannot {operation} {}", path.display())]
    Socket {
        /// The verb.
        operation: &'static str,
        /// The culprit.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else could put another socket in its place.
    #[error("the folder {} must belong to root or to the service's user, and nobody else may write to it", path.display())]
    FolderOpen {
        /// The folder.
        path: PathBuf,
    },
    /// Another process serves there.
    #[error("another countersign-local serves {}", path.display())]
    Taken {
        /// The socket.
        path: PathBuf,
    },
    /// What systemd has handed over is no listening Unix socket.
    #[error("what systemd has handed over cannot be listened on: see the unit countersign-local.socket")]
    Activation {
        /// Why.
        source: io::Error,
    },
    /// Primary `pam` needs root at the start.
    #[error(
        "the primary `pam` needs a process that runs as root: start the service as root, it gives its own rights up"
    )]
    HelperNeedsRoot,
    /// The process that asks PAM could not be made.
    #[error("cannot start the process that asks PAM")]
    Helper {
        /// Why.
        source: AssemblyError,
    },
    /// The process that asks PAM is gone, and only root could make another.
    #[error("the process that asks PAM has ended; start the service again")]
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
    /// The thread that takes connections has ended by itself; it has said why.
    #[error("no connections are taken any more")]
    GateEnded,
}
