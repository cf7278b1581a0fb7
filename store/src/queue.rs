//! The queue in front of the writer: a kernel lock on a file beside the store, taken around each write.
//!
//! SQLite's own waiting sleeps longer and longer, so that a burst of logins leaves some of them waiting for
//! a second. The kernel drops the lock when its holder dies, so there is no stale one.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Instant;

use crate::SqliteError;
use crate::files::{StoreFiles, failed};
use crate::limits::{QUEUE_PAUSE, QUEUE_WAIT};

/// The queue of one store. Threads of one process share its lock, so they must exclude each other before.
pub(crate) struct Queue {
    file: File,
    path: PathBuf,
}

/// The right to write, until it is dropped.
pub(crate) struct Turn<'queue>(&'queue File);

impl Queue {
    /// Opens the queue of a store.
    pub(crate) fn open(files: &StoreFiles) -> Result<Self, SqliteError> {
        let (file, path) = files.beside("-queue")?;
        Ok(Self { file, path })
    }

    /// Waits for the turn, within [`QUEUE_WAIT`].
    ///
    /// It polls: a blocking flock(2) could only be ended by a signal, and a PAM module must not touch its caller's.
    pub(crate) fn enter(&self) -> Result<Turn<'_>, SqliteError> {
        let began = Instant::now();
        loop {
            match self.file.try_lock() {
                Ok(()) => return Ok(Turn(&self.file)),
                Err(TryLockError::Error(source)) => return Err(failed("lock", &self.path)(source)),
                Err(TryLockError::WouldBlock) if began.elapsed() >= QUEUE_WAIT => {
                    return Err(SqliteError::Queue {
                        path: self.path.clone(),
                        seconds: QUEUE_WAIT.as_secs(),
                    });
                }
                Err(TryLockError::WouldBlock) => sleep(QUEUE_PAUSE),
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // An unlock of a lock that is held has no way to fail; closing the file would release it too.
        let _ = self.0.unlock();
    }
}
