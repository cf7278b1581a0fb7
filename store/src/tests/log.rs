//! How long the write-ahead log gets when somebody reads for too long.

use std::collections::BTreeSet;
use std::fs;

use common::ports::Store as _;
use rusqlite::Connection;

use super::support::Yard;
use crate::conformance::samples::{counting, load};
use crate::limits::{LOG_OCTETS_LONG, LOG_OCTETS_MAX, LOG_OCTETS_SHORT};
use crate::{Process, Trouble};

/// A program that reads, and does not end.
fn stuck_reader(yard: &Yard) -> Connection {
    let reader = Connection::open(&yard.path).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM meta").unwrap();
    reader
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
    let log = || fs::metadata(yard.path.with_file_name("countersign.db-wal")).unwrap().len();
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
