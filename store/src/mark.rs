//! A small file beside the database that remembers how far it had come, so that an older copy put in its place shows.
//!
//! It is written after each commit and synced only when it is new. A crash may leave it behind the database, which is
//! harmless; ahead of it is only where the database went back. Where there are records and no mark, somebody took it away.

use std::fs::File;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::PathBuf;

use common::UnixTime;
use common::limits::SESSION_SECONDS;
use nix::sys::stat::futimens;
use nix::sys::time::TimeSpec;

use crate::SqliteError;
use crate::files::{StoreFiles, failed};

/// Two numbers of 20 digits, a space and a line feed.
const OCTETS: usize = 42;

/// The mark of one store.
pub(crate) struct Mark {
    file: File,
    path: PathBuf,
}

impl Progress {
    /// How far it has come once `later` is reached too.
    pub(crate) fn and(self, later: Self) -> Self {
        Self { records: later.records.max(self.records), moment: later.moment.max(self.moment) }
    }
}

/// How far the store had come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Records in all streams.
    pub(crate) records: u64,
    /// The latest moment of which any bundle spoke: when it was decided, or when a step that it spent begins.
    pub(crate) moment: UnixTime,
}

impl Mark {
    /// Opens the mark of a store.
    pub(crate) fn open(files: &StoreFiles) -> Result<Self, SqliteError> {
        files.beside("-mark").map(|(file, path)| Self { file, path })
    }

    /// What it says. A new or torn one says nothing.
    ///
    /// A moment well after the file was written came from a clock that has been set right since; as a floor it
    /// would lock everybody out, so it is cut.
    pub(crate) fn read(&self) -> Option<Progress> {
        let mut octets = [0; OCTETS];
        self.file.read_exact_at(&mut octets, 0).ok()?;
        let (records, moment) = std::str::from_utf8(&octets).ok()?.trim_end().split_once(' ')?;
        let written = u64::try_from(self.file.metadata().ok()?.mtime()).ok()?;
        let latest = UnixTime::from_seconds(written).plus_seconds(SESSION_SECONDS);
        let moment = UnixTime::from_seconds(moment.parse().ok()?).min(latest);
        Some(Progress { records: records.parse().ok()?, moment })
    }

    /// Moves it; called by whoever has the turn to write. The moment never goes back.
    pub(crate) fn write(&self, progress: Progress) {
        let before = self.read();
        let moment = before.map_or(progress.moment, |before| before.moment.max(progress.moment));
        let line = format!("{:020} {:020}\n", progress.records, moment.seconds());
        // What was committed stays committed: a mark that could not move is one that is behind.
        let _ = self.file.write_all_at(line.as_bytes(), 0);
        if before.is_none() {
            let _ = self.file.sync_all();
        }
    }

    /// Now, as the file system says it, for a store that has lost its mark.
    pub(crate) fn now(&self) -> Result<UnixTime, SqliteError> {
        let touched = futimens(&self.file, &TimeSpec::UTIME_NOW, &TimeSpec::UTIME_NOW);
        let metadata = touched.map_err(Into::into).and_then(|()| self.file.metadata());
        let seconds = metadata.map_err(failed("touch", &self.path))?.mtime();
        Ok(UnixTime::from_seconds(u64::try_from(seconds).unwrap_or_default()))
    }
}
