//! One connection to SQLite with the settings that the store relies on.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, OpenFlags};

use crate::SqliteError;
use crate::limits::BUSY_WAIT;
use common::bundle::Durability;

/// Prepared statements kept by a connection: all of ours, as a test counts them.
const STATEMENTS: usize = 96;

/// No temporary files, whose place would come from the environment; and checkpoints are ours.
const SETTINGS: &str =
    "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY;";
const BUILT_WITH: [&str; 3] =
    ["-DSQLITE_DEFAULT_SYNCHRONOUS=2", "-DSQLITE_DEFAULT_WAL_AUTOCHECKPOINT=0", "-DSQLITE_TEMP_STORE=2"];

/// Octets of a page of a new store. A login changes a row or two in each of many tables, and every page that it touches
/// goes to the log whole.
pub(crate) const PAGE_OCTETS: u32 = 1024;
/// Octets that stand before each page in the log.
const FRAME_HEAD_OCTETS: u64 = 24;

/// Opens a database that exists.
pub(crate) fn connect(database: &Path) -> Result<Connection, SqliteError> {
    let connection = open(database)?;
    keep_log(&connection)?;
    Ok(connection)
}

/// Opens a database that is an empty file.
pub(crate) fn connect_to_new(database: &Path) -> Result<Connection, SqliteError> {
    let connection = open(database)?;
    connection.pragma_update(None, "page_size", PAGE_OCTETS)?;
    keep_log(&connection)?;
    Ok(connection)
}

/// Gives a copy of a store pages as long as those of another one: SQLite copies pages as they are.
pub(crate) fn repage(copy: &Connection, like: &Connection) -> Result<(), SqliteError> {
    let wanted = page_octets(like)?;
    if page_octets(copy)? == wanted {
        return Ok(());
    }
    copy.execute_batch("PRAGMA journal_mode = DELETE")?;
    copy.pragma_update(None, "page_size", wanted)?;
    copy.execute_batch("VACUUM")?;
    keep_log(copy)
}

fn page_octets(connection: &Connection) -> Result<u32, SqliteError> {
    Ok(connection.query_row("PRAGMA page_size", [], |row| row.get(0))?)
}

fn keep_log(connection: &Connection) -> Result<(), SqliteError> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    if !has_our_defaults() {
        connection.execute_batch(SETTINGS)?;
    }
    Ok(())
}

fn open(database: &Path) -> Result<Connection, SqliteError> {
    // NOFOLLOW refuses links in the whole path; no mutex, because each connection has one of ours.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let mut connection = Connection::open_with_flags(database, flags)?;
    wait_when_busy(&mut connection, BUSY_WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    // Else SQLite plans some statements anew for each set of values, at the cost of the statement many times over.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Each login is often the first and last connection: a checkpoint at its close would cost three more fsyncs.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

/// Whether SQLite was built with [`SETTINGS`] as its defaults (`.cargo/config.toml`): each costs a login its reading.
fn has_our_defaults() -> bool {
    let flags = option_env!("LIBSQLITE3_FLAGS").unwrap_or_default();
    BUILT_WITH.iter().all(|flag| flags.split_whitespace().any(|found| found == *flag))
}

/// Says what the commits of a connection survive from now on. Checkpoints sync either way.
pub(crate) fn set_durability(connection: &Connection, durability: Durability) -> Result<(), SqliteError> {
    let level = match durability {
        Durability::Process => "NORMAL",
        Durability::PowerCut => "FULL",
    };
    Ok(connection.execute_batch(&format!("PRAGMA synchronous = {level}"))?)
}

/// What becomes of the file of a write-ahead log whose content is in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Emptied {
    /// It keeps its blocks and is written over from the beginning: a sync then has no new length to write down.
    InPlace,
    /// Its blocks go back to the disk.
    Truncated,
}

/// What a checkpoint came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checkpoint {
    /// All of the log is in the database.
    Emptied,
    /// Readers stayed in the way, and so many octets of the log are in use.
    Hindered { log_octets: u64 },
}

/// Moves the write-ahead log into the database and begins it anew, unless readers stay in the way for longer than this.
/// Whatever hinders it, the log keeps what was committed, and a later commit tries again.
pub(crate) fn checkpoint(
    connection: &mut Connection,
    how: Emptied,
    longest: Duration,
) -> Result<Checkpoint, SqliteError> {
    let checkpoint = match how {
        Emptied::InPlace => "PRAGMA wal_checkpoint(RESTART)",
        Emptied::Truncated => "PRAGMA wal_checkpoint(TRUNCATE)",
    };
    wait_when_busy(connection, longest)?;
    let done =
        connection.query_row(checkpoint, [], |row| Ok((row.get::<_, bool>(0)?, row.get::<_, i64>(1)?)));
    wait_when_busy(connection, BUSY_WAIT)?;
    let (is_busy, frames) = done?;
    if !is_busy {
        return Ok(Checkpoint::Emptied);
    }
    // Without a number another checkpoint is under way: it may be all of it.
    let frames = u64::try_from(frames).unwrap_or(u64::MAX);
    Ok(Checkpoint::Hindered { log_octets: frames.saturating_mul(frame_octets(connection)?) })
}

/// Octets that a page takes in the log.
fn frame_octets(connection: &Connection) -> Result<u64, SqliteError> {
    Ok(u64::from(page_octets(connection)?).saturating_add(FRAME_HEAD_OCTETS))
}

/// How long the write-ahead log was after the last commit of a connection, which is less than the length of its file.
pub(crate) struct LogLength {
    frames: Arc<AtomicU64>,
    frame_octets: u64,
}

impl LogLength {
    /// That of this connection, from now on.
    pub(crate) fn of(connection: &mut Connection) -> Result<Self, SqliteError> {
        let length = Self { frames: Arc::default(), frame_octets: frame_octets(connection)? };
        let frames = Arc::clone(&length.frames);
        let note = move |_: &mut Wal, count| {
            frames.store(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        };
        connection.wal_hook(Some(note))?;
        Ok(length)
    }

    /// In octets; none before the first commit.
    pub(crate) fn octets(&self) -> u64 {
        self.frames.load(Ordering::Relaxed).saturating_mul(self.frame_octets)
    }
}

/// Waits in even steps of a millisecond, where SQLite itself would sleep longer and longer.
fn wait_when_busy(connection: &mut Connection, longest: Duration) -> Result<(), SqliteError> {
    let mut began = Instant::now();
    let handler = move |tries: i32| {
        if tries == 0 {
            began = Instant::now();
        }
        sleep(Duration::from_millis(1));
        began.elapsed() < longest
    };
    Ok(connection.busy_handler(Some(handler))?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use rusqlite::Connection;

    use super::{Emptied, LogLength, SETTINGS, STATEMENTS, checkpoint, connect, has_our_defaults};
    use crate::Process;
    use crate::limits::CHECKPOINT_WAIT;
    use crate::tests::support::Yard;

    /// Journal, synchronous, octets of log until SQLite checkpoints by itself, and whether files may be temporary.
    fn settings(connection: &Connection) -> (String, u8, u32, bool) {
        let number = |pragma: &str| {
            connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, u32>(0)).unwrap()
        };
        let journal = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
        let is_built_in: bool = connection
            .query_row("SELECT sqlite_compileoption_used('TEMP_STORE=2')", [], |row| row.get(0))
            .unwrap();
        let in_files = number("temp_store") != 2 && !is_built_in;
        (journal, u8::try_from(number("synchronous")).unwrap(), number("wal_autocheckpoint"), in_files)
    }

    #[test]
    fn a_connection_has_the_settings_that_the_store_relies_on() {
        let yard = Yard::new(Process::ShortLived);
        let connection = connect(&yard.path).unwrap();
        let expected = ("wal".to_owned(), 2, 0, false);
        assert_eq!(settings(&connection), expected, "has_our_defaults: {}", has_our_defaults());
        connection.execute_batch(SETTINGS).unwrap();
        assert_eq!(settings(&connection), expected, "where SQLite was built without them");
    }
    #[test]
    fn each_statement_has_a_place() {
        let sources = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
        let texts = sources.filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok());
        // `change.rs` has one place for six texts, and what is forgotten one for two.
        let statements: usize = texts.map(|text| text.matches(concat!(".prepare_", "cached(")).count()).sum();
        assert!((60..=STATEMENTS - 6).contains(&statements), "{statements} of {STATEMENTS}");
    }

    #[test]
    fn the_length_of_the_log_is_known_for_pages_of_any_length() {
        let yard = Yard::new(Process::ShortLived);
        for page_octets in [1024, 8192] {
            let raw = Connection::open(&yard.path).unwrap();
            raw.execute_batch("PRAGMA journal_mode = DELETE").unwrap();
            raw.execute_batch(&format!("PRAGMA page_size = {page_octets}; VACUUM")).unwrap();
            drop(raw);
            let mut connection = connect(&yard.path).unwrap();
            let length = LogLength::of(&mut connection).unwrap();
            assert_eq!(length.octets(), 0);
            connection
                .execute_batch("CREATE TABLE IF NOT EXISTS a (b); INSERT INTO a VALUES (zeroblob(99999))")
                .unwrap();
            let file = fs::metadata(yard.path.with_file_name("countersign.db-wal")).unwrap().len();
            assert_eq!(length.octets() + 32, file, "the head of the file has 32 octets");
        }
    }

    #[test]
    fn a_checkpoint_that_fails_is_no_reader_in_the_way() {
        let yard = Yard::new(Process::ShortLived);
        let mut connection = connect(&yard.path).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE; UPDATE meta SET floor = 1").unwrap();
        assert!(checkpoint(&mut connection, Emptied::InPlace, CHECKPOINT_WAIT).is_err());
    }
}
