//! What was sent to each user: one small row under the canonical name, which need not have an account yet.
//!
//! Whoever has shown more than a name makes such a row grow, and where no first password is asked, to a part of that,
//! whoever knows the name; `common::sent` says how far. A day after the last code or notice it goes.

use common::bundle::{NewCode, NoticeTexts, Slot};
use common::sent::Sent;
use common::{AccountId, CodeId, UnixTime, Username};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::SqliteError;
use crate::limits::{PURGE_SECONDS, PURGED_PER_BUNDLE};
use crate::writing::Stop;

/// Reads a row.
pub(crate) fn parse(document: &str) -> Result<Sent, SqliteError> {
    serde_json::from_str(document).map_err(SqliteError::Sent)
}

/// Counts an answer as a try at each code of a user that is still good.
pub(crate) fn count(connection: &Connection, name: &Username, at: UnixTime) -> Result<(), SqliteError> {
    let Some(before) = find(connection, name)? else { return Ok(()) };
    let mut sent = before.clone();
    sent.count(at);
    if sent == before { Ok(()) } else { write(connection, name, &sent) }
}

/// Uses a code up, once.
pub(crate) fn spend(
    connection: &Connection,
    name: &Username,
    (slot, code): (Slot, CodeId),
    at: UnixTime,
) -> Result<(), Stop> {
    let mut sent = find(connection, name)?.unwrap_or_default();
    if !sent.spend(slot, code, at) {
        return Err(Stop::Conflict);
    }
    Ok(write(connection, name, &sent)?)
}

/// Takes a new code in, where the slot has none that is young and the day has room for it.
pub(crate) fn send(connection: &Connection, new: &NewCode) -> Result<(), Stop> {
    let mut sent = find(connection, &new.name)?.unwrap_or_default();
    if !sent.send(new) {
        return Err(Stop::Conflict);
    }
    Ok(write(connection, &new.name, &sent)?)
}

/// Counts notices by text message, where the day has room for them.
pub(crate) fn count_notice_texts(
    connection: &Connection,
    texts: &NoticeTexts,
    at: UnixTime,
) -> Result<(), Stop> {
    let mut sent = find(connection, &texts.name)?.unwrap_or_default();
    if !sent.count_notice_texts(texts.count, at) {
        return Err(Stop::Conflict);
    }
    Ok(write(connection, &texts.name, &sent)?)
}

/// What was sent under a name that an account gives up is nothing to whoever has the name next.
pub(crate) fn forget_name_of(
    connection: &Connection,
    account: AccountId,
    new_name: Option<&Username>,
) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "DELETE FROM sent WHERE name = (SELECT name FROM accounts WHERE id = ?1 AND name IS NOT ?2)",
        )?
        .execute(params![account.as_bytes(), new_name.map(Username::as_str)])?;
    Ok(())
}

/// Forgets some of what has not mattered for a while.
pub(crate) fn purge(connection: &Connection, earliest: UnixTime, bundles: usize) -> Result<(), SqliteError> {
    let before = earliest.minus_seconds(PURGE_SECONDS);
    connection
        .prepare_cached(
            "DELETE FROM sent WHERE name IN
             (SELECT name FROM sent WHERE matters_until < ?1 ORDER BY matters_until LIMIT ?2)",
        )?
        .execute(params![before.seconds(), bundles.saturating_mul(PURGED_PER_BUNDLE)])?;
    Ok(())
}

/// Forgets all codes and messages of a store that went back: they may have been used and sent since.
pub(crate) fn forget_all(connection: &Connection) -> Result<(), SqliteError> {
    connection.execute_batch("DELETE FROM sent; DELETE FROM outbox; UPDATE meta SET messages = 0;")?;
    Ok(())
}

fn find(connection: &Connection, name: &Username) -> Result<Option<Sent>, SqliteError> {
    let mut statement = connection.prepare_cached("SELECT document FROM sent WHERE name = ?1")?;
    let document = statement.query_row([name.as_str()], |row| row.get::<_, String>(0)).optional()?;
    document.as_deref().map(parse).transpose()
}

fn write(connection: &Connection, name: &Username, sent: &Sent) -> Result<(), SqliteError> {
    let document = serde_json::to_string(sent).map_err(SqliteError::Serialize)?;
    connection
        .prepare_cached(
            "INSERT INTO sent (name, document, matters_until) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET document = excluded.document, matters_until = excluded.matters_until",
        )?
        .execute(params![name.as_str(), document, sent.matters_until().seconds()])?;
    Ok(())
}
