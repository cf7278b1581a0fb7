//! Where contenders wait for each other. Not for ever: whoever falls out before it is not waited for.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use test_ground::Failure;

/// How long one that has come waits for the others.
const PATIENCE: Duration = Duration::from_secs(60);

/// A line that lets everybody go at once when the last one has come.
pub(crate) struct StartingLine {
    missing: Mutex<usize>,
    changed: Condvar,
}

impl StartingLine {
    /// For so many contenders.
    pub(crate) fn of(contenders: usize) -> Self {
        Self { missing: Mutex::new(contenders), changed: Condvar::new() }
    }

    /// Waits for the others.
    pub(crate) fn wait(&self) -> Result<(), Failure> {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        *missing = missing.saturating_sub(1);
        if *missing == 0 {
            self.changed.notify_all();
        }
        let waited = self.changed.wait_timeout_while(missing, PATIENCE, |missing| *missing > 0);
        let (missing, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match *missing {
            0 => Ok(()),
            missing => Err(Failure::Deadline {
                what: "every contender".to_owned(),
                seconds: PATIENCE.as_secs(),
                seen: format!("{missing} never came to the line"),
            }),
        }
    }
}
