//! What an account has seen over all sources, and the sources from which it has lately been let in.
//!
//! Both belong to accounts, which no stranger can make: neither table grows with what strangers do.

use common::bundle::{CapEffect, Recognised, Renewal, Unlocked};
use common::lane::LaneKey;
use common::limits::KNOWN_SOURCES_MAX;
use common::throttle::Cap;
use common::{AccountId, UnixTime, Username, limits};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::spent::moment;
use crate::{SqliteError, accounts, lanes};

/// The cap of an account.
pub(crate) fn cap(connection: &Connection, account: AccountId) -> Result<Cap, SqliteError> {
    let mut statement =
        connection.prepare_cached("SELECT hour_began, in_hour, in_row FROM caps WHERE account = ?1")?;
    let cap = statement.query_row([account.as_bytes()], |row| {
        Ok(Cap { hour_began: moment(row, 0)?, in_hour: row.get(1)?, in_row: row.get(2)? })
    });
    Ok(cap.optional()?.unwrap_or_default())
}

/// Counts an answer. An account that has gone meanwhile counts nothing.
pub(crate) fn count(
    connection: &Connection,
    account: AccountId,
    now: UnixTime,
) -> Result<Option<Cap>, SqliteError> {
    let cap = cap(connection, account)?.counted(now);
    let written = write(connection, account, cap)?;
    Ok((written > 0).then_some(cap))
}

fn write(connection: &Connection, account: AccountId, cap: Cap) -> Result<usize, SqliteError> {
    let Cap { hour_began, in_hour, in_row } = cap;
    let written = connection
        .prepare_cached(
            "INSERT INTO caps (account, hour_began, in_hour, in_row)
             SELECT id, ?2, ?3, ?4 FROM accounts WHERE id = ?1
             ON CONFLICT (account) DO UPDATE
             SET hour_began = excluded.hour_began, in_hour = excluded.in_hour, in_row = excluded.in_row",
        )?
        .execute(params![account.as_bytes(), hour_began.seconds(), in_hour, in_row])?;
    Ok(written)
}

/// Takes the cap of an account and all its lanes back to nothing.
pub(crate) fn unlock(connection: &Connection, unlocked: &Unlocked) -> Result<(), SqliteError> {
    let account = unlocked.account;
    connection.prepare_cached("DELETE FROM caps WHERE account = ?1")?.execute([account.as_bytes()])?;
    lanes::clear_all(connection, &unlocked.lanes)
}

/// The names of up to `count` accounts whose cap is closed, in order.
pub(crate) fn closed(
    connection: &Connection,
    now: UnixTime,
    count: u32,
) -> Result<Vec<Username>, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT document, hour_began, in_hour, in_row FROM caps JOIN accounts ON id = account
         WHERE in_row >= ?1 OR in_hour >= ?2 ORDER BY name",
    )?;
    let rows = statement.query_map([limits::CAP_IN_ROW, limits::CAP_IN_HOUR], |row| {
        let cap = Cap { hour_began: moment(row, 1)?, in_hour: row.get(2)?, in_row: row.get(3)? };
        Ok((row.get::<_, String>(0)?, cap))
    })?;
    let closed = rows.filter(|row| !row.as_ref().is_ok_and(|(_, cap)| cap.is_open(now)));
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    closed.take(most).map(|row| Ok(accounts::parse(&row?.0)?.name)).collect()
}

/// A second proof was right.
pub(crate) fn recognise(
    connection: &Connection,
    recognised: &Recognised,
    now: UnixTime,
) -> Result<(), SqliteError> {
    let Recognised { account, lane, cap: effect, renewal } = recognised;
    lanes::clear(connection, lane)?;
    match effect {
        CapEffect::EndsRow => {
            let after = cap(connection, *account)?.after_a_right_one();
            write(connection, *account, after)?;
        }
        CapEffect::None => {}
    }
    match renewal {
        Renewal::Write => know(connection, *account, lane, now),
        Renewal::Leave => Ok(()),
    }
}

/// Of more sources than are remembered, those longest unused go.
fn know(
    connection: &Connection,
    account: AccountId,
    lane: &LaneKey,
    now: UnixTime,
) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "INSERT INTO known (account, lane, at) SELECT id, ?2, ?3 FROM accounts WHERE id = ?1
             ON CONFLICT (account, lane) DO UPDATE SET at = max(at, excluded.at)",
        )?
        .execute(params![account.as_bytes(), lane.as_bytes(), now.seconds()])?;
    let sources: u32 = connection
        .prepare_cached("SELECT count(*) FROM known WHERE account = ?1")?
        .query_row([account.as_bytes()], |row| row.get(0))?;
    if sources <= KNOWN_SOURCES_MAX {
        return Ok(());
    }
    connection
        .prepare_cached(
            "DELETE FROM known WHERE account = ?1 AND lane NOT IN
             (SELECT lane FROM known WHERE account = ?1 ORDER BY at DESC LIMIT ?2)",
        )?
        .execute(params![account.as_bytes(), KNOWN_SOURCES_MAX])?;
    Ok(())
}
