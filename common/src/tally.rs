//! Which records are counted where they are many, among which others, and how many of them are told singly: one rule for
//! the store and for syslog, which keep the counts each in its own way.
//!
//! What lets somebody in, what an administrator did and what was found is told singly, however many there are.

use crate::lane::LaneKey;
use crate::limits::{
    CLOCK_DIFFERENCE_SECONDS, TALLY_FREE, TALLY_FREE_OF_ALL, TALLY_FREE_OF_UNKNOWN, TALLY_SECONDS,
};
use crate::record::{Ending, PrimaryResult, Record};
use crate::{Reason, UnixTime};

/// Which records of one bundle may be counted, and under which name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tally {
    /// Refusals and questions.
    Refusals(LaneKey),
    /// What lets in too: nothing was proven, and the user's own program that asks can ask again and again.
    OwnProgram(LaneKey),
}

impl Tally {
    /// Under which name.
    #[must_use]
    pub const fn name(&self) -> &LaneKey {
        match self {
            Self::Refusals(name) | Self::OwnProgram(name) => name,
        }
    }

    /// Among which others a record of the bundle is counted; `None`: it is told singly.
    #[must_use]
    pub fn group(&self, record: &Record) -> Option<Group> {
        match (self, record.ending) {
            (Self::OwnProgram(_), Ending::Accept) => Some(Group::of_attempt(record)),
            (Self::Refusals(_) | Self::OwnProgram(_), _) => Group::of(record),
        }
    }
}

/// Among which others a record is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Those of the same user.
    User,
    /// Those of the same user after a right password: a stranger cannot bring them along in numbers, and they must not
    /// hide among wrong ones.
    Right,
    /// Those of all names that nobody has.
    Unknown,
    /// What was found again and again, such as a break-glass file that is broken. No refusal withholds it.
    Findings,
}

impl Group {
    /// The group of a record; `None`: it is told singly.
    #[must_use]
    pub fn of(record: &Record) -> Option<Self> {
        match record.ending {
            Ending::Accept | Ending::Act => None,
            // Each login of such an account finds it, also a stranger's.
            Ending::Finding => (record.reason == Reason::BreakGlassBroken).then_some(Self::Findings),
            Ending::Reject | Ending::Unavailable | Ending::Challenge => Some(Self::of_attempt(record)),
        }
    }

    const fn of_attempt(record: &Record) -> Self {
        match (&record.user, record.primary) {
            (None, _) => Self::Unknown,
            (Some(_), PrimaryResult::Right) => Self::Right,
            (Some(_), _) => Self::User,
        }
    }

    /// Whether it counts among all names together too: a stranger chooses how many there are.
    #[must_use]
    pub const fn is_bounded_over_all(self) -> bool {
        match self {
            Self::User | Self::Unknown => true,
            Self::Right | Self::Findings => false,
        }
    }

    /// Whether there may be too many names for each to have a count of its own. The other groups have one in any case.
    #[must_use]
    pub const fn may_lack_room(self) -> bool {
        matches!(self, Self::User)
    }

    /// Whether one more is told singly, after what was told in its own minute and in that of all names together.
    #[must_use]
    pub fn tells_singly(self, own: Minute, of_all: Minute) -> bool {
        let free = match self {
            Self::User | Self::Right | Self::Findings => TALLY_FREE,
            Self::Unknown => TALLY_FREE_OF_UNKNOWN,
        };
        own.singly < free && !(self.is_bounded_over_all() && of_all.singly >= TALLY_FREE_OF_ALL)
    }
}

/// What was told singly in one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    /// When it began.
    pub began_at: UnixTime,
    /// How many.
    pub singly: u32,
}

impl Minute {
    /// One that begins now.
    #[must_use]
    pub const fn beginning(now: UnixTime) -> Self {
        Self { began_at: now, singly: 0 }
    }

    /// One that begins behind a counted record: who has one keeps being counted, until a minute passes without a flood.
    #[must_use]
    pub const fn behind_a_flood(now: UnixTime) -> Self {
        Self { began_at: now, singly: u32::MAX }
    }

    /// Whether it is over. What a clock that ran ahead has begun is over too.
    #[must_use]
    pub fn is_over(&self, now: UnixTime) -> bool {
        now >= self.began_at.plus_seconds(TALLY_SECONDS)
            || self.began_at > now.plus_seconds(CLOCK_DIFFERENCE_SECONDS)
    }

    /// With one more.
    #[must_use]
    pub const fn with_one_more(self) -> Self {
        Self { singly: self.singly.saturating_add(1), ..self }
    }
}
