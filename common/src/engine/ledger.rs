//! Where one attempt reads, counts and writes: the store, and for a break-glass account a file of its own besides.
//!
//! What a break-glass account spends is spent in its file first: so the code of a login that the store could not take is
//! spent for those that it can take later, and the other way round. An accept is written there only once the store has
//! taken it, or cannot take anything: what lost its race there never reads as an accept. A file that cannot be used keeps
//! nobody out whom the store lets in, and somebody is told.

use crate::bundle::{Bundle, CapEffect, Entry, Outcome, Recognised, Spend};
use crate::engine::Engine;
use crate::lane::{Lane, LaneKey};
use crate::login::{Counted, Counter, Evidence};
use crate::ports::{BreakGlass, Loaded, Store, StoreError};
use crate::record::{Ending, Told, Untold};
use crate::throttle::Count;
use crate::{Attempt, AttemptId, UnixTime, Username};

/// Where one attempt reads, counts and writes.
pub(super) struct Ledger<'a> {
    pub(super) store: &'a dyn Store,
    /// For break-glass accounts alone.
    pub(super) file: Option<File<'a>>,
}

/// What one answer has brought about so far, also in the races that it lost.
#[derive(Default)]
pub(super) struct Round {
    pub(super) evidence: Evidence,
    /// What it has spent in the file already: nobody else's, so not spent for it.
    spent_in_file: Vec<Spend>,
    /// Whether the copy in the file is newer than what the store has loaded.
    is_file_ahead: bool,
    /// Whether the account was loaded from the file alone: its copy lacks what cannot be used without the store.
    is_from_file: bool,
}

impl Round {
    /// What the file says, as it was before this round.
    fn before(&self, mut kept: Loaded) -> Loaded {
        for spend in &self.spent_in_file {
            match spend {
                Spend::Code { code, .. } => kept.spent_codes.retain(|spent| spent != code),
                Spend::TotpStep { factor, step, .. } => {
                    let own =
                        kept.spent_steps.iter_mut().filter(|(of, highest)| of == factor && highest == step);
                    own.for_each(|(_, highest)| *highest = step.saturating_sub(1));
                }
                Spend::HotpCounter { factor, counter, .. } => {
                    let is_own = |(of, highest): &(_, _)| of == factor && highest == counter;
                    match counter.checked_sub(1) {
                        Some(before) => {
                            let own = kept.spent_steps.iter_mut().filter(|spent| is_own(spent));
                            own.for_each(|(_, highest)| *highest = before);
                        }
                        None => kept.spent_steps.retain(|spent| !is_own(spent)),
                    }
                }
                // The file sends nothing.
                Spend::SentCode { .. } => {}
            }
        }
        kept
    }
}

/// The file of the break-glass accounts, and whose attempt asks for it.
#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    pub(super) books: &'a dyn BreakGlass,
    pub(super) engine: &'a Engine,
    pub(super) attempt: &'a Attempt,
    pub(super) name: &'a Username,
    /// Whether it alone will do where the store cannot be used: at PAM, to get into the machine.
    pub(super) stands_in: bool,
}

impl File<'_> {
    /// What the file has answered. That it could not is told, whatever becomes of the login.
    fn told<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        answer.inspect_err(|_| self.tell())
    }

    fn tell(&self) {
        self.engine.tell_of_file(self.attempt, self.name);
    }

    fn written(&self, bundle: &Bundle) -> Result<Option<Vec<Entry>>, StoreError> {
        if bundle.writes_nothing() {
            return Ok(Some(Vec::new()));
        }
        self.told(written(self.books, bundle))
    }
}

impl Ledger<'_> {
    /// Both halves of an account. What either place knows to be spent is spent.
    pub(super) fn load(
        &self,
        name: &Username,
        lane: &LaneKey,
        session: AttemptId,
        round: &mut Round,
        now: UnixTime,
    ) -> Result<Loaded, StoreError> {
        let stored = self.store.load(name, lane, Some(session));
        let Some(file) = self.file else { return stored };
        if let Ok(stored) = &stored {
            // Where the copy cannot follow, the account is as good as before; the next login tries again.
            let _ = file.told(file.books.keep(stored));
        }
        let kept = file.told(file.books.load(name, lane, Some(session))).map(|kept| round.before(kept));
        let both = kept.as_ref().ok().zip(stored.as_ref().ok());
        round.is_file_ahead = both.is_some_and(|(kept, stored)| is_newer(kept, stored));
        round.is_from_file = stored.is_err();
        match (stored, kept) {
            (Ok(stored), Ok(kept)) => Ok(self.together(stored, kept, session, now)),
            (Ok(stored), Err(_)) => Ok(stored),
            (Err(_), Ok(kept)) if file.stands_in && kept.account.is_some() => {
                Ok(Loaded { outbox_is_closed: true, ..kept })
            }
            (Err(error), _) => Err(error),
        }
    }

    /// What either place knows to be spent is spent. Recovery codes that were used while the store was away are written
    /// down there too: the file may be lost one day, and lists look into the store alone.
    fn together(&self, mut stored: Loaded, kept: Loaded, session: AttemptId, now: UnixTime) -> Loaded {
        let Some(account) = &stored.account else { return stored };
        if kept.account.as_ref().map(|copy| copy.id) != Some(account.id) {
            return stored;
        }
        for code in kept.spent_codes {
            if !stored.spent_codes.contains(&code) {
                let mut bundle = Bundle::of_records(session, now, Vec::new());
                bundle.spends.push(Spend::Code { account: account.id, code });
                let _ = written(self.store, &bundle);
                stored.spent_codes.push(code);
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
    pub(super) fn count(&self, count: &Count, before: Lane) -> Result<Counted, StoreError> {
        match (self.store.count(count), self.stand_in()) {
            (Err(_), Some(file)) => {
                let before = file.told(file.books.load(file.name, &count.lane, None))?.lane;
                let after = file.told(file.books.count(count))?;
                Ok(Counted { before, after, counter: Counter::BreakGlassFile })
            }
            (counted, _) => Ok(Counted { before, after: counted?, counter: Counter::Store }),
        }
    }

    /// Does the work of counting, against nobody. The file has no row for that.
    pub(super) fn count_for_nobody(&self, count: &Count) -> Result<(), StoreError> {
        match (self.store.count(count), self.stand_in()) {
            (Ok(_), _) | (Err(_), Some(_)) => Ok(()),
            (Err(error), None) => Err(error),
        }
    }

    /// Writes a bundle and gives what is to be published; `None` is a conflict.
    pub(super) fn commit(
        &self,
        bundle: &Bundle,
        round: &mut Round,
    ) -> Result<Option<Vec<Entry>>, StoreError> {
        let Some(file) = self.file else { return written(self.store, bundle) };
        let in_store = part_of(Counter::Store, bundle, &round.evidence);
        // The file sends nothing, and keeps no code that is sent.
        let in_file = part_of(Counter::BreakGlassFile, bundle, &round.evidence);
        let in_file = Bundle { new_code: None, messages: Vec::new(), notice_texts: None, ..in_file };
        if bundle.account.is_some() && round.is_from_file {
            // Where the store is there again, what is written is to be made of what it has.
            let nothing = Bundle::of_records(bundle.attempt, bundle.at, Vec::new());
            return written(self.store, &nothing).map(|_| None);
        }
        let is_accept = bundle.records.iter().any(|record| record.ending == Ending::Accept);
        if is_accept || !bundle.spends.is_empty() {
            return self.commit_accept(file, &in_store, &in_file, round);
        }
        // The file keeps accepts: a stranger must not be able to fill it. What cannot be taken back there stays counted.
        let _ = file.written(&Bundle { records: Vec::new(), ..in_file });
        match (written(self.store, &in_store), self.stand_in()) {
            (Err(_), Some(_)) if !needs_store(bundle) => Ok(Some(unrecorded(bundle))),
            (in_store, _) => in_store,
        }
    }

    /// The file, where it will do without the store.
    fn stand_in(&self) -> Option<File<'_>> {
        self.file.filter(|file| file.stands_in)
    }

    /// What is spent comes first, in the file; the accept itself, in the store; and only then the accept in the file.
    /// What an earlier race of the same round has spent there is not spent again.
    fn commit_accept(
        &self,
        file: File<'_>,
        in_store: &Bundle,
        in_file: &Bundle,
        round: &mut Round,
    ) -> Result<Option<Vec<Entry>>, StoreError> {
        let spending = spending(in_file, &round.spent_in_file);
        let is_spent = match file.written(&spending) {
            Ok(Some(_)) => true,
            Ok(None) if !round.is_file_ahead => return Ok(None),
            Ok(None) | Err(_) => false,
        };
        round.spent_in_file.extend(spending.spends.into_iter().filter(|_| is_spent));
        match written(self.store, in_store) {
            Ok(None) => Ok(None),
            Ok(Some(entries)) => {
                if is_spent {
                    // The accept stands already: without this one the file knows less of it.
                    let _ = file.written(&used(in_file));
                } else if round.is_file_ahead {
                    // Nobody was faster: the store went back.
                    file.tell();
                }
                Ok(Some(entries))
            }
            Err(error) if is_spent && file.stands_in && !needs_store(in_store) => {
                file.written(&untold(used(in_file))).map_err(|_| error)
            }
            Err(error) => Err(error),
        }
    }
}

/// A bundle as one of the two places gets it: what was counted is taken back where it was counted.
fn part_of(place: Counter, bundle: &Bundle, evidence: &Evidence) -> Bundle {
    let of_cap = |recognised: Recognised| match evidence.counted_at() == place {
        true => recognised,
        false => Recognised { cap: CapEffect::None, ..recognised },
    };
    Bundle {
        taken_back: bundle.taken_back.filter(|_| evidence.knocked_at() == place),
        recognised: bundle.recognised.map(of_cap),
        ..bundle.clone()
    }
}

/// Whether a bundle says something that the file cannot keep: a changed account, a code that is on its way.
const fn needs_store(bundle: &Bundle) -> bool {
    bundle.account.is_some() || bundle.new_code.is_some()
}

/// What a bundle uses up that is not spent yet, and nothing else of it. The file knows no codes that are sent.
fn spending(bundle: &Bundle, spent: &[Spend]) -> Bundle {
    let nothing = Bundle::of_records(bundle.attempt, bundle.at, Vec::new());
    let is_ours = |spend: &&Spend| !spent.contains(spend) && !matches!(spend, Spend::SentCode { .. });
    let spends = bundle.spends.iter().filter(is_ours).cloned().collect();
    Bundle { precondition: bundle.precondition.clone(), spends, ..nothing }
}

/// The rest of it.
fn used(bundle: &Bundle) -> Bundle {
    Bundle { spends: Vec::new(), ..bundle.clone() }
}

/// The same without its notices, which wait in the store: its records say so.
fn untold(mut bundle: Bundle) -> Bundle {
    for told in bundle.records.iter_mut().filter_map(|record| record.told.as_mut()) {
        *told = Told { notices: 0, untold: told.untold.or(Some(Untold::StoreAway)) };
    }
    bundle
}

/// Whether a copy is of the same account after a change that the store has not loaded.
fn is_newer(kept: &Loaded, stored: &Loaded) -> bool {
    let accounts = kept.account.as_ref().zip(stored.account.as_ref());
    accounts.is_some_and(|(kept, stored)| kept.id == stored.id && kept.version > stored.version)
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
