//! How many refusals `not-the-caller` are recorded: everybody can cause as many as they like, under thousands of uids. The
//! rest is counted.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::limits;

/// What becomes of one refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It gets a record of its own.
    Recorded,
    /// It is counted.
    Counted,
}

/// The refusals of all users.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When this second began.
    begun: Option<Instant>,
    recorded: u32,
    /// Since it was last asked for.
    counted: u64,
}

impl Refusals {
    /// One more.
    pub fn next(&self, now: Instant) -> Refusal {
        let mut state = self.state();
        let is_this_second =
            |begun: Instant| now.saturating_duration_since(begun) < limits::REFUSALS_INTERVAL;
        if !state.begun.is_some_and(is_this_second) {
            state.begun = Some(now);
            state.recorded = 0;
        }
        if state.recorded >= limits::REFUSALS_RECORDED_MAX {
            state.counted = state.counted.saturating_add(1);
            return Refusal::Counted;
        }
        state.recorded = state.recorded.saturating_add(1);
        Refusal::Recorded
    }

    /// How many have only been counted since this was last asked.
    pub fn take_counted(&self) -> u64 {
        std::mem::take(&mut self.state().counted)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of a thousand were recorded.
    fn flood(refusals: &Refusals, now: Instant) -> usize {
        (0..1000).filter(|_| refusals.next(now) == Refusal::Recorded).count()
    }

    #[test]
    fn of_a_flood_a_few_a_second_are_recorded_and_the_rest_is_counted() {
        let max = usize::try_from(limits::REFUSALS_RECORDED_MAX).unwrap();
        let (refusals, begun) = (Refusals::default(), Instant::now());
        assert_eq!(flood(&refusals, begun), max);
        assert_eq!(flood(&refusals, begun + limits::REFUSALS_INTERVAL / 2), 0);
        assert_eq!(flood(&refusals, begun + limits::REFUSALS_INTERVAL), max);
        let counted = u64::try_from(3 * 1000 - 2 * max).unwrap();
        assert_eq!((refusals.take_counted(), refusals.take_counted()), (counted, 0));
    }

    #[test]
    fn a_flood_leaves_the_records_of_others_single() {
        let in_a_minute = limits::REFUSALS_RECORDED_MAX * 60;
        assert!(in_a_minute <= common::limits::TALLY_FREE_OF_ALL / 2);
    }
}
