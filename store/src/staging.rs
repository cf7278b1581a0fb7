//! A checked copy of a backup beside the store, before anything of the store is touched.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::connection::connect;
use crate::files::{StoreFiles, failed};
use crate::{KeyCheck, SqliteError, key_check, schema};

/// The copy, and what SQLite makes beside it.
const SUFFIXES: [&str; 4] = ["-restore", "-restore-wal", "-restore-shm", "-restore-journal"];

/// The place of the copy. What is still there in the end is removed.
pub(crate) struct Staging<'files> {
    /// The copy.
    pub(crate) path: PathBuf,
    files: &'files StoreFiles,
    _lock: File,
}

impl<'files> Staging<'files> {
    /// Takes the place, for this process alone.
    pub(crate) fn begin(files: &'files StoreFiles) -> Result<Self, SqliteError> {
        let lock = lock(files)?.ok_or_else(|| SqliteError::Restoring(files.database.clone()))?;
        Ok(Self { path: files.path_beside("-restore"), files, _lock: lock })
    }

    /// A copy of the backup with the schema of today. What a restore that was killed has left goes.
    pub(crate) fn copy_of(&self, backup: &Path, keys: &[KeyCheck]) -> Result<Connection, SqliteError> {
        let mut from = File::open(backup).map_err(failed("open", backup))?;
        self.clear();
        let mut to = self.files.create_file(&self.path)?;
        io::copy(&mut from, &mut to).and_then(|_| to.sync_all()).map_err(failed("copy", backup))?;
        drop(to);
        let mut copy = connect(&self.path)?;
        if schema::behind(&copy, backup)? > 0 {
            schema::migrate(&mut copy, schema::MIGRATIONS)?;
        }
        let finding: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if finding != "ok" {
            return Err(SqliteError::Integrity { path: backup.to_owned(), finding });
        }
        key_check::missing(&copy, keys).map_err(|error| match error {
            SqliteError::WrongKey { key } => SqliteError::BackupOfOther { path: backup.to_owned(), key },
            error => error,
        })?;
        Ok(copy)
    }

    fn clear(&self) {
        for suffix in SUFFIXES {
            let _ = std::fs::remove_file(self.files.path_beside(suffix));
        }
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// What a restore has left that was killed. What belongs to one that is under way does not count.
pub(crate) fn leftovers(files: &StoreFiles) -> Vec<PathBuf> {
    let paths = SUFFIXES.map(|suffix| files.path_beside(suffix)).into_iter();
    let left: Vec<_> = paths.filter(|path| path.symlink_metadata().is_ok()).collect();
    match lock(files) {
        Ok(None) => Vec::new(),
        Ok(Some(_)) | Err(_) => left,
    }
}

/// The kernel drops it when its holder dies. `None`: somebody else has it.
fn lock(files: &StoreFiles) -> Result<Option<File>, SqliteError> {
    let directory = files.directory();
    let file = File::open(directory).map_err(failed("open", directory))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed("lock", directory)(error)),
    }
}
