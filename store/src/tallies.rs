//! Refusals and questions that are many: beyond a few a minute they are counted, and each minute one record says how many.
//!
//! So a flood writes a few rows again and again, and the records grow with time and not with the flood. What lets
//! somebody in, what an administrator did and what was found is always recorded singly.

use common::UnixTime;
use common::lane::LaneKey;
use common::limits;
use common::limits::{TALLIES_MAX, TALLY_FREE, TALLY_FREE_OF_ALL, TALLY_FREE_OF_UNKNOWN, TALLY_SECONDS};
use common::record::{Names, PrimaryResult, Record, Together};
use rusqlite::{Connection, params};

use crate::SqliteError;
use crate::spent::moment;

/// What all names together have had recorded singly.
const ALL: [u8; 16] = [0; 16];
/// Names that nobody has.
const UNKNOWN: [u8; 16] = [1; 16];
/// Names for which there is no row of their own any more.
const OTHERS: [u8; 16] = [2; 16];

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is written.
    Singly,
    /// It is counted, and the next counted record stands for it.
    Together,
}

/// One name in its minute.
#[derive(Clone, Copy, Default)]
struct Tally {
    began_at: UnixTime,
    singly: u32,
}

/// Says what becomes of a record of this name, and counts it.
pub(crate) fn fate(
    connection: &Connection,
    name: Option<&LaneKey>,
    record: &Record,
) -> Result<Fate, SqliteError> {
    let Some(name) = name.filter(|_| !record.is_told_alone()) else { return Ok(Fate::Singly) };
    let is_right = record.primary == PrimaryResult::Right;
    let (key, free) = match record.user {
        // A right password is nothing that a stranger can bring along in numbers, and must not hide among their wrong ones.
        Some(_) if is_right => (of_right_passwords(name), TALLY_FREE),
        Some(_) => (*name.as_bytes(), TALLY_FREE),
        None => (UNKNOWN, TALLY_FREE_OF_UNKNOWN),
    };
    let (key, tally) = match is_right {
        true => (key, current(connection, &key, record.at)?.tally),
        false => with_room(connection, key, record.at)?,
    };
    let of_all = match is_right {
        true => None,
        false => Some(current(connection, &ALL, record.at)?.tally),
    };
    if tally.singly >= free || of_all.is_some_and(|all| all.singly >= TALLY_FREE_OF_ALL) {
        withhold(connection, &key, tally, record)?;
        return Ok(Fate::Together);
    }
    one_more(connection, &key, tally)?;
    of_all.map_or(Ok(()), |all| one_more(connection, &ALL, all))?;
    Ok(Fate::Singly)
}

/// Where what came after a right password is counted. It has a row in any case.
fn of_right_passwords(name: &LaneKey) -> [u8; 16] {
    let mut key = *name.as_bytes();
    key.iter_mut().for_each(|octet| *octet = !*octet);
    key
}

/// The counted records that are due. Who has one keeps being counted, until a minute passes without a flood.
pub(crate) fn due(connection: &Connection, now: UnixTime) -> Result<Vec<Record>, SqliteError> {
    let over = now.minus_seconds(TALLY_SECONDS).seconds();
    // What a clock that ran ahead has begun is due too.
    let ahead = now.plus_seconds(limits::CLOCK_DIFFERENCE_SECONDS).seconds();
    let mut statement = connection.prepare_cached(
        "SELECT name, withheld, first_at, last FROM tallies
         WHERE withheld > 0 AND (began_at <= ?1 OR began_at > ?2)",
    )?;
    let rows = statement.query_map([over, ahead], |row| {
        Ok((row.get::<_, [u8; 16]>(0)?, row.get(1)?, moment(row, 2)?, row.get::<_, Vec<u8>>(3)?))
    })?;
    let rows: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    let mut told = Vec::new();
    for (name, count, since, last) in rows {
        connection
            .prepare_cached("UPDATE tallies SET began_at = ?2, singly = ?3, withheld = 0 WHERE name = ?1")?
            .execute(params![name, now.seconds(), u32::MAX])?;
        let names = if [UNKNOWN, OTHERS].contains(&name) { Names::Several } else { Names::One };
        let together = Together { count, since, names };
        // What another version has written and we cannot read must not keep anybody from signing in.
        told.extend(serde_json::from_slice(&last).ok().map(|last: Record| last.together(together)));
    }
    Ok(told)
}

/// The row of a name, or that of all others where there are too many rows. Names of our own always have room.
fn with_room(
    connection: &Connection,
    key: [u8; 16],
    now: UnixTime,
) -> Result<([u8; 16], Tally), SqliteError> {
    let mut found = current(connection, &key, now)?;
    if found.is_full() && key != UNKNOWN {
        let over = now.minus_seconds(TALLY_SECONDS).seconds();
        connection
            .prepare_cached("DELETE FROM tallies WHERE withheld = 0 AND began_at <= ?1")?
            .execute([over])?;
        found = current(connection, &key, now)?;
        if found.is_full() {
            return Ok((OTHERS, current(connection, &OTHERS, now)?.tally));
        }
    }
    Ok((key, found.tally))
}

/// What there is of a name.
struct Found {
    tally: Tally,
    /// The number of rows, where none of them is of this name.
    rows_of_others: Option<u32>,
}

impl Found {
    fn is_full(&self) -> bool {
        self.rows_of_others.is_some_and(|rows| rows >= TALLIES_MAX)
    }
}

/// A name in the minute at hand. A minute that is over has been told of, or held nothing back.
fn current(connection: &Connection, key: &[u8; 16], now: UnixTime) -> Result<Found, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT began_at, singly, withheld, CASE WHEN name IS NULL THEN (SELECT count(*) FROM tallies) END
         FROM meta LEFT JOIN tallies ON name = ?1",
    )?;
    let is_over = |tally: &Tally| {
        now >= tally.began_at.plus_seconds(TALLY_SECONDS)
            || tally.began_at > now.plus_seconds(limits::CLOCK_DIFFERENCE_SECONDS)
    };
    let found = statement.query_row([key], |row| {
        let rows_of_others = row.get(3)?;
        let before = match row.get::<_, Option<u64>>(0)? {
            Some(began_at) => Some((
                Tally { began_at: UnixTime::from_seconds(began_at), singly: row.get(1)? },
                row.get::<_, u64>(2)?,
            )),
            None => None,
        };
        let tally = match before {
            Some((tally, withheld)) if withheld > 0 || !is_over(&tally) => tally,
            Some(_) | None => Tally { began_at: now, singly: 0 },
        };
        Ok(Found { tally, rows_of_others })
    });
    Ok(found?)
}

fn one_more(connection: &Connection, key: &[u8; 16], tally: Tally) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "INSERT INTO tallies (name, began_at, singly, withheld, first_at, last) VALUES (?1, ?2, ?3, 0, 0, x'')
             ON CONFLICT (name) DO UPDATE SET began_at = excluded.began_at, singly = excluded.singly",
        )?
        .execute(params![key, tally.began_at.seconds(), tally.singly.saturating_add(1)])?;
    Ok(())
}

fn withhold(
    connection: &Connection,
    key: &[u8; 16],
    tally: Tally,
    record: &Record,
) -> Result<(), SqliteError> {
    let last = serde_json::to_vec(record).map_err(SqliteError::Serialize)?;
    connection
        .prepare_cached(
            "INSERT INTO tallies (name, began_at, singly, withheld, first_at, last) VALUES (?1, ?2, ?3, 1, ?4, ?5)
             ON CONFLICT (name) DO UPDATE SET
                 began_at = excluded.began_at, singly = excluded.singly,
                 first_at = CASE withheld WHEN 0 THEN excluded.first_at ELSE first_at END,
                 withheld = withheld + 1, last = excluded.last",
        )?
        .execute(params![key, tally.began_at.seconds(), tally.singly, record.at.seconds(), last])?;
    Ok(())
}
