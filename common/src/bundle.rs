//! What must be written before anyone hears of it. One login or act commits one bundle, wholly or not at all.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::chain::ChainPosition;
use crate::codes::KeyedHash;
use crate::id::{AccountId, AttemptId, CodeId, FactorId, TicketId};
use crate::keys::Sealed;
use crate::lane::{Lane, LaneKey, LanesOf};
use crate::message::Envelope;
use crate::record::{Ending, Record};
use crate::tally::Tally;
use crate::ticket::Ticket;
use crate::totp::TotpKey;
use crate::{UnixTime, Username, limits};

/// What must still be so when the bundle is written; checked inside the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing: only records and counters are written.
    Nothing,
    /// There is no account of this name.
    Absent(Username),
    /// The account has this version.
    Version {
        /// Which account.
        account: AccountId,
        /// As it was loaded.
        version: u64,
    },
}

/// A change of the half that rarely changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// A new account; its name must be free.
    Insert(Box<Account>),
    /// The account as it shall be, its `version` already raised by one. It may have a new name, which must be free.
    Update(Box<Account>),
    /// Gone, with everything that hangs on it.
    Remove(AccountId),
}

/// Something that is used up. A bundle that spends what is spent is a conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spend {
    /// A TOTP step: it must be above the highest spent step of the factor, and begin after the floor.
    TotpStep {
        /// Whose.
        account: AccountId,
        /// Of which factor.
        factor: FactorId,
        /// The step.
        step: u64,
        /// When the step begins: never good again once the floor has reached it.
        begins_at: UnixTime,
        /// When its code is no longer good anywhere.
        expires_at: UnixTime,
    },
    /// A counter of an HOTP token: it must be above the highest spent one. It is never forgotten.
    HotpCounter {
        /// Whose.
        account: AccountId,
        /// Of which factor.
        factor: FactorId,
        /// The counter of the code.
        counter: u64,
    },
    /// A code that is good once: a recovery code or a temporary code.
    Code {
        /// Whose.
        account: AccountId,
        /// Which.
        code: CodeId,
    },
    /// A code that was sent: it must be there, not expired, and not have been tried more than `limits::CODE_TRIES` times.
    SentCode {
        /// Whose.
        name: Username,
        /// For what.
        slot: Slot,
        /// Which.
        code: CodeId,
    },
}

impl Spend {
    /// What the code of a step uses up.
    pub(crate) fn of_step(key: &TotpKey, (account, factor): (AccountId, FactorId), step: u64) -> Self {
        let begins_at = key.step_begins(step);
        let expires_at = key.step_expires(step, limits::TOTP_SKEW_STEPS);
        Self::TotpStep { account, factor, step, begins_at, expires_at }
    }
}

/// What a code was sent for; of each slot of a user, one code lives at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slot {
    /// To sign in with this factor.
    Factor(FactorId),
    /// To prove a number or address that is to become a factor.
    Registration,
}

/// A code that was sent and is not used yet: narrow, apart from the account, under its canonical name (a user who registers
/// may have no account yet).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SentCode {
    /// For what.
    pub slot: Slot,
    /// Random, never reused.
    pub id: CodeId,
    /// Keyed hash of the code.
    pub hash: KeyedHash,
    /// Where it was sent, sealed; for [`Slot::Registration`] it becomes the factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Sealed>,
    /// When it was sent.
    pub sent_at: UnixTime,
    /// From when on it is no longer good.
    pub expires_at: UnixTime,
    /// Answers that were counted while it was good.
    pub tries: u8,
}

/// A code to be sent: what must be so is that the slot had none that is younger than `limits::CODE_JOINED_SECONDS`, and that
/// the user has had fewer than `daily_limit` in a day over all slots. Else it is a conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCode {
    /// Whose.
    pub name: Username,
    /// What it is; `tries` is 0.
    pub code: SentCode,
    /// Codes that may be sent to one user in a day.
    pub daily_limit: u32,
    /// Who asked for it.
    pub asker: Asker,
}

/// Who asks for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Somebody who has shown more than a name: a right first password, what stands for it, or a place where the user was
    /// let in lately.
    Somebody,
    /// Whoever knows the name.
    Anybody,
}

/// A change of the devices that are remembered of a user. It does not raise the version of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketChange {
    /// A device is known from now on. A conflict where the account has gone, or come to another generation.
    Remember {
        /// Whose.
        account: AccountId,
        /// What it is known by.
        ticket: Box<Ticket>,
    },
    /// A device is strange from now on; no conflict where it was so already.
    Forget {
        /// Whose.
        account: AccountId,
        /// Which.
        ticket: TicketId,
    },
}

/// Notices that go out as text messages: what must be so is that the user has had few enough in a day
/// (`limits::NOTICE_TEXTS_IN_DAY`). Else it is a conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeTexts {
    /// Whose.
    pub name: Username,
    /// How many.
    pub count: u32,
}

/// A success, remembered for its own retransmission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Success {
    /// The session that succeeded (its attempt id).
    pub session: AttemptId,
    /// Keyed digest of the answer and of the client.
    pub digest: [u8; 32],
    /// Until when the session must stay known: its own expiry, so that its State never works again.
    pub expires_at: UnixTime,
    /// When it succeeded.
    pub at: UnixTime,
}

/// An answer that was counted in a lane and is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenBack {
    /// In which lane.
    pub lane: LaneKey,
    /// The lane before the answer was counted.
    pub before: Lane,
    /// The lane with the answer. If it is still so, it becomes as before; else it only counts one less.
    pub after: Lane,
}

impl TakenBack {
    /// The lane without the answer. Others may have counted theirs meanwhile.
    #[must_use]
    pub fn undo(&self, now: Lane) -> Lane {
        if now == self.after { self.before } else { Lane { failures: now.failures.saturating_sub(1), ..now } }
    }
}

/// A source from which a second proof was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// Whose.
    pub account: AccountId,
    /// User and source.
    pub lane: LaneKey,
    /// Whether the answer had been counted in the cap of the account.
    pub cap: CapEffect,
    /// Whether the moment of the success is written down: an earlier one of the same day serves as well.
    pub renewal: Renewal,
}

/// What a right answer does to the cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapEffect {
    /// Its row ends, and the answer is taken out of the hour.
    EndsRow,
    /// Nothing: the source was known, so the answer was not counted there.
    None,
}

/// An account that may be guessed at again: its cap and its lanes go back to nothing. Which sources are known stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unlocked {
    /// Whose cap.
    pub account: AccountId,
    /// Which lanes.
    pub lanes: LanesOf,
}

/// Whether a known source is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// With this moment. Of an account's sources those longest unused go.
    Write,
    /// It stands there already.
    Leave,
}

/// What a write survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// The death of the process.
    Process,
    /// The loss of power too: it is on the disk.
    #[default]
    PowerCut,
}

/// Everything that one login or act writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The attempt, whose id stands in the records.
    pub attempt: AttemptId,
    /// The moment of the decision.
    pub at: UnixTime,
    /// What must still be so.
    pub precondition: Precondition,
    /// The change of the account.
    pub account: Option<AccountChange>,
    /// What is used up.
    pub spends: Vec<Spend>,
    /// A code that is to be sent, with its message among `messages`.
    pub new_code: Option<NewCode>,
    /// Devices that become known or strange, once the account has changed. Those of an earlier generation go with the change.
    pub tickets: Vec<TicketChange>,
    /// Messages for the outbox.
    pub messages: Vec<Envelope>,
    /// Notices among `messages` that cost money.
    pub notice_texts: Option<NoticeTexts>,
    /// The account whose last sign-in this is, where the one that stands there is old enough to be written anew.
    pub signed_in: Option<AccountId>,
    /// The success to remember. A second one for the same session is a conflict.
    pub success: Option<Success>,
    /// An answer that was counted before it was looked at, and was right.
    pub taken_back: Option<TakenBack>,
    /// A second proof was right: its lane goes back to nothing, and its source is known.
    pub recognised: Option<Recognised>,
    /// An account from which every wait is taken.
    pub unlocked: Option<Unlocked>,
    /// Which of the records may be counted together where they are many. `None`: each is written.
    pub tally: Option<Tally>,
    /// What auditors will read.
    pub records: Vec<Record>,
}

impl Bundle {
    /// A bundle that writes records only.
    #[must_use]
    pub fn of_records(attempt: AttemptId, at: UnixTime, records: Vec<Record>) -> Self {
        Self {
            attempt,
            at,
            precondition: Precondition::Nothing,
            account: None,
            spends: Vec::new(),
            new_code: None,
            tickets: Vec::new(),
            messages: Vec::new(),
            notice_texts: None,
            signed_in: None,
            success: None,
            taken_back: None,
            recognised: None,
            unlocked: None,
            tally: None,
            records,
        }
    }

    /// Whether committing it would change nothing, so that it need not be committed.
    #[must_use]
    pub fn writes_nothing(&self) -> bool {
        self.account.is_none()
            && self.spends.is_empty()
            && self.new_code.is_none()
            && self.tickets.is_empty()
            && self.messages.is_empty()
            && self.signed_in.is_none()
            && self.success.is_none()
            && self.taken_back.is_none()
            && self.recognised.is_none()
            && self.unlocked.is_none()
            && self.records.is_empty()
    }

    /// Its records as they are true where the outbox had no room for so many of its notices, the last ones.
    #[must_use]
    pub fn records_without(&self, notices_left_out: u32) -> Cow<'_, [Record]> {
        if notices_left_out == 0 {
            return Cow::Borrowed(&self.records);
        }
        let mut records = self.records.clone();
        let told = records.iter_mut().rev().filter_map(|record| record.told.as_mut());
        told.fold(notices_left_out, |left_out, told| told.leave_out(left_out));
        Cow::Owned(records)
    }

    /// What must survive. Questions, refusals and counts outlive the death of any process; to bring a power cut about
    /// is in no guesser's hand, and nothing that they say lets anybody in.
    #[must_use]
    pub fn durability(&self) -> Durability {
        let is_small = |record: &Record| {
            let is_accept =
                record.ending == Ending::Accept && matches!(self.tally, Some(Tally::OwnProgram(_)));
            is_accept || matches!(record.ending, Ending::Reject | Ending::Challenge | Ending::Unavailable)
        };
        let changes = self.account.is_some() || self.unlocked.is_some() || !self.tickets.is_empty();
        let uses_up = self.success.is_some() || !self.spends.is_empty();
        if changes || uses_up || !self.records.iter().all(is_small) {
            Durability::PowerCut
        } else {
            Durability::Process
        }
    }
}

/// A record that was written, as it goes to syslog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The record.
    pub record: Record,
    /// Its place; `None` where the disk had no room for it, and what is kept for accepts was not touched for it.
    pub position: Option<ChainPosition>,
}

/// What became of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// All of it is written. These are its records as far as they were written singly, and counted ones that were due.
    Applied(Vec<Entry>),
    /// None of it was written: the account has changed, or something was spent already. Load and decide again.
    Conflict,
}
