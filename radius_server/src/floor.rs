//! Answers that wait for the floor: a question or a refusal after a first password leaves no earlier than the policy
//! says, so that its time does not tell which names exist. No worker waits with them.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Weak};
use std::time::Instant;

use radius_protocol::Authenticator;

use crate::clients::Client;
use crate::duplicates::RequestKey;
use crate::exit::Event;
use crate::limits;
use crate::server::{Path, Server};

/// An answer with everything that sending it needs.
pub struct Outgoing {
    /// Whose request it answers.
    pub client: Arc<Client>,
    /// Under which the request is remembered.
    pub key: RequestKey,
    /// The Request Authenticator.
    pub authenticator: Authenticator,
    /// Where it goes.
    pub path: Path,
    /// The packet.
    pub octets: Box<[u8]>,
    /// When it may leave.
    pub due: Instant,
}

/// Where workers leave answers for later.
#[derive(Clone)]
pub struct Shelf(SyncSender<Box<Outgoing>>);

/// A shelf, and what is put on it.
#[must_use]
pub fn shelf() -> (Shelf, Receiver<Box<Outgoing>>) {
    let (sender, receiver) = sync_channel(limits::SHELF_MAX);
    (Shelf(sender), receiver)
}

impl Shelf {
    /// Leaves an answer for later; one for which there is no room goes at once.
    pub fn put(&self, server: &Server, outgoing: Box<Outgoing>) {
        match self.0.try_send(outgoing) {
            Ok(()) => server.counters.event(Event::HeldBack),
            Err(TrySendError::Full(outgoing) | TrySendError::Disconnected(outgoing)) => {
                server.counters.event(Event::LeftEarly);
                server.answer(&outgoing);
            }
        }
    }
}

/// Sends what is due until every worker has gone, and what is left after that in its time too.
pub fn run(server: &Weak<Server>, shelf: &Receiver<Box<Outgoing>>) {
    let mut waiting: BinaryHeap<Later> = BinaryHeap::new();
    let mut has_workers = true;
    while has_workers || !waiting.is_empty() {
        let patience = waiting.peek().map_or(limits::FLOOR_TURN, |next| {
            next.0.due.saturating_duration_since(Instant::now()).min(limits::FLOOR_TURN)
        });
        if has_workers && waiting.len() < limits::HELD_MAX {
            match shelf.recv_timeout(patience) {
                Ok(outgoing) => waiting.push(Later(outgoing)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => has_workers = false,
            }
        } else {
            std::thread::sleep(patience);
        }
        let Some(server) = server.upgrade() else { return };
        while waiting.peek().is_some_and(|next| next.0.due <= Instant::now()) {
            waiting.pop().into_iter().for_each(|next| server.answer(&next.0));
        }
    }
}

/// The earliest comes first out of a heap that gives the greatest.
struct Later(Box<Outgoing>);

impl Ord for Later {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.due.cmp(&self.0.due)
    }
}

impl PartialOrd for Later {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Later {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Later {}
