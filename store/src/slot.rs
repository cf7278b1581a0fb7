//! The place of a connection that threads of one process share: it is lent to one of them at a time, and each waits for it
//! no longer than it may. A mutex around it would let them wait for ever.

use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::{mem, thread};

use crate::deadline::Deadline;
use crate::opened::Opened;

/// The place of a connection, which may be empty.
#[derive(Default)]
pub(crate) struct Slot {
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Default)]
struct State {
    is_lent: bool,
    opened: Option<Opened>,
}

impl Slot {
    /// Waits for it; `None` once the deadline is over.
    pub(crate) fn take(&self, deadline: &Deadline) -> Option<Hold<'_>> {
        let waited = self.returned.wait_timeout_while(self.state(), deadline.left(), |state| state.is_lent);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.is_lent {
            return None;
        }
        state.is_lent = true;
        Some(Hold { slot: self, opened: state.opened.take() })
    }

    /// Closes what is inside, once nobody has it.
    pub(crate) fn close(&self) {
        let waited = self.returned.wait_while(self.state(), |state| state.is_lent);
        close(&mut waited.unwrap_or_else(PoisonError::into_inner).opened);
        // The word that it was returned may have been meant for somebody else.
        self.returned.notify_one();
    }

    /// No thread fails while it has this: it is held for a moment only.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was taken out of a slot, until it is returned by being dropped.
pub(crate) struct Hold<'slot> {
    slot: &'slot Slot,
    opened: Option<Opened>,
}

impl Hold<'_> {
    /// Closes what is open.
    pub(crate) fn close(&mut self) {
        close(&mut self.opened);
    }
}

impl Deref for Hold<'_> {
    type Target = Option<Opened>;

    fn deref(&self) -> &Option<Opened> {
        &self.opened
    }
}

impl DerefMut for Hold<'_> {
    fn deref_mut(&mut self) -> &mut Option<Opened> {
        &mut self.opened
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        // A thread that fails leaves it in the middle of something, which SQLite undoes when it is closed.
        if thread::panicking() {
            self.close();
        }
        *self.slot.state() = State { is_lent: false, opened: mem::take(&mut self.opened) };
        self.slot.returned.notify_one();
    }
}

/// Closes a connection. One from before a fork stays, because SQLite cannot even close it safely in a child.
fn close(place: &mut Option<Opened>) {
    match place.take() {
        Some(opened) if !opened.is_ours() => mem::forget(opened),
        closed => drop(closed),
    }
}
