//! A look at everything that a store needs, for people: what was found, on which file, and what to do.
//!
//! It opens the store as a login would and writes nothing but what an opening writes.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use common::UnixTime;
use common::causes::with_causes;
use common::ports::{OutboxFigures, StoreError};
use nix::sys::statvfs::{FsFlags, statvfs};

use crate::deadline::Deadline;
use crate::files::StoreFiles;
use crate::holder::{Holder, holder};
use crate::limits::{HOLDER_WAIT, LOG_FILE_OCTETS, RESERVE_OCTETS, RESERVE_SLICE};
use crate::queue::Queue;
use crate::{KeyCheck, Process, Sqlite, SqliteError, SqliteOptions, Trouble, outbox, schema, spent, staging};

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Of which kind.
    pub trouble: Trouble,
    /// On which file or folder.
    pub file: PathBuf,
    /// What was found.
    pub what: String,
    /// What to do.
    pub advice: String,
}

/// What was looked at, as far as it could be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The version of the tables.
    pub schema: Option<u32>,
    /// Octets of the database.
    pub database_octets: u64,
    /// Octets of the write-ahead log.
    pub log_octets: u64,
    /// Octets kept for a full disk.
    pub reserve_octets: u64,
    /// Octets that the owner of the store can still write on its disk.
    pub free_octets: Option<u64>,
    /// No code that was shown until then is good.
    pub floor: Option<UnixTime>,
    /// Messages that wait to be sent.
    pub messages: Option<OutboxFigures>,
    /// Since when the one is free that has waited longest for a server; `None` where none waits.
    pub untaken_since: Option<UnixTime>,
}

/// What a look at a store found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examination {
    /// What is wrong; nothing, where all is well.
    pub findings: Vec<Finding>,
    /// The figures.
    pub figures: Figures,
}

impl Sqlite {
    /// Looks at the store at `path` and at everything around it.
    #[must_use]
    pub fn examine(path: &Path, options: SqliteOptions, keys: Vec<KeyCheck>, now: UnixTime) -> Examination {
        let mut examination = Examination::default();
        let files = match StoreFiles::locate(path, options.owner) {
            Ok(files) => files,
            Err(error) => {
                examination.find(&error, path);
                return examination;
            }
        };
        examination.look_at_files(&files);
        examination.look_for_leftovers(&files);
        examination.look_at_disk(&files);
        // Whatever a stopped writer holds, readers can still tell.
        examination.look_at_queue(&files);
        let options = SqliteOptions { process: Process::LongLived, ..options };
        match Self::open(path, options) {
            Ok(store) => examination.look_inside(&store.checking_keys(keys), &files, now),
            Err(error) => examination.find_through_the_port(&error, path),
        }
        examination
    }
}

impl Examination {
    /// Owners, modes and sizes.
    fn look_at_files(&mut self, files: &StoreFiles) {
        for suffix in ["-wal", "-shm", "-entrance", "-queue", "-mark", "-reserve"] {
            if let Err(error) = files.check_beside(suffix) {
                self.find(&error, &files.path_beside(suffix));
            }
        }
        self.figures.database_octets = octets(&files.database);
        self.figures.log_octets = files.log_octets();
        self.figures.reserve_octets = octets(&files.path_beside("-reserve"));
        if self.figures.log_octets > LOG_FILE_OCTETS {
            let what =
                format!("it has {} octets: readers keep it from being emptied", self.figures.log_octets);
            self.add(Trouble::Slow, &files.path_beside("-wal"), what);
        }
    }

    /// Each may be a whole copy of a store.
    fn look_for_leftovers(&mut self, files: &StoreFiles) {
        for file in staging::leftovers(files) {
            self.findings.push(Finding {
                trouble: Trouble::Other,
                what: "a restore that was broken off left it; nothing of it is in force".to_owned(),
                advice: format!("Do the restore again, which removes it, or 'rm {}'.", file.display()),
                file,
            });
        }
    }

    fn look_at_disk(&mut self, files: &StoreFiles) {
        let directory = files.directory();
        let Ok(disk) = statvfs(directory) else { return };
        if disk.flags().contains(FsFlags::ST_RDONLY) {
            self.add(Trouble::ReadOnly, directory, "the file system is mounted read-only".to_owned());
        }
        let free = disk.blocks_available().saturating_mul(disk.fragment_size());
        self.figures.free_octets = Some(free);
        let kept = self.figures.reserve_octets;
        // A reserve that is being made again has space to grow into.
        if free < RESERVE_SLICE || (kept < RESERVE_OCTETS && free < RESERVE_OCTETS.saturating_sub(kept)) {
            let what = format!("{free} octets are free, and {kept} of {RESERVE_OCTETS} are kept for logins");
            self.add(Trouble::Full, directory, what);
        }
    }

    /// A moment without anybody in turn shows that the queue moves.
    fn look_at_queue(&mut self, files: &StoreFiles) {
        match Queue::open(files).and_then(|queue| queue.enter(&Deadline::after(HOLDER_WAIT)).map(drop)) {
            Ok(()) | Err(SqliteError::Absent(_)) => {}
            Err(SqliteError::Queue { path, .. }) => {
                let what = match holder(&path) {
                    Some(Holder { process, name, is_stopped: true }) => {
                        format!(
                            "process {process} ({name}) holds it and is stopped: 'kill -CONT {process}' or end it"
                        )
                    }
                    Some(Holder { process, name, is_stopped: false }) => {
                        format!(
                            "process {process} ({name}) has held it for longer than {} s",
                            HOLDER_WAIT.as_secs()
                        )
                    }
                    None => format!("nobody got a turn within {} s", HOLDER_WAIT.as_secs()),
                };
                self.add(Trouble::Slow, &path, what);
            }
            Err(error) => self.find(&error, &files.path_beside("-queue")),
        }
    }

    fn look_inside(&mut self, store: &Sqlite, files: &StoreFiles, now: UnixTime) {
        let seen = store.read(|connection| {
            let finding: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
            if finding != "ok" {
                return Err(SqliteError::Integrity { path: files.database.clone(), finding });
            }
            let sending = (outbox::figures(connection)?, outbox::free_since(connection, now)?);
            Ok((schema::version(connection)?, spent::floor(connection)?, sending))
        });
        match seen {
            Ok((version, floor, (messages, untaken_since))) => {
                self.figures.schema = Some(version);
                self.figures.floor = Some(floor);
                self.figures.messages = Some(messages);
                self.figures.untaken_since = untaken_since;
                self.look_at_clock(floor, now, &files.database);
            }
            Err(error) => self.find_through_the_port(&error, &files.database),
        }
    }

    fn look_at_clock(&mut self, floor: UnixTime, now: UnixTime, database: &Path) {
        if floor <= now {
            return;
        }
        self.findings.push(Finding {
            trouble: Trouble::Other,
            file: database.to_owned(),
            what: format!(
                "nobody can sign in for {} s more: the clock is behind what the store has seen, and codes used before could be \
                 used again",
                floor.seconds().saturating_sub(now.seconds())
            ),
            advice: "Look at the clock ('timedatectl') and set it right. If it was ahead before, wait until then."
                .to_owned(),
        });
    }

    fn add(&mut self, trouble: Trouble, file: &Path, what: String) {
        let advice = trouble.advice_about(file);
        self.findings.push(Finding { trouble, file: file.to_owned(), what, advice });
    }

    fn find(&mut self, error: &SqliteError, file: &Path) {
        self.add(error.trouble(), file, with_causes(error));
    }

    fn find_through_the_port(&mut self, error: &StoreError, file: &Path) {
        let what = with_causes(error);
        let trouble = Trouble::of(error);
        // The same file may have been found to be wrong already.
        if !self.findings.iter().any(|finding| finding.trouble == trouble && finding.what.contains(&what)) {
            self.add(trouble, file, what);
        }
    }
}

fn octets(path: &Path) -> u64 {
    fs::symlink_metadata(path).map_or(0, |metadata| metadata.size())
}
