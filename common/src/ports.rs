//! What the core needs from outside. The edges implement these; nothing here does I/O.

use std::sync::Arc;

use crate::account::{Account, PasswordHash};
use crate::bundle::{Bundle, Outcome, Success};
use crate::chain::{ChainMac, ChainPosition};
use crate::id::{AttemptId, CodeId, FactorId, MessageId};
use crate::lane::{Lane, LaneKey, LanesOf, Waits};
use crate::login::SignIn;
use crate::message::Envelope;
use crate::record::Record;
use crate::sent::Sent;
use crate::throttle::{Cap, Count, Seen};
use crate::ticket::Tickets;
use crate::{Reason, Secret, UnixTime, Username};

pub use crate::random::Random;

/// The wall clock.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> UnixTime;
}

/// What one load gives: both halves of an account, as of one moment.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The half that rarely changes; `None` where the store knows no such name.
    pub account: Option<Account>,
    /// The highest spent step or counter of each factor used lately.
    pub spent_steps: Vec<(FactorId, u64)>,
    /// Spent recovery codes and temporary codes.
    pub spent_codes: Vec<CodeId>,
    /// What was sent to the user. Some of the codes may have expired.
    pub sent: Sent,
    /// Whether no message can be taken to be sent now: too many wait, or there is nobody who would send it.
    pub outbox_is_closed: bool,
    /// The devices that are remembered of the user. Some may have expired.
    pub tickets: Tickets,
    /// When the user was last let in, to the hour.
    pub signed_in_at: Option<UnixTime>,
    /// What the lane has seen.
    pub lane: Lane,
    /// What the account has seen from all sources without a recent success.
    pub cap: Cap,
    /// The last success in this lane.
    pub known_at: Option<UnixTime>,
    /// The success of the session asked for.
    pub success: Option<Success>,
    /// No code whose interval begins at or before this is good; a clock before it cannot be trusted.
    pub floor: UnixTime,
}

/// The store: durable on return, checked inside the transaction.
pub trait Store: Send + Sync {
    /// Both halves of an account, its lane, and the success of `session` if one is carried.
    fn load(&self, name: &Username, lane: &LaneKey, session: Option<AttemptId>)
    -> Result<Loaded, StoreError>;

    /// Counts one answer before it is looked at, and says what has been seen, this answer included.
    /// It never conflicts. At most `limits::LANES_MAX` lanes are kept; of too many, those that wait go last.
    fn count(&self, count: &Count) -> Result<Seen, StoreError>;

    /// Writes bundles in order, each wholly or not at all, and says what became of each. Each is as durable as
    /// `Bundle::durability` asks. Counted records of others that are due come with the first outcome.
    fn commit(&self, bundles: &[Bundle]) -> Result<Vec<Outcome>, StoreError>;

    /// The last sign-ins of a user, the newest first, as far as the newest records tell; none where records are not kept.
    fn sign_ins(&self, name: &Username, count: u32) -> Result<Vec<SignIn>, StoreError>;

    /// A prompt comes next, and the process may be killed at it: a short-lived process keeps nothing open over one.
    fn release(&self) {}

    /// Whether the store turned out to be an older copy of itself. Told once; the floor has been raised already.
    fn take_rollback_found(&self) -> bool {
        false
    }
}

/// Messages that wait to be sent.
pub trait Outbox: Send + Sync {
    /// Takes up to `count` messages that nobody else has taken, for `lease_seconds`: who has not said by then what became of
    /// one is taken to be dead, and another one sends it. Codes go before notices, what has waited longest goes first, and
    /// expired ones are dropped and not given.
    fn claim(&self, now: UnixTime, lease_seconds: u64, count: u32) -> Result<Vec<Envelope>, StoreError>;

    /// Says what became of a message that was claimed. Who lets the lease end has no more say in when it is tried again.
    fn settle(&self, message: MessageId, fate: Fate) -> Result<(), StoreError>;

    /// How much waits, and what was never sent.
    fn figures(&self) -> Result<OutboxFigures, StoreError>;
}

/// What there is to say about an outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxFigures {
    /// Messages that are not settled yet, claimed ones included.
    pub waiting: u64,
    /// Messages that expired before they were sent, in all.
    pub expired: u64,
    /// Notices that were left out because too many waited, in all.
    pub left_out: u64,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is gone from here: sent, or given up.
    Over,
    /// It may be tried again from this moment on.
    Again(UnixTime),
}

/// The file in which break-glass accounts live when the store does not: a store of a few accounts.
pub trait BreakGlass: Store {
    /// Keeps a copy of the account that the store has loaded, if it has one, with what is spent. It writes only where
    /// the copy is not yet as good; what the file alone knows to be spent stays spent.
    fn keep(&self, loaded: &Loaded) -> Result<(), StoreError>;

    /// Drops the copy of an account that has gone.
    fn forget(&self, name: &Username) -> Result<(), StoreError>;
}

/// Listing and searching, for administrators.
pub trait Listing: Send + Sync {
    /// One account by name.
    fn account(&self, name: &Username) -> Result<Option<Account>, StoreError>;

    /// Up to `count` accounts with names after `after`, in order of name.
    fn accounts(&self, after: Option<&Username>, count: u32) -> Result<Vec<Account>, StoreError>;

    /// The same with what lists show of each besides.
    fn listed(&self, after: Option<&Username>, count: u32) -> Result<Vec<Listed>, StoreError>;

    /// Which recovery codes of an account are spent.
    fn spent_codes(&self, account: &Account) -> Result<Vec<CodeId>, StoreError>;

    /// What an account has seen from all sources without a recent success.
    fn cap(&self, account: &Account) -> Result<Cap, StoreError>;

    /// Which lanes of a user must wait.
    fn waits(&self, lanes: &LanesOf, now: UnixTime) -> Result<Waits, StoreError>;

    /// The names of up to `count` accounts whose cap is closed, in order.
    fn closed(&self, now: UnixTime, count: u32) -> Result<Vec<Username>, StoreError>;

    /// Up to `count` stored records of a stream from place `from` on, in order.
    fn records(&self, stream: &str, from: u64, count: u32) -> Result<Vec<StoredRecord>, StoreError>;

    /// The names of all streams that have records or a head.
    fn streams(&self) -> Result<Vec<String>, StoreError>;

    /// The head of each stream.
    fn heads(&self) -> Result<Vec<ChainPosition>, StoreError>;

    /// What the first kept record of a stream is chained to. Only a ring forgets its oldest ones.
    fn beginning(&self, stream: &str) -> Result<ChainPosition, StoreError> {
        Ok(ChainPosition { stream: stream.to_owned(), sequence: 0, mac: ChainMac::BEGINNING })
    }
}

/// An account as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The account.
    pub account: Account,
    /// When the user was last let in, to the hour.
    pub signed_in_at: Option<UnixTime>,
    /// Spent recovery codes and temporary codes.
    pub spent_codes: Vec<CodeId>,
}

/// A record as it is stored: the octets that the MAC covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// The place in its stream, from 1.
    pub sequence: u64,
    /// The record as JSON, exactly as it was chained.
    pub body: Vec<u8>,
    /// Its MAC.
    pub mac: ChainMac,
}

/// Why a store could not answer. None of these is a yes or a no.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It could not be opened, read or written.
    #[error("{operation} failed")]
    Unavailable {
        /// What was tried, naming the file.
        operation: String,
        /// What kind of trouble it is.
        trouble: StoreTrouble,
        /// Why it failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Its content is not what we wrote.
    #[error("{what} is damaged")]
    Damaged {
        /// What could not be read.
        what: String,
        /// Why, where something said so.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// It was made by a newer Countersign.
    #[error("the store has schema {found}, this program knows {known}: upgrade the program")]
    Newer {
        /// The schema found.
        found: u32,
        /// The schema known.
        known: u32,
    },
}

/// What keeps a store from answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreTrouble {
    /// It may not be written.
    ReadOnly,
    /// There is no room for it.
    Full,
    /// Other writers, or the disk, did not finish in time.
    Slow,
    /// The key file is another store's.
    WrongKey,
    /// Anything else.
    Other,
}

impl StoreError {
    /// Why a login ends that needed it.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Unavailable { trouble, .. } => match trouble {
                StoreTrouble::ReadOnly => Reason::StoreReadOnly,
                StoreTrouble::Full => Reason::StoreFull,
                StoreTrouble::Slow => Reason::StoreSlow,
                StoreTrouble::WrongKey => Reason::KeyUnavailable,
                StoreTrouble::Other => Reason::StoreUnavailable,
            },
            Self::Damaged { .. } => Reason::StoreDamaged,
            Self::Newer { .. } => Reason::StoreUnavailable,
        }
    }
}

/// What a primary says of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The canonical name.
    Known(Username),
    /// It knows nobody of that name.
    Unknown,
    /// It could not tell.
    Unavailable,
}

/// What a primary says of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum PasswordCheck {
    /// Right.
    Right,
    /// Wrong, or no such user.
    Wrong,
    /// Could not tell.
    Unavailable,
}

/// Who knows names: NSS, the store, a directory.
pub trait Names: Send + Sync {
    /// The canonical name of a parsed and folded name. `stored` says whether the store has an account of that name:
    /// for the `local` backend that is all there is to know.
    fn identify(&self, name: &Username, stored: Stored) -> Identity;
}

/// The backend of the first password.
pub trait Primary: Names {
    /// Checks a password: at most once an attempt. A backend that stores no hashes ignores `hash`.
    /// It does the same work for an unknown name as for a known one.
    fn check(&self, name: &Username, hash: Option<&PasswordHash>, password: &Secret) -> PasswordCheck;

    /// Does the work of a check and nothing else, where a password is refused without being looked at: the time must
    /// not say so. A backend whose checks leave traces, such as a counter of failures, does nothing.
    fn pretend(&self) {}
}

/// Whether the store has an account of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It has.
    Yes,
    /// It has not.
    No,
}

/// Where records go besides the store. It never blocks and never fails: what it cannot deliver it counts.
pub trait Sink: Send + Sync {
    /// A record that is durable, or (position `None`) one that the store could not take.
    fn publish(&self, record: &Record, position: Option<&ChainPosition>);

    /// Tells of the records without a place that it has counted instead of telling each, where no other comes to bring
    /// that along. Servers do this each minute.
    fn settle(&self, _: UnixTime) {}

    /// A prompt comes next: a short-lived process keeps nothing open over one.
    fn release(&self) {}
}

impl<T: Store + ?Sized> Store for Arc<T> {
    fn load(
        &self,
        name: &Username,
        lane: &LaneKey,
        session: Option<AttemptId>,
    ) -> Result<Loaded, StoreError> {
        (**self).load(name, lane, session)
    }

    fn count(&self, count: &Count) -> Result<Seen, StoreError> {
        (**self).count(count)
    }

    fn commit(&self, bundles: &[Bundle]) -> Result<Vec<Outcome>, StoreError> {
        (**self).commit(bundles)
    }

    fn release(&self) {
        (**self).release();
    }

    fn sign_ins(&self, name: &Username, count: u32) -> Result<Vec<SignIn>, StoreError> {
        (**self).sign_ins(name, count)
    }

    fn take_rollback_found(&self) -> bool {
        (**self).take_rollback_found()
    }
}

impl<T: Outbox + ?Sized> Outbox for Arc<T> {
    fn claim(&self, now: UnixTime, lease_seconds: u64, count: u32) -> Result<Vec<Envelope>, StoreError> {
        (**self).claim(now, lease_seconds, count)
    }

    fn settle(&self, message: MessageId, fate: Fate) -> Result<(), StoreError> {
        (**self).settle(message, fate)
    }

    fn figures(&self) -> Result<OutboxFigures, StoreError> {
        (**self).figures()
    }
}

impl<T: BreakGlass + ?Sized> BreakGlass for Arc<T> {
    fn keep(&self, loaded: &Loaded) -> Result<(), StoreError> {
        (**self).keep(loaded)
    }

    fn forget(&self, name: &Username) -> Result<(), StoreError> {
        (**self).forget(name)
    }
}

impl<T: Names + ?Sized> Names for Arc<T> {
    fn identify(&self, name: &Username, stored: Stored) -> Identity {
        (**self).identify(name, stored)
    }
}

impl<T: Primary + ?Sized> Primary for Arc<T> {
    fn check(&self, name: &Username, hash: Option<&PasswordHash>, password: &Secret) -> PasswordCheck {
        (**self).check(name, hash, password)
    }

    fn pretend(&self) {
        (**self).pretend();
    }
}

impl<T: Sink + ?Sized> Sink for Arc<T> {
    fn publish(&self, record: &Record, position: Option<&ChainPosition>) {
        (**self).publish(record, position);
    }

    fn settle(&self, now: UnixTime) {
        (**self).settle(now);
    }

    fn release(&self) {
        (**self).release();
    }
}
