//! How a gateway has fared: what was counted, and until when it is passed over. Kept by name when the settings change.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::failure::{Blame, Failure, Trouble};
use crate::limits::{DOUBTS_MAX, PASSED_OVER_FIRST, PASSED_OVER_MAX};

/// What was counted of a gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Messages that it took.
    pub sent: u64,
    /// Messages that it did not take, whoever's fault it was.
    pub failed: u64,
    /// Messages for which it was passed over.
    pub passed_over: u64,
    /// Milliseconds that all tries took together.
    pub milliseconds: u64,
    /// Whether it is taken next time.
    pub is_good: bool,
    /// What went wrong last.
    pub last_trouble: Option<Trouble>,
}

/// The health of one gateway.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    sent: u64,
    failed: u64,
    passed_over: u64,
    milliseconds: u64,
    last_trouble: Option<Trouble>,
    /// Failures in a row that may have been the gateway's.
    doubts: u32,
    /// How often in a row it came to be passed over.
    lapses: u32,
    until: Option<Instant>,
}

impl Health {
    /// Whether it is not to be passed over now.
    pub(crate) fn is_good(&self, now: Instant) -> bool {
        self.seen().until.is_none_or(|until| now >= until)
    }

    pub(crate) fn passed_over(&self) {
        let mut seen = self.seen();
        seen.passed_over = seen.passed_over.saturating_add(1);
    }

    pub(crate) fn took(&self, begun: Instant, now: Instant) {
        let mut seen = self.seen();
        seen.sent = seen.sent.saturating_add(1);
        seen.spent(begun, now);
        (seen.doubts, seen.lapses, seen.until) = (0, 0, None);
    }

    pub(crate) fn failed(&self, failure: &Failure, begun: Instant, now: Instant) {
        let mut seen = self.seen();
        seen.failed = seen.failed.saturating_add(1);
        seen.last_trouble = Some(failure.trouble);
        seen.spent(begun, now);
        match failure.blame {
            Blame::Message => {}
            Blame::Unclear => {
                seen.doubts = seen.doubts.saturating_add(1);
                if seen.doubts >= DOUBTS_MAX {
                    seen.lapse(now);
                }
            }
            Blame::Gateway => seen.lapse(now),
        }
    }

    pub(crate) fn figures(&self, now: Instant) -> Figures {
        let is_good = self.is_good(now);
        let seen = self.seen();
        Figures {
            sent: seen.sent,
            failed: seen.failed,
            passed_over: seen.passed_over,
            milliseconds: seen.milliseconds,
            is_good,
            last_trouble: seen.last_trouble,
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn spent(&mut self, begun: Instant, now: Instant) {
        let took = now.saturating_duration_since(begun).as_millis();
        self.milliseconds = self.milliseconds.saturating_add(u64::try_from(took).unwrap_or(u64::MAX));
    }

    /// Of several that fail at once, each would double it: only one counts until it is over.
    fn lapse(&mut self, now: Instant) {
        if self.until.is_some_and(|until| now < until) {
            return;
        }
        let factor = 1_u32.checked_shl(self.lapses).unwrap_or(u32::MAX);
        let pause = PASSED_OVER_FIRST.checked_mul(factor).unwrap_or(PASSED_OVER_MAX).min(PASSED_OVER_MAX);
        self.until = now.checked_add(pause);
        self.lapses = self.lapses.saturating_add(1);
        self.doubts = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Health;
    use crate::failure::{Blame, Failure, Trouble};

    fn after(begun: Instant, seconds: u64) -> Instant {
        begun.checked_add(Duration::from_secs(seconds)).unwrap()
    }

    #[test]
    fn a_gateway_that_fails_is_passed_over_for_longer_and_longer() {
        let (health, begun) = (Health::default(), Instant::now());
        let broken = Failure::new(Trouble::Unreachable, Blame::Gateway);
        let mut at = begun;
        for pause in [30, 60, 120, 240, 300, 300] {
            health.failed(&broken, at, at);
            health.failed(&broken, at, at);
            assert!(!health.is_good(after(at, pause - 1)) && health.is_good(after(at, pause)), "{pause}");
            at = after(at, pause);
        }
        health.took(at, at);
        health.failed(&broken, at, at);
        assert!(health.is_good(after(at, 30)), "a success ends it");
    }

    #[test]
    fn what_one_message_is_to_blame_for_hinders_no_other() {
        let (health, now) = (Health::default(), Instant::now());
        for _ in 0..10 {
            health.failed(&Failure::new(Trouble::Status(400), Blame::Message), now, now);
        }
        assert!(health.is_good(now));
        let unclear = Failure::new(Trouble::Answer(200), Blame::Unclear);
        health.failed(&unclear, now, now);
        health.failed(&unclear, now, now);
        assert!(health.is_good(now), "twice may be two bad numbers");
        health.failed(&unclear, now, now);
        assert!(!health.is_good(now), "three in a row is the gateway");
    }
}
