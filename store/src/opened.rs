//! A store that is open in this process: connection, queue and mark together.

use common::UnixTime;
use rusqlite::{Connection, TransactionBehavior};

use crate::connection::{Emptied, LogLength, checkpoint, connect, connect_to_new};
use crate::deadline::Deadline;
use crate::files::{FileIdentity, StoreFiles};
use crate::key_check::{self, KeyCheck};
use crate::limits::{LOG_OCTETS_CROWDED, READERS_WAIT, RESERVE_OCTETS, RESERVE_SLICE};
use crate::mark::{Mark, Progress};
use crate::pen::{Habits, Pen};
use crate::queue::{Queue, Turn};
use crate::reserve::Reserve;
use crate::{SqliteError, records, schema, sent, spent, tickets};

/// An open store. It belongs to the process that opened it: SQLite's locks do not survive a fork.
pub(crate) struct Opened {
    connection: Connection,
    queue: Queue,
    mark: Mark,
    reserve: Reserve,
    log: LogLength,
    habits: Habits,
    keys_missing: Vec<KeyCheck>,
    file: FileIdentity,
    process: u32,
    is_sound: bool,
}

/// A database that was older than its mark when it was opened, because somebody had put a copy in its place; or one with
/// records and without a mark that can be read, of which nobody knows.
///
/// The floor was raised, so that no TOTP code used since the copy works again, and codes and messages that waited in the
/// copy were dropped, with the devices that were remembered there. Recovery and temporary codes used since then, counters of tokens, blocks and revocations are lost
/// with the newer file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// Records that the store had. `None`: the mark is lost, and it may be the newest.
    pub records_before: Option<u64>,
    /// Records that it has.
    pub records_found: u64,
    /// The floor now.
    pub floor: UnixTime,
}

impl Opened {
    /// Makes tables and side files of a store whose database is empty.
    pub(crate) fn fill(files: &StoreFiles) -> Result<(), SqliteError> {
        let mut connection = connect_to_new(&files.database)?;
        schema::create(&mut connection)?;
        checkpoint(&mut connection, Emptied::Truncated, READERS_WAIT)?;
        drop(connection);
        Reserve::open(files)?.take_back(RESERVE_OCTETS);
        Mark::open(files)?.write(Progress::default());
        Self::open(files, &Deadline::of_operation()).map(drop)
    }

    /// Opens a store, takes its schema up, and looks whether it went back. What must be written for that waits for its
    /// turn until the deadline.
    pub(crate) fn open(
        files: &StoreFiles,
        deadline: &Deadline,
    ) -> Result<(Self, Option<Rollback>), SqliteError> {
        let file = files.check()?;
        let queue = Queue::open(files)?;
        let mark = Mark::open(files)?;
        let reserve = Reserve::open(files)?;
        // The mark is read before the database: read after it, a commit in between would look like a step back.
        let marked = mark.read();
        let log_is_new = !files.has_log();
        let (mut connection, behind) = connect_in_any_case(files, &queue, &reserve, deadline)?;
        let log = LogLength::of(&mut connection)?;
        if log_is_new {
            // The log stays for good, so its name is made durable once. SQLite would do it at each opening, unless it is
            // built with SQLITE_DISABLE_DIRSYNC.
            files.sync_directory()?;
        }
        let mut opened = Self {
            connection,
            queue,
            mark,
            reserve,
            log,
            habits: Habits::default(),
            keys_missing: Vec::new(),
            file,
            process: std::process::id(),
            is_sound: true,
        };
        if behind > 0 {
            opened.migrate(deadline)?;
        }
        let rollback = match went_back(marked, records::total(&opened.connection)?) {
            true => opened.catch_up(deadline)?,
            false => None,
        };
        Ok((opened, rollback))
    }

    /// Refuses a store that was written with other keys than these; what it does not know yet comes with the next write.
    pub(crate) fn check_keys(&mut self, keys: &[KeyCheck]) -> Result<(), SqliteError> {
        self.keys_missing = key_check::missing(&self.connection, keys)?;
        Ok(())
    }

    /// Whether this process is the one that opened it.
    pub(crate) fn is_ours(&self) -> bool {
        self.process == std::process::id()
    }

    /// Whether its database is still the one of that name.
    pub(crate) fn is_of(&self, files: &StoreFiles) -> bool {
        files.check().is_ok_and(|file| file == self.file)
    }

    /// Whether it can go on being used. Else it must be closed.
    pub(crate) const fn is_sound(&self) -> bool {
        self.is_sound
    }

    /// Reads as of one moment, with as many statements as it takes.
    pub(crate) fn read_at_one_moment<T>(
        &mut self,
        read: impl FnOnce(&Connection) -> Result<T, SqliteError>,
    ) -> Result<T, SqliteError> {
        let transaction = self.connection.transaction()?;
        let found = read(&transaction)?;
        transaction.commit()?;
        Ok(found)
    }

    /// Reads with one statement, or with others while that one is being read: SQLite shows them one moment too.
    pub(crate) fn read_with_one_statement<T>(
        &mut self,
        read: impl FnOnce(&Connection) -> Result<T, SqliteError>,
    ) -> Result<T, SqliteError> {
        read(&self.connection)
    }

    /// Works in turn, which is waited for until the deadline. What was written then stands: if the log cannot be shortened
    /// after it, this is not sound any more.
    pub(crate) fn in_turn<T>(
        &mut self,
        files: &StoreFiles,
        log_octets_max: u64,
        deadline: &Deadline,
        work: impl FnOnce(&mut Pen<'_>) -> Result<T, SqliteError>,
    ) -> Result<T, SqliteError> {
        let Self { connection, queue, mark, reserve, log, habits, keys_missing, file, is_sound, .. } = self;
        let _turn = enter(queue, files, *file, deadline)?;
        let mut pen = Pen { connection, files, mark, reserve, log, habits, keys_missing };
        let done = work(&mut pen)?;
        // Those who wait would wait for the checkpoint too: whoever comes last can do it.
        let longest =
            if queue.has_waiters() { log_octets_max.max(LOG_OCTETS_CROWDED) } else { log_octets_max };
        *is_sound = pen.shorten_log(longest).is_ok();
        Ok(done)
    }

    fn migrate(&mut self, deadline: &Deadline) -> Result<(), SqliteError> {
        let _turn = self.queue.enter(deadline)?;
        schema::migrate(&mut self.connection, schema::MIGRATIONS)
    }

    /// Raises the floor of a store that went back to where it had been.
    fn catch_up(&mut self, deadline: &Deadline) -> Result<Option<Rollback>, SqliteError> {
        let _turn = self.queue.enter(deadline)?;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let records_found = records::total(&transaction)?;
        let marked = self.mark.read();
        if !went_back(marked, records_found) {
            return Ok(None);
        }
        let moment = marked.map_or_else(|| self.mark.now(), |marked| Ok(marked.moment))?;
        spent::raise_floor(&transaction, moment)?;
        spent::begin_lineage(&transaction)?;
        sent::forget_all(&transaction)?;
        tickets::forget_all(&transaction)?;
        let floor = spent::floor(&transaction)?;
        transaction.commit()?;
        self.mark.write(Progress { records: records_found, moment });
        Ok(Some(Rollback { records_before: marked.map(|marked| marked.records), records_found, floor }))
    }
}

/// Whether a store with so many records is older than its mark, or has lost it.
fn went_back(marked: Option<Progress>, records: u64) -> bool {
    marked.map_or(records > 0, |marked| records < marked.records)
}

/// Opens the database, on a full disk too: SQLite then needs a little space for the index of its log. Also says how many
/// steps its schema is behind.
fn connect_in_any_case(
    files: &StoreFiles,
    queue: &Queue,
    reserve: &Reserve,
    deadline: &Deadline,
) -> Result<(Connection, u32), SqliteError> {
    let look = || {
        let connection = connect(&files.database)?;
        let behind = schema::behind(&connection, &files.database)?;
        Ok((connection, behind))
    };
    look().or_else(|error| {
        if !reserve.explains(&error) {
            return Err(error);
        }
        let _turn = queue.enter(deadline)?;
        reserve.give_up(RESERVE_SLICE);
        let looked = look();
        reserve.take_back(RESERVE_OCTETS);
        looked
    })
}

/// Waits for the turn, and looks again whether the database is still the one of that name: a restore may have set it aside
/// meanwhile, and what is written to it would be lost.
fn enter<'queue>(
    queue: &'queue Queue,
    files: &StoreFiles,
    file: FileIdentity,
    deadline: &Deadline,
) -> Result<Turn<'queue>, SqliteError> {
    let turn = queue.enter(deadline)?;
    if files.check()? == file { Ok(turn) } else { Err(SqliteError::Replaced(files.database.clone())) }
}

/// What copying and restoring need beside transactions.
impl Opened {
    /// The connection.
    pub(crate) const fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// The turn, connection and mark.
    pub(crate) fn parts_in_turn(
        &mut self,
        files: &StoreFiles,
        deadline: &Deadline,
    ) -> Result<(Turn<'_>, &mut Connection, &Mark), SqliteError> {
        let turn = enter(&self.queue, files, self.file, deadline)?;
        Ok((turn, &mut self.connection, &self.mark))
    }

    /// As a child sees what its parent had opened.
    #[cfg(test)]
    pub(crate) fn pretend_to_be_inherited(&mut self) {
        self.process = 0;
    }
}
