//! The place of a connection that threads of one process share: one of them has it at a time, and each waits for it no
//! longer than it may. A mutex alone would let them wait for ever.

use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::SqliteError;
use crate::deadline::Deadline;
use crate::opened::Opened;

/// The place of a connection, which may be empty.
#[derive(Default)]
pub(crate) struct Slot {
    is_held: Mutex<bool>,
    freed: Condvar,
    opened: Mutex<Option<Opened>>,
}

impl Slot {
    /// Waits for it; `None` once the deadline is over.
    pub(crate) fn take(&self, deadline: &Deadline) -> Option<Result<Hold<'_>, SqliteError>> {
        let mut is_held = self.is_held();
        while *is_held {
            let left = deadline.left();
            if left.is_zero() {
                return None;
            }
            let waited = self.freed.wait_timeout(is_held, left);
            is_held = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *is_held = true;
        drop(is_held);
        let place = Place(self);
        // Nobody else has it: this waits for nothing. A thread that failed in the middle of an operation left it poisoned.
        let opened = self.opened.lock().map_err(|_| SqliteError::Poisoned);
        Some(opened.map(|opened| Hold { opened, _place: place }))
    }

    /// What is inside once nobody has it, also after a thread has failed with it.
    pub(crate) fn inside(&self) -> MutexGuard<'_, Option<Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_held(&self) -> MutexGuard<'_, bool> {
        self.is_held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to a slot. Its order matters: the connection is let go before the next thread is woken.
pub(crate) struct Hold<'slot> {
    opened: MutexGuard<'slot, Option<Opened>>,
    _place: Place<'slot>,
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

/// Being the one who has a slot, until it is dropped.
struct Place<'slot>(&'slot Slot);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.is_held() = false;
        self.0.freed.notify_one();
    }
}
