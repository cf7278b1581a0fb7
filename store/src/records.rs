//! Records as auditors will read them, each chained to the one before it; nothing here changes or removes one.

use common::Username;
use common::chain::{ChainMac, ChainPosition};
use common::keys::KEY_OCTETS;
use common::login::SignIn;
use common::ports::StoredRecord;
use common::record::{Ending, Record};
use rusqlite::{Connection, params};
use zeroize::Zeroizing;

use crate::SqliteError;
use crate::limits::RECORDS_LOOKED_THROUGH;

/// The stream that a process writes, and the key of its MACs.
pub(crate) struct Chain {
    pub(crate) key: Zeroizing<[u8; KEY_OCTETS]>,
    pub(crate) stream: String,
}

/// How far a stream has come within a transaction.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    pub(crate) sequence: u64,
    pub(crate) mac: ChainMac,
}

impl Head {
    /// Of a stream without records.
    pub(crate) const BEGINNING: Self = Self { sequence: 0, mac: ChainMac::BEGINNING };
}

impl Chain {
    /// Appends a record and moves `head`, which is written by [`Chain::write_head`] at the end.
    pub(crate) fn append(
        &self,
        connection: &Connection,
        head: &mut Head,
        record: &Record,
    ) -> Result<ChainPosition, SqliteError> {
        let body = serde_json::to_vec(record).map_err(SqliteError::Serialize)?;
        let sequence = head.sequence.saturating_add(1);
        let mac = head.mac.next(&self.key, &self.stream, sequence, &body)?;
        connection
            .prepare_cached("INSERT INTO records (stream, sequence, body, mac) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![self.stream, sequence, body, mac.as_bytes()])?;
        *head = Head { sequence, mac };
        Ok(ChainPosition { stream: self.stream.clone(), sequence, mac })
    }

    /// Stores how far our stream has come.
    pub(crate) fn write_head(&self, connection: &Connection, head: Head) -> Result<(), SqliteError> {
        connection
            .prepare_cached(
                "INSERT INTO heads (stream, sequence, mac) VALUES (?1, ?2, ?3)
                 ON CONFLICT (stream) DO UPDATE SET sequence = excluded.sequence, mac = excluded.mac",
            )?
            .execute(params![self.stream, head.sequence, head.mac.as_bytes()])?;
        Ok(())
    }
}

/// Up to `count` records of a stream from place `from` on.
pub(crate) fn page(
    connection: &Connection,
    stream: &str,
    from: u64,
    count: u32,
) -> Result<Vec<StoredRecord>, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT sequence, body, mac FROM records WHERE stream = ?1 AND sequence >= ?2 ORDER BY sequence LIMIT ?3",
    )?;
    let rows = statement.query_map(params![stream, from, count], |row| {
        let mac = ChainMac::from_bytes(row.get(2)?);
        Ok(StoredRecord { sequence: row.get(0)?, body: row.get(1)?, mac })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The last sign-ins of a user, the newest first, among the newest records of each stream.
pub(crate) fn sign_ins(
    connection: &Connection,
    user: &Username,
    count: u32,
) -> Result<Vec<SignIn>, SqliteError> {
    let needle = serde_json::to_string(user.as_str()).map_err(SqliteError::Serialize)?;
    let mut found = Vec::new();
    for stream in streams(connection)? {
        let mut statement = connection.prepare_cached(
            "SELECT body FROM
                (SELECT body FROM records WHERE stream = ?1 ORDER BY sequence DESC LIMIT ?2)
             WHERE instr(body, ?3) > 0",
        )?;
        let bodies = statement
            .query_map(params![stream, RECORDS_LOOKED_THROUGH, needle.as_bytes()], |row| {
                row.get::<_, Vec<u8>>(0)
            })?;
        for body in bodies {
            found.extend(sign_in(&body?, user));
        }
    }
    found.sort_by_key(|sign_in| std::cmp::Reverse(sign_in.at));
    found.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    Ok(found)
}

/// A record as a sign-in of the user, if it is one.
fn sign_in(body: &[u8], user: &Username) -> Option<SignIn> {
    let record: Record = serde_json::from_slice(body).ok()?;
    let is_own = record.ending == Ending::Accept && record.user.as_deref() == Some(user.as_str());
    is_own.then(|| SignIn {
        at: record.at,
        place: record.place.name().to_owned(),
        source: record.source,
        factor: record.factor,
    })
}

/// The head of each stream.
pub(crate) fn heads(connection: &Connection) -> Result<Vec<ChainPosition>, SqliteError> {
    let mut statement =
        connection.prepare_cached("SELECT stream, sequence, mac FROM heads ORDER BY stream")?;
    let rows = statement.query_map([], |row| {
        let mac = ChainMac::from_bytes(row.get(2)?);
        Ok(ChainPosition { stream: row.get(0)?, sequence: row.get(1)?, mac })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// All streams that have records or a head. From one name to the next by the index: the records are not read.
pub(crate) fn streams(connection: &Connection) -> Result<Vec<String>, SqliteError> {
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE found (stream) AS (
             SELECT min(stream) FROM records
             UNION ALL
             SELECT (SELECT min(stream) FROM records WHERE stream > found.stream) FROM found WHERE stream IS NOT NULL
         )
         SELECT stream FROM found WHERE stream IS NOT NULL UNION SELECT stream FROM heads ORDER BY stream",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Records in all streams: it only grows.
pub(crate) fn total(connection: &Connection) -> Result<u64, SqliteError> {
    let mut statement = connection.prepare_cached("SELECT coalesce(sum(sequence), 0) FROM heads")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}
