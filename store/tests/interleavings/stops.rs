//! A login that stops before and after each call to the outside, and goes on when it is told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use common::account::PasswordHash;
use common::bundle::{Bundle, Outcome};
use common::engine::Engine;
use common::lane::LaneKey;
use common::ports::{Identity, Loaded, Names, PasswordCheck, Primary, Store, StoreError, Stored};
use common::record::Ending;
use common::throttle::{Count, Seen};
use common::{AttemptId, Reason, Secret, Username, Verdict};

use crate::world::ClearText;

/// Told to a login that waits; hung up when it need not stop any more.
type Go = Sender<()>;

/// Where a login stops: it says that it is there, and waits.
pub(crate) struct Stops {
    arrived: Mutex<Sender<()>>,
    go: Mutex<Receiver<()>>,
    act_returned: Arc<AtomicBool>,
    yes: Arc<Mutex<Option<Yes>>>,
}

/// An accept that was committed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Yes {
    pub(crate) reason: Reason,
    /// Whether the act had returned before the commit of this accept began.
    pub(crate) is_after_the_act: bool,
}

/// A login under way in a thread of its own.
pub(crate) struct Login {
    arrived: Receiver<()>,
    go: Option<Go>,
    yes: Arc<Mutex<Option<Yes>>>,
    thread: JoinHandle<Verdict>,
}

impl Login {
    /// Begins a login, which stops at its first call. `engine` puts an engine behind the stops.
    pub(crate) fn begin(
        act_returned: &Arc<AtomicBool>,
        engine: impl FnOnce(&Arc<Stops>) -> Engine,
        play: impl FnOnce(&Engine) -> Verdict + Send + 'static,
    ) -> Self {
        let (arriving, arrived) = channel();
        let (go, going) = channel();
        let yes = Arc::new(Mutex::new(None));
        let engine = engine(&Arc::new(Stops {
            arrived: Mutex::new(arriving),
            go: Mutex::new(going),
            act_returned: Arc::clone(act_returned),
            yes: Arc::clone(&yes),
        }));
        // The stops go with the engine: their end is how the end of the login is known here.
        let thread = thread::spawn(move || play(&engine));
        Self { arrived, go: Some(go), yes, thread }
    }

    /// Lets it go until it stops for the `count`th time, from 0. False: it has ended before.
    pub(crate) fn goes_to_stop(&self, count: usize) -> bool {
        let Some(go) = &self.go else { return false };
        let mut is_there = self.arrived.recv().is_ok();
        for _ in 0..count {
            is_there = is_there && go.send(()).is_ok() && self.arrived.recv().is_ok();
        }
        is_there
    }

    /// Lets it go without another stop.
    pub(crate) fn let_go(&mut self) {
        self.go = None;
    }

    /// Waits for the end: the verdict, and the accept as it was committed.
    pub(crate) fn end(mut self) -> (Verdict, Option<Yes>) {
        self.let_go();
        let verdict = self.thread.join().unwrap();
        let yes = *self.yes.lock().unwrap();
        (verdict, yes)
    }
}

impl Stops {
    /// Says that it is there, and waits. When nobody listens any more it goes on.
    fn stop(&self) {
        let _ = self.arrived.lock().unwrap().send(());
        let _ = self.go.lock().unwrap().recv();
    }

    fn around<T>(&self, call: impl FnOnce() -> T) -> T {
        self.stop();
        let done = call();
        self.stop();
        done
    }
}

/// A store with a stop before and after each call.
pub(crate) struct StoppingStore<S> {
    pub(crate) store: S,
    pub(crate) stops: Arc<Stops>,
}

impl<S: Store> Store for StoppingStore<S> {
    fn load(
        &self,
        name: &Username,
        lane: &LaneKey,
        session: Option<AttemptId>,
    ) -> Result<Loaded, StoreError> {
        self.stops.around(|| self.store.load(name, lane, session))
    }

    fn count(&self, count: &Count) -> Result<Seen, StoreError> {
        self.stops.around(|| self.store.count(count))
    }

    fn commit(&self, bundles: &[Bundle]) -> Result<Vec<Outcome>, StoreError> {
        self.stops.around(|| {
            let is_after_the_act = self.stops.act_returned.load(Ordering::SeqCst);
            let outcomes = self.store.commit(bundles)?;
            for (bundle, outcome) in bundles.iter().zip(&outcomes) {
                let accept = bundle.records.iter().find(|record| record.ending == Ending::Accept);
                if let (Some(record), Outcome::Applied(_)) = (accept, outcome) {
                    *self.stops.yes.lock().unwrap() = Some(Yes { reason: record.reason, is_after_the_act });
                }
            }
            Ok(outcomes)
        })
    }

    fn sign_ins(&self, name: &Username, count: u32) -> Result<Vec<common::login::SignIn>, StoreError> {
        self.store.sign_ins(name, count)
    }

    fn release(&self) {
        self.store.release();
    }

    fn take_rollback_found(&self) -> bool {
        self.store.take_rollback_found()
    }
}

/// A primary with the same stops.
pub(crate) struct StoppingPrimary(pub(crate) Arc<Stops>);

impl Names for StoppingPrimary {
    fn identify(&self, name: &Username, stored: Stored) -> Identity {
        self.0.around(|| ClearText.identify(name, stored))
    }
}

impl Primary for StoppingPrimary {
    fn check(&self, name: &Username, hash: Option<&PasswordHash>, password: &Secret) -> PasswordCheck {
        self.0.around(|| ClearText.check(name, hash, password))
    }
}
