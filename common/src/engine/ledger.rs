//! Where one attempt reads, counts and writes: the store, and for a break-glass account a file of its own besides.
//!
//! What a break-glass account spends is spent in its file first, always: so the code of a login that the store could
//! not take is spent for those that it can take later, and the other way round.

use crate::bundle::{Bundle, Entry, Outcome, Spend};
use crate::lane::{Lane, LaneKey};
use crate::login::Counted;
use crate::ports::{BreakGlass, Loaded, Store, StoreError};
use crate::record::Ending;
use crate::throttle::Count;
use crate::{AttemptId, Username};

/// Where one attempt reads, counts and writes.
pub(super) struct Ledger<'a> {
    pub(super) store: &'a dyn Store,
    /// For break-glass accounts alone.
    pub(super) file: Option<&'a dyn BreakGlass>,
}

impl Ledger<'_> {
    /// Both halves of an account. What either place knows to be spent is spent.
    pub(super) fn load(
        &self,
        name: &Username,
        lane: &LaneKey,
        session: AttemptId,
    ) -> Result<Loaded, StoreError> {
        let stored = self.store.load(name, lane, Some(session));
        let Some(file) = self.file else { return stored };
        if let Ok(stored) = &stored {
            // Where the copy cannot follow, the account is as good as before; the next login tries again.
            let _ = file.keep(stored);
        }
        match (stored, file.load(name, lane, Some(session))) {
            (Ok(stored), Ok(kept)) => Ok(self.together(stored, kept, session)),
            (Ok(stored), Err(_)) => Ok(stored),
            (Err(_), Ok(kept)) if kept.account.is_some() => Ok(kept),
            (Err(error), _) => Err(error),
        }
    }

    /// What either place knows to be spent is spent. Recovery codes that were used while the store was away are written
    /// down there too, for doors that do not look into the file.
    fn together(&self, mut stored: Loaded, kept: Loaded, session: AttemptId) -> Loaded {
        let Some(account) = &stored.account else { return stored };
        if kept.account.as_ref().map(|copy| copy.id) != Some(account.id) {
            return stored;
        }
        for code in kept.spent_recovery_codes {
            if !stored.spent_recovery_codes.contains(&code) {
                let mut bundle = Bundle::of_records(session, stored.floor, Vec::new());
                bundle.spends.push(Spend::RecoveryCode { account: account.id, code });
                let _ = written(self.store, &bundle);
                stored.spent_recovery_codes.push(code);
            }
        }
        stored.spent_steps.extend(kept.spent_steps);
        stored.floor = stored.floor.max(kept.floor);
        // What was counted while the store was away holds after it, and the other way round.
        stored.lane = later(stored.lane, kept.lane);
        if kept.cap.in_row > stored.cap.in_row {
            stored.cap = kept.cap;
        }
        stored.known_at = stored.known_at.max(kept.known_at);
        stored.success = stored.success.or(kept.success);
        stored
    }

    /// Counts an answer before it is looked at. Before and after are those of the place that counts.
    pub(super) fn count(
        &self,
        name: Option<&Username>,
        count: &Count,
        before: Lane,
    ) -> Result<Counted, StoreError> {
        match (self.store.count(count), self.file, name) {
            (Err(_), Some(file), Some(name)) => {
                let before = file.load(name, &count.lane, None)?.lane;
                Ok(Counted { before, after: file.count(count)? })
            }
            (counted, _, _) => Ok(Counted { before, after: counted? }),
        }
    }

    /// Does the work of counting, against nobody. The file has no row for that.
    pub(super) fn count_for_nobody(&self, count: &Count) -> Result<(), StoreError> {
        match (self.store.count(count), self.file) {
            (Ok(_), _) | (Err(_), Some(_)) => Ok(()),
            (Err(error), None) => Err(error),
        }
    }

    /// Writes a bundle and gives what is to be published; `None` is a conflict.
    pub(super) fn commit(&self, bundle: &Bundle) -> Result<Option<Vec<Entry>>, StoreError> {
        let Some(file) = self.file else { return written(self.store, bundle) };
        if bundle.records.iter().all(|record| record.ending != Ending::Accept) {
            // The file keeps accepts: a stranger must not be able to fill it.
            return written(self.store, bundle).or_else(|_| {
                // What was counted in the file is taken back there. If it cannot be, it stays counted.
                let counts = Bundle { records: Vec::new(), ..bundle.clone() };
                if !counts.writes_nothing() {
                    let _ = written(file, &counts);
                }
                Ok(Some(unrecorded(bundle)))
            });
        }
        let in_file = match written(file, bundle) {
            Ok(None) => return Ok(None),
            Ok(Some(entries)) => Some(entries),
            Err(_) => None,
        };
        match (written(self.store, bundle), in_file) {
            (Err(_), Some(entries)) => Ok(Some(entries)),
            (in_store, _) => in_store,
        }
    }
}

fn later(one: Lane, other: Lane) -> Lane {
    if other.closed_until() > one.closed_until() { other } else { one }
}

fn written<S: Store + ?Sized>(store: &S, bundle: &Bundle) -> Result<Option<Vec<Entry>>, StoreError> {
    let outcome = store.commit(std::slice::from_ref(bundle))?.into_iter().next();
    Ok(match outcome {
        Some(Outcome::Applied(entries)) => Some(entries),
        Some(Outcome::Conflict) | None => None,
    })
}

fn unrecorded(bundle: &Bundle) -> Vec<Entry> {
    bundle.records.iter().map(|record| Entry { record: record.clone(), position: None }).collect()
}
