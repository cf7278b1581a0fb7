//! What each lane has seen, in a table that a stranger can fill but not grow.

use std::sync::LazyLock;

use common::UnixTime;
use common::lane::{Lane, LaneKey, LanesOf, Waits};
use common::limits::FREE_FAILURES;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::SqliteError;
use crate::spent::moment;

/// Removes one lane, but not this one: the oldest, and one that must wait goes last. Else whoever is made to wait would
/// fill the table to be forgotten. The index `lanes_by_age` has this order; whoever changes the limit makes it anew by a
/// step of the schema.
static EVICT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "DELETE FROM lanes WHERE key =
         (SELECT key FROM lanes WHERE key <> ?1 ORDER BY failures >= {FREE_FAILURES}, last_at LIMIT 1)"
    )
});

/// What a lane has seen.
#[cfg(test)]
pub(crate) fn lane(connection: &Connection, key: &LaneKey) -> Result<Lane, SqliteError> {
    Ok(find(connection, key)?.unwrap_or_default())
}

/// Counts an answer. Where this makes a lane too many, another one goes: the oldest that need not wait, if there is one.
pub(crate) fn count(
    connection: &Connection,
    key: &LaneKey,
    now: UnixTime,
    lanes_max: u32,
) -> Result<Lane, SqliteError> {
    let before = find(connection, key)?;
    let lane = before.unwrap_or_default().counted(now);
    write(connection, key, lane)?;
    if before.is_none() && resize(connection, 1)? > lanes_max {
        evict(connection, key)?;
    }
    Ok(lane)
}

/// Writes down what a lane has seen.
pub(crate) fn write(connection: &Connection, key: &LaneKey, lane: Lane) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "INSERT INTO lanes (key, failures, last_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at",
        )?
        .execute(params![key.as_bytes(), lane.failures, lane.last_at.seconds()])?;
    Ok(())
}

/// Changes a lane that is there.
pub(crate) fn change(
    connection: &Connection,
    key: &LaneKey,
    change: impl FnOnce(Lane) -> Lane,
) -> Result<(), SqliteError> {
    match find(connection, key)?.map(change) {
        None => Ok(()),
        Some(lane) if lane == Lane::default() => clear(connection, key),
        Some(lane) => write(connection, key, lane),
    }
}

/// Takes a lane's count back to nothing.
pub(crate) fn clear(connection: &Connection, key: &LaneKey) -> Result<(), SqliteError> {
    let cleared = connection.prepare_cached("DELETE FROM lanes WHERE key = ?1")?.execute([key.as_bytes()])?;
    if cleared > 0 { resize(connection, -1).map(drop) } else { Ok(()) }
}

/// Takes all lanes of a user back to nothing. They stand together, so that this looks at no others.
pub(crate) fn clear_all(connection: &Connection, lanes: &LanesOf) -> Result<(), SqliteError> {
    let (first, last) = lanes.range();
    let cleared = connection
        .prepare_cached("DELETE FROM lanes WHERE key BETWEEN ?1 AND ?2")?
        .execute([first.as_bytes(), last.as_bytes()])?;
    let fewer = i32::try_from(cleared).unwrap_or(i32::MAX).saturating_neg();
    if fewer < 0 { resize(connection, fewer).map(drop) } else { Ok(()) }
}

/// Which lanes of a user must wait.
pub(crate) fn waits(connection: &Connection, lanes: &LanesOf, now: UnixTime) -> Result<Waits, SqliteError> {
    let (first, last) = lanes.range();
    let mut statement = connection.prepare_cached(
        "SELECT failures, last_at FROM lanes WHERE key BETWEEN ?1 AND ?2 AND failures >= ?3",
    )?;
    let full = statement.query_map(params![first.as_bytes(), last.as_bytes(), FREE_FAILURES], seen)?;
    full.into_iter().try_fold(Waits::default(), |waits, lane| Ok(waits.with(lane?, now)))
}

fn find(connection: &Connection, key: &LaneKey) -> Result<Option<Lane>, SqliteError> {
    let mut statement = connection.prepare_cached("SELECT failures, last_at FROM lanes WHERE key = ?1")?;
    Ok(statement.query_row([key.as_bytes()], seen).optional()?)
}

fn evict(connection: &Connection, newest: &LaneKey) -> Result<(), SqliteError> {
    let evicted = connection.prepare_cached(&EVICT)?.execute([newest.as_bytes()])?;
    if evicted > 0 { resize(connection, -1).map(drop) } else { Ok(()) }
}

/// The number of lanes is kept beside them: counting them would cost more with each.
fn resize(connection: &Connection, by: i32) -> Result<u32, SqliteError> {
    let mut statement = connection.prepare_cached("UPDATE meta SET lanes = lanes + ?1 RETURNING lanes")?;
    Ok(statement.query_row([by], |row| row.get(0))?)
}

fn seen(row: &Row<'_>) -> rusqlite::Result<Lane> {
    Ok(Lane { failures: row.get(0)?, last_at: moment(row, 1)? })
}

#[cfg(test)]
mod tests {
    use common::UnixTime;
    use rusqlite::Connection;

    use super::{FREE_FAILURES, clear, count};
    use crate::conformance::samples::lane;
    use crate::schema;

    fn empty() -> Connection {
        let mut store = Connection::open_in_memory().unwrap();
        schema::create(&mut store).unwrap();
        store
    }

    #[test]
    fn a_lane_too_many_pushes_the_oldest_out() {
        let store = empty();
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

    #[test]
    fn a_lane_that_must_wait_goes_last() {
        let store = empty();
        let seen = |user: &str| super::lane(&store, &lane(user)).unwrap().failures;
        let hit = |user: &str, at| count(&store, &lane(user), UnixTime::from_seconds(at), 3).unwrap();
        for at in 0..FREE_FAILURES {
            hit("waits", 100 + u64::from(at));
        }
        for number in 0..50 {
            hit(&format!("flood {number}"), 200 + number);
        }
        assert_eq!([seen("waits"), seen("flood 47"), seen("flood 49")], [FREE_FAILURES, 0, 1]);
    }

    #[test]
    fn the_index_knows_which_lanes_must_wait() {
        let store = empty();
        let mut plan = store.prepare(&format!("EXPLAIN QUERY PLAN {}", *super::EVICT)).unwrap();
        let lines = plan.query_map([[0_u8]], |row| row.get::<_, String>(3)).unwrap();
        let plan = lines.collect::<Result<Vec<_>, _>>().unwrap().join("; ");
        assert!(plan.contains("INDEX lanes_by_age") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}
