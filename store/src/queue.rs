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
use crate::files::{StoreFiles, failed};
use crate::limits::{ENTRANCE_STEPS, QUEUE_PAUSE_AT_FRONT, QUEUE_PAUSE_BEHIND, QUEUE_PAUSE_MAX, QUEUE_WAIT};

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

    /// Waits for the turn, within [`QUEUE_WAIT`].
    pub(crate) fn enter(&self) -> Result<Turn<'_>, SqliteError> {
        self.enter_within(QUEUE_WAIT)
    }

    /// Waits for the turn; one deadline for all steps of the way.
    pub(crate) fn enter_within(&self, longest: Duration) -> Result<Turn<'_>, SqliteError> {
        let waiting = Waiting { began: Instant::now(), longest, queue: &self.turn_path };
        let mut standing = None;
        for step in (0..ENTRANCE_STEPS).rev() {
            let next = waiting.poll(QUEUE_PAUSE_BEHIND, &self.entrance_path, || self.try_step(step))?;
            // The step before is left only now, so that nobody overtakes.
            standing = Some(next);
        }
        let turn = waiting.poll(QUEUE_PAUSE_AT_FRONT, &self.turn_path, || self.try_turn())?;
        drop(standing);
        Ok(turn)
    }

    fn try_turn(&self) -> io::Result<Option<Turn<'_>>> {
        match self.turn.try_lock() {
            Ok(()) => Ok(Some(Turn(&self.turn))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Locks one octet of the entrance, as long as this process has the file open (fcntl(2), open file description locks).
    fn try_step(&self, step: libc::off_t) -> io::Result<Option<Step<'_>>> {
        match lock_octet(&self.entrance, step, libc::F_WRLCK) {
            Ok(_) => Ok(Some(Step { entrance: &self.entrance, octet: step })),
            Err(Errno::EAGAIN | Errno::EACCES) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// A place in the entrance, until it is dropped.
struct Step<'queue> {
    entrance: &'queue File,
    octet: libc::off_t,
}

/// How long somebody has waited, and may.
struct Waiting<'queue> {
    began: Instant,
    longest: Duration,
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
            let waited = self.began.elapsed();
            if waited >= self.longest {
                let path = self.queue.to_owned();
                return Err(SqliteError::Queue { path, seconds: self.longest.as_secs() });
            }
            sleep(pause_after(waited, pause));
        }
    }
}

/// A pause that grows with the time already waited: a holder that hangs is not worth a busy processor.
fn pause_after(waited: Duration, least: Duration) -> Duration {
    waited.checked_div(32).unwrap_or_default().clamp(least, QUEUE_PAUSE_MAX)
}

fn lock_octet(file: &File, octet: libc::off_t, kind: libc::c_int) -> nix::Result<libc::c_int> {
    let lock = libc::flock {
        l_type: kind.try_into().unwrap_or_default(),
        l_whence: libc::SEEK_SET.try_into().unwrap_or_default(),
        l_start: octet,
        l_len: 1,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&lock))
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        // An unlock of a lock that is held has no way to fail; closing the file would release it too.
        let _ = lock_octet(self.entrance, self.octet, libc::F_UNLCK);
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
        let turn = holder.enter().unwrap();
        let step = in_front.try_step(0).unwrap();
        assert!(step.is_some());
        let began = std::time::Instant::now();
        let refused = behind.enter_within(Duration::from_millis(200)).map(drop);
        assert!(matches!(refused, Err(SqliteError::Queue { .. })));
        assert!(began.elapsed() < Duration::from_secs(2));
        drop((turn, step));
        assert!(behind.enter().is_ok(), "who gave up left a step locked");
    }

    #[test]
    fn nobody_stands_on_a_step_that_is_taken() {
        let yard = Yard::new(Process::ShortLived);
        let (first, second) = (queue(&yard), queue(&yard));
        let step = first.try_step(3).unwrap().unwrap();
        assert!(second.try_step(3).unwrap().is_none());
        assert!(second.try_step(2).unwrap().is_some());
        drop(step);
        assert!(second.try_step(3).unwrap().is_some());
    }

    #[test]
    fn pauses_grow_and_have_an_end() {
        let least = Duration::from_micros(100);
        let pauses = [0, 10, 100, 5000].map(|waited| pause_after(Duration::from_millis(waited), least));
        assert!(pauses.is_sorted());
        assert_eq!((pauses[0], pauses[3]), (least, super::QUEUE_PAUSE_MAX));
    }
}
