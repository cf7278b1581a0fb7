//! What waits in this process for the threads of one channel: few, since the outbox keeps the rest.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::dispatch::job::Job;
use crate::limits::WAITING_PER_CHANNEL;

/// What waits for the threads of one channel.
#[derive(Default)]
pub(super) struct Waiting {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    is_closed: bool,
}

impl Waiting {
    /// How many more find room.
    pub(super) fn room(&self) -> u32 {
        let state = self.state();
        let room = if state.is_closed { 0 } else { WAITING_PER_CHANNEL.saturating_sub(state.jobs.len()) };
        u32::try_from(room).unwrap_or(0)
    }

    /// False: there is no room.
    pub(super) fn put(&self, job: Job) -> bool {
        let mut state = self.state();
        if state.is_closed || state.jobs.len() >= WAITING_PER_CHANNEL {
            return false;
        }
        state.jobs.push_back(job);
        self.changed.notify_one();
        true
    }

    /// Waits for one; `None` once it is closed and empty.
    pub(super) fn take(&self) -> Option<Job> {
        let calm = |state: &mut State| state.jobs.is_empty() && !state.is_closed;
        let waited = self.changed.wait_while(self.state(), calm);
        waited.unwrap_or_else(PoisonError::into_inner).jobs.pop_front()
    }

    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
