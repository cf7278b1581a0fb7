//! Requests that were seen lately (RFC 5080 §2.2.2): one in flight is not begun again, and an answered one gets the
//! same octets again. Of a client that must sign its requests only authentic ones come here. Where it need not, whoever can
//! send from its address can fill its places and take its identifiers, but never those of another client.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use radius_protocol::Authenticator;

use crate::limits;

/// What makes two requests the same, apart from the authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestKey {
    /// The listening socket, by its number.
    pub socket: usize,
    /// Address and port that it came from.
    pub peer: SocketAddr,
    /// The packet's identifier.
    pub identifier: u8,
}

/// What the memory says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Seen {
    /// It is new, and remembered from now on as being in flight.
    New,
    /// It is being worked on.
    InFlight,
    /// It has been answered with these octets.
    Answered(Arc<[u8]>),
    /// It is new, but too many requests of its client are in flight.
    TooMany,
}

/// What became of an answer handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Kept {
    /// It is kept for the request coming again, and is to be sent.
    Yes,
    /// The identifier stands for another request by now: nobody waits for this answer.
    Superseded,
}

/// The memory, bounded for each client and for all.
#[derive(Debug, Default)]
pub struct Duplicates {
    shelves: HashMap<Arc<str>, Shelf>,
    remembered: usize,
    next_serial: u64,
    purged_at: Option<Instant>,
}

/// What is remembered of one client.
#[derive(Debug, Default)]
struct Shelf {
    entries: HashMap<RequestKey, Entry>,
    /// Every entry once, in the order of arrival, and those replaced since. Its length is what is bounded.
    order: VecDeque<(RequestKey, u64)>,
    /// Requests admitted that no worker is done with, also those replaced since: each costs a place in the queue.
    in_flight: usize,
}

#[derive(Debug)]
struct Entry {
    authenticator: Authenticator,
    serial: u64,
    state: EntryState,
}

#[derive(Debug)]
enum EntryState {
    InFlight,
    Answered { octets: Arc<[u8]>, at: Instant },
}

impl Duplicates {
    /// Looks a request up, and remembers it as being in flight if it is new.
    pub fn admit(
        &mut self,
        client: &Arc<str>,
        key: RequestKey,
        authenticator: &Authenticator,
        now: Instant,
    ) -> Seen {
        let shelf = self.shelves.entry(Arc::clone(client)).or_default();
        if let Some(seen) = shelf.seen(&key, authenticator, now) {
            return seen;
        }
        if shelf.in_flight >= limits::IN_FLIGHT_PER_CLIENT_MAX {
            return Seen::TooMany;
        }
        self.make_room(client, now);
        self.next_serial = self.next_serial.wrapping_add(1);
        let entry =
            Entry { authenticator: *authenticator, serial: self.next_serial, state: EntryState::InFlight };
        let shelf = self.shelves.entry(Arc::clone(client)).or_default();
        shelf.put(key, entry);
        self.remembered = self.remembered.saturating_add(1);
        Seen::New
    }

    /// Takes the answer to a request in flight.
    pub fn answered(
        &mut self,
        client: &str,
        key: &RequestKey,
        authenticator: &Authenticator,
        octets: Arc<[u8]>,
        now: Instant,
    ) -> Kept {
        let Some(shelf) = self.shelves.get_mut(client) else { return Kept::Superseded };
        let Some(entry) = shelf.entries.get_mut(key) else { return Kept::Superseded };
        if entry.authenticator != *authenticator {
            return Kept::Superseded;
        }
        entry.state = EntryState::Answered { octets, at: now };
        Kept::Yes
    }

    /// Whether somebody waits for the answer to a request still: it is neither answered nor replaced.
    #[must_use]
    pub fn is_awaited(&self, client: &str, key: &RequestKey, authenticator: &Authenticator) -> bool {
        self.shelves.get(client).is_some_and(|shelf| shelf.is_awaited(key, authenticator))
    }

    /// Hears, once for each admitted request, that nobody works on it any more. One without an answer is forgotten, so
    /// that it may be tried again.
    pub fn done(&mut self, client: &str, key: &RequestKey, authenticator: &Authenticator) {
        let Some(shelf) = self.shelves.get_mut(client) else { return };
        shelf.in_flight = shelf.in_flight.saturating_sub(1);
        if shelf.is_awaited(key, authenticator) {
            shelf.entries.remove(key);
        }
    }

    /// Forgets what is too old, and clients of whom nothing is left.
    pub fn purge(&mut self, now: Instant) {
        self.purged_at = Some(now);
        for shelf in self.shelves.values_mut() {
            shelf.drop_expired(now);
        }
        self.shelves.retain(|_, shelf| !shelf.order.is_empty() || shelf.in_flight > 0);
        self.remembered = self.shelves.values().map(|shelf| shelf.order.len()).sum();
    }

    /// Makes room for one more request of `client`.
    fn make_room(&mut self, client: &Arc<str>, now: Instant) {
        let full = |shelf: &Shelf| shelf.order.len() >= limits::REMEMBERED_PER_CLIENT_MAX;
        if self.shelves.get(client).is_some_and(full) {
            self.drop_oldest_of(&Arc::clone(client));
        }
        // It looks at all clients, which is too much work for each packet of a flood.
        if self.remembered >= limits::REMEMBERED_MAX && self.is_purge_due(now) {
            self.purge(now);
        }
        if self.remembered >= limits::REMEMBERED_MAX {
            let most = self.shelves.iter().max_by_key(|(_, shelf)| shelf.order.len());
            if let Some(client) = most.map(|(client, _)| Arc::clone(client)) {
                self.drop_oldest_of(&client);
            }
        }
    }

    fn is_purge_due(&self, now: Instant) -> bool {
        self.purged_at.is_none_or(|at| now.saturating_duration_since(at) >= limits::PURGE_INTERVAL)
    }

    fn drop_oldest_of(&mut self, client: &Arc<str>) {
        let dropped = self.shelves.get_mut(client).and_then(Shelf::drop_oldest);
        if dropped.is_some() {
            self.remembered = self.remembered.saturating_sub(1);
        }
    }
}

impl Shelf {
    fn seen(&self, key: &RequestKey, authenticator: &Authenticator, now: Instant) -> Option<Seen> {
        let entry = self.entries.get(key).filter(|entry| entry.authenticator == *authenticator)?;
        match &entry.state {
            EntryState::InFlight => Some(Seen::InFlight),
            EntryState::Answered { octets, at } => {
                (!is_expired(*at, now)).then(|| Seen::Answered(Arc::clone(octets)))
            }
        }
    }

    /// A new authenticator under the same identifier replaces what was there (RFC 5080 §2.2.2).
    fn put(&mut self, key: RequestKey, entry: Entry) {
        self.order.push_back((key, entry.serial));
        self.entries.insert(key, entry);
        self.in_flight = self.in_flight.saturating_add(1);
    }

    fn is_awaited(&self, key: &RequestKey, authenticator: &Authenticator) -> bool {
        let same = |entry: &Entry| entry.authenticator == *authenticator && entry.is_in_flight();
        self.entries.get(key).is_some_and(same)
    }

    /// Forgets the oldest request that is not in flight: somebody waits for the answer to one that is.
    fn drop_oldest(&mut self) -> Option<()> {
        for _ in 0..self.order.len() {
            let (key, serial) = self.order.pop_front()?;
            match self.entries.get(&key).filter(|entry| entry.serial == serial) {
                Some(entry) if entry.is_in_flight() => self.order.push_back((key, serial)),
                Some(_) => {
                    self.entries.remove(&key);
                    return Some(());
                }
                None => return Some(()),
            }
        }
        None
    }

    fn drop_expired(&mut self, now: Instant) {
        while self.order.front().is_some_and(|(key, serial)| self.is_past(key, *serial, now)) {
            self.drop_oldest();
        }
    }

    fn is_past(&self, key: &RequestKey, serial: u64, now: Instant) -> bool {
        let Some(entry) = self.entries.get(key).filter(|entry| entry.serial == serial) else { return true };
        match entry.state {
            EntryState::InFlight => false,
            EntryState::Answered { at, .. } => is_expired(at, now),
        }
    }
}

impl Entry {
    fn is_in_flight(&self) -> bool {
        matches!(self.state, EntryState::InFlight)
    }
}

fn is_expired(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) >= limits::ANSWER_KEPT
}

#[cfg(test)]
mod tests;
