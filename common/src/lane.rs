//! Back-off, not lock-out: wrong answers are counted by user and source, and a lane with too many must wait.

use crate::keys::{KeyError, KeyRing, Purpose};
use crate::{UnixTime, limits};

/// The name of a lane: a keyed digest of user and source, so that the table tells no names and has rows of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LaneKey([u8; 16]);

impl LaneKey {
    /// The lane of a user (canonical name, or what was typed) from a source; no source is a lane too.
    pub fn new(keys: &KeyRing, user: &str, source: Option<&str>) -> Result<Self, KeyError> {
        let source = source.unwrap_or_default();
        let mac = keys.mac(keys.newest(), Purpose::Digest, &[b"lane", user.as_bytes(), source.as_bytes()])?;
        let (short, _) = mac.split_first_chunk::<16>().ok_or(KeyError::DoesNotSeal)?;
        Ok(Self(*short))
    }

    /// Its octets, for the store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// What a lane has seen since its last success.
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

    /// Whether an answer may be looked at now.
    #[must_use]
    pub fn is_open(&self, now: UnixTime) -> bool {
        now >= self.closed_until()
    }
}

#[cfg(test)]
mod tests {
    use super::Lane;
    use crate::UnixTime;

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
