//! The connections of one process, and the threads that share them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::Reason;
use common::lane::Lane;
use common::ports::{Store as _, StoreError};
use common::throttle::Seen;

use crate::conformance::samples::{counting, lane, load, name};
use crate::deadline::Deadline;
use crate::group::{Errand, Work, Written, hand_out};
use crate::limits::{OPERATION_WAIT, WRITING_WAIT};
use crate::queue::Queue;
use crate::tests::support::Yard;
use crate::{Process, Sqlite, SqliteError, Trouble};

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
    let mut hold = store.writer.take(&Deadline::of_operation()).unwrap();
    hold.as_mut().unwrap().pretend_to_be_inherited();
    drop(hold);
    for _ in 0..2 {
        assert!(matches!(cause(&store), SqliteError::Forked));
    }
}

#[test]
fn who_waits_is_written_for_by_whoever_has_the_turn() {
    let yard = Yard::new(Process::LongLived);
    let store = yard.sqlite();
    load(&store, "alice");
    let turn = store.writer.take(&Deadline::of_operation()).unwrap();
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
    let turn = elsewhere.enter(&Deadline::of_operation()).unwrap();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let counts: Vec<_> =
            (0..16).map(|_| scope.spawn(|| store.count(&counting("alice", 7)).unwrap_err())).collect();
        for count in counts {
            assert_eq!(count.join().unwrap().reason(), Reason::StoreSlow);
        }
    });
    let waited = begun.elapsed();
    assert!(waited >= OPERATION_WAIT && waited < OPERATION_WAIT.mul_f32(1.5), "{waited:?}");
    drop(turn);
    assert_eq!(store.count(&counting("alice", 7)).unwrap().lane.failures, 1, "a count was written late");
}

#[test]
fn what_failed_in_turn_is_not_written_by_the_next() {
    let yard = Yard::new(Process::LongLived);
    let store = yard.sqlite();
    store.count(&counting("alice", 7)).unwrap();
    let (database, away) = (yard.path.clone(), yard.beside("away"));
    std::fs::rename(&database, &away).unwrap();
    for _ in 0..50 {
        std::thread::scope(|scope| {
            let counts: Vec<_> =
                (0..4).map(|_| scope.spawn(|| store.count(&counting("alice", 7)).unwrap_err())).collect();
            for count in counts {
                assert_eq!(Trouble::of(&count.join().unwrap()), Trouble::Absent);
            }
        });
        assert_eq!(store.group.waiting_count(), 0);
    }
    std::fs::rename(&away, &database).unwrap();
    assert_eq!(store.count(&counting("alice", 7)).unwrap().lane.failures, 2);
}

#[test]
fn a_thread_that_failed_stands_in_nobodys_way() {
    let yard = Yard::new(Process::ShortLived);
    let store = yard.sqlite();
    std::thread::scope(|scope| {
        let failing = scope.spawn(|| store.read::<()>(|_| panic!("a bug")));
        assert!(failing.join().is_err());
    });
    load(&store, "alice");
}

/// Somebody who has gathered the count of another thread and does not let go; `ends` says how far it came with that.
fn count_in_the_hands_of(ends: impl FnOnce(&[Arc<Errand>])) -> (Result<u32, StoreError>, Duration) {
    let yard = Yard::new(Process::LongLived);
    let store = yard.sqlite();
    load(&store, "alice");
    let hold = store.writer.take(&Deadline::of_operation()).unwrap();
    let begun = Instant::now();
    let counted = std::thread::scope(|scope| {
        let other = scope.spawn(|| store.count(&counting("alice", 7)));
        while store.group.waiting_count() < 1 {
            assert!(begun.elapsed() < Duration::from_secs(20), "nobody waits");
            std::thread::yield_now();
        }
        let own = store.group.join(Work::Commit(Vec::new()));
        ends(&store.group.gather(&own));
        other.join().unwrap()
    });
    drop(hold);
    (counted.map(|seen| seen.lane.failures), begun.elapsed())
}

#[test]
fn an_answer_that_was_handed_out_is_given_though_the_turn_does_not_end() {
    let (counted, waited) = count_in_the_hands_of(|errands| {
        let seen = Seen { lane: Lane { failures: 9, ..Lane::default() }, cap: None };
        hand_out(errands, vec![Written::Committed(Vec::new()), Written::Counted(seen)]);
    });
    assert_eq!(counted.unwrap(), 9);
    assert!(waited < OPERATION_WAIT + WRITING_WAIT / 2, "{waited:?}");
}

#[test]
fn what_somebody_has_begun_to_write_is_waited_for_and_then_not_known() {
    let (counted, waited) = count_in_the_hands_of(|_| {});
    let Err(StoreError::Unavailable { source, .. }) = counted else { panic!("{counted:?}") };
    let cause = source.downcast_ref().unwrap();
    assert!(matches!(cause, SqliteError::Unfinished { seconds: 10, .. }), "{cause:?}");
    assert_eq!(cause.trouble(), Trouble::Slow);
    assert!(waited >= OPERATION_WAIT + WRITING_WAIT, "{waited:?}");
}

#[test]
fn a_count_goes_to_the_store_that_was_put_in_place_while_it_waited() {
    let yard = Yard::new(Process::LongLived);
    let store = yard.sqlite();
    store.count(&counting("alice", 7)).unwrap();
    let elsewhere = Queue::open(&store.files).unwrap();
    let turn = elsewhere.enter(&Deadline::of_operation()).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| store.count(&counting("alice", 7)).unwrap().lane.failures);
        let begun = Instant::now();
        while !elsewhere.has_waiters() {
            assert!(begun.elapsed() < Duration::from_secs(4), "nobody waits");
            std::thread::yield_now();
        }
        let aside = yard.beside("aside");
        Sqlite::create(&aside.join("countersign.db"), None).unwrap();
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(yard.path.with_file_name(format!("countersign.db{suffix}")));
        }
        std::fs::rename(aside.join("countersign.db"), &yard.path).unwrap();
        drop(turn);
        assert_eq!(waiting.join().unwrap(), 1, "it was counted in the store that is gone");
    });
    assert_eq!(load(&yard.sqlite(), "alice").lane.failures, 1);
}
