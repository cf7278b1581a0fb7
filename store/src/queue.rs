//! The queue in front of the writer: kernel locks on two files beside the store, taken around each write.
//!
//! SQLite's own waiting sleeps longer and longer, so that a burst of logins leaves some of them waiting for
//! a second. A lock alone is not enough either: a server that writes in a loop would take it again before anybody
//! else has looked. So whoever wants the turn waits for it in the entrance, step by step and one on each step, and
//! leaves the entrance when it has the turn: nobody is overtaken there. The kernel drops the locks when their
//! holder dies, so there are no stale ones.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use crate::SqliteError;
use crate::deadline::Deadline;
use crate::files::{StoreFiles, failed};
use crate::limits::{ENTRANCE_STEPS, QUEUE_PAUSE_AT_FRONT, QUEUE_PAUSE_BEHIND, QUEUE_PAUSE_MAX};

/// The queue of one store. Threads of one process share its locks, so they must exclude each other before.
pub(crate) struct Queue {
    entrance: File,
    entrance_path: PathBuf,
    turn: File,
    turn_path: PathBuf,
}

/// The right to write, until it is dropped.
pub(crate) struct Turn<'queue>(&'queue File);

impl Queue {
    /// Opens the queue of a store.
    pub(crate) fn open(files: &StoreFiles) -> Result<Self, SqliteError> {
        let (entrance, entrance_path) = files.beside("-entrance")?;
        let (turn, turn_path) = files.beside("-queue")?;
        Ok(Self { entrance, entrance_path, turn, turn_path })
    }

    /// Waits for the turn; one deadline for the whole way. Whoever comes late looks once.
    pub(crate) fn enter(&self, deadline: &Deadline) -> Result<Turn<'_>, SqliteError> {
        let waiting = Waiting { began: Instant::now(), deadline, queue: &self.turn_path };
        let front = match self.try_steps(0, ENTRANCE_STEPS).map_err(failed("lock", &self.entrance_path))? {
            // Nobody waits: there is nobody to overtake.
            Some(all) => match self.try_turn().map_err(failed("lock", &self.turn_path))? {
                Some(turn) => return Ok(turn),
                None => all.keep_first(),
            },
            None => self.walk(&waiting)?,
        };
        // Whoever is next looks often again, however long it took to get there: nobody else does.
        let waiting = Waiting { began: Instant::now(), ..waiting };
        let turn = waiting.poll(QUEUE_PAUSE_AT_FRONT, &self.turn_path, || self.try_turn())?;
        drop(front);
        Ok(turn)
    }

    /// Whether somebody waits, as far as can be seen.
    pub(crate) fn has_waiters(&self) -> bool {
        matches!(self.try_steps(0, ENTRANCE_STEPS), Ok(None))
    }

    /// From the last step to the first. Each is left only when the next is reached, so that nobody overtakes.
    fn walk(&self, waiting: &Waiting<'_>) -> Result<Steps<'_>, SqliteError> {
        let step = |at| waiting.poll(QUEUE_PAUSE_BEHIND, &self.entrance_path, || self.try_steps(at, 1));
        let mut standing = step(ENTRANCE_STEPS.saturating_sub(1))?;
        for at in (0..ENTRANCE_STEPS.saturating_sub(1)).rev() {
            standing = step(at)?;
        }
        Ok(standing)
    }

    fn try_turn(&self) -> io::Result<Option<Turn<'_>>> {
        match self.turn.try_lock() {
            Ok(()) => Ok(Some(Turn(&self.turn))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Locks octets of the entrance, as long as this process has the file open (fcntl(2), open file description locks).
    fn try_steps(&self, from: libc::off_t, count: libc::off_t) -> io::Result<Option<Steps<'_>>> {
        match set_lock(&self.entrance, from, count, libc::F_WRLCK) {
            Ok(_) => Ok(Some(Steps { entrance: &self.entrance, from, count })),
            Err(Errno::EAGAIN | Errno::EACCES) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// A place in the entrance, until it is dropped.
struct Steps<'queue> {
    entrance: &'queue File,
    from: libc::off_t,
    count: libc::off_t,
}

impl Steps<'_> {
    /// Lets others come up behind.
    fn keep_first(mut self) -> Self {
        let behind = self.from.saturating_add(1);
        let _ = set_lock(self.entrance, behind, self.count.saturating_sub(1), libc::F_UNLCK);
        self.count = 1;
        self
    }
}

/// How long somebody has waited at one place, and may wait altogether.
struct Waiting<'queue> {
    began: Instant,
    deadline: &'queue Deadline,
    queue: &'queue Path,
}

impl Waiting<'_> {
    /// It polls: a blocking call could only be ended by a signal, and a PAM module must not touch its caller's.
    fn poll<T>(
        &self,
        pause: Duration,
        path: &Path,
        mut locked: impl FnMut() -> io::Result<Option<T>>,
    ) -> Result<T, SqliteError> {
        loop {
            if let Some(lock) = locked().map_err(failed("lock", path))? {
                return Ok(lock);
            }
            if self.deadline.left().is_zero() {
                let path = self.queue.to_owned();
                return Err(SqliteError::Queue { path, seconds: self.deadline.waited_seconds() });
            }
            sleep(pause_after(self.began.elapsed(), pause));
        }
    }
}

/// A pause that grows with the time already waited: a holder that hangs is not worth a busy processor.
fn pause_after(waited: Duration, least: Duration) -> Duration {
    waited.checked_div(32).unwrap_or_default().clamp(least, QUEUE_PAUSE_MAX)
}

fn set_lock(
    file: &File,
    from: libc::off_t,
    count: libc::off_t,
    kind: libc::c_int,
) -> nix::Result<libc::c_int> {
    let lock = libc::flock {
        l_type: kind.try_into().unwrap_or_default(),
        l_whence: libc::SEEK_SET.try_into().unwrap_or_default(),
        l_start: from,
        l_len: count,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&lock))
}

impl Drop for Steps<'_> {
    fn drop(&mut self) {
        // An unlock of a lock that is held has no way to fail; closing the file would release it too.
        let _ = set_lock(self.entrance, self.from, self.count, libc::F_UNLCK);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Queue, pause_after};
    use crate::deadline::Deadline;
    use crate::files::StoreFiles;
    use crate::tests::support::Yard;
    use crate::{Process, SqliteError};

    fn queue(yard: &Yard) -> Queue {
        Queue::open(&StoreFiles::locate(&yard.path, None).unwrap()).unwrap()
    }

    #[test]
    fn there_is_one_deadline_over_the_whole_way() {
        let yard = Yard::new(Process::ShortLived);
        let (holder, in_front, behind) = (queue(&yard), queue(&yard), queue(&yard));
        let turn = holder.enter(&Deadline::of_operation()).unwrap();
        let step = in_front.try_steps(0, 1).unwrap();
        assert!(step.is_some());
        let began = std::time::Instant::now();
        let refused = behind.enter(&Deadline::after(Duration::from_millis(200))).map(drop);
        assert!(matches!(refused, Err(SqliteError::Queue { .. })));
        assert!(began.elapsed() < Duration::from_secs(2));
        drop((turn, step));
        assert!(behind.enter(&Deadline::of_operation()).is_ok(), "who gave up left a step locked");
    }

    #[test]
    fn nobody_stands_on_a_step_that_is_taken() {
        let yard = Yard::new(Process::ShortLived);
        let (first, second) = (queue(&yard), queue(&yard));
        let step = first.try_steps(3, 1).unwrap().unwrap();
        assert!(second.try_steps(3, 1).unwrap().is_none());
        assert!(second.try_steps(2, 1).unwrap().is_some());
        drop(step);
        assert!(second.try_steps(3, 1).unwrap().is_some());
    }

    #[test]
    fn pauses_grow_and_have_an_end() {
        let least = Duration::from_micros(100);
        let pauses = [0, 10, 100, 5000].map(|waited| pause_after(Duration::from_millis(waited), least));
        assert!(pauses.is_sorted());
        assert_eq!((pauses[0], pauses[3]), (least, super::QUEUE_PAUSE_MAX));
    }
}
