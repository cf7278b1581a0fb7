//! Why the service cannot start or go on. What becomes of single requests is in `counters`.

use std::io;
use std::path::PathBuf;

use assembly::daemon::DaemonError;

/// An operation of the service that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// What can happen to every server.
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
}
