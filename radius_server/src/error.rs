//! Why the server cannot start or go on. Errors of single packets are in `exit`.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use assembly::daemon::DaemonError;
use nix::errno::Errno;

/// An operation of the server that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
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
    /// What can happen to every server.
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    /// What every login needs cannot be used.
    #[error("no login can be decided")]
    Probe {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The clock is behind what the store has seen.
    #[error("no login can be decided: the clock of this machine has gone back; set it right")]
    ClockBehind,
    /// The socket for the counters.
    #[error("cannot open {}", path.display())]
    StatsSocket {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
