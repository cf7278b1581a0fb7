//! One connection to SQLite with the settings that the store relies on.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::SqliteError;
use crate::limits::BUSY_WAIT;
use common::bundle::Durability;

/// Prepared statements kept by a connection: all of ours.
const STATEMENTS: usize = 48;

/// Opens a database that exists.
pub(crate) fn connect(database: &Path) -> Result<Connection, SqliteError> {
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
    // Each login is often the first and last connection: a checkpoint at its close would cost three more fsyncs.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // No temporary files: their place would come from the environment.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
         PRAGMA temp_store = MEMORY;",
    )?;
    Ok(connection)
}

/// Says what the commits of a connection survive from now on. Checkpoints sync either way.
pub(crate) fn set_durability(connection: &Connection, durability: Durability) -> Result<(), SqliteError> {
    let level = match durability {
        Durability::Process => "NORMAL",
        Durability::PowerCut => "FULL",
    };
    Ok(connection.execute_batch(&format!("PRAGMA synchronous = {level}"))?)
}

/// Moves the write-ahead log into the database and empties it, unless readers stay in the way for too long.
/// Whatever hinders it, the log keeps what was committed, and a later commit tries again.
pub(crate) fn checkpoint(connection: &mut Connection, longest: Duration) -> Result<(), SqliteError> {
    wait_when_busy(connection, longest)?;
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    wait_when_busy(connection, BUSY_WAIT)
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
