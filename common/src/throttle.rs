//! The cap over all sources, and what one answer is counted against (DESIGN 6.7).
//!
//! A source with a recent success has a lane of its own and is not under the cap: a stranger elsewhere cannot
//! stop its user. Nothing here waits or sleeps; an answer before its time is refused without being looked at.

use crate::attempt::Attempt;
use crate::keys::{KeyError, KeyRing};
use crate::lane::{Lane, LaneKey};
use crate::origin::Origin;
use crate::{AccountId, UnixTime, Username, limits};

/// Wrong second proofs for one account from all sources without a recent success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cap {
    /// When the hour began in which [`Cap::in_hour`] were counted.
    pub hour_began: UnixTime,
    /// Answers counted in that hour.
    pub in_hour: u32,
    /// Answers counted since one of these sources was right, or an administrator unlocked the account.
    pub in_row: u32,
}

impl Cap {
    /// Whether an answer may be looked at now. An hour from a clock that ran ahead closes nothing.
    #[must_use]
    pub fn is_open(&self, now: UnixTime) -> bool {
        self.in_row < limits::CAP_IN_ROW && self.in_this_hour(now) < limits::CAP_IN_HOUR
    }

    /// When it opens again, if it is closed.
    #[must_use]
    pub fn opening(&self, now: UnixTime) -> Opening {
        if self.in_row >= limits::CAP_IN_ROW {
            Opening::ByUnlock
        } else if self.is_open(now) {
            Opening::IsOpen
        } else {
            Opening::At(self.hour_began.plus_seconds(limits::CAP_HOUR_SECONDS))
        }
    }

    /// Whether there is room in the hour, whatever the row: break-glass accounts have to get in.
    #[must_use]
    pub fn has_room_in_hour(&self, now: UnixTime) -> bool {
        self.in_this_hour(now) < limits::CAP_IN_HOUR
    }

    /// Whether an answer that was counted as the last one here may be looked at. Of answers that race for one place
    /// the first gets it.
    #[must_use]
    pub const fn admits_last(&self) -> bool {
        self.in_row <= limits::CAP_IN_ROW && self.in_hour <= limits::CAP_IN_HOUR
    }

    /// Whether the last answer counted here has closed it.
    #[must_use]
    pub const fn has_just_closed(&self) -> bool {
        self.in_hour == limits::CAP_IN_HOUR
            || (self.in_row == limits::CAP_IN_ROW && self.in_hour <= limits::CAP_IN_HOUR)
    }

    /// The cap with one answer more. Beyond the hour none is looked at: many that race for its last place make the row no
    /// longer.
    #[must_use]
    pub fn counted(&self, now: UnixTime) -> Self {
        let in_hour = self.in_this_hour(now);
        let in_row = if in_hour < limits::CAP_IN_HOUR { self.in_row.saturating_add(1) } else { self.in_row };
        Self {
            hour_began: if in_hour == 0 { now } else { self.hour_began },
            in_hour: in_hour.saturating_add(1),
            in_row,
        }
    }

    /// The cap once one of the answers counted turned out to be right: the row ends, the hour keeps the wrong ones.
    #[must_use]
    pub const fn after_a_right_one(&self) -> Self {
        Self { hour_began: self.hour_began, in_hour: self.in_hour.saturating_sub(1), in_row: 0 }
    }

    fn in_this_hour(&self, now: UnixTime) -> u32 {
        let ahead = now.plus_seconds(limits::CLOCK_DIFFERENCE_SECONDS);
        let is_over =
            now >= self.hour_began.plus_seconds(limits::CAP_HOUR_SECONDS) || self.hour_began > ahead;
        if is_over { 0 } else { self.in_hour }
    }
}

/// When answers are looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// They are.
    IsOpen,
    /// At this moment.
    At(UnixTime),
    /// Once an administrator unlocks the account.
    ByUnlock,
}

/// The names under which one attempt is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracks {
    /// User and source.
    pub lane: LaneKey,
    /// The user alone, for what is recorded.
    pub name: LaneKey,
    /// For answers that cannot be right any more.
    pub nobody: (LaneKey, LaneKey),
}

impl Tracks {
    /// The names for a user (canonical name, or what was typed). The work is the same for everybody.
    pub fn new(keys: &KeyRing, user: &str, attempt: &Attempt) -> Result<Self, KeyError> {
        let origin = Origin::of(attempt, user);
        let name = LaneKey::of_name(keys, user)?;
        Ok(Self {
            lane: name.lane(keys, user, &origin)?,
            name,
            nobody: (LaneKey::of_nobody(keys, &origin)?, LaneKey::of_no_account(keys, &origin)?),
        })
    }
}

/// One answer, to be counted before it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// In this lane.
    pub lane: LaneKey,
    /// And against this.
    pub against: Against,
    /// And as a try at each code that was sent to this user and is still good.
    pub codes_of: Option<Username>,
    /// At this moment.
    pub at: UnixTime,
}

/// What an answer is counted against besides its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// Nothing: a first password, or a source with a recent success.
    LaneAlone,
    /// The cap of an account.
    Account(AccountId),
    /// Nobody: the same work, in a row that closes nothing.
    Nobody(LaneKey),
}

/// What has been seen, the answer just counted included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Seen {
    /// In the lane.
    pub lane: Lane,
    /// Over all sources, where it was counted there.
    pub cap: Option<Cap>,
}

#[cfg(test)]
mod tests {
    use super::{Cap, Opening};
    use crate::lane::Lane;
    use crate::{UnixTime, limits};

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(1_700_000_000 + seconds)
    }

    /// Counts answers, one each `every` seconds for `seconds`, and says how many were looked at.
    fn looked_at(every: u64, seconds: u64) -> u32 {
        let mut cap = Cap::default();
        let mut looked_at = 0;
        for moment in (0..seconds).step_by(usize::try_from(every).unwrap()).map(at) {
            if cap.is_open(moment) {
                cap = cap.counted(moment);
                looked_at += u32::from(cap.admits_last());
            }
        }
        looked_at
    }

    #[test]
    fn twenty_are_looked_at_in_an_hour_and_a_hundred_in_a_row() {
        assert_eq!(looked_at(1, 3600), 20);
        assert_eq!(looked_at(1, 2 * 3600), 40);
        assert_eq!(looked_at(1, 24 * 3600), 100);
    }

    #[test]
    fn of_answers_that_race_no_more_are_admitted_than_there_is_room_for() {
        let mut cap = Cap::default();
        let admitted = (0..100).filter(|_| {
            cap = cap.counted(at(0));
            cap.admits_last()
        });
        assert_eq!(admitted.count(), 20);
        assert_eq!(cap.in_row, 20, "a burst does not shut the account for good");
    }

    #[test]
    fn a_right_answer_ends_the_row_and_leaves_the_hour() {
        let mut cap = Cap::default();
        for _ in 0..20 {
            cap = cap.counted(at(0));
        }
        let after = cap.after_a_right_one();
        assert_eq!((after.in_hour, after.in_row), (19, 0));
        assert!(after.is_open(at(1)) && !after.counted(at(1)).is_open(at(1)));
    }

    #[test]
    fn an_hour_from_a_clock_that_ran_ahead_closes_nothing() {
        let cap = Cap { hour_began: at(10_000), in_hour: 20, in_row: 20 };
        assert!(cap.is_open(at(0)) && !cap.is_open(at(10_000)));
    }

    #[test]
    fn a_closed_cap_says_when_it_opens() {
        let mut cap = Cap::default();
        for number in 0..100 {
            assert_eq!(cap.opening(at(number * 3600)), Opening::IsOpen);
            cap = cap.counted(at(number * 3600));
        }
        assert_eq!(cap.opening(at(1_000_000)), Opening::ByUnlock);
        let hour = Cap { hour_began: at(0), in_hour: 20, in_row: 20 };
        assert_eq!((hour.opening(at(1)), hour.opening(at(3600))), (Opening::At(at(3600)), Opening::IsOpen));
    }

    /// The chance that one of so many guesses is right, each with three good codes of all.
    fn chance(guesses: u32, codes: f64) -> f64 {
        1.0 - (1.0 - 3.0 / codes).powi(i32::try_from(guesses).unwrap())
    }

    /// How many guesses of a day are looked at in a lane that is empty when the day begins.
    fn in_own_lane_a_day() -> u32 {
        let (mut lane, mut looked_at) = (Lane::default(), 0);
        for moment in (0..86_400).map(at).filter(|moment| moment.seconds() % 30 == 0) {
            // Whoever guesses as early as possible guesses more than once in a moment while it is free.
            while lane.is_open(moment) {
                lane = lane.counted(moment);
                looked_at += 1;
            }
        }
        looked_at
    }

    #[test]
    fn the_documentation_has_these_numbers() {
        let page = include_str!("../../docs/guessing.md").replace(',', "");
        let row = limits::CAP_IN_ROW;
        let rows = [row, 52 * row, 365 * in_own_lane_a_day(), 365 * 24 * limits::CAP_IN_HOUR];
        for guesses in rows {
            let six = 100.0 * chance(guesses, 1e6);
            let line =
                page.lines().find(|line| line.contains(&format!("| {guesses} |"))).unwrap_or_else(|| {
                    panic!("no line has {guesses}");
                });
            let written = line.split('|').nth(3).unwrap().trim().trim_end_matches(" %");
            assert!((written.parse::<f64>().unwrap() - six).abs() < six / 50.0, "{guesses}: {six}");
            let eight = 100.0 * chance(guesses, 1e8);
            let written = line.split('|').nth(4).unwrap().trim().trim_end_matches(" %");
            assert!((written.parse::<f64>().unwrap() - eight).abs() < eight / 20.0, "{guesses}: {eight}");
        }
        for sentence in [
            format!("after {} answers must wait {} s", limits::FREE_FAILURES, limits::FIRST_WAIT_SECONDS),
            format!("up to {} min", limits::LONGEST_WAIT_SECONDS / 60),
            format!("after {} in an hour", limits::CAP_IN_HOUR),
            format!("after {} in a row", limits::CAP_IN_ROW),
            format!(
                "recent* for {} days; {} sources",
                limits::KNOWN_SECONDS / 86_400,
                limits::KNOWN_SOURCES_MAX
            ),
            format!("{} of a user {} of all unknown", limits::TALLY_FREE, limits::TALLY_FREE_OF_UNKNOWN),
            format!("{} of all names", limits::TALLY_FREE_OF_ALL),
            format!("at most {} names apart", limits::TALLIES_MAX),
        ] {
            let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(page.contains(&sentence), "{sentence}");
        }
    }
}
