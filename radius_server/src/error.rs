//! Why the server cannot start or go on. Errors of single packets are in `exit`.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use assembly::daemon::DaemonError;
use nix::errno::Errno;

/// An operation of the server that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The command line.
    #[error("{problem}; see countersign-radiusd --help")]
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
    /// A client's secret cannot be used.
    #[error("the secret of client {client} cannot be used")]
    Secret {
        /// The client.
        client: String,
        /// Why.
        source: radius_protocol::Error,
    },
    /// A socket could not be opened.
    #[error(
        "cannot listen on {address}; see whether another server has the port, and whether the address is this machine's"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: Errno,
    },
    /// Rights, signals.
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    /// Primary `pam` needs root at the start.
    #[error(
        "the primary `pam` needs a helper that runs as root: start the server as root, it gives its own rights up"
    )]
    HelperNeedsRoot,
    /// The process that asks PAM could not be made.
    #[error("cannot start the process that asks PAM")]
    Helper {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The process that asks PAM is gone, and only root could make another.
    #[error("the process that asks PAM has ended; start the server again")]
    HelperEnded,
    /// The engine could not be put together.
    #[error("cannot open what logins are decided with")]
    Engine {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What every login needs cannot be used.
    #[error("no login can be decided")]
    Probe {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The clock is behind what the store has seen.
    #[error("no login can be decided: the clock of this machine has gone back; set it right")]
    ClockBehind,
    /// A thread could not be started.
    #[error("cannot start a thread")]
    Thread {
        /// Why.
        source: io::Error,
    },
    /// The receiving thread has ended by itself; it has said why.
    #[error("no datagrams are received any more")]
    ReceiverEnded,
    /// The socket for the counters.
    #[error("cannot open {}", path.display())]
    StatsSocket {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
