//! Records that the store could not take, such as refusals on a full disk, and that are many: syslog gets a few of them a
//! minute, and each minute one that says how many the others were. The limits are those of the store's own tallies.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::UnixTime;
use common::limits::TALLIES_MAX;
use common::record::{Names, Record, Together};
use common::tally::{Group, Minute};

/// Who is counted apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    /// All together: what was told singly.
    All,
    /// Names that nobody has.
    Unknown,
    /// A user.
    User(String),
    /// The same user after a right password.
    Right(String),
    /// Users for whom there is no count of their own any more.
    Others,
    /// What was found, by whomever.
    Findings,
}

impl Whose {
    fn of(group: Group, record: &Record) -> Self {
        let user = || record.user.clone().unwrap_or_default();
        match group {
            Group::User => Self::User(user()),
            Group::Right => Self::Right(user()),
            Group::Unknown => Self::Unknown,
            Group::Findings => Self::Findings,
        }
    }

    const fn names(&self) -> Names {
        match self {
            Self::User(_) | Self::Right(_) => Names::One,
            Self::All | Self::Unknown | Self::Others | Self::Findings => Names::Several,
        }
    }
}

/// One of them in its minute.
#[derive(Default)]
struct Count {
    minute: Minute,
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
pub(crate) struct Surplus(Mutex<BTreeMap<Whose, Count>>);

impl Surplus {
    /// Whether a record is to be told; if not, it has been counted.
    pub(crate) fn tells(&self, record: &Record) -> bool {
        let Some(group) = Group::of(record) else { return true };
        let mut counts = self.counts();
        let of_all = match group.is_bounded_over_all() {
            true => current(&mut counts, Whose::All, record.at).minute,
            false => Minute::default(),
        };
        let whose = whose(&mut counts, group, record);
        let own = current(&mut counts, whose, record.at);
        if !group.tells_singly(own.minute, of_all) {
            own.withhold(record);
            return false;
        }
        own.minute = own.minute.with_one_more();
        if group.is_bounded_over_all() {
            current(&mut counts, Whose::All, record.at).minute = of_all.with_one_more();
        }
        true
    }

    /// The counted records that are due. Who has one keeps being counted, until a minute passes without a flood.
    pub(crate) fn due(&self, now: UnixTime) -> Vec<Record> {
        let mut counts = self.counts();
        let over =
            counts.iter_mut().filter(|(_, count)| count.withheld.is_some() && count.minute.is_over(now));
        over.filter_map(|(whose, count)| {
            count.minute = Minute::behind_a_flood(now);
            count.withheld.take().map(|withheld| withheld.together(whose.names()))
        })
        .collect()
    }

    /// All counted records, due or not: nobody will ask again.
    pub(crate) fn rest(&self) -> Vec<Record> {
        let taken = std::mem::take(&mut *self.counts());
        let rest = taken.into_iter().filter_map(|(whose, count)| Some((whose, count.withheld?)));
        rest.map(|(whose, withheld)| withheld.together(whose.names())).collect()
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<Whose, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who a record counts for. A stranger cannot make the table grow.
fn whose(counts: &mut BTreeMap<Whose, Count>, group: Group, record: &Record) -> Whose {
    let whose = Whose::of(group, record);
    let is_full = |counts: &BTreeMap<_, _>| u32::try_from(counts.len()).is_ok_and(|rows| rows >= TALLIES_MAX);
    if !counts.contains_key(&whose) && is_full(counts) {
        counts.retain(|_, count| count.withheld.is_some() || !count.minute.is_over(record.at));
        if is_full(counts) && group.may_lack_room() {
            return Whose::Others;
        }
    }
    whose
}

/// A count in the minute at hand. A minute that is over has been told of, or held nothing back.
fn current(counts: &mut BTreeMap<Whose, Count>, whose: Whose, now: UnixTime) -> &mut Count {
    let count = counts.entry(whose).or_default();
    if count.withheld.is_none() && count.minute.is_over(now) {
        count.minute = Minute::beginning(now);
    }
    count
}

impl Count {
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
