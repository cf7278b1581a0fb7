//! How long the write-ahead log gets when somebody reads for too long.

use std::collections::BTreeSet;
use std::fs;

use common::ports::Store as _;
use rusqlite::Connection;

use super::support::{Yard, options};
use crate::conformance::samples::{counting, load, time};
use crate::limits::{LOG_FILE_OCTETS, LOG_OCTETS_LONG, LOG_OCTETS_MAX, LOG_OCTETS_SHORT};
use crate::{Process, Sqlite, Trouble};

/// A program that reads, and does not end.
fn stuck_reader(yard: &Yard) -> Connection {
    let reader = Connection::open(&yard.path).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM meta").unwrap();
    reader
}

fn log_octets(yard: &Yard) -> u64 {
    fs::metadata(yard.path.with_file_name("countersign.db-wal")).unwrap().len()
}

/// Makes the log longer by about so many octets.
fn lengthen_log(yard: &Yard, octets: u64) {
    let raw = Connection::open(&yard.path).unwrap();
    raw.execute_batch("PRAGMA wal_autocheckpoint = 0; CREATE TABLE IF NOT EXISTS ballast (octets BLOB)")
        .unwrap();
    raw.execute("INSERT INTO ballast VALUES (zeroblob(?1))", [octets]).unwrap();
}

#[test]
fn the_log_has_a_limit_that_a_stuck_reader_cannot_pass() {
    let yard = Yard::new(Process::LongLived);
    let log = || log_octets(&yard);
    let server = yard.sqlite();
    server.count(&counting("alice", 1)).unwrap();
    let reader = stuck_reader(&yard);
    lengthen_log(&yard, LOG_OCTETS_LONG);
    server.count(&counting("alice", 1)).unwrap();
    assert!(log() > LOG_OCTETS_LONG, "it was emptied under a reader");
    lengthen_log(&yard, LOG_OCTETS_MAX);
    let refused = server.count(&counting("alice", 1)).unwrap_err();
    assert_eq!(Trouble::of(&refused), Trouble::Slow, "{refused:?}");
    assert_eq!(load(&server, "alice").lane.failures, 2, "readers wait for nobody");
    drop(reader);
    assert_eq!(server.count(&counting("alice", 1)).unwrap().lane.failures, 3);
    assert!(log() < LOG_OCTETS_LONG, "{}", log());
}

#[test]
fn a_log_that_is_written_over_stays_short_for_whoever_opens_it_next() {
    let yard = Yard::new(Process::ShortLived);
    let log = yard.path.with_file_name("countersign.db-wal");
    let mut beginnings = BTreeSet::new();
    for second in 0..400 {
        yard.sqlite().count(&counting("alice", second)).unwrap();
        let octets = fs::read(&log).unwrap();
        // The checkpoint sequence number of the log's head.
        beginnings.insert(octets[12..16].to_vec());
        let longest = usize::try_from(LOG_OCTETS_SHORT).unwrap() * 5 / 4;
        assert!(octets.len() < longest, "{} octets after {second} logins", octets.len());
    }
    assert!((3..40).contains(&beginnings.len()), "begun {} times", beginnings.len());
}

#[test]
fn a_reader_that_has_ended_leaves_no_long_file() {
    let yard = Yard::new(Process::LongLived);
    let server = yard.sqlite();
    server.count(&counting("alice", 1)).unwrap();
    let reader = stuck_reader(&yard);
    lengthen_log(&yard, LOG_FILE_OCTETS);
    server.count(&counting("alice", 1)).unwrap();
    let examined =
        || Sqlite::examine(&yard.path, options("main", Process::LongLived), Vec::new(), time(5_000));
    assert_eq!(examined().findings[0].trouble, Trouble::Slow);
    drop(reader);
    lengthen_log(&yard, LOG_OCTETS_LONG / 2);
    for second in 2..10 {
        server.count(&counting("alice", second)).unwrap();
    }
    assert!(log_octets(&yard) < LOG_OCTETS_LONG, "{}", log_octets(&yard));
    assert_eq!(examined().findings, []);
}

#[test]
fn a_long_file_of_which_little_is_in_use_keeps_nobody_out() {
    for process in [Process::ShortLived, Process::LongLived] {
        let yard = Yard::new(process);
        let store = yard.sqlite();
        store.count(&counting("alice", 1)).unwrap();
        lengthen_log(&yard, LOG_OCTETS_MAX);
        let raw = Connection::open(&yard.path).unwrap();
        raw.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
        // The log begins anew, in the same file.
        raw.execute_batch("PRAGMA wal_autocheckpoint = 0; DELETE FROM lanes").unwrap();
        let reader = stuck_reader(&yard);
        assert!(log_octets(&yard) > LOG_OCTETS_MAX);
        for failures in 1..3 {
            assert_eq!(store.count(&counting("alice", 1)).unwrap().lane.failures, failures, "{process:?}");
        }
        drop(reader);
        store.count(&counting("alice", 1)).unwrap();
        assert!(log_octets(&yard) < LOG_OCTETS_LONG, "{process:?}: {}", log_octets(&yard));
    }
}

#[test]
fn what_fails_behind_a_commit_is_not_said_of_what_was_written() {
    let yard = Yard::new(Process::ShortLived);
    let store = yard.sqlite();
    store.count(&counting("alice", 1)).unwrap();
    lengthen_log(&yard, LOG_OCTETS_SHORT * 2);
    let raw = Connection::open(&yard.path).unwrap();
    // The log is begun anew by writing the floor.
    raw.execute_batch(
        "CREATE TRIGGER broken BEFORE UPDATE OF floor ON meta BEGIN SELECT RAISE(FAIL, 'x'); END",
    )
    .unwrap();
    for failures in 2..5 {
        assert_eq!(store.count(&counting("alice", 2)).unwrap().lane.failures, failures);
    }
    assert!(store.probe().is_err(), "the trigger is not met");
}
