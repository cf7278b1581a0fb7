//! The copy of one account: the document as the store keeps it, and what is spent.

use common::account::Account;
use common::bundle::{Spend, Success};
use common::ports::Loaded;
use common::{AttemptId, CodeId, FactorId, UnixTime};
use serde::{Deserialize, Serialize};

use crate::break_glass::layout::SUCCESSES_MAX;

/// One account in the file. Secrets in it are sealed, as in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Copy {
    pub(super) account: Account,
    pub(super) spent_steps: Vec<(FactorId, u64)>,
    pub(super) spent_codes: Vec<CodeId>,
    /// As the store had it when the account was copied.
    pub(super) floor: UnixTime,
    /// The last successes, newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    successes: Vec<Succeeded>,
}

/// A success, remembered for its own retransmission as the store does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Succeeded {
    session: AttemptId,
    digest: [u8; 32],
    expires_at: UnixTime,
    at: UnixTime,
}

/// What was to be spent is spent, or is of another account.
#[derive(Debug)]
pub(super) struct Spent;

impl Copy {
    /// What the store has loaded; `None` where it has no such account.
    pub(super) fn of(loaded: &Loaded) -> Option<Self> {
        let account = bare(loaded.account.as_ref()?);
        let mut copy = Self {
            account,
            spent_steps: Vec::new(),
            spent_codes: Vec::new(),
            floor: loaded.floor,
            successes: Vec::new(),
        };
        copy.add_spent(&loaded.spent_steps, &loaded.spent_codes);
        Some(copy)
    }

    /// The copy once it follows what the store has loaded. What either knows to be spent stays spent.
    ///
    /// A process that had loaded the account before another one changed it and copied it must not bring the old one
    /// back. The floor tells that from a store that was restored: then it has risen.
    pub(super) fn followed_by(&self, newer: Self) -> Self {
        let is_late = newer.floor <= self.floor
            && match newer.account.id == self.account.id {
                true => newer.account.version < self.account.version,
                false => newer.account.created_at < self.account.created_at,
            };
        let (mut next, other) = if is_late { (self.clone(), &newer) } else { (newer, self) };
        if next.account.id == other.account.id {
            next.floor = next.floor.max(other.floor);
            next.add_spent(&other.spent_steps, &other.spent_codes);
            // What the store has loaded names none.
            next.successes.clone_from(&self.successes);
        }
        next
    }

    /// Whether following `newer` would change nothing that matters: a floor that rises alone is not worth a write.
    pub(super) fn is_as_good_as(&self, newer: &Self) -> bool {
        let next = self.followed_by(newer.clone());
        Self { floor: self.floor, ..next } == *self
    }

    /// Uses something up, once.
    pub(super) fn spend(&mut self, spend: &Spend) -> Result<(), Spent> {
        match spend {
            Spend::TotpStep { account, factor, step, begins_at, .. } => {
                let highest = self.spent_steps.iter().find(|(of, _)| of == factor).map(|(_, step)| *step);
                let is_spent = highest.is_some_and(|highest| *step <= highest) || *begins_at <= self.floor;
                if is_spent || *account != self.account.id {
                    return Err(Spent);
                }
                self.add_spent(&[(*factor, *step)], &[]);
            }
            Spend::HotpCounter { account, factor, counter } => {
                let highest = self.spent_steps.iter().find(|(of, _)| of == factor).map(|(_, last)| *last);
                if highest.is_some_and(|last| *counter <= last) || *account != self.account.id {
                    return Err(Spent);
                }
                self.add_spent(&[(*factor, *counter)], &[]);
            }
            // Nothing is sent without the store.
            Spend::SentCode { .. } => return Err(Spent),
            Spend::Code { account, code } => {
                if self.spent_codes.contains(code) || *account != self.account.id {
                    return Err(Spent);
                }
                self.add_spent(&[], &[*code]);
            }
        }
        Ok(())
    }

    /// Remembers a success, once. Those that have ended go, and so do the oldest of too many: a session that is not
    /// known here any more has spent its code all the same.
    pub(super) fn succeed(&mut self, success: &Success) -> Result<(), Spent> {
        if self.success(success.session).is_some() {
            return Err(Spent);
        }
        let Success { session, digest, expires_at, at } = *success;
        self.successes.retain(|kept| kept.expires_at >= at);
        let surplus = self.successes.len().saturating_add(1).saturating_sub(SUCCESSES_MAX);
        self.successes.drain(..surplus.min(self.successes.len()));
        self.successes.push(Succeeded { session, digest, expires_at, at });
        Ok(())
    }

    /// The success of a session.
    pub(super) fn success(&self, session: AttemptId) -> Option<Success> {
        let kept = self.successes.iter().find(|kept| kept.session == session)?;
        let Succeeded { session, digest, expires_at, at } = *kept;
        Some(Success { session, digest, expires_at, at })
    }

    /// What belongs to a factor or a set of codes that has gone can never be used again, and is forgotten.
    fn add_spent(&mut self, steps: &[(FactorId, u64)], codes: &[CodeId]) {
        self.spent_steps.extend_from_slice(steps);
        self.spent_codes.extend_from_slice(codes);
        let Account { factors, recovery_codes, temporary_code, .. } = &self.account;
        self.spent_steps.retain(|(id, _)| factors.iter().any(|factor| factor.id == *id));
        self.spent_codes.retain(|id| {
            let is_temporary = temporary_code.as_ref().is_some_and(|code| code.id == *id);
            is_temporary || recovery_codes.iter().any(|code| code.id == *id)
        });
        // The highest step of each factor comes first, and is kept.
        self.spent_steps.sort_unstable_by(|a, b| (a.0, b.1).cmp(&(b.0, a.1)));
        self.spent_steps.dedup_by_key(|(factor, _)| *factor);
        self.spent_codes.sort_unstable();
        self.spent_codes.dedup();
    }
}

/// App passwords are no good for break-glass accounts, and would take most of the place.
pub(super) fn bare(account: &Account) -> Account {
    Account { app_passwords: Vec::new(), ..account.clone() }
}
