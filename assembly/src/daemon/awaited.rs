//! A store that need not be there yet: whoever asks it has it looked for again, and once it was found it stays.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use common::bundle::{Bundle, Outcome};
use common::causes::with_causes;
use common::chain::ChainPosition;
use common::keys::KeyRing;
use common::lane::LaneKey;
use common::message::Envelope;
use common::ports::{Fate, Listing as _, Loaded, Outbox, OutboxFigures, Store, StoreError};
use common::throttle::{Count, Seen};
use common::{AttemptId, MessageId, UnixTime, Username};
use config::Settings;
use delivery::Bell;
use store::{KeyCheck, Process, Sqlite, SqliteOptions, Trouble};

use super::{Log, Program};
use crate::{AssemblyError, backend, places};

/// The store of a server. A database that was there and has gone is found again by [`Sqlite`] itself.
pub struct Awaited {
    path: PathBuf,
    options: SqliteOptions,
    key_checks: Vec<KeyCheck>,
    found: OnceLock<Sqlite>,
    missed: AtomicBool,
    bell: Arc<Bell>,
    log: Log,
}

impl Awaited {
    /// The store of these settings, which nobody has looked for yet.
    pub(super) fn new(
        program: &Program,
        settings: &Settings,
        keys: &KeyRing,
        bell: Arc<Bell>,
    ) -> Result<Self, AssemblyError> {
        Ok(Self {
            path: places::store(settings),
            options: backend::options(settings, keys, program.stream, Process::LongLived)?,
            key_checks: backend::key_checks(keys)?,
            found: OnceLock::new(),
            missed: AtomicBool::new(false),
            bell,
            log: program.log(),
        })
    }

    /// The store, looked for where it was not there yet; the log hears when it is there at last.
    ///
    /// # Errors
    /// It is not there, or others could have put it there or could read it.
    pub fn look(&self) -> Result<&Sqlite, StoreError> {
        if let Some(store) = self.found.get() {
            return Ok(store);
        }
        let opened = self.open().inspect_err(|_| self.missed.store(true, Ordering::Relaxed))?;
        let store = self.found.get_or_init(|| opened);
        if self.missed.swap(false, Ordering::Relaxed) {
            self.log.warning("the store is there again: from now on everybody's logins are decided with it");
        }
        Ok(store)
    }

    fn open(&self) -> Result<Sqlite, StoreError> {
        let SqliteOptions { chain_key, stream, process, owner } = &self.options;
        let (chain_key, stream) = (chain_key.clone(), stream.clone());
        let options = SqliteOptions { chain_key, stream, process: *process, owner: *owner };
        Ok(Sqlite::open(&self.path, options)?.checking_keys(self.key_checks.clone()))
    }

    /// Says what is wrong with it and what to do.
    pub(super) fn tell(&self, error: &StoreError) {
        self.log.error(&format!("the store cannot be used: {}", with_causes(error)));
        self.log.error(&format!("what to do: {}", Trouble::of(error).advice_about(&self.path)));
    }

    /// Writes durably and changes nothing, and gives the floor.
    ///
    /// # Errors
    /// It is not there, or cannot be written.
    pub fn probe(&self) -> Result<UnixTime, StoreError> {
        self.look()?.probe()
    }

    /// The heads of the chains.
    pub(super) fn heads(&self) -> Result<Vec<ChainPosition>, StoreError> {
        self.look()?.heads()
    }
}

impl Store for Awaited {
    fn load(
        &self,
        name: &Username,
        lane: &LaneKey,
        session: Option<AttemptId>,
    ) -> Result<Loaded, StoreError> {
        self.look()?.load(name, lane, session)
    }

    fn count(&self, count: &Count) -> Result<Seen, StoreError> {
        self.look()?.count(count)
    }

    fn commit(&self, bundles: &[Bundle]) -> Result<Vec<Outcome>, StoreError> {
        let outcomes = self.look()?.commit(bundles)?;
        if bundles.iter().any(|bundle| !bundle.messages.is_empty()) {
            self.bell.ring();
        }
        Ok(outcomes)
    }

    fn sign_ins(&self, name: &Username, count: u32) -> Result<Vec<common::login::SignIn>, StoreError> {
        self.look()?.sign_ins(name, count)
    }

    fn release(&self) {
        if let Some(store) = self.found.get() {
            Store::release(store);
        }
    }

    fn take_rollback_found(&self) -> bool {
        self.found.get().is_some_and(Store::take_rollback_found)
    }
}

impl Outbox for Awaited {
    fn claim(&self, now: UnixTime, lease_seconds: u64, count: u32) -> Result<Vec<Envelope>, StoreError> {
        self.look()?.claim(now, lease_seconds, count)
    }

    fn settle(&self, message: MessageId, fate: Fate) -> Result<(), StoreError> {
        self.look()?.settle(message, fate)
    }

    fn figures(&self) -> Result<OutboxFigures, StoreError> {
        Outbox::figures(self.look()?)
    }
}
