//! How far a long command is, for somebody who waits at a terminal; silent where it is quick or nobody looks.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crate::number::grouped;

/// What is over by then is not told.
const QUICK: Duration = Duration::from_secs(1);
/// How often the figure is written anew.
const EVERY: Duration = Duration::from_millis(100);

pub(crate) struct Progress {
    what: &'static str,
    done: usize,
    total: usize,
    next: Option<Instant>,
    is_shown: bool,
}

impl Progress {
    pub(crate) fn new(what: &'static str, total: usize) -> Self {
        let next = io::stderr().is_terminal().then(|| Instant::now().checked_add(QUICK)).flatten();
        Self { what, done: 0, total, next, is_shown: false }
    }

    /// So many more are done.
    pub(crate) fn step(&mut self, count: usize) {
        self.done = self.done.saturating_add(count);
        let now = Instant::now();
        if self.next.is_some_and(|next| now >= next) {
            self.next = now.checked_add(EVERY);
            self.is_shown = true;
            self.write(&format!("\r{} of {} {}", grouped(self.done), grouped(self.total), self.what));
        }
    }

    /// Nobody is left to hear that standard error is closed.
    fn write(&self, text: &str) {
        let mut output = io::stderr().lock();
        let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            self.write("\r\x1b[K");
        }
    }
}
