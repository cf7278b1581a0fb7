//! The counters for whoever connects to a Unix socket in the state directory: one JSON document, then the end.
//! docs/radius.md has the format. Nobody but our own user and root can connect.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process;
use std::sync::Weak;

use assembly::daemon::{Sending, SendingReport};
use common::UnixTime;
use serde::Serialize;

use crate::counters::ClientCounters;
use crate::error::ServerError;
use crate::limits;
use crate::server::Server;
use crate::world::World;

/// The socket's name in the state directory.
pub const SOCKET_NAME: &str = "radiusd-stats.sock";

/// The document.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Report<'a> {
    version: &'static str,
    process_id: u32,
    started_at: u64,
    healthy: bool,
    listen: Vec<String>,
    events: BTreeMap<&'static str, u64>,
    dropped: BTreeMap<&'static str, u64>,
    refused: BTreeMap<&'static str, u64>,
    syslog: BTreeMap<&'static str, u64>,
    delivery: SendingReport,
    clients: BTreeMap<&'a str, ClientReport>,
}

/// Counters of one client.
#[derive(Serialize)]
struct ClientReport {
    received: u64,
    dropped: u64,
    unsigned: u64,
    accepted: u64,
    rejected: u64,
    challenged: u64,
}

/// The socket, ready to be listened on.
#[derive(Debug)]
pub struct Stats {
    socket: UnixListener,
    started_at: UnixTime,
}

impl Stats {
    /// Opens the socket. One that a server left behind when it was killed is replaced.
    ///
    /// # Errors
    /// [`ServerError::StatsSocket`]: another server answers there, or the folder cannot be written to.
    pub fn open(state_directory: &Path, started_at: UnixTime) -> Result<Self, ServerError> {
        let path = state_directory.join(SOCKET_NAME);
        let failed = |source| ServerError::StatsSocket { path: path.clone(), source };
        if UnixStream::connect(&path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            fs::remove_file(&path).map_err(failed)?;
        }
        let socket = UnixListener::bind(&path).map_err(failed)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self { socket, started_at })
    }

    /// Answers one connection after the other while there is a server.
    pub fn serve(&self, server: &Weak<Server>, sending: &Sending) {
        for connection in self.socket.incoming() {
            let Some(server) = server.upgrade() else { return };
            // A reader that goes away or stalls is given up; the next one gets its turn.
            let _ = connection.and_then(|connection| self.answer(&server, sending, connection));
        }
    }

    fn answer(&self, server: &Server, sending: &Sending, mut connection: UnixStream) -> io::Result<()> {
        let world = server.world();
        let mut document = serde_json::to_vec_pretty(&report(server, sending, &world, self.started_at))?;
        document.push(b'\n');
        connection.set_write_timeout(Some(limits::STATS_PATIENCE))?;
        connection.write_all(&document)
    }
}

fn report<'w>(server: &Server, sending: &Sending, world: &'w World, started_at: UnixTime) -> Report<'w> {
    Report {
        version: env!("CARGO_PKG_VERSION"),
        process_id: process::id(),
        started_at: started_at.seconds(),
        healthy: server.health.is_good(),
        listen: server.listeners.iter().map(|listener| listener.address().to_string()).collect(),
        events: server.counters.events().collect(),
        dropped: server.counters.drops().collect(),
        refused: server.counters.refusals().collect(),
        syslog: world.base.syslog_counts().into(),
        delivery: sending.report(&world.base.desk),
        clients: world.clients.iter().map(|it| (&*it.name, ClientReport::of(&it.counters))).collect(),
    }
}

impl ClientReport {
    fn of(counters: &ClientCounters) -> Self {
        Self {
            received: counters.received.read(),
            dropped: counters.dropped.read(),
            unsigned: counters.unsigned.read(),
            accepted: counters.accepted.read(),
            rejected: counters.rejected.read(),
            challenged: counters.challenged.read(),
        }
    }
}
