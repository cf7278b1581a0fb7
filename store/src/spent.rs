//! What is used up: TOTP steps, counters of tokens, recovery and temporary codes, sessions that succeeded; and the floor
//! under what is forgotten of them.
//!
//! The invariant: whatever purge forgets lies wholly at or before the floor. A step at or below it is refused
//! for that alone; a session that ended at or before it can be alive only by a clock that stands before the
//! floor, which nobody trusts. Purge takes only what ended `SPENT_KEPT_SECONDS` before the bundle at hand, so
//! the floor stays that far behind the clock that wrote it, and locks nobody out as long as that clock was right.
//!
//! The last counter of a token stands among the steps: it has no end, so neither purge nor floor ever comes to it.

use common::bundle::{Bundle, Spend, Success};
use common::limits::SPENT_KEPT_SECONDS;
use common::{AccountId, CodeId, UnixTime};
use rusqlite::{Connection, Row, ToSql, params};

use crate::limits::{PURGE_SECONDS, PURGED_PER_BUNDLE};
use crate::writing::{Stop, only_if_changed};
use crate::{SqliteError, sent};

/// When a spent counter of a token may be forgotten; it stands there in the place of both moments of a step.
pub(crate) const NEVER: u64 = 1 << 60;

/// Uses something up, once, by a decision of this moment.
pub(crate) fn spend(connection: &Connection, spend: &Spend, at: UnixTime) -> Result<(), Stop> {
    match spend {
        Spend::TotpStep { account, factor, step, begins_at, expires_at } => {
            let spent = connection
                .prepare_cached(
                    "INSERT INTO spent_totp (account, factor, step, begins_at, expires_at)
                     SELECT id, ?2, ?3, ?4, ?5 FROM accounts, meta WHERE id = ?1 AND ?4 > floor
                     ON CONFLICT (account, factor) DO UPDATE
                     SET step = excluded.step, begins_at = excluded.begins_at, expires_at = excluded.expires_at
                     WHERE excluded.step > spent_totp.step",
                )?
                .execute(params![
                    account.as_bytes(),
                    factor.as_bytes(),
                    step,
                    begins_at.seconds(),
                    expires_at.seconds(),
                ])?;
            only_if_changed(spent)
        }
        Spend::HotpCounter { account, factor, counter } => {
            let spent = connection
                .prepare_cached(
                    "INSERT INTO spent_totp (account, factor, step, begins_at, expires_at)
                     SELECT id, ?2, ?3, ?4, ?4 FROM accounts WHERE id = ?1
                     ON CONFLICT (account, factor) DO UPDATE SET step = excluded.step
                     WHERE excluded.step > spent_totp.step",
                )?
                .execute(params![account.as_bytes(), factor.as_bytes(), counter, NEVER])?;
            only_if_changed(spent)
        }
        Spend::SentCode { name, slot, code } => sent::spend(connection, name, (*slot, *code), at),
        Spend::Code { account, code } => {
            let spent = connection
                .prepare_cached(
                    "INSERT INTO spent_recovery (account, code)
                     SELECT id, ?2 FROM accounts WHERE id = ?1 ON CONFLICT DO NOTHING",
                )?
                .execute(params![account.as_bytes(), code.as_bytes()])?;
            only_if_changed(spent)
        }
    }
}

/// Remembers a success, once.
pub(crate) fn succeed(connection: &Connection, success: &Success) -> Result<(), Stop> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO successes (session, digest, expires_at, at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            success.session.as_bytes(),
            success.digest,
            success.expires_at.seconds(),
            success.at.seconds(),
        ])?;
    only_if_changed(inserted)
}

/// The spent recovery and temporary codes of an account.
pub(crate) fn recovery_codes(
    connection: &Connection,
    account: AccountId,
) -> Result<Vec<CodeId>, SqliteError> {
    let mut statement =
        connection.prepare_cached("SELECT code FROM spent_recovery WHERE account = ?1 ORDER BY code")?;
    let rows = statement.query_map([account.as_bytes()], |row| Ok(CodeId::from_bytes(row.get(0)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Keeps the counters of an account that goes, in case a restore brings it back.
pub(crate) fn remember_counters(connection: &Connection, account: AccountId) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "INSERT INTO once_counted SELECT account, factor, step FROM spent_totp
             WHERE account = ?1 AND expires_at = ?2
             ON CONFLICT (account, factor) DO UPDATE SET counter = max(counter, excluded.counter)",
        )?
        .execute(params![account.as_bytes(), NEVER])?;
    Ok(())
}

/// The floor.
pub(crate) fn floor(connection: &Connection) -> Result<UnixTime, SqliteError> {
    let mut statement = connection.prepare_cached("SELECT floor FROM meta")?;
    Ok(statement.query_row([], |row| moment(row, 0))?)
}

/// Writes the floor out again as it is. There and back, because SQLite writes nothing where nothing has changed.
pub(crate) fn rewrite_floor(connection: &Connection) -> Result<UnixTime, SqliteError> {
    for step in [1, -1] {
        connection.prepare_cached("UPDATE meta SET floor = floor + ?1")?.execute([step])?;
    }
    floor(connection)
}

/// Raises the floor; it never sinks.
pub(crate) fn raise_floor(connection: &Connection, to: UnixTime) -> Result<(), SqliteError> {
    connection.prepare_cached("UPDATE meta SET floor = ?1 WHERE floor < ?1")?.execute([to.seconds()])?;
    Ok(())
}

/// Which line of uses the store belongs to. A store knows all that was used since a backup of the same line.
pub(crate) fn lineage(connection: &Connection) -> Result<i64, SqliteError> {
    Ok(connection.query_row("SELECT lineage FROM meta", [], |row| row.get(0))?)
}

/// Begins a line of its own, because uses were lost.
pub(crate) fn begin_lineage(connection: &Connection) -> Result<(), SqliteError> {
    connection.execute("UPDATE meta SET lineage = random()", [])?;
    Ok(())
}

/// Forgets some of what ended long ago, so that no daemon is needed for it. Nothing is done before the oldest, which
/// ended at `oldest_end`, is overdue: then it is worth the while. Says whether it was.
pub(crate) fn purge(
    connection: &Connection,
    bundles: &[Bundle],
    oldest_end: Option<UnixTime>,
) -> Result<bool, SqliteError> {
    let (Some(earliest), Some(oldest_end)) = (bundles.iter().map(|bundle| bundle.at).min(), oldest_end)
    else {
        return Ok(false);
    };
    let ended_before = earliest.minus_seconds(SPENT_KEPT_SECONDS);
    if oldest_end >= ended_before.minus_seconds(PURGE_SECONDS) {
        return Ok(false);
    }
    let ended_before = ended_before.seconds();
    let count = bundles.len().saturating_mul(PURGED_PER_BUNDLE);
    let steps = "DELETE FROM spent_totp WHERE (account, factor) IN
        (SELECT account, factor FROM spent_totp WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)
        RETURNING begins_at";
    let successes = "DELETE FROM successes WHERE session IN
        (SELECT session FROM successes WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)
        RETURNING expires_at";
    for deletion in [steps, successes] {
        if let Some(forgotten) = latest(connection, deletion, params![ended_before, count])? {
            raise_floor(connection, forgotten)?;
        }
    }
    Ok(true)
}

/// The latest moment that a statement returns.
fn latest(
    connection: &Connection,
    statement: &str,
    parameters: &[&dyn ToSql],
) -> Result<Option<UnixTime>, SqliteError> {
    let mut statement = connection.prepare_cached(statement)?;
    let moments = statement.query_map(parameters, |row| moment(row, 0))?;
    let moments: Vec<UnixTime> = moments.collect::<rusqlite::Result<_>>()?;
    Ok(moments.into_iter().max())
}

/// A moment in a column.
pub(crate) fn moment(row: &Row<'_>, column: usize) -> rusqlite::Result<UnixTime> {
    row.get(column).map(UnixTime::from_seconds)
}
