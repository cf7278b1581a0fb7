//! Everything else that is outside of the core: a primary, a clock that tests turn, numbers that only look random.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::account::PasswordHash;
use crate::chain::ChainPosition;
use crate::ports::{Clock, Identity, Names, PasswordCheck, Primary, Random, Sink, Stored};
use crate::record::Record;
use crate::{Secret, UnixTime, Username};

/// A primary that knows the accounts' passwords in clear text, and `ghost` without an account.
#[derive(Clone, Default)]
pub(crate) struct ClearText {
    pub(crate) checks: Arc<AtomicU64>,
    pub(crate) pretences: Arc<AtomicU64>,
    pub(crate) is_down: Arc<Mutex<bool>>,
    is_shouting: Arc<AtomicBool>,
}

impl ClearText {
    /// From now on it gives names back in capitals, as some directories do.
    pub(crate) fn shout(&self) {
        self.is_shouting.store(true, Ordering::Relaxed);
    }
}

impl Names for ClearText {
    fn identify(&self, name: &Username, stored: Stored) -> Identity {
        if self.is_shouting.load(Ordering::Relaxed) {
            return Identity::Known(Username::parse(&name.as_str().to_uppercase()).unwrap());
        }
        match stored {
            Stored::Yes => Identity::Known(name.clone()),
            Stored::No if name.as_str() == "ghost" => Identity::Known(name.clone()),
            Stored::No => Identity::Unknown,
        }
    }
}

impl Primary for ClearText {
    fn check(&self, name: &Username, hash: Option<&PasswordHash>, password: &Secret) -> PasswordCheck {
        self.checks.fetch_add(1, Ordering::Relaxed);
        if *self.is_down.lock().unwrap() {
            return PasswordCheck::Unavailable;
        }
        let right = hash.map_or("boo", PasswordHash::expose);
        if name.as_str() != "nobody" && password.expose() == right.as_bytes() {
            PasswordCheck::Right
        } else {
            PasswordCheck::Wrong
        }
    }

    fn pretend(&self) {
        self.pretences.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Clone)]
pub(crate) struct TestClock(pub(crate) Arc<AtomicU64>);

impl Clock for TestClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(self.0.load(Ordering::Relaxed))
    }
}

/// Counts up: different every time, the same in every run.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, octets: &mut [u8]) {
        for chunk in octets.chunks_mut(8) {
            let mixed = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mixed = (mixed ^ (mixed >> 31)).to_be_bytes();
            chunk.copy_from_slice(&mixed[..chunk.len()]);
        }
    }
}

pub(crate) struct Silent;

impl Sink for Silent {
    fn publish(&self, _: &Record, _: Option<&ChainPosition>) {}
}
