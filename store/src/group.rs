//! Writing in groups: whoever has the turn writes for all who wait for it, in one transaction with one sync.
//!
//! The slot of the writer is the queue that threads stand in; here is what each of them wants written. A group that
//! fails leaves its members without an answer, and each of them tries again for itself.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::bundle::{Bundle, Durability, Outcome};
use common::limits::LANES_MAX;
use common::message::Envelope;
use common::throttle::{Against, Count, Seen};
use rusqlite::Connection;

use crate::change::Change;
use crate::deadline::Deadline;
use crate::limits::{GROUP_MAX, LANES_MAX_WHEN_FULL};
use crate::mark::Progress;
use crate::outbox::{Claim, Settlement};
use crate::pen::{Needs, Space, Worth};
use crate::records::Chain;
use crate::{SqliteError, caps, lanes, outbox, sent, writing};

/// What somebody wants written.
pub(crate) enum Work {
    /// One answer counted.
    Count(Count),
    /// Bundles, each wholly or not at all.
    Commit(Vec<Bundle>),
    /// Messages that a server takes.
    Claim(Claim),
    /// What became of one of them.
    Settle(Settlement),
}

/// What was written.
pub(crate) enum Written {
    /// What has been seen, with the answer.
    Counted(Seen),
    /// What became of each bundle.
    Committed(Vec<Outcome>),
    /// The messages that were free.
    Claimed(Vec<Envelope>),
    /// The message goes, or waits.
    Settled,
    /// The disk is full, and what this is may only be told elsewhere.
    NoSpace,
}

/// What somebody in a group waits with.
pub(crate) struct Errand {
    work: Work,
    /// From the moment that it was handed in.
    pub(crate) deadline: Deadline,
    answer: Mutex<Option<Written>>,
}

impl Errand {
    /// The answer, where it has been written.
    pub(crate) fn take(&self) -> Option<Written> {
        self.place().take()
    }

    /// Whether it has been written, by somebody else perhaps.
    pub(crate) fn is_answered(&self) -> bool {
        self.place().is_some()
    }

    fn answer(&self, written: Written) {
        *self.place() = Some(written);
    }

    fn place(&self) -> MutexGuard<'_, Option<Written>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What leaving a group came upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Nobody has written it, and nobody will.
    InTime,
    /// Somebody writes it, or has.
    Gathered,
}

/// All who wait.
#[derive(Default)]
pub(crate) struct Group {
    waiting: Mutex<VecDeque<Arc<Errand>>>,
    #[cfg(test)]
    groups: std::sync::atomic::AtomicU64,
}

impl Group {
    /// Waits with this work.
    pub(crate) fn join(&self, work: Work) -> Arc<Errand> {
        let errand = Arc::new(Errand { work, deadline: Deadline::of_operation(), answer: Mutex::default() });
        self.waiting().push_back(Arc::clone(&errand));
        errand
    }

    /// Takes up to [`GROUP_MAX`] of those who wait, in their order, and `own` in any case.
    pub(crate) fn gather(&self, own: &Arc<Errand>) -> Vec<Arc<Errand>> {
        #[cfg(test)]
        self.groups.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut waiting = self.waiting();
        waiting.retain(|errand| !Arc::ptr_eq(errand, own));
        let others = waiting.len().min(GROUP_MAX);
        std::iter::once(Arc::clone(own)).chain(waiting.drain(..others)).collect()
    }

    /// Waits no more: nobody who comes to the turn later writes it.
    pub(crate) fn leave(&self, own: &Arc<Errand>) -> Left {
        let mut waiting = self.waiting();
        let before = waiting.len();
        waiting.retain(|errand| !Arc::ptr_eq(errand, own));
        if waiting.len() < before { Left::InTime } else { Left::Gathered }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Arc<Errand>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl Group {
    pub(crate) fn waiting_count(&self) -> usize {
        self.waiting().len()
    }

    /// Groups gathered so far.
    pub(crate) fn groups(&self) -> u64 {
        self.groups.load(std::sync::atomic::Ordering::Relaxed)
    }
}

const LEAST: Needs = Needs { durability: Durability::Process, worth: Worth::FreeSpace };

/// What a group needs: the most that one of its members does.
pub(crate) fn needs(errands: &[Arc<Errand>]) -> Needs {
    errands.iter().map(|errand| needs_of(&errand.work)).fold(LEAST, Needs::and)
}

fn needs_of(work: &Work) -> Needs {
    match work {
        // What is forgotten about a message that was sent is sent again.
        Work::Count(..) | Work::Settle(..) => {
            Needs { durability: Durability::Process, worth: Worth::Reserve }
        }
        Work::Claim(..) => LEAST,
        Work::Commit(bundles) => bundles.iter().map(needs_of_bundle).fold(LEAST, Needs::and),
    }
}

/// What lets somebody in or changes something is worth the reserve, and so is what takes a count back: it comes after a
/// right password only. A question or a refusal can be told to syslog alone.
fn needs_of_bundle(bundle: &Bundle) -> Needs {
    let durability = bundle.durability();
    let is_owed = bundle.taken_back.is_some() || durability == Durability::PowerCut;
    Needs { durability, worth: if is_owed { Worth::Reserve } else { Worth::FreeSpace } }
}

/// Writes what all of `errands` want. The answers come with the proof that they are durable: see [`hand_out`].
pub(crate) fn write_all(
    change: &mut Change<'_>,
    chain: &Chain,
    errands: &[Arc<Errand>],
    space: Space,
) -> Result<(Vec<Written>, Option<Progress>), SqliteError> {
    let lanes_max = match space {
        Space::Disk => LANES_MAX,
        Space::Reserve => LANES_MAX_WHEN_FULL,
    };
    let mut furthest: Option<Progress> = None;
    let mut answers = Vec::with_capacity(errands.len());
    for errand in errands {
        answers.push(match &errand.work {
            work if space == Space::Reserve && needs_of(work).worth == Worth::FreeSpace => Written::NoSpace,
            Work::Count(count) => Written::Counted(counted(change, count, lanes_max)?),
            Work::Claim(claim) => Written::Claimed(outbox::claim(change, claim)?),
            Work::Settle(settlement) => {
                outbox::settle(change, settlement)?;
                Written::Settled
            }
            Work::Commit(bundles) => {
                let (outcomes, progress) = writing::bundles(change, chain, bundles)?;
                furthest = match (furthest, progress) {
                    (Some(before), Some(now)) => Some(before.and(now)),
                    (before, now) => now.or(before),
                };
                Written::Committed(outcomes)
            }
        });
    }
    Ok((answers, furthest))
}

fn counted(connection: &Connection, count: &Count, lanes_max: u32) -> Result<Seen, SqliteError> {
    if let Some(name) = &count.codes_of {
        sent::count(connection, name, count.at)?;
    }
    let lane = lanes::count(connection, &count.lane, count.at, lanes_max)?;
    let cap = match count.against {
        Against::LaneAlone => None,
        Against::Account(account) => caps::count(connection, account, count.at)?,
        Against::Nobody(no_account) => {
            lanes::count(connection, &no_account, count.at, lanes_max)?;
            None
        }
    };
    Ok(Seen { lane, cap })
}

/// Tells all that nothing of it was written.
pub(crate) fn turn_away(errands: &[Arc<Errand>]) {
    for errand in errands {
        errand.answer(Written::NoSpace);
    }
}

/// Gives each its answer, once all of it is durable.
pub(crate) fn hand_out(errands: &[Arc<Errand>], answers: Vec<Written>) {
    for (errand, answer) in errands.iter().zip(answers) {
        errand.answer(answer);
    }
}
