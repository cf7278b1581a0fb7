//! Records that the store could not take, such as refusals on a full disk, and that are many: syslog gets a few of them a
//! minute, and each minute one that says how many the others were. The limits are those of the store's own tallies.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::UnixTime;
use common::limits::{
    CLOCK_DIFFERENCE_SECONDS, TALLIES_MAX, TALLY_FREE, TALLY_FREE_OF_ALL, TALLY_FREE_OF_UNKNOWN,
    TALLY_SECONDS,
};
use common::record::{Names, PrimaryResult, Record, Together};

/// Who is counted apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    /// All together: what was told singly.
    All,
    /// Names that nobody has.
    Unknown,
    /// A user.
    User(String),
    /// The same user after a right password, which must not hide among wrong ones.
    Right(String),
    /// Users for whom there is no count of their own any more.
    Others,
}

impl Whose {
    const fn names(&self) -> Names {
        match self {
            Self::User(_) | Self::Right(_) => Names::One,
            Self::All | Self::Unknown | Self::Others => Names::Several,
        }
    }
}

/// One of them in its minute.
#[derive(Default)]
struct Tally {
    began_at: UnixTime,
    singly: u32,
    withheld: Option<Withheld>,
}

/// What was counted instead of told.
struct Withheld {
    count: u64,
    since: UnixTime,
    last: Record,
}

/// What has been told and counted lately.
#[derive(Default)]
pub(crate) struct Surplus(Mutex<BTreeMap<Whose, Tally>>);

impl Surplus {
    /// Whether a record is to be told; if not, it has been counted.
    pub(crate) fn tells(&self, record: &Record) -> bool {
        if record.is_told_alone() {
            return true;
        }
        let mut tallies = self.tallies();
        let is_right = record.primary == PrimaryResult::Right;
        let of_all = if is_right { 0 } else { current(&mut tallies, Whose::All, record.at).singly };
        let (whose, free) = whose(&mut tallies, record);
        let tally = current(&mut tallies, whose, record.at);
        if tally.singly >= free || of_all >= TALLY_FREE_OF_ALL {
            tally.withhold(record);
            return false;
        }
        tally.singly = tally.singly.saturating_add(1);
        if !is_right {
            current(&mut tallies, Whose::All, record.at).singly = of_all.saturating_add(1);
        }
        true
    }

    /// The counted records that are due. Who has one keeps being counted, until a minute passes without a flood.
    pub(crate) fn due(&self, now: UnixTime) -> Vec<Record> {
        let mut tallies = self.tallies();
        let over = tallies.iter_mut().filter(|(_, tally)| tally.withheld.is_some() && tally.is_over(now));
        over.filter_map(|(whose, tally)| {
            let told = tally.withheld.take();
            (tally.began_at, tally.singly) = (now, u32::MAX);
            told.map(|withheld| withheld.together(whose.names()))
        })
        .collect()
    }

    /// All counted records, due or not: nobody will ask again.
    pub(crate) fn rest(&self) -> Vec<Record> {
        let taken = std::mem::take(&mut *self.tallies());
        let rest = taken.into_iter().filter_map(|(whose, tally)| Some((whose, tally.withheld?)));
        rest.map(|(whose, withheld)| withheld.together(whose.names())).collect()
    }

    fn tallies(&self) -> MutexGuard<'_, BTreeMap<Whose, Tally>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose a record is, and how many of these are told singly. A stranger cannot make the table grow.
fn whose(tallies: &mut BTreeMap<Whose, Tally>, record: &Record) -> (Whose, u32) {
    let Some(user) = &record.user else { return (Whose::Unknown, TALLY_FREE_OF_UNKNOWN) };
    let is_right = record.primary == PrimaryResult::Right;
    let user = if is_right { Whose::Right(user.clone()) } else { Whose::User(user.clone()) };
    let is_full =
        |tallies: &BTreeMap<_, _>| u32::try_from(tallies.len()).is_ok_and(|rows| rows >= TALLIES_MAX);
    if !tallies.contains_key(&user) && is_full(tallies) {
        tallies.retain(|_, tally| tally.withheld.is_some() || !tally.is_over(record.at));
        if is_full(tallies) {
            return (Whose::Others, TALLY_FREE);
        }
    }
    (user, TALLY_FREE)
}

/// A count in the minute at hand. A minute that is over has been told of, or held nothing back.
fn current(tallies: &mut BTreeMap<Whose, Tally>, whose: Whose, now: UnixTime) -> &mut Tally {
    let tally = tallies.entry(whose).or_default();
    if tally.withheld.is_none() && tally.is_over(now) {
        *tally = Tally { began_at: now, ..Tally::default() };
    }
    tally
}

impl Tally {
    /// What a clock that ran ahead has begun is over too.
    fn is_over(&self, now: UnixTime) -> bool {
        now >= self.began_at.plus_seconds(TALLY_SECONDS)
            || self.began_at > now.plus_seconds(CLOCK_DIFFERENCE_SECONDS)
    }

    fn withhold(&mut self, record: &Record) {
        let last = record.clone();
        self.withheld = Some(match self.withheld.take() {
            Some(before) => Withheld { count: before.count.saturating_add(1), last, ..before },
            None => Withheld { count: 1, since: record.at, last },
        });
    }
}

impl Withheld {
    fn together(self, names: Names) -> Record {
        self.last.together(Together { count: self.count, since: self.since, names })
    }
}
