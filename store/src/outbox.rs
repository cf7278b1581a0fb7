//! Messages that wait to be sent: sealed rows, each taken by one server at a time.
//!
//! A row is free from a moment on. Claiming moves that moment to the end of the lease, so whoever dies over a message
//! leaves it to others; nothing else is needed to give it back.

use common::limits::{MESSAGES_WAITING_MAX, NOTICES_WAITING_MAX, NOTICES_WAITING_PER_USER_MAX};
use common::message::{Envelope, Urgency};
use common::ports::{Fate, OutboxFigures};
use common::{MessageId, UnixTime};
use rusqlite::{Connection, Row, params};

use crate::SqliteError;
use crate::limits::{CLAIM_LOOKS_AT_MAX, PURGED_PER_BUNDLE};
use crate::spent::moment;
use crate::writing::{Stop, only_if_changed};

/// In the order in which they go.
const URGENCIES: [Urgency; 2] = [Urgency::Code, Urgency::Notice];

const fn place(urgency: Urgency) -> u8 {
    match urgency {
        Urgency::Code => 0,
        Urgency::Notice => 1,
    }
}

/// What a server asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) now: UnixTime,
    pub(crate) lease_end: UnixTime,
    pub(crate) count: u32,
}

/// What a server says of a message that it had claimed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settlement {
    pub(crate) message: MessageId,
    pub(crate) fate: Fate,
    /// Until when the one who says it had it; `None` where that is not known.
    pub(crate) lease_end: Option<UnixTime>,
}

/// Puts messages in, and says for how many of them there was no room. Notices beyond a limit are left out and counted; a
/// code beyond it stops its bundle, because nobody shall be asked for a code that is never sent.
pub(crate) fn put(connection: &Connection, messages: &[Envelope], now: UnixTime) -> Result<u32, Stop> {
    let mut left_out = 0_u32;
    for message in messages {
        if put_one(connection, message, now)? == Room::None {
            left_out = left_out.saturating_add(1);
        }
    }
    Ok(left_out)
}

/// Whether the outbox had room for a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    Some,
    None,
}

fn put_one(connection: &Connection, envelope: &Envelope, now: UnixTime) -> Result<Room, Stop> {
    match envelope.urgency {
        Urgency::Code if figures(connection)?.waiting >= MESSAGES_WAITING_MAX => return Err(Stop::Conflict),
        Urgency::Notice if !takes_notice(connection, &envelope.user)? => {
            resize(connection, Change { left_out: 1, ..Change::default() })?;
            return Ok(Room::None);
        }
        Urgency::Code | Urgency::Notice => {}
    }
    let inserted = connection
        .prepare_cached(
            "INSERT INTO outbox (message, name, urgency, expires_at, free_at, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            envelope.id.as_bytes(),
            envelope.user,
            place(envelope.urgency),
            envelope.expires_at.seconds(),
            now.seconds(),
            String::from(envelope.sealed.clone()),
        ])?;
    only_if_changed(inserted)?;
    resize(connection, Change { waiting: 1, ..Change::default() })?;
    Ok(Room::Some)
}

fn takes_notice(connection: &Connection, user: &str) -> Result<bool, SqliteError> {
    if figures(connection)?.waiting >= NOTICES_WAITING_MAX {
        return Ok(false);
    }
    let mut statement =
        connection.prepare_cached("SELECT count(*) FROM outbox WHERE name = ?1 AND urgency = ?2")?;
    let own: u32 = statement.query_row(params![user, place(Urgency::Notice)], |row| row.get(0))?;
    Ok(own < NOTICES_WAITING_PER_USER_MAX)
}

/// Since when the message is free that has waited longest; `None` where a claim would find nothing.
pub(crate) fn free_since(connection: &Connection, now: UnixTime) -> Result<Option<UnixTime>, SqliteError> {
    let mut longest = None;
    for urgency in URGENCIES {
        let mut statement = connection
            .prepare_cached("SELECT min(free_at) FROM outbox WHERE urgency = ?1 AND free_at <= ?2")?;
        let since = statement
            .query_row(params![place(urgency), now.seconds()], |row| row.get::<_, Option<u64>>(0))?;
        longest = longest.into_iter().chain(since).min();
    }
    Ok(longest.map(UnixTime::from_seconds))
}

/// Takes messages that are free.
pub(crate) fn claim(connection: &Connection, claim: &Claim) -> Result<Vec<Envelope>, SqliteError> {
    let mut claimed = Vec::new();
    let mut looks = CLAIM_LOOKS_AT_MAX;
    let count = usize::try_from(claim.count).unwrap_or(usize::MAX);
    for urgency in URGENCIES {
        loop {
            let wanted = count.saturating_sub(claimed.len()).min(looks);
            let free = free(connection, urgency, claim.now, wanted)?;
            if free.is_empty() {
                break;
            }
            looks = looks.saturating_sub(free.len());
            let (expired, live): (Vec<_>, Vec<_>) =
                free.into_iter().partition(|envelope| envelope.expires_at <= claim.now);
            expired.iter().try_for_each(|envelope| drop_expired(connection, envelope.id))?;
            live.iter().try_for_each(|envelope| free_from(connection, envelope.id, claim.lease_end))?;
            claimed.extend(live);
        }
    }
    Ok(claimed)
}

/// Those that have been free for longest.
fn free(
    connection: &Connection,
    urgency: Urgency,
    now: UnixTime,
    count: usize,
) -> Result<Vec<Envelope>, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT message, name, expires_at, sealed FROM outbox WHERE urgency = ?1 AND free_at <= ?2
         ORDER BY free_at, rowid LIMIT ?3",
    )?;
    let rows = statement
        .query_map(params![place(urgency), now.seconds(), count], |row| Ok(envelope(row, urgency)))?;
    rows.map(|row| row?).collect()
}

fn envelope(row: &Row<'_>, urgency: Urgency) -> Result<Envelope, SqliteError> {
    let sealed: String = row.get(3)?;
    Ok(Envelope {
        id: MessageId::from_bytes(row.get(0)?),
        user: row.get(1)?,
        urgency,
        expires_at: moment(row, 2)?,
        sealed: sealed.try_into().map_err(SqliteError::Sealed)?,
    })
}

fn free_from(connection: &Connection, message: MessageId, moment: UnixTime) -> Result<(), SqliteError> {
    connection
        .prepare_cached("UPDATE outbox SET free_at = ?2 WHERE message = ?1")?
        .execute(params![message.as_bytes(), moment.seconds()])?;
    Ok(())
}

fn drop_expired(connection: &Connection, message: MessageId) -> Result<(), SqliteError> {
    let expired = i64::from(remove(connection, message)?);
    resize(connection, Change { expired, ..Change::default() })
}

fn remove(connection: &Connection, message: MessageId) -> Result<bool, SqliteError> {
    let removed =
        connection.prepare_cached("DELETE FROM outbox WHERE message = ?1")?.execute([message.as_bytes()])?;
    if removed > 0 {
        resize(connection, Change { waiting: -1, ..Change::default() })?;
    }
    Ok(removed > 0)
}

/// Writes down what became of a message. Whoever has let the lease end, so that another one has it now, can say that it was
/// sent, and no more when it is tried again.
pub(crate) fn settle(connection: &Connection, settlement: &Settlement) -> Result<(), SqliteError> {
    match (settlement.fate, settlement.lease_end) {
        (Fate::Over, _) => remove(connection, settlement.message).map(drop),
        (Fate::Again(at), Some(lease_end)) => {
            connection
                .prepare_cached("UPDATE outbox SET free_at = ?3 WHERE message = ?1 AND free_at = ?2")?
                .execute(params![settlement.message.as_bytes(), lease_end.seconds(), at.seconds()])?;
            Ok(())
        }
        (Fate::Again(_), None) => Ok(()),
    }
}

/// Drops some of the expired ones that no server comes for: of those that have waited longest, up to the first that has
/// not expired. Looking further would cost a store with many messages more than it is worth.
pub(crate) fn purge(connection: &Connection, earliest: UnixTime, bundles: usize) -> Result<(), SqliteError> {
    for urgency in URGENCIES {
        let expired: Vec<MessageId> = {
            let mut statement = connection.prepare_cached(
                "SELECT message, expires_at FROM outbox WHERE urgency = ?1 AND free_at <= ?2 ORDER BY free_at, rowid",
            )?;
            let oldest = statement.query_map(params![place(urgency), earliest.seconds()], |row| {
                Ok((MessageId::from_bytes(row.get(0)?), moment(row, 1)?))
            })?;
            let has_expired = |row: &rusqlite::Result<(_, UnixTime)>| {
                row.as_ref().map_or(true, |(_, expires_at)| *expires_at <= earliest)
            };
            let expired = oldest.take_while(has_expired).take(bundles.saturating_mul(PURGED_PER_BUNDLE));
            expired.map(|row| row.map(|(message, _)| message)).collect::<rusqlite::Result<_>>()?
        };
        expired.into_iter().try_for_each(|message| drop_expired(connection, message))?;
    }
    Ok(())
}

/// How much waits, and what was never sent.
pub(crate) fn figures(connection: &Connection) -> Result<OutboxFigures, SqliteError> {
    let mut statement =
        connection.prepare_cached("SELECT messages, messages_expired, messages_left_out FROM meta")?;
    let figures = statement.query_row([], |row| {
        Ok(OutboxFigures { waiting: row.get(0)?, expired: row.get(1)?, left_out: row.get(2)? })
    });
    Ok(figures?)
}

#[derive(Clone, Copy, Default)]
struct Change {
    waiting: i64,
    expired: i64,
    left_out: i64,
}

/// The numbers are kept beside the messages: counting them would cost more with each.
fn resize(connection: &Connection, change: Change) -> Result<(), SqliteError> {
    let Change { waiting, expired, left_out } = change;
    connection
        .prepare_cached(
            "UPDATE meta SET messages = messages + ?1, messages_expired = messages_expired + ?2,
                 messages_left_out = messages_left_out + ?3",
        )?
        .execute([waiting, expired, left_out])?;
    Ok(())
}
