//! The ports of `common`, over the open store.

use common::account::Account;
use common::bundle::{Bundle, Entry, Outcome};
use common::chain::ChainPosition;
use common::lane::{LaneKey, LanesOf, Waits};
use common::login::SignIn;
use common::message::Envelope;
use common::ports::{Fate, Listed, Listing, Loaded, Outbox, OutboxFigures, Store, StoreError, StoredRecord};
use common::record::Record;
use common::throttle::{Cap, Count, Seen};
use common::{AttemptId, CodeId, MessageId, UnixTime, Username};

use crate::deadline::Deadline;
use crate::group::{Work, Written};
use crate::outbox::{Claim, Settlement};
use crate::{Process, Sqlite, accounts, caps, loading, outbox, records, spent};

impl Store for Sqlite {
    fn load(
        &self,
        name: &Username,
        lane: &LaneKey,
        session: Option<AttemptId>,
    ) -> Result<Loaded, StoreError> {
        self.with(self.reading(), "reading the store", &Deadline::of_operation(), |opened| {
            opened.read_with_one_statement(|connection| loading::load(connection, name, lane, session))
        })
    }

    fn count(&self, count: &Count) -> Result<Seen, StoreError> {
        match self.write(Work::Count(count.clone()))? {
            Written::Counted(seen) => Ok(seen),
            Written::NoSpace => Err(self.full()),
            Written::Committed(_) | Written::Claimed(_) | Written::Settled => Err(self.unanswered()),
        }
    }

    fn commit(&self, bundles: &[Bundle]) -> Result<Vec<Outcome>, StoreError> {
        match self.write(Work::Commit(bundles.to_vec()))? {
            Written::Committed(outcomes) => Ok(outcomes),
            // Nobody shall be asked for a code that was not kept.
            Written::NoSpace if bundles.iter().any(sends) => Err(self.full()),
            Written::NoSpace => Ok(bundles.iter().map(told_elsewhere).collect()),
            Written::Counted(_) | Written::Claimed(_) | Written::Settled => Err(self.unanswered()),
        }
    }

    /// A server keeps its connections: it is not killed at a prompt, and opening costs more than keeping.
    fn release(&self) {
        match self.process {
            Process::ShortLived => Self::release(self),
            Process::LongLived => {}
        }
    }

    fn sign_ins(&self, name: &Username, count: u32) -> Result<Vec<SignIn>, StoreError> {
        self.read(|connection| records::sign_ins(connection, name, count))
    }

    fn take_rollback_found(&self) -> bool {
        self.take_rollback().is_some()
    }
}

impl Outbox for Sqlite {
    /// Writes nothing where nothing is free: a server asks every moment.
    fn claim(&self, now: UnixTime, lease_seconds: u64, count: u32) -> Result<Vec<Envelope>, StoreError> {
        if self.read(|connection| outbox::free_since(connection, now))?.is_none() {
            return Ok(Vec::new());
        }
        let lease_end = now.plus_seconds(lease_seconds.max(1));
        match self.write(Work::Claim(Claim { now, lease_end, count }))? {
            Written::Claimed(claimed) => Ok(self.leases.remember(claimed, now, lease_end)),
            Written::NoSpace => Err(self.full()),
            Written::Counted(_) | Written::Committed(_) | Written::Settled => Err(self.unanswered()),
        }
    }

    fn settle(&self, message: MessageId, fate: Fate) -> Result<(), StoreError> {
        let lease_end = self.leases.take(message);
        match self.write(Work::Settle(Settlement { message, fate, lease_end }))? {
            Written::Settled => Ok(()),
            Written::NoSpace => Err(self.full()),
            Written::Counted(_) | Written::Committed(_) | Written::Claimed(_) => Err(self.unanswered()),
        }
    }

    fn figures(&self) -> Result<OutboxFigures, StoreError> {
        self.read(outbox::figures)
    }
}

impl Listing for Sqlite {
    fn account(&self, name: &Username) -> Result<Option<Account>, StoreError> {
        self.read(|connection| accounts::by_name(connection, name))
    }

    fn accounts(&self, after: Option<&Username>, count: u32) -> Result<Vec<Account>, StoreError> {
        self.read(|connection| accounts::page(connection, after, count))
    }

    fn listed(&self, after: Option<&Username>, count: u32) -> Result<Vec<Listed>, StoreError> {
        self.read(|connection| accounts::listed(connection, after, count))
    }

    fn spent_codes(&self, account: &Account) -> Result<Vec<CodeId>, StoreError> {
        self.read(|connection| spent::recovery_codes(connection, account.id))
    }

    fn cap(&self, account: &Account) -> Result<Cap, StoreError> {
        self.read(|connection| caps::cap(connection, account.id))
    }

    fn waits(&self, lanes: &LanesOf, now: UnixTime) -> Result<Waits, StoreError> {
        self.read(|connection| crate::lanes::waits(connection, lanes, now))
    }

    fn closed(&self, now: UnixTime, count: u32) -> Result<Vec<Username>, StoreError> {
        self.read(|connection| caps::closed(connection, now, count))
    }

    fn records(&self, stream: &str, from: u64, count: u32) -> Result<Vec<StoredRecord>, StoreError> {
        self.read(|connection| records::page(connection, stream, from, count))
    }

    fn streams(&self) -> Result<Vec<String>, StoreError> {
        self.read(records::streams)
    }

    fn heads(&self) -> Result<Vec<ChainPosition>, StoreError> {
        self.read(records::heads)
    }
}

fn sends(bundle: &Bundle) -> bool {
    bundle.new_code.is_some() || !bundle.messages.is_empty()
}

/// On a full disk, records of questions and refusals are for syslog alone.
fn told_elsewhere(bundle: &Bundle) -> Outcome {
    let entry = |record: &Record| Entry { record: record.clone(), position: None };
    Outcome::Applied(bundle.records.iter().map(entry).collect())
}
