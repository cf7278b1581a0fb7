//! What all threads of the server share: sockets, memory of requests, counters, and the configuration in force.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use crate::LOG;
use crate::clients::Client;
use crate::counters::Counters;
use crate::drop_log::{DropLog, Pair};
use crate::duplicates::{Duplicates, Kept};
use crate::exit::{Dropped, Event, Refused};
use crate::floor::Outgoing;
use crate::health::Health;
use crate::socket::{Listener, LocalAddress};
use crate::world::World;

/// The server.
pub struct Server {
    /// The listening sockets; a request names its own by its place here.
    pub listeners: Vec<Listener>,
    /// What was counted.
    pub counters: Counters,
    /// Whether logins can be decided.
    pub health: Health,
    world: RwLock<Arc<World>>,
    duplicates: Mutex<Duplicates>,
    drop_log: Mutex<DropLog>,
}

/// The two ends of a datagram.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// The listening socket, by its place.
    pub socket: usize,
    /// Who sent it.
    pub peer: SocketAddr,
    /// Whom it was sent to.
    pub local: LocalAddress,
}

impl Server {
    /// A server that has not received anything yet.
    #[must_use]
    pub fn new(listeners: Vec<Listener>, world: World) -> Self {
        Self {
            listeners,
            counters: Counters::default(),
            health: Health::default(),
            world: RwLock::new(Arc::new(world)),
            duplicates: Mutex::default(),
            drop_log: Mutex::default(),
        }
    }

    /// The configuration in force. A request that has begun with one ends with it.
    #[must_use]
    pub fn world(&self) -> Arc<World> {
        Arc::clone(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another configuration in force.
    pub fn replace_world(&self, world: World) {
        *self.world.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(world);
    }

    /// The memory of requests, for a few instructions.
    pub(crate) fn duplicates(&self) -> MutexGuard<'_, Duplicates> {
        self.duplicates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a packet that gets no answer, and logs it at a bounded rate.
    pub(crate) fn dropped(&self, reason: Dropped, client: Option<&Client>, peer: SocketAddr) {
        self.counters.dropped(reason);
        if let Some(client) = client {
            client.counters.dropped.add_one();
        }
        // A retransmission is the network's daily life: counted, not logged.
        if reason != Dropped::DuplicateInFlight {
            self.note(reason.name(), client, peer);
        }
    }

    /// Counts a packet that is refused without the core having been asked, and logs it at a bounded rate.
    pub(crate) fn refused(&self, reason: Refused, client: &Client, peer: SocketAddr) {
        self.counters.refused(reason);
        self.note(reason.name(), Some(client), peer);
    }

    /// Takes note of a request without a Message-Authenticator that its client may send.
    pub(crate) fn unsigned(&self, client: &Client) {
        self.counters.event(Event::Unsigned);
        client.counters.unsigned.add_one();
    }

    /// Sends a reply, or counts that it could not be sent: the client asks again then.
    pub(crate) fn send(&self, octets: &[u8], path: &Path, client: &Client) {
        let listener = self.listeners.get(path.socket);
        let sent = listener.is_some_and(|it| it.send(octets, path.peer, path.local).is_ok());
        if !sent {
            self.dropped(Dropped::NotSent, Some(client), path.peer);
        }
    }

    /// Keeps an answer for the request coming again, then sends it. The request is no longer in flight.
    pub(crate) fn answer(&self, outgoing: &Outgoing) {
        let Outgoing { client, key, authenticator, path, octets, .. } = outgoing;
        let (name, now) = (&client.name, Instant::now());
        let kept = self.duplicates().answered(name, key, authenticator, octets.as_ref().into(), now);
        match kept {
            Kept::Yes => self.send(octets, path, client),
            Kept::Superseded => self.dropped(Dropped::Superseded, Some(client), path.peer),
        }
        self.duplicates().done(name, key, authenticator);
    }

    /// What is due now and then: lines of the log, and forgetting.
    pub fn tidy(&self, now: Instant) {
        let lines = self.drop_log.lock().unwrap_or_else(PoisonError::into_inner).due(now);
        lines.iter().for_each(|line| LOG.warning(line));
        self.duplicates().purge(now);
    }

    /// Nothing is written here: standard error may be slow, and the receiver does not wait.
    fn note(&self, reason: &'static str, client: Option<&Client>, peer: SocketAddr) {
        let pair = Pair { reason, client: client.map(|client| Arc::clone(&client.name)) };
        self.drop_log.lock().unwrap_or_else(PoisonError::into_inner).note(pair, peer);
    }
}
