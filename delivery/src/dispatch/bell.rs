//! Rung when a message was put into the outbox by this process.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Rung when a message was put into the outbox by this process.
#[derive(Debug, Default)]
pub struct Bell {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    has_rung: bool,
    is_stopped: bool,
}

impl Bell {
    /// There is something to send.
    pub fn ring(&self) {
        self.state().has_rung = true;
        self.changed.notify_all();
    }

    pub(super) fn stop(&self) {
        self.state().is_stopped = true;
        self.changed.notify_all();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.state().is_stopped
    }

    /// Waits until it rings, and then a little so that more can come and replies get out first; or for `at_most`. False:
    /// it is over.
    pub(super) fn wait(&self, at_most: Duration, after_ringing: Duration) -> bool {
        let state = self.state();
        let calm = |state: &mut State| !state.has_rung && !state.is_stopped;
        let (state, _) =
            self.changed.wait_timeout_while(state, at_most, calm).unwrap_or_else(PoisonError::into_inner);
        if !state.has_rung || state.is_stopped {
            return !state.is_stopped;
        }
        let running = |state: &mut State| !state.is_stopped;
        let waited = self.changed.wait_timeout_while(state, after_ringing, running);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.has_rung = false;
        !state.is_stopped
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
