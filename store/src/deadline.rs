//! One limit over everything that somebody waits for, however many waits it is made of.

use std::time::{Duration, Instant};

use crate::limits::OPERATION_WAIT;

/// Until when somebody waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    began: Instant,
    limit: Duration,
}

impl Deadline {
    /// So long from now on.
    pub(crate) fn after(limit: Duration) -> Self {
        Self { began: Instant::now(), limit }
    }

    /// As long as anybody waits who reads or writes, from now on.
    pub(crate) fn of_operation() -> Self {
        Self::after(OPERATION_WAIT)
    }

    /// The same, a little later.
    pub(crate) const fn later_by(self, longer: Duration) -> Self {
        Self { limit: self.limit.saturating_add(longer), ..self }
    }

    /// What is left of it; nothing, once it is over.
    pub(crate) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.began.elapsed())
    }

    /// How long has been waited by now, as people are told.
    pub(crate) fn waited_seconds(&self) -> u64 {
        self.began.elapsed().as_secs()
    }
}
