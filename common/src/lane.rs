//! Back-off, not lock-out: wrong answers are counted by user and source, and a lane with too many must wait.
//!
//! [`crate::throttle`] has what is counted over all sources.

use crate::keys::{KeyError, KeyRing, Purpose};
use crate::origin::Origin;
use crate::{UnixTime, limits};

/// Octets that all lanes of one user begin with.
const OF_USER_OCTETS: usize = 8;

/// The name of a lane: a keyed digest of user and origin, so that the table tells no names and has rows of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LaneKey([u8; 16]);

impl LaneKey {
    /// No lane: for who looks at an account and counts nothing.
    pub const NONE: Self = Self([0; 16]);

    /// The lane of a user (canonical name, or what was typed) from an origin.
    pub fn new(keys: &KeyRing, user: &str, origin: &Origin) -> Result<Self, KeyError> {
        Self::of_name(keys, user)?.lane(keys, user, origin)
    }

    /// The same, where [`LaneKey::of_name`] is at hand. It begins with that, so that all lanes of a user stand together:
    /// see [`LanesOf`].
    pub fn lane(&self, keys: &KeyRing, user: &str, origin: &Origin) -> Result<Self, KeyError> {
        let [kind, text, by] = origin.parts();
        let Self(lane) = Self::named(keys, &[b"lane", user.as_bytes(), kind, text, by])?;
        Ok(LanesOf::named(self)?.beginning(lane))
    }

    /// The lane of answers from an origin that count against nobody.
    pub fn of_nobody(keys: &KeyRing, origin: &Origin) -> Result<Self, KeyError> {
        let [kind, text, by] = origin.parts();
        Self::named(keys, &[b"nobody", kind, text, by])
    }

    /// Where answers that count against nobody are counted over all accounts: the same work as against one.
    pub fn of_no_account(keys: &KeyRing, origin: &Origin) -> Result<Self, KeyError> {
        let [kind, text, by] = origin.parts();
        Self::named(keys, &[b"no account", kind, text, by])
    }

    /// One name, whatever the origin: what is recorded about it is kept within bounds under this.
    pub fn of_name(keys: &KeyRing, user: &str) -> Result<Self, KeyError> {
        Self::named(keys, &[b"name", user.as_bytes()])
    }

    fn named(keys: &KeyRing, parts: &[&[u8]]) -> Result<Self, KeyError> {
        let mac = keys.mac(keys.newest(), Purpose::Digest, parts)?;
        let (short, _) = mac.split_first_chunk::<16>().ok_or(KeyError::DoesNotSeal)?;
        Ok(Self(*short))
    }

    /// One that a store kept.
    #[must_use]
    pub const fn from_bytes(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    /// Its octets, for the store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// All lanes of one user, whatever the origin: what their names begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LanesOf([u8; OF_USER_OCTETS]);

impl LanesOf {
    /// The lanes of a user (canonical name).
    pub fn user(keys: &KeyRing, user: &str) -> Result<Self, KeyError> {
        Self::named(&LaneKey::of_name(keys, user)?)
    }

    fn named(name: &LaneKey) -> Result<Self, KeyError> {
        name.0.first_chunk().copied().map(Self).ok_or(KeyError::DoesNotSeal)
    }

    /// Whether a lane is one of them.
    #[must_use]
    pub fn contains(&self, lane: &LaneKey) -> bool {
        lane.0.starts_with(&self.0)
    }

    /// The first and the last name that one of them can have, in the order of octets.
    #[must_use]
    pub fn range(&self) -> (LaneKey, LaneKey) {
        (self.beginning([0; 16]), self.beginning([u8::MAX; 16]))
    }

    fn beginning(&self, mut octets: [u8; 16]) -> LaneKey {
        octets.iter_mut().zip(self.0).for_each(|(octet, of_user)| *octet = of_user);
        LaneKey(octets)
    }
}

/// What a lane has seen since its last success, or since a day in which nothing came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Lane {
    /// Answers counted; the count rises before an answer is looked at.
    pub failures: u32,
    /// When the last one came.
    pub last_at: UnixTime,
}

impl Lane {
    /// Until when an answer is refused without being looked at.
    #[must_use]
    pub fn closed_until(&self) -> UnixTime {
        let Some(beyond) = self.failures.checked_sub(limits::FREE_FAILURES) else {
            return UnixTime::default();
        };
        let doubled = limits::FIRST_WAIT_SECONDS.checked_shl(beyond.min(10)).unwrap_or(u64::MAX);
        self.last_at.plus_seconds(doubled.min(limits::LONGEST_WAIT_SECONDS))
    }

    /// Whether an answer may be looked at now. A count from a clock that ran ahead closes nothing.
    #[must_use]
    pub fn is_open(&self, now: UnixTime) -> bool {
        let ahead = now.plus_seconds(limits::CLOCK_DIFFERENCE_SECONDS);
        now >= self.closed_until() || self.last_at > ahead
    }

    /// The lane with one answer more, at `now`. What is older than a day is forgotten.
    #[must_use]
    pub fn counted(&self, now: UnixTime) -> Self {
        let is_old = now.seconds_since(self.last_at) > limits::LANE_KEPT_SECONDS;
        let before = if is_old { 0 } else { self.failures };
        Self { failures: before.saturating_add(1), last_at: now }
    }
}

/// Of a user's lanes, those in which answers are refused without being looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Waits {
    /// How many they are.
    pub lanes: u32,
    /// When the last of them is open again; nothing where there is none.
    pub until: Option<UnixTime>,
}

impl Waits {
    /// With one lane more, if that must wait at `now`.
    #[must_use]
    pub fn with(self, lane: Lane, now: UnixTime) -> Self {
        if lane.is_open(now) {
            return self;
        }
        Self { lanes: self.lanes.saturating_add(1), until: self.until.max(Some(lane.closed_until())) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Lane, LaneKey, LanesOf};
    use crate::origin::Origin;
    use crate::world::at_sshd;
    use crate::{Attempt, UnixTime};

    #[test]
    fn all_lanes_of_a_user_and_no_others_stand_together() {
        let keys = crate::world::keys();
        let lane = |user: &str, source: u8| {
            let source = Some(format!("192.0.2.{source}"));
            let origin = Origin::of(&Attempt { source, ..at_sshd(user) }, user);
            LaneKey::new(&keys, user, &origin).unwrap()
        };
        let of_alice = LanesOf::user(&keys, "alice").unwrap();
        let (first, last) = of_alice.range();
        for source in 0..200 {
            let (own, others) = (lane("alice", source), lane("bob", source));
            assert!(of_alice.contains(&own) && !of_alice.contains(&others));
            let is_between = |lane: &LaneKey| (first.as_bytes()..=last.as_bytes()).contains(&lane.as_bytes());
            assert!(is_between(&own) && !is_between(&others));
            assert_ne!(own, lane("alice", source + 1));
        }
    }

    #[test]
    fn waits_begin_after_five_failures_and_double_to_a_quarter_of_an_hour() {
        let waits = [(4, 0), (5, 30), (6, 60), (7, 120), (9, 480), (10, 900), (1_000_000, 900)];
        let last_at = UnixTime::from_seconds(1000);
        for (failures, seconds) in waits {
            let lane = Lane { failures, last_at };
            assert!(lane.is_open(last_at.plus_seconds(seconds)), "{failures}");
            assert_eq!(
                lane.is_open(last_at.plus_seconds(seconds).minus_seconds(1)),
                seconds == 0,
                "{failures}"
            );
        }
    }
}
