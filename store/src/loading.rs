//! What a login looks at, in one statement: preparing another one costs more than reading another row.

use common::account::Account;
use common::bundle::Success;
use common::lane::{Lane, LaneKey};
use common::limits::MESSAGES_WAITING_MAX;
use common::ports::Loaded;
use common::sent::Sent;
use common::throttle::Cap;
use common::ticket::Tickets;
use common::{AttemptId, FactorId, UnixTime, Username};
use rusqlite::{Connection, Row, params};

use crate::spent::moment;
use crate::{SqliteError, accounts, sent, spent, tickets};

/// A row for each factor with a spent step or counter, or one without any. `meta` has one row.
const LOAD: &str = "
    SELECT floor, lanes.failures, lanes.last_at, accounts.document, hour_began, in_hour, in_row, known.at,
        digest, successes.expires_at, successes.at,
        EXISTS (SELECT 1 FROM spent_recovery WHERE account = id), factor, step, sent.document, signed_in_at,
        tickets.document, meta.messages
    FROM meta
    LEFT JOIN lanes ON key = ?2
    LEFT JOIN accounts ON accounts.name = ?1
    LEFT JOIN caps ON caps.account = id
    LEFT JOIN known ON known.account = id AND lane = ?2
    LEFT JOIN successes ON session = ?3
    LEFT JOIN spent_totp ON spent_totp.account = id
    LEFT JOIN sent ON sent.name = ?1
    LEFT JOIN sign_ins ON sign_ins.account = id
    LEFT JOIN tickets ON tickets.account = id
    ORDER BY factor";

/// All that there is of a name, a lane and a session.
pub(crate) fn load(
    connection: &Connection,
    name: &Username,
    lane: &LaneKey,
    session: Option<AttemptId>,
) -> Result<Loaded, SqliteError> {
    let mut statement = connection.prepare_cached(LOAD)?;
    let session_octets = session.as_ref().map(AttemptId::as_bytes);
    let mut rows = statement.query(params![name.as_str(), lane.as_bytes(), session_octets])?;
    let Some(first) = rows.next()? else { return Err(rusqlite::Error::QueryReturnedNoRows.into()) };
    let account = account(first)?;
    let spent_codes = match &account {
        Some(account) if first.get(11)? => spent::recovery_codes(connection, account.id)?,
        Some(_) | None => Vec::new(),
    };
    let mut loaded = Loaded {
        spent_steps: spent_step(first)?.into_iter().collect(),
        spent_codes,
        account,
        lane: seen(first)?.unwrap_or_default(),
        cap: cap(first)?.unwrap_or_default(),
        known_at: optional_moment(first, 7)?,
        success: session.map_or(Ok(None), |session| success(first, session))?,
        floor: moment(first, 0)?,
        sent: sent(first)?.unwrap_or_default(),
        outbox_is_closed: first.get::<_, u64>(17)? >= MESSAGES_WAITING_MAX,
        signed_in_at: optional_moment(first, 15)?,
        tickets: remembered(first)?.unwrap_or_default(),
    };
    while let Some(row) = rows.next()? {
        loaded.spent_steps.extend(spent_step(row)?);
    }
    Ok(loaded)
}

fn account(row: &Row<'_>) -> Result<Option<Account>, SqliteError> {
    let document: Option<String> = row.get(3)?;
    document.as_deref().map(accounts::parse).transpose()
}

fn sent(row: &Row<'_>) -> Result<Option<Sent>, SqliteError> {
    let document: Option<String> = row.get(14)?;
    document.as_deref().map(sent::parse).transpose()
}

fn remembered(row: &Row<'_>) -> Result<Option<Tickets>, SqliteError> {
    let document: Option<String> = row.get(16)?;
    document.as_deref().map(tickets::parse).transpose()
}

fn seen(row: &Row<'_>) -> rusqlite::Result<Option<Lane>> {
    let Some(failures) = row.get(1)? else { return Ok(None) };
    Ok(Some(Lane { failures, last_at: moment(row, 2)? }))
}

fn cap(row: &Row<'_>) -> rusqlite::Result<Option<Cap>> {
    let Some(hour_began) = optional_moment(row, 4)? else { return Ok(None) };
    Ok(Some(Cap { hour_began, in_hour: row.get(5)?, in_row: row.get(6)? }))
}

fn success(row: &Row<'_>, session: AttemptId) -> rusqlite::Result<Option<Success>> {
    let Some(digest) = row.get(8)? else { return Ok(None) };
    Ok(Some(Success { session, digest, expires_at: moment(row, 9)?, at: moment(row, 10)? }))
}

fn spent_step(row: &Row<'_>) -> rusqlite::Result<Option<(FactorId, u64)>> {
    let factor: Option<_> = row.get(12)?;
    factor.map(|factor| Ok((FactorId::from_bytes(factor), row.get(13)?))).transpose()
}

fn optional_moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<UnixTime>> {
    Ok(row.get::<_, Option<u64>>(column)?.map(UnixTime::from_seconds))
}
