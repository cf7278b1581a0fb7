//! Cases about what is counted: lanes, the cap of an account, known sources, and refusals that are many.

use common::Reason;
use common::bundle::{Bundle, Outcome, TakenBack};
use common::lane::Lane;
use common::limits::{
    CAP_IN_HOUR, KNOWN_SOURCES_MAX, TALLIES_MAX, TALLY_FREE, TALLY_FREE_OF_ALL, TALLY_FREE_OF_UNKNOWN,
    TALLY_SECONDS,
};
use common::record::{Ending, PrimaryResult, Record};

use super::samples::{
    account, applied_entries, applies, bundle, conflicts, counting, counting_against, id, insert, lane, load,
    recognised, record, session, spending, step, time,
};
use super::{Engine, Ground};

pub(super) fn a_lane_counts_and_clears(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    for failures in 1..=3 {
        let counted = store.count(&counting("alice", 100 + u64::from(failures))).unwrap().lane;
        assert_eq!((counted.failures, counted.last_at), (failures, time(100 + u64::from(failures))));
    }
    assert_eq!(store.count(&counting("bob", 200)).unwrap().lane.failures, 1);
    assert_eq!(load(&*ground.open("main"), "alice").lane.failures, 3);
    assert!(applies(&*store, Bundle { recognised: Some(recognised(1, "alice")), ..bundle(300) }));
    assert_eq!(load(&*store, "alice").lane.failures, 0);
    assert_eq!(load(&*store, "bob").lane.failures, 1);
    let days_later = 302 + common::limits::LANE_KEPT_SECONDS;
    assert_eq!(store.count(&counting("bob", days_later)).unwrap().lane.failures, 1);
}

pub(super) fn an_answer_that_is_taken_back_leaves_the_lane_as_it_was(ground: &dyn Ground) {
    let store = ground.open("main");
    let take_back = |before: Lane, after: Lane| {
        let taken_back = TakenBack { lane: lane("alice"), before, after };
        assert!(applies(&*store, Bundle { taken_back: Some(taken_back), ..bundle(300) }));
        load(&*store, "alice").lane
    };
    let first = store.count(&counting("alice", 100)).unwrap().lane;
    let second = store.count(&counting("alice", 200)).unwrap().lane;
    assert_eq!(take_back(first, second), first);
    let second = store.count(&counting("alice", 300)).unwrap().lane;
    store.count(&counting("alice", 400)).unwrap();
    assert_eq!(
        take_back(first, second),
        Lane { failures: 2, last_at: time(400) },
        "another one came between"
    );
    let only = take_back(Lane::default(), Lane { failures: 2, last_at: time(400) });
    assert_eq!(only, Lane::default());
}

pub(super) fn a_lane_that_is_cleared_in_a_conflict_stays(ground: &dyn Ground) {
    let store = ground.open("main");
    store.count(&counting("alice", 100)).unwrap();
    let late = Bundle { recognised: Some(recognised(1, "alice")), ..spending(step(1, 1, 40)) };
    assert!(conflicts(&*store, late));
    assert_eq!(load(&*store, "alice").lane.failures, 1);
}

pub(super) fn the_cap_of_an_account_counts_over_all_lanes(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    for number in 1..=CAP_IN_HOUR {
        let seen = store.count(&counting_against(1, &format!("from {number}"), 7200)).unwrap();
        assert_eq!((seen.lane.failures, seen.cap.unwrap().in_hour), (1, number));
    }
    let cap = load(&*ground.open("main"), "alice").cap;
    assert!(!cap.is_open(time(7200)) && cap.is_open(time(7200 + 3600)));
    assert_eq!(store.cap(&account(1, "alice")).unwrap(), cap);
    assert_eq!(
        store.count(&counting_against(9, "nobody", 7200)).unwrap().cap,
        None,
        "there is no such account"
    );
}

pub(super) fn a_right_answer_ends_the_row_and_an_administrator_unlocks(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    for _ in 0..3 {
        store.count(&counting_against(1, "alice", 7200)).unwrap();
    }
    assert!(applies(&*store, Bundle { recognised: Some(recognised(1, "alice")), ..bundle(7200) }));
    let cap = load(&*store, "alice").cap;
    assert_eq!((cap.in_hour, cap.in_row), (2, 0));
    assert!(applies(&*store, Bundle { unlocked: Some(id(1)), ..bundle(7200) }));
    assert_eq!(load(&*store, "alice").cap.in_hour, 0);
}

pub(super) fn a_source_is_known_once_it_was_right(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    insert(&*store, account(2, "bob"));
    assert_eq!(load(&*store, "alice").known_at, None);
    assert!(applies(&*store, Bundle { recognised: Some(recognised(1, "alice")), ..bundle(300) }));
    assert_eq!(load(&*store, "alice").known_at, Some(time(300)));
    assert_eq!(load(&*store, "bob").known_at, None);
}

pub(super) fn of_an_accounts_sources_those_longest_unused_go(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    let from = |number: u32| format!("from {number}");
    for number in 0..=KNOWN_SOURCES_MAX {
        let recognised = Some(recognised(1, &from(number)));
        assert!(applies(&*store, Bundle { recognised, ..bundle(300 + u64::from(number)) }));
    }
    let known = |number| {
        store.load(&super::samples::name("alice"), &lane(&from(number)), None).unwrap().known_at.is_some()
    };
    assert_eq!([known(0), known(1), known(KNOWN_SOURCES_MAX)], [false, true, true]);
}

pub(super) fn refusals_beyond_a_few_are_counted_together(ground: &dyn Ground) {
    let store = ground.open("main");
    let refuse = |at: u64| refuse(&*store, "alice", PrimaryResult::Right, at);
    let written: usize = (0..1000).map(|number| refuse(1000 + number / 20).len()).sum();
    assert_eq!(count(written), TALLY_FREE);
    let due = refuse(1000 + TALLY_SECONDS);
    assert_eq!(due.iter().map(|record| record.reason).collect::<Vec<_>>(), [Reason::CountedTogether]);
    let together = due[0].together.unwrap();
    assert_eq!((together.count, together.since), (1000 - u64::from(TALLY_FREE) + 1, time(1000)));
    assert!(refuse(1010 + TALLY_SECONDS).is_empty(), "whoever has had one goes on being counted");
    let quiet = bundle(1010 + 3 * TALLY_SECONDS);
    assert!(matches!(&store.commit(&[quiet]).unwrap()[..], [Outcome::Applied(due)] if due.len() == 1));
    assert_eq!(refuse(1010 + 5 * TALLY_SECONDS).len(), 1, "a minute without a flood");
}

pub(super) fn a_flood_of_names_writes_no_more_than_its_limits(ground: &dyn Ground) {
    let store = ground.open("main");
    let flood = |at: u64, user: &dyn Fn(u32) -> Option<String>| -> usize {
        (0..2000)
            .map(|number| match user(number) {
                Some(name) => refuse(&*store, &name, PrimaryResult::Wrong, at).len(),
                None => refuse_unknown(&*store, &number.to_string(), at).len(),
            })
            .sum()
    };
    assert_eq!(count(flood(1000, &|_| None)), TALLY_FREE_OF_UNKNOWN);
    let known = flood(2000, &|number| Some(format!("user {number}")));
    // The names that have a row are told of; the one row of unknown names is told of first.
    assert!(count(known) <= TALLY_FREE_OF_ALL + 1, "{known}");
    let told = flood(3000, &|_| Some("one".to_owned()));
    assert!(count(told) <= TALLIES_MAX + TALLY_FREE + 3, "{told}");
}

pub(super) fn a_right_password_does_not_hide_among_wrong_ones(ground: &dyn Ground) {
    let store = ground.open("main");
    for number in 0..200 {
        let _ = refuse(&*store, &format!("user {number}"), PrimaryResult::Wrong, 1000);
        let _ = refuse(&*store, "alice", PrimaryResult::Wrong, 1000);
    }
    assert_eq!(refuse(&*store, "alice", PrimaryResult::Right, 1001).len(), 1);
    let _ = refuse(&*store, "alice", PrimaryResult::Wrong, 1002);
}

pub(super) fn what_lets_in_is_always_recorded_singly(ground: &dyn Ground) {
    let store = ground.open("main");
    let found = || Record { ending: Ending::Finding, ..record(1000) };
    for _ in 0..100 {
        let accept = Bundle::of_records(session(1), time(1000), vec![record(1000)]);
        let written_alone = applied_entries(store.commit(&[accept]).unwrap().remove(0));
        assert_eq!((written_alone.len(), written(&*store, "alice", found()).len()), (1, 1));
    }
}

fn count(records: usize) -> u32 {
    u32::try_from(records).unwrap()
}

fn refuse(store: &dyn Engine, user: &str, primary: PrimaryResult, at: u64) -> Vec<Record> {
    let refusal = Record { ending: Ending::Reject, reason: Reason::Throttled, primary, ..record(at) };
    written(store, user, refusal)
}

fn refuse_unknown(store: &dyn Engine, user: &str, at: u64) -> Vec<Record> {
    let refusal =
        Record { ending: Ending::Reject, primary: PrimaryResult::Unknown, user: None, ..record(at) };
    written(store, user, refusal)
}

fn written(store: &dyn Engine, user: &str, record: Record) -> Vec<Record> {
    let at = record.at;
    let bundle = Bundle { tally: Some(lane(user)), ..Bundle::of_records(session(1), at, vec![record]) };
    let outcome = store.commit(&[bundle]).unwrap().remove(0);
    applied_entries(outcome).into_iter().map(|entry| entry.record).collect()
}
