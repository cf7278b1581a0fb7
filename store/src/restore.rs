//! Backups, and putting one back so that nothing used since then works again.

use std::io;
use std::path::{Path, PathBuf};

use common::UnixTime;
use common::chain::ChainPosition;
use common::limits::SESSION_SECONDS;
use common::ports::{Clock, StoreError};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::carry_over::carry_over;
use crate::connection::{Emptied, checkpoint, repage};
use crate::deadline::Deadline;
use crate::files::{StoreFiles, create_private, failed};
use crate::limits::READERS_WAIT;
use crate::mark::{Mark, Progress};
use crate::opened::{Opened, Rollback};
use crate::queue::Queue;
use crate::staging::Staging;
use crate::{KeyCheck, Sqlite, SqliteError, Trouble, records, sent, spent, tickets};

/// What became of the recovery codes that were used after the backup was made. Temporary codes and the counters of tokens
/// fare the same. Codes that were sent and not used by then are void where the newer store cannot tell of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryCodes {
    /// They stay spent: the newer store told of them.
    StaySpent,
    /// Nobody knows all of them: there was no newer store, or one that had lost some itself. Let users make new sets.
    Unknown,
}

/// What a restore did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The heads of the store that was replaced; `None` where it was damaged or gone, and nobody knows them. Its later
    /// records are gone, and anchors show it: record this.
    pub heads_before: Option<Vec<ChainPosition>>,
    /// The heads of the backup, from which the chains go on.
    pub heads: Vec<ChainPosition>,
    /// No TOTP code whose interval began at or before this is good.
    pub floor: UnixTime,
    /// What became of recovery codes, of temporary codes, and of the counters of tokens.
    pub recovery_codes: RecoveryCodes,
    /// Where the store is now that was damaged and could not be written over.
    pub damaged: Option<PathBuf>,
    /// That the store that was replaced had gone back itself: record it as an alert.
    pub rollback: Option<Rollback>,
}

/// What a restore relies on.
pub struct Restoring<'a> {
    /// As in [`Sqlite::create`].
    pub owner: Option<u32>,
    /// The master keys here, the newest first. A backup that was written with others is refused.
    pub keys: Vec<KeyCheck>,
    /// Asked once nobody else can write any more.
    pub clock: &'a dyn Clock,
}

impl Sqlite {
    /// Puts `backup` in the place of the store at `path`, in one step that other processes see wholly or not at all,
    /// and refuses every TOTP code used until then.
    ///
    /// Blocks, revocations and registrations made since the backup are lost. A store that is damaged is not overwritten but
    /// set aside, under a name of its own beside it.
    pub fn restore(backup: &Path, path: &Path, restoring: &Restoring<'_>) -> Result<Restored, StoreError> {
        let located = StoreFiles::locate(path, restoring.owner);
        let restored = located.and_then(|files| restore(backup, &files, restoring));
        restored.map_err(|cause| cause.during("restoring the store", path))
    }
}

/// Copies a store as of one moment.
pub(crate) fn copy_to(connection: &Connection, to: &Path) -> Result<(), SqliteError> {
    let to = std::path::absolute(to).map_err(failed("find", to))?;
    // SQLite would make a file that others can read; it takes an empty one too.
    let file = create_private(&to)?;
    let copied = connection.execute("VACUUM INTO ?1", [to.to_string_lossy()]);
    let copied = copied.map_err(SqliteError::from).and_then(|_| file.sync_all().map_err(failed("sync", &to)));
    copied.inspect_err(|_| {
        // Half a backup must not be taken for one.
        let _ = std::fs::remove_file(&to);
    })
}

fn restore(backup: &Path, files: &StoreFiles, with: &Restoring<'_>) -> Result<Restored, SqliteError> {
    files.create_directory()?;
    let staging = Staging::begin(files)?;
    let anew = |copy: Connection| {
        drop(copy);
        let aside = files.path_beside(&format!("-damaged-{}", with.clock.now().seconds()));
        place(staging.copy_of(backup, &with.keys)?, files, &staging.path, with.clock, Some(aside))
    };
    let mut copy = staging.copy_of(backup, &with.keys)?;
    if !files.exists() {
        return place(copy, files, &staging.path, with.clock, None);
    }
    match replace(&mut copy, files, with.clock) {
        // Whoever has a file open that was cut to nothing keeps SQLite from saying so.
        Err(_) if std::fs::metadata(&files.database).is_ok_and(|file| file.len() == 0) => anew(copy),
        // The copy was found to be sound: it is the living store that is not, and nothing of it was changed.
        Err(error) if error.trouble() == Trouble::Damaged => anew(copy),
        done => done,
    }
}

/// Overwrites the living store through SQLite, so that programs which have it open go on with the restored one.
fn replace(copy: &mut Connection, files: &StoreFiles, clock: &dyn Clock) -> Result<Restored, SqliteError> {
    let (mut opened, rollback) = Opened::open(files, &Deadline::of_operation())?;
    let (_turn, living, mark) = opened.parts_in_turn(files, &Deadline::of_operation())?;
    let heads_before = records::heads(living)?;
    repage(copy, living)?;
    let recovery_codes = carry_over(copy, &files.database)?;
    spent::raise_floor(copy, latest_use(mark, clock.now()))?;
    overwrite(copy, living)?;
    // Whatever hinders this: the pages stand in the log, durably.
    let _ = checkpoint(living, Emptied::Truncated, READERS_WAIT);
    let restored = finish(living, mark, Some(heads_before), recovery_codes)?;
    Ok(Restored { rollback, ..restored })
}

/// All pages in one write transaction of the living store.
fn overwrite(copy: &Connection, living: &mut Connection) -> Result<(), SqliteError> {
    match Backup::new(copy, living)?.step(-1)? {
        StepResult::Done => Ok(()),
        // Not reached by readers: the log takes the pages beside them.
        _ => Err(SqliteError::Busy),
    }
}

/// Puts the copy where no store is, or none that is good for anything: that one goes `aside`.
fn place(
    copy: Connection,
    files: &StoreFiles,
    staged: &Path,
    clock: &dyn Clock,
    aside: Option<PathBuf>,
) -> Result<Restored, SqliteError> {
    let queue = Queue::open(files)?;
    let mark = Mark::open(files)?;
    let _turn = queue.enter(&Deadline::of_operation())?;
    spent::raise_floor(&copy, latest_use(&mark, clock.now()))?;
    spent::begin_lineage(&copy)?;
    sent::forget_all(&copy)?;
    tickets::forget_all(&copy)?;
    let restored = finish(&copy, &mark, None, RecoveryCodes::Unknown)?;
    copy.execute_batch("PRAGMA journal_mode = DELETE")?;
    drop(copy);
    match &aside {
        Some(aside) => exchange(files, staged, aside)?,
        None => put(files, staged)?,
    }
    files.sync_directory()?;
    Ok(Restored { damaged: aside, ..restored })
}

/// Sets the store aside and puts the copy in its place. If that fails the store comes back: a damaged one says more to
/// people than none.
fn exchange(files: &StoreFiles, staged: &Path, aside: &Path) -> Result<(), SqliteError> {
    if aside.symlink_metadata().is_ok() {
        return Err(SqliteError::Exists(aside.to_owned()));
    }
    let exchanged = set_aside(files, aside).and_then(|()| put(files, staged));
    exchanged.inspect_err(|_| {
        // Its log first: a database without it would be read as it was before.
        for suffix in ["-wal", "-shm", ""] {
            let _ = std::fs::rename(with_suffix(aside, suffix), files.path_beside(suffix));
        }
    })
}

/// Database and log keep belonging together, so that somebody can look at them later.
fn set_aside(files: &StoreFiles, aside: &Path) -> Result<(), SqliteError> {
    std::fs::rename(&files.database, aside).map_err(failed("rename", &files.database))?;
    for suffix in ["-wal", "-shm"] {
        let from = files.path_beside(suffix);
        if_there(std::fs::rename(&from, with_suffix(aside, suffix))).map_err(failed("rename", &from))?;
    }
    Ok(())
}

fn put(files: &StoreFiles, staged: &Path) -> Result<(), SqliteError> {
    // The log of a store that was moved away would be replayed into this one.
    for suffix in ["-wal", "-shm"] {
        let log = files.path_beside(suffix);
        if_there(std::fs::remove_file(&log)).map_err(failed("remove", &log))?;
    }
    std::fs::rename(staged, &files.database).map_err(failed("rename", staged))
}

fn if_there(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    PathBuf::from(path)
}

/// Now, or a little later: a step may be used before it begins (RFC 6238 §5.2), and the mark knows of it.
fn latest_use(mark: &Mark, now: UnixTime) -> UnixTime {
    let ahead = now.plus_seconds(SESSION_SECONDS);
    mark.read().map_or(now, |marked| marked.moment.min(ahead).max(now))
}

fn finish(
    connection: &Connection,
    mark: &Mark,
    heads_before: Option<Vec<ChainPosition>>,
    recovery_codes: RecoveryCodes,
) -> Result<Restored, SqliteError> {
    let floor = spent::floor(connection)?;
    mark.write(Progress { records: records::total(connection)?, moment: floor });
    let heads = records::heads(connection)?;
    Ok(Restored { heads_before, heads, floor, recovery_codes, damaged: None, rollback: None })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::place;
    use crate::conformance::samples::{account, insert, load};
    use crate::files::StoreFiles;
    use crate::staging::Staging;
    use crate::tests::support::{At, Yard, open};
    use crate::{Process, SqliteError};

    #[test]
    fn a_store_that_was_set_aside_for_nothing_comes_back_with_its_log() {
        let yard = Yard::new(Process::ShortLived);
        let backup = yard.beside("backup");
        yard.sqlite().backup_to(&backup).unwrap();
        insert(&open(&yard.path, Process::LongLived), account(1, "alice"));
        let files = StoreFiles::locate(&yard.path, None).unwrap();
        let staging = Staging::begin(&files).unwrap();
        let copy = staging.copy_of(&backup, &[]).unwrap();
        let (missing, aside) = (files.path_beside("-missing"), files.path_beside("-damaged"));
        let placed = place(copy, &files, &missing, &At(1), Some(aside));
        assert!(matches!(placed, Err(SqliteError::File { operation: "rename", .. })), "{placed:?}");
        assert!(load(&yard.sqlite(), "alice").account.is_some());
        let names = fs::read_dir(files.directory()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(!names.into_iter().any(|name| name.to_string_lossy().contains("damaged")));
    }
}
