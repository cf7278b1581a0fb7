//! The SQLite engine: the ports of `common`, over connections that are opened when needed and closed on request.

mod ports;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use common::UnixTime;
use common::keys::KEY_OCTETS;
use common::ports::StoreError;
use rusqlite::Connection;
use zeroize::Zeroizing;

use crate::change::Change;
use crate::deadline::Deadline;
use crate::files::StoreFiles;
use crate::group::{self, Errand, Group, Left, Work, Written};
use crate::key_check::KeyCheck;
use crate::leases::Leases;
use crate::limits::{LOG_OCTETS_LONG, LOG_OCTETS_SHORT, WRITING_WAIT};
use crate::opened::{Opened, Rollback};
use crate::pen::Needs;
use crate::records::Chain;
use crate::slot::{Hold, Slot};
use crate::{SqliteError, spent};

/// How long the process that opens the store lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// One login or command. The write-ahead log stays short, because the next process reads all of it.
    ShortLived,
    /// A server: it reads and writes over two connections, so that no login waits for another one's disk.
    LongLived,
}

/// How a store is opened.
pub struct SqliteOptions {
    /// The key of the record chain: `KeyRing::derive(newest, Purpose::Chain)`.
    pub chain_key: Zeroizing<[u8; KEY_OCTETS]>,
    /// The name of the chain that this process writes, such as `main`. A long-lived server has its own.
    pub stream: String,
    /// How long the process lives.
    pub process: Process,
    /// Who must own the directory and its files. `None`: this process's user; root takes the directory's owner.
    pub owner: Option<u32>,
}

/// A store in SQLite.
///
/// The connection opens at the first use and stays until [`Sqlite::release`]: nothing may stay open over a prompt,
/// nor over a fork, after which a child that inherited it is refused.
pub struct Sqlite {
    files: StoreFiles,
    chain: Chain,
    process: Process,
    keys: Vec<KeyCheck>,
    writer: Slot,
    reader: Slot,
    rollback: Mutex<Option<Rollback>>,
    group: Group,
    leases: Leases,
}

impl Sqlite {
    /// A store that exists. Its place, owners and modes are checked now and at each opening; SQLite comes later.
    pub fn open(path: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        let SqliteOptions { chain_key: key, stream, process, owner } = options;
        let located = StoreFiles::locate(path, owner).and_then(|files| files.check().map(|_| files));
        let files = located.map_err(|cause| cause.during("opening the store", path))?;
        Ok(Self {
            files,
            chain: Chain { key, stream },
            process,
            keys: Vec::new(),
            writer: Slot::default(),
            reader: Slot::default(),
            rollback: Mutex::new(None),
            group: Group::default(),
            leases: Leases::default(),
        })
    }

    /// Refuses a store that was written with other master keys than these, the newest first.
    #[must_use]
    pub fn checking_keys(mut self, keys: Vec<KeyCheck>) -> Self {
        self.keys = keys;
        self
    }

    /// Makes a new, empty store at `path`, with its directory if that is missing, owned by `owner`
    /// (`None`: by this process's user). What exists stays as it is, and is an error.
    pub fn create(path: &Path, owner: Option<u32>) -> Result<(), StoreError> {
        let created = StoreFiles::locate(path, owner).and_then(|files| {
            files.create()?;
            Opened::fill(&files).inspect_err(|_| {
                // An empty database would stand in the way of the next try.
                let _ = std::fs::remove_file(&files.database);
            })
        });
        created.map_err(|cause| cause.during("creating the store", path))
    }

    /// Closes what is open. A door that is about to prompt calls this; the next operation opens again.
    pub fn release(&self) {
        self.writer.close();
        self.reader.close();
    }

    /// What an opening since the last call found: the database was older than its mark. Told once; record it as an alert.
    pub fn take_rollback(&self) -> Option<Rollback> {
        self.rollback.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Copies the store, as of one moment, into a new file of mode 0600. Other processes do not wait for it.
    pub fn backup_to(&self, path: &Path) -> Result<(), StoreError> {
        let deadline = Deadline::of_operation();
        self.with(&self.writer, "copying the store", &deadline, |opened| {
            crate::restore::copy_to(opened.connection(), path)
        })
    }

    /// Writes durably and changes nothing, in turn and to the disk as a login would, and gives the floor.
    pub fn probe(&self) -> Result<UnixTime, StoreError> {
        let deadline = Deadline::of_operation();
        self.with(&self.writer, "writing to the store", &deadline, |opened| {
            let rewrite = |change: &mut Change<'_>, _space| Ok((spent::rewrite_floor(change)?, None));
            let probed = opened.in_turn(&self.files, self.log_octets_max(), &deadline, |pen| {
                pen.write(Needs::ALL, rewrite)
            })?;
            probed.ok_or_else(|| SqliteError::Full(self.files.database.clone()))
        })
    }

    /// The file of the database.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.files.database
    }

    /// Reads as of one moment.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, SqliteError>,
    ) -> Result<T, StoreError> {
        self.with(self.reading(), "reading the store", &Deadline::of_operation(), |opened| {
            opened.read_at_one_moment(read)
        })
    }

    const fn reading(&self) -> &Slot {
        match self.process {
            Process::ShortLived => &self.writer,
            Process::LongLived => &self.reader,
        }
    }

    /// Writes in a group with all who wait for their turn in this process.
    fn write(&self, work: Work) -> Result<Written, StoreError> {
        let errand = self.group.join(work);
        let worked = self.in_writers_turn(&errand).and_then(|mut hold| {
            // In turn, and before anything can fail: what fails or breaks off here is not written by somebody else later.
            let _ = self.group.leave(&errand);
            self.write_with(&mut hold, &errand)
        });
        // Whatever came after it: what was written is written.
        let written = errand.take().ok_or_else(|| worked.err().unwrap_or(SqliteError::Unanswered));
        written.map_err(|cause| cause.during("writing to the store", &self.files.database))
    }

    /// Waits for the other threads of this process until the deadline of the errand. What somebody has begun to write for
    /// it by then cannot be taken back, so that is waited for a little longer.
    fn in_writers_turn(&self, errand: &Arc<Errand>) -> Result<Hold<'_>, SqliteError> {
        if let Some(hold) = self.writer.take(&errand.deadline) {
            return Ok(hold);
        }
        match self.group.leave(errand) {
            Left::InTime => Err(self.slow(&errand.deadline)),
            Left::Gathered if errand.is_answered() => Err(self.unfinished(&errand.deadline)),
            Left::Gathered => {
                let hold = self.writer.take(&errand.deadline.later_by(WRITING_WAIT));
                hold.ok_or_else(|| self.unfinished(&errand.deadline))
            }
        }
    }

    fn slow(&self, deadline: &Deadline) -> SqliteError {
        SqliteError::Queue { path: self.files.path_beside("-queue"), seconds: deadline.waited_seconds() }
    }

    fn unfinished(&self, deadline: &Deadline) -> SqliteError {
        SqliteError::Unfinished { path: self.files.database.clone(), seconds: deadline.waited_seconds() }
    }

    /// Begins once more where a restore put another database in the place of the one that was open.
    fn write_with(&self, hold: &mut Hold<'_>, errand: &Arc<Errand>) -> Result<(), SqliteError> {
        let mut write = || self.work_in(hold, &errand.deadline, |opened| self.write_for_all(opened, errand));
        match write() {
            Err(SqliteError::Replaced(_)) => write(),
            written => written,
        }
    }

    fn write_for_all(&self, opened: &mut Opened, errand: &Arc<Errand>) -> Result<(), SqliteError> {
        if errand.is_answered() {
            return Ok(());
        }
        opened.in_turn(&self.files, self.log_octets_max(), &errand.deadline, |pen| {
            // Gathered only now: many have come while this one waited for its turn.
            let errands = self.group.gather(errand);
            let answers = pen.write(group::needs(&errands), |change, space| {
                group::write_all(change, &self.chain, &errands, space)
            })?;
            match answers {
                Some(answers) => group::hand_out(&errands, answers),
                None => group::turn_away(&errands),
            }
            Ok(())
        })
    }

    const fn log_octets_max(&self) -> u64 {
        match self.process {
            Process::ShortLived => LOG_OCTETS_SHORT,
            Process::LongLived => LOG_OCTETS_LONG,
        }
    }

    /// Works on an open store, which is waited for until the deadline.
    fn with<T>(
        &self,
        slot: &Slot,
        operation: &str,
        deadline: &Deadline,
        work: impl FnOnce(&mut Opened) -> Result<T, SqliteError>,
    ) -> Result<T, StoreError> {
        let hold = slot.take(deadline).ok_or_else(|| self.slow(deadline));
        let worked = hold.and_then(|mut hold| self.work_in(&mut hold, deadline, work));
        worked.map_err(|cause| cause.during(operation, &self.files.database))
    }

    /// After an error, of whatever was asked or of what came after it, the connection is closed: the next operation begins
    /// afresh.
    fn work_in<T>(
        &self,
        hold: &mut Hold<'_>,
        deadline: &Deadline,
        work: impl FnOnce(&mut Opened) -> Result<T, SqliteError>,
    ) -> Result<T, SqliteError> {
        if hold.as_ref().is_some_and(|opened| !opened.is_ours()) {
            return Err(SqliteError::Forked);
        }
        let worked = self.opened(hold, deadline).and_then(work);
        if worked.is_err() || hold.as_ref().is_some_and(|opened| !opened.is_sound()) {
            hold.close();
        }
        worked
    }

    /// What is open, or opens it. A file that was replaced under a running server is opened anew.
    fn opened<'slot>(
        &self,
        slot: &'slot mut Option<Opened>,
        deadline: &Deadline,
    ) -> Result<&'slot mut Opened, SqliteError> {
        let opened = match slot.take() {
            Some(opened) if opened.is_of(&self.files) => opened,
            None | Some(_) => self.open_now(deadline)?,
        };
        Ok(slot.insert(opened))
    }

    fn unanswered(&self) -> StoreError {
        SqliteError::Unanswered.during("writing to the store", &self.files.database)
    }

    fn full(&self) -> StoreError {
        let cause = SqliteError::Full(self.files.database.clone());
        cause.during("writing to the store", &self.files.database)
    }

    fn open_now(&self, deadline: &Deadline) -> Result<Opened, SqliteError> {
        let (mut opened, rollback) = Opened::open(&self.files, deadline)?;
        if rollback.is_some() {
            *self.rollback.lock().unwrap_or_else(PoisonError::into_inner) = rollback;
        }
        opened.check_keys(&self.keys)?;
        Ok(opened)
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.release();
    }
}
