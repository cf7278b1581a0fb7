//! What the suites share: a store in a directory of its own.

use std::path::{Path, PathBuf};

use common::UnixTime;
use common::ports::{Clock, StoreError};
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::conformance::samples::CHAIN_KEY;
use crate::conformance::{Engine, Ground};
use crate::{KeyCheck, Process, Restored, Restoring, Sqlite, SqliteOptions};

/// An empty store, gone with the value.
pub(crate) struct Yard {
    _directory: TempDir,
    pub(crate) path: PathBuf,
    process: Process,
}

impl Yard {
    pub(crate) fn new(process: Process) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store/countersign.db");
        Sqlite::create(&path, None).unwrap();
        Self { _directory: directory, path, process }
    }

    pub(crate) fn sqlite(&self) -> Sqlite {
        open(&self.path, self.process)
    }

    /// A name beside the store's own directory.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.path.parent().unwrap().parent().unwrap().join(name)
    }
}

impl Ground for Yard {
    fn open(&self, stream: &str) -> Box<dyn Engine> {
        Box::new(Sqlite::open(&self.path, options(stream, self.process)).unwrap())
    }
}

pub(crate) fn open(path: &Path, process: Process) -> Sqlite {
    Sqlite::open(path, options("main", process)).unwrap()
}

pub(crate) fn options(stream: &str, process: Process) -> SqliteOptions {
    SqliteOptions { chain_key: Zeroizing::new(CHAIN_KEY), stream: stream.to_owned(), process, owner: None }
}

/// SQLite's own opinion of a file, through a connection without our settings.
pub(crate) fn integrity(path: &Path) -> String {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

/// A clock that stands at so many seconds.
pub(crate) struct At(pub(crate) u64);

impl Clock for At {
    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(self.0)
    }
}

/// Puts a backup in the place of the store at `path`.
pub(crate) fn restore(backup: &Path, path: &Path, at: u64) -> Result<Restored, StoreError> {
    restore_with(Vec::new(), backup, path, at)
}

/// The same, on a machine with these keys.
pub(crate) fn restore_with(
    keys: Vec<KeyCheck>,
    backup: &Path,
    path: &Path,
    at: u64,
) -> Result<Restored, StoreError> {
    Sqlite::restore(backup, path, &Restoring { owner: None, keys, clock: &At(at) })
}
