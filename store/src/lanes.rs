//! What each lane has seen, in a table that a stranger can fill but not grow.

use common::UnixTime;
use common::lane::{Lane, LaneKey};
use common::limits::LANE_KEPT_SECONDS;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::SqliteError;
use crate::spent::moment;

/// What a lane has seen.
pub(crate) fn lane(connection: &Connection, key: &LaneKey) -> Result<Lane, SqliteError> {
    let mut statement = connection.prepare_cached("SELECT failures, last_at FROM lanes WHERE key = ?1")?;
    Ok(statement.query_row([key.as_bytes()], seen).optional()?.unwrap_or_default())
}

/// Counts an answer. Where this makes a lane too many, the oldest other one goes.
pub(crate) fn count(
    connection: &Connection,
    key: &LaneKey,
    now: UnixTime,
    lanes_max: u32,
) -> Result<Lane, SqliteError> {
    // What is older than a day counts for nothing, as `Lane::counted` says.
    let forgotten = now.minus_seconds(LANE_KEPT_SECONDS).seconds();
    let is_new = !exists(connection, key)?;
    let lane = connection
        .prepare_cached(
            "INSERT INTO lanes (key, failures, last_at) VALUES (?1, 1, ?2)
             ON CONFLICT (key) DO UPDATE SET
                 failures = CASE WHEN last_at < ?4 THEN 1 ELSE min(failures + 1, ?3) END,
                 last_at = excluded.last_at
             RETURNING failures, last_at",
        )?
        .query_row(params![key.as_bytes(), now.seconds(), u32::MAX, forgotten], seen)?;
    if is_new {
        resize(connection, 1)?;
        evict(connection, key, lanes_max)?;
    }
    Ok(lane)
}

fn exists(connection: &Connection, key: &LaneKey) -> Result<bool, SqliteError> {
    Ok(connection.prepare_cached("SELECT 1 FROM lanes WHERE key = ?1")?.exists([key.as_bytes()])?)
}

/// Takes a lane's count back to nothing.
pub(crate) fn clear(connection: &Connection, key: &LaneKey) -> Result<(), SqliteError> {
    let cleared = connection.prepare_cached("DELETE FROM lanes WHERE key = ?1")?.execute([key.as_bytes()])?;
    if cleared > 0 { resize(connection, -1) } else { Ok(()) }
}

fn evict(connection: &Connection, newest: &LaneKey, lanes_max: u32) -> Result<(), SqliteError> {
    let lanes: u32 = connection.prepare_cached("SELECT lanes FROM meta")?.query_row([], |row| row.get(0))?;
    if lanes <= lanes_max {
        return Ok(());
    }
    let evicted = connection
        .prepare_cached(
            "DELETE FROM lanes
             WHERE key = (SELECT key FROM lanes WHERE key <> ?1 ORDER BY last_at LIMIT 1)",
        )?
        .execute([newest.as_bytes()])?;
    if evicted > 0 { resize(connection, -1) } else { Ok(()) }
}

/// The number of lanes is kept beside them: counting them would cost more with each.
fn resize(connection: &Connection, by: i32) -> Result<(), SqliteError> {
    connection.prepare_cached("UPDATE meta SET lanes = lanes + ?1")?.execute([by])?;
    Ok(())
}

fn seen(row: &Row<'_>) -> rusqlite::Result<Lane> {
    Ok(Lane { failures: row.get(0)?, last_at: moment(row, 1)? })
}

#[cfg(test)]
mod tests {
    use common::UnixTime;
    use rusqlite::Connection;

    use super::{clear, count};
    use crate::conformance::samples::lane;
    use crate::schema;

    #[test]
    fn a_lane_too_many_pushes_the_oldest_out() {
        let mut store = Connection::open_in_memory().unwrap();
        schema::create(&mut store).unwrap();
        let seen = |user: &str| super::lane(&store, &lane(user)).unwrap().failures;
        let hit = |user: &str, at| count(&store, &lane(user), UnixTime::from_seconds(at), 3).unwrap();
        for (at, user) in (100..).zip(["a", "b", "c", "a", "d"]) {
            hit(user, at);
        }
        assert_eq!([seen("a"), seen("b"), seen("c"), seen("d")], [2, 0, 1, 1]);
        clear(&store, &lane("c")).unwrap();
        hit("e", 105);
        assert_eq!([seen("a"), seen("c"), seen("d"), seen("e")], [2, 0, 1, 1]);
    }
}
