//! People who sign in one after the other, again and again, and never have to wait for their next code.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use test_ground::{Failure, totp_code};

use super::name_of;
use crate::post::TOTP_SECRET;

/// Seconds of a time step (RFC 6238).
const STEP_SECONDS: u64 = 30;

/// A part of a crowd, each with the last step of which a code was used.
pub(crate) struct Shift {
    people: VecDeque<(String, u64)>,
    codes: BTreeMap<u64, String>,
}

impl Shift {
    /// Those of a crowd with these numbers.
    pub(crate) fn new(family: &str, numbers: std::ops::Range<usize>) -> Self {
        Self { people: numbers.map(|number| (name_of(family, number), 0)).collect(), codes: BTreeMap::new() }
    }

    /// Somebody, and a code that is good now and was never used: of this step or of the next.
    /// `None`: everybody would have to wait.
    pub(crate) fn next(&mut self) -> Result<Option<(String, String)>, Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / STEP_SECONDS;
        let Some((name, last)) = self.people.pop_front() else { return Ok(None) };
        // A code of the step before this one may be too old when it arrives.
        let step = last.saturating_add(1).max(now);
        if step > now.saturating_add(1) {
            self.people.push_front((name, last));
            return Ok(None);
        }
        self.people.push_back((name.clone(), step));
        Ok(Some((name, self.code(step)?)))
    }

    fn code(&mut self, step: u64) -> Result<String, Failure> {
        if let Some(code) = self.codes.get(&step) {
            return Ok(code.clone());
        }
        let code = totp_code(TOTP_SECRET, step.saturating_mul(STEP_SECONDS))?;
        self.codes.insert(step, code.clone());
        Ok(code)
    }
}

/// Numbers that look random and follow from a seed (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A moment below this one.
    pub(crate) fn moment(&mut self, below: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let nanoseconds = u64::try_from(below.as_nanos()).unwrap_or(u64::MAX).max(1);
        Duration::from_nanos((mixed ^ (mixed >> 31)).checked_rem(nanoseconds).unwrap_or_default())
    }
}
