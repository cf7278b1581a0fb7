//! Counters: of the whole server by every name in [`crate::exit`], and a few of each client.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::exit::{Dropped, Event, Refused};

/// One number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The number so far.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// All counters of a server.
#[derive(Debug)]
pub struct Counters {
    drops: [Counter; Dropped::ALL.len()],
    refusals: [Counter; Refused::ALL.len()],
    events: [Counter; Event::ALL.len()],
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            drops: std::array::from_fn(|_| Counter::default()),
            refusals: std::array::from_fn(|_| Counter::default()),
            events: std::array::from_fn(|_| Counter::default()),
        }
    }
}

impl Counters {
    /// A packet got no answer.
    pub fn dropped(&self, reason: Dropped) {
        add(&self.drops, reason.place());
    }

    /// A packet was refused without the core having been asked.
    pub fn refused(&self, reason: Refused) {
        add(&self.refusals, reason.place());
    }

    /// Something else happened.
    pub fn event(&self, event: Event) {
        add(&self.events, event.place());
    }

    /// Names and numbers of all drops.
    pub fn drops(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Dropped::ALL.iter().map(|it| it.name()).zip(self.drops.iter().map(Counter::read))
    }

    /// Names and numbers of all refusals.
    pub fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Refused::ALL.iter().map(|it| it.name()).zip(self.refusals.iter().map(Counter::read))
    }

    /// Names and numbers of everything else.
    pub fn events(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Event::ALL.iter().map(|it| it.name()).zip(self.events.iter().map(Counter::read))
    }
}

fn add(counters: &[Counter], place: usize) {
    if let Some(counter) = counters.get(place) {
        counter.add_one();
    }
}

/// What is counted of each client. It survives a reload of the configuration.
#[derive(Debug, Default)]
pub struct ClientCounters {
    /// Datagrams from its addresses.
    pub received: Counter,
    /// Those without an answer.
    pub dropped: Counter,
    /// Those without a Message-Authenticator.
    pub unsigned: Counter,
    /// Access-Accepts.
    pub accepted: Counter,
    /// Access-Rejects.
    pub rejected: Counter,
    /// Access-Challenges.
    pub challenged: Counter,
}
