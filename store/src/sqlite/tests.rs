//! The connections of one process, and the threads that share them.

use std::time::{Duration, Instant};

use common::Reason;
use common::ports::{Store as _, StoreError};

use crate::conformance::samples::{counting, lane, load, name};
use crate::deadline::Deadline;
use crate::limits::QUEUE_WAIT;
use crate::queue::Queue;
use crate::tests::support::Yard;
use crate::{Process, Sqlite, SqliteError};

fn cause(store: &Sqlite) -> SqliteError {
    match store.load(&name("alice"), &lane("alice"), None) {
        Err(StoreError::Unavailable { source, .. }) => *source.downcast().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_connection_from_before_a_fork_is_refused() {
    let yard = Yard::new(Process::ShortLived);
    let store = yard.sqlite();
    load(&store, "alice");
    store.writer.inside().as_mut().unwrap().pretend_to_be_inherited();
    for _ in 0..2 {
        assert!(matches!(cause(&store), SqliteError::Forked));
    }
}

#[test]
fn who_waits_is_written_for_by_whoever_has_the_turn() {
    let yard = Yard::new(Process::LongLived);
    let store = yard.sqlite();
    load(&store, "alice");
    let turn = store.writer.take(&Deadline::of_writer()).unwrap().unwrap();
    std::thread::scope(|scope| {
        let counts: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| store.count(&counting("alice", 7)).unwrap().lane.failures))
            .collect();
        let begun = Instant::now();
        while store.group.waiting_count() < 8 {
            assert!(begun.elapsed() < Duration::from_secs(20), "nobody waits");
            std::thread::yield_now();
        }
        drop(turn);
        let mut counts: Vec<_> = counts.into_iter().map(|count| count.join().unwrap()).collect();
        counts.sort_unstable();
        assert_eq!(counts, [1, 2, 3, 4, 5, 6, 7, 8]);
    });
    assert_eq!((store.group.waiting_count(), store.group.groups()), (0, 1), "one transaction for all");
}

#[test]
fn threads_that_wait_for_another_process_all_give_up_when_they_were_told_to() {
    let yard = Yard::new(Process::LongLived);
    let store = yard.sqlite();
    load(&store, "alice");
    let elsewhere = Queue::open(&store.files).unwrap();
    let turn = elsewhere.enter(&Deadline::of_writer()).unwrap();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let counts: Vec<_> =
            (0..16).map(|_| scope.spawn(|| store.count(&counting("alice", 7)).unwrap_err())).collect();
        for count in counts {
            assert_eq!(count.join().unwrap().reason(), Reason::StoreSlow);
        }
    });
    let waited = begun.elapsed();
    assert!(waited >= QUEUE_WAIT && waited < QUEUE_WAIT.mul_f32(1.5), "{waited:?}");
    drop(turn);
    assert_eq!(store.count(&counting("alice", 7)).unwrap().lane.failures, 1, "a count was written late");
}

#[test]
fn a_thread_that_failed_leaves_an_error_and_no_panic() {
    let yard = Yard::new(Process::ShortLived);
    let store = yard.sqlite();
    std::thread::scope(|scope| {
        let failing = scope.spawn(|| store.read::<()>(|_| panic!("a bug")));
        assert!(failing.join().is_err());
    });
    assert!(matches!(cause(&store), SqliteError::Poisoned));
    load(&yard.sqlite(), "alice");
}
