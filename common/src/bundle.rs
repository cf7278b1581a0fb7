//! What must be written before anyone hears of it. One login or act commits one bundle, wholly or not at all.

use crate::account::Account;
use crate::chain::ChainPosition;
use crate::id::{AccountId, AttemptId, FactorId, RecoveryCodeId};
use crate::lane::LaneKey;
use crate::record::Record;
use crate::{UnixTime, Username};

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
    /// A recovery code.
    RecoveryCode {
        /// Whose.
        account: AccountId,
        /// Which.
        code: RecoveryCodeId,
    },
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
    /// The success to remember. A second one for the same session is a conflict.
    pub success: Option<Success>,
    /// A lane whose count goes back to nothing: a second proof was right.
    pub cleared_lane: Option<LaneKey>,
    /// A lane that counts one more: a first password was wrong.
    pub counted_lane: Option<LaneKey>,
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
            success: None,
            cleared_lane: None,
            counted_lane: None,
            records,
        }
    }

    /// Whether committing it would change nothing, so that it need not be committed.
    #[must_use]
    pub fn writes_nothing(&self) -> bool {
        self.account.is_none()
            && self.spends.is_empty()
            && self.success.is_none()
            && self.cleared_lane.is_none()
            && self.counted_lane.is_none()
            && self.records.is_empty()
    }
}

/// What became of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// All of it is durable; the positions are those of its records, in order.
    Applied(Vec<ChainPosition>),
    /// None of it was written: the account has changed, or something was spent already. Load and decide again.
    Conflict,
}
