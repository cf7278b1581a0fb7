//! Empties the outbox: takes messages by lease, hands them over, says what became of them. It runs in long-lived servers.
//!
//! One thread looks into the outbox; each channel has a few of its own that hand over, so that a slow gateway for text
//! messages holds up no mail. What finds no room here goes back.

mod bell;
mod channel;
mod job;

use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::Instant;

use common::address::{Address, Channel};
use common::keys::KeyError;
use common::message::{Envelope, Message};
use common::ports::{Fate, StoreError};
use common::wording::Written;
use common::{MessageId, UnixTime};

use crate::gateways::Gateways;
use crate::limits::{
    CLAIMED_AT_ONCE, LEASE_MARGIN_SECONDS, LOOK_INTERVAL, REPLY_GRACE, STOP_PATIENCE, UNREADABLE_SECONDS,
    WORKERS_PER_CHANNEL,
};
pub use bell::Bell;
use channel::Waiting;
use job::Job;
pub use job::{Fared, Outcome};

/// What a server lends to whoever sends: its outbox, its keys, its settings. Asked for anew each time, since settings change.
pub trait Post: Send + Sync {
    /// Takes messages by lease.
    ///
    /// # Errors
    /// The store cannot be used.
    fn claim(&self, lease_seconds: u64, count: u32) -> Result<Vec<Envelope>, StoreError>;

    /// Says what became of one.
    ///
    /// # Errors
    /// The store cannot be used.
    fn settle(&self, message: MessageId, fate: Fate) -> Result<(), StoreError>;

    /// Opens one.
    ///
    /// # Errors
    /// The key file has not the key.
    fn open(&self, envelope: &Envelope) -> Result<Message, KeyError>;

    /// Now.
    fn now(&self) -> UnixTime;

    /// The gateways.
    fn gateways(&self) -> &Gateways;

    /// A message in words.
    fn write(&self, message: &Message) -> Written;

    /// Whether its address may be sent to.
    fn allows(&self, address: &Address) -> bool;

    /// Records what became of a message, durably where that can be done.
    fn record(&self, outcome: &Outcome<'_>);
}

/// What was counted, of all gateways together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Messages that a gateway took.
    pub sent: u64,
    /// Times that no gateway took a message, which was left for later.
    pub not_sent: u64,
    /// Messages that were given up.
    pub given_up: u64,
    /// Messages that the key file does not open.
    pub unreadable: u64,
    /// Times that the outbox could not be used.
    pub store_failed: u64,
}

/// The same, as it grows.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    sent: AtomicU64,
    not_sent: AtomicU64,
    given_up: AtomicU64,
    unreadable: AtomicU64,
    store_failed: AtomicU64,
}

/// Asks for the settings in force.
pub type Current = Arc<dyn Fn() -> Arc<dyn Post> + Send + Sync>;

/// Who sends.
pub struct Dispatcher {
    shared: Arc<Shared>,
    /// Disconnected when the last thread has ended; nothing is ever sent.
    ended: Mutex<Receiver<Infallible>>,
}

/// What its threads share.
pub(crate) struct Shared {
    current: Current,
    bell: Arc<Bell>,
    waiting: [Waiting; Channel::ALL.len()],
    counters: Counters,
}

impl Dispatcher {
    /// Starts to send. The bell is rung by whoever puts a message into the outbox in this process.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start(current: Current, bell: Arc<Bell>) -> io::Result<Self> {
        let waiting = std::array::from_fn(|_| Waiting::default());
        let shared = Arc::new(Shared { current, bell, waiting, counters: Counters::default() });
        let (alive, ended) = channel();
        spawn("outbox", &shared, &alive, Shared::look)?;
        for (place, name) in Channel::ALL.iter().map(|channel| channel.name()).enumerate() {
            for number in 0..WORKERS_PER_CHANNEL {
                spawn(&format!("{name}-{number}"), &shared, &alive, move |shared| shared.hand_over(place))?;
            }
        }
        Ok(Self { shared, ended: Mutex::new(ended) })
    }

    /// What was counted.
    #[must_use]
    pub fn counted(&self) -> Counted {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.shared.counters;
        Counted {
            sent: read(&counters.sent),
            not_sent: read(&counters.not_sent),
            given_up: read(&counters.given_up),
            unreadable: read(&counters.unreadable),
            store_failed: read(&counters.store_failed),
        }
    }

    /// Stops: what is being handed over is finished, for a while; the rest goes back to the outbox.
    pub fn stop(&self) {
        self.shared.bell.stop();
        self.shared.waiting.iter().for_each(Waiting::close);
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = ended.recv_timeout(STOP_PATIENCE);
    }
}

fn spawn(
    name: &str,
    shared: &Arc<Shared>,
    alive: &Sender<Infallible>,
    work: impl FnOnce(&Shared) + Send + 'static,
) -> io::Result<()> {
    let (shared, alive) = (Arc::clone(shared), alive.clone());
    let work = move || {
        work(&shared);
        drop(alive);
    };
    Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

impl Shared {
    /// Looks into the outbox when the bell rings, and each second.
    fn look(&self) {
        while self.bell.wait(LOOK_INTERVAL, REPLY_GRACE) {
            // What is there is taken at once, as long as there is room here.
            while self.take_some() {}
        }
    }

    /// Whether there may be more.
    fn take_some(&self) -> bool {
        let post = (self.current)();
        let room = self.waiting.iter().map(Waiting::room).max().unwrap_or_default().min(CLAIMED_AT_ONCE);
        if post.gateways().is_empty() || room == 0 {
            return false;
        }
        let lease = post.gateways().patience().as_secs().saturating_add(LEASE_MARGIN_SECONDS);
        let Ok(claimed) = post.claim(lease, room) else {
            self.counters.store_failed.fetch_add(1, Ordering::Relaxed);
            return false;
        };
        let is_full = u32::try_from(claimed.len()).is_ok_and(|count| count >= room);
        for envelope in claimed {
            self.sort(&*post, &envelope, lease);
        }
        is_full
    }

    /// To the threads of its channel, or back where they have enough to do.
    fn sort(&self, post: &dyn Post, envelope: &Envelope, lease_seconds: u64) {
        let Ok(message) = post.open(envelope) else {
            // Another server may have the key.
            self.counters.unreadable.fetch_add(1, Ordering::Relaxed);
            let again = post.now().plus_seconds(UNREADABLE_SECONDS);
            let _ = post.settle(envelope.id, Fate::Again(again));
            return;
        };
        // Who gets to it only when half of the lease is over leaves it to others.
        let until = Instant::now().checked_add(std::time::Duration::from_secs(lease_seconds / 2));
        let place = Channel::ALL.iter().position(|channel| *channel == message.channel);
        let waiting = place.and_then(|place| self.waiting.get(place));
        let id = message.id;
        if waiting.is_none_or(|waiting| !waiting.put(Job { message, until })) {
            let _ = post.settle(id, Fate::Again(post.now().plus_seconds(1)));
        }
    }

    /// Hands over what waits for one channel.
    fn hand_over(&self, place: usize) {
        let Some(waiting) = self.waiting.get(place) else { return };
        while let Some(job) = waiting.take() {
            let post = (self.current)();
            match self.bell.is_stopped() {
                true => drop(post.settle(job.message.id, Fate::Again(post.now()))),
                false => job.work(&*post, &self.counters),
            }
        }
    }
}
