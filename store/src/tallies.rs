//! Refusals and questions that are many: beyond a few a minute they are counted, and each minute one record says how many.
//!
//! So a flood writes a few rows again and again, and the records grow with time and not with the flood. What lets
//! somebody in, what an administrator did and what was found is always recorded singly.

use common::UnixTime;
use common::lane::LaneKey;
use common::limits::{CLOCK_DIFFERENCE_SECONDS, TALLIES_MAX, TALLY_SECONDS};
use common::record::{Names, Record, Together};
use common::tally::{Group, Minute, Tally};
use rusqlite::{Connection, params};

use crate::SqliteError;
use crate::spent::moment;

/// What all names together have had recorded singly.
const ALL: [u8; 16] = [0; 16];
/// Names that nobody has.
const UNKNOWN: [u8; 16] = [1; 16];
/// Names for which there is no row of their own any more.
const OTHERS: [u8; 16] = [2; 16];
/// What was found, by whomever.
const FINDINGS: [u8; 16] = [3; 16];

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is written.
    Singly,
    /// It is counted, and the next counted record stands for it.
    Together,
}

/// Says what becomes of a record, and counts it.
pub(crate) fn fate(
    connection: &Connection,
    tally: Option<Tally>,
    record: &Record,
) -> Result<Fate, SqliteError> {
    let Some((tally, group)) = tally.and_then(|tally| Some((tally, tally.group(record)?))) else {
        return Ok(Fate::Singly);
    };
    let (key, own) = row(connection, group, tally.name(), record.at)?;
    let of_all = match group.is_bounded_over_all() {
        true => current(connection, &ALL, record.at)?.minute,
        false => Minute::default(),
    };
    if !group.tells_singly(own, of_all) {
        withhold(connection, &key, own, record)?;
        return Ok(Fate::Together);
    }
    one_more(connection, &key, own)?;
    if group.is_bounded_over_all() {
        one_more(connection, &ALL, of_all)?;
    }
    Ok(Fate::Singly)
}

/// Where what came after a right password is counted.
fn of_right_passwords(name: &LaneKey) -> [u8; 16] {
    let mut key = *name.as_bytes();
    key.iter_mut().for_each(|octet| *octet = !*octet);
    key
}

/// The counted records that are due. Who has one keeps being counted, until a minute passes without a flood.
pub(crate) fn due(connection: &Connection, now: UnixTime) -> Result<Vec<Record>, SqliteError> {
    let over = now.minus_seconds(TALLY_SECONDS).seconds();
    // What a clock that ran ahead has begun is due too.
    let ahead = now.plus_seconds(CLOCK_DIFFERENCE_SECONDS).seconds();
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
            .execute(params![name, now.seconds(), Minute::behind_a_flood(now).singly])?;
        let names = if [UNKNOWN, OTHERS, FINDINGS].contains(&name) { Names::Several } else { Names::One };
        let together = Together { count, since, names };
        // What another version has written and we cannot read must not keep anybody from signing in.
        told.extend(serde_json::from_slice(&last).ok().map(|last: Record| last.together(together)));
    }
    Ok(told)
}

/// The row of a group, or that of all others where there are too many rows.
fn row(
    connection: &Connection,
    group: Group,
    name: &LaneKey,
    now: UnixTime,
) -> Result<([u8; 16], Minute), SqliteError> {
    let key = match group {
        Group::User => *name.as_bytes(),
        Group::Right => of_right_passwords(name),
        Group::Unknown => UNKNOWN,
        Group::Findings => FINDINGS,
    };
    let mut found = current(connection, &key, now)?;
    if found.is_full() {
        let over = now.minus_seconds(TALLY_SECONDS).seconds();
        connection
            .prepare_cached("DELETE FROM tallies WHERE withheld = 0 AND began_at <= ?1")?
            .execute([over])?;
        found = current(connection, &key, now)?;
        if found.is_full() && group.may_lack_room() {
            return Ok((OTHERS, current(connection, &OTHERS, now)?.minute));
        }
    }
    Ok((key, found.minute))
}

/// What there is of a name.
struct Found {
    minute: Minute,
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
    let found = statement.query_row([key], |row| {
        let rows_of_others = row.get(3)?;
        let before = match row.get::<_, Option<u64>>(0)? {
            Some(began_at) => Some((
                Minute { began_at: UnixTime::from_seconds(began_at), singly: row.get(1)? },
                row.get::<_, u64>(2)?,
            )),
            None => None,
        };
        let minute = match before {
            Some((minute, withheld)) if withheld > 0 || !minute.is_over(now) => minute,
            Some(_) | None => Minute::beginning(now),
        };
        Ok(Found { minute, rows_of_others })
    });
    Ok(found?)
}

fn one_more(connection: &Connection, key: &[u8; 16], minute: Minute) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "INSERT INTO tallies (name, began_at, singly, withheld, first_at, last) VALUES (?1, ?2, ?3, 0, 0, x'')
             ON CONFLICT (name) DO UPDATE SET began_at = excluded.began_at, singly = excluded.singly",
        )?
        .execute(params![key, minute.began_at.seconds(), minute.with_one_more().singly])?;
    Ok(())
}

fn withhold(
    connection: &Connection,
    key: &[u8; 16],
    minute: Minute,
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
        .execute(params![key, minute.began_at.seconds(), minute.singly, record.at.seconds(), last])?;
    Ok(())
}
