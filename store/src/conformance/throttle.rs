//! Cases about what is counted: lanes, the cap of an account, known sources, and refusals that are many.

use common::Reason;
use common::bundle::{Bundle, Outcome, TakenBack};
use common::lane::Lane;
use common::limits::{
    CAP_IN_HOUR, CAP_IN_ROW, KNOWN_SOURCES_MAX, TALLIES_MAX, TALLY_FREE, TALLY_FREE_OF_ALL,
    TALLY_FREE_OF_UNKNOWN, TALLY_SECONDS,
};
use common::record::{Ending, Names, PrimaryResult, Record};
use common::tally::Tally;
use common::throttle::{Against, Count};

use super::samples::{
    account, applied_entries, applies, bundle, conflicts, counting, counting_against, insert, lane,
    lane_from, lanes_of, load, recognised, record, session, spending, step, time, unlocked,
};
use super::{Case, Engine, Ground, cases};

cases![
    a_lane_counts_and_clears,
    an_answer_that_is_taken_back_leaves_the_lane_as_it_was,
    a_lane_that_is_cleared_in_a_conflict_stays,
    the_cap_of_an_account_counts_over_all_lanes,
    a_right_answer_ends_the_row_and_an_administrator_unlocks,
    an_unlock_ends_every_wait_of_one_account_and_forgets_no_source,
    accounts_that_are_closed_to_new_places_are_listed_until_they_are_open,
    a_source_is_known_once_it_was_right,
    of_an_accounts_sources_those_longest_unused_go,
    refusals_beyond_a_few_are_counted_together,
    a_flood_of_names_writes_no_more_than_its_limits,
    a_right_password_does_not_hide_among_wrong_ones,
    what_lets_in_is_always_recorded_singly,
    what_is_found_again_and_again_hides_behind_no_refusals,
];

fn a_lane_counts_and_clears(ground: &dyn Ground) {
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

fn an_answer_that_is_taken_back_leaves_the_lane_as_it_was(ground: &dyn Ground) {
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

fn a_lane_that_is_cleared_in_a_conflict_stays(ground: &dyn Ground) {
    let store = ground.open("main");
    store.count(&counting("alice", 100)).unwrap();
    let late = Bundle { recognised: Some(recognised(1, "alice")), ..spending(step(1, 1, 40)) };
    assert!(conflicts(&*store, late));
    assert_eq!(load(&*store, "alice").lane.failures, 1);
}

fn the_cap_of_an_account_counts_over_all_lanes(ground: &dyn Ground) {
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

fn a_right_answer_ends_the_row_and_an_administrator_unlocks(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    for _ in 0..3 {
        store.count(&counting_against(1, "alice", 7200)).unwrap();
    }
    assert!(applies(&*store, Bundle { recognised: Some(recognised(1, "alice")), ..bundle(7200) }));
    let cap = load(&*store, "alice").cap;
    assert_eq!((cap.in_hour, cap.in_row), (2, 0));
    assert!(applies(&*store, Bundle { unlocked: Some(unlocked(1, "alice")), ..bundle(7200) }));
    assert_eq!(load(&*store, "alice").cap.in_hour, 0);
}

fn an_unlock_ends_every_wait_of_one_account_and_forgets_no_source(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    insert(&*store, account(2, "bob"));
    assert!(applies(&*store, Bundle { recognised: Some(recognised(1, "alice")), ..bundle(6000) }));
    let count_from = |user: &str, source: &str, at| {
        let answer = Count {
            lane: lane_from(user, source),
            against: Against::LaneAlone,
            codes_of: None,
            at: time(at),
        };
        store.count(&answer).unwrap();
    };
    for user in ["alice", "bob"] {
        for (source, answers) in [("local", 5), ("192.0.2.7", 7), ("192.0.2.8", 4)] {
            (0..answers).for_each(|_| count_from(user, source, 7200));
        }
    }
    let waits = |user: &str, at| {
        let waits = store.waits(&lanes_of(user), time(at)).unwrap();
        (waits.lanes, waits.until)
    };
    assert_eq!(waits("alice", 7200), (2, Some(time(7200 + 120))), "the other one has not guessed as often");
    assert_eq!(waits("alice", 7200 + 30), (1, Some(time(7200 + 120))));
    assert_eq!(waits("alice", 7200 + 120), (0, None));
    assert!(applies(&*store, Bundle { unlocked: Some(unlocked(1, "alice")), ..bundle(7200) }));
    assert_eq!((waits("alice", 7200).0, waits("bob", 7200).0), (0, 2));
    let alice = load(&*store, "alice");
    assert_eq!((alice.lane, alice.known_at), (Lane::default(), Some(time(6000))));
    // The number of lanes is kept beside them, and has to follow.
    assert!(applies(&*store, Bundle { unlocked: Some(unlocked(1, "alice")), ..bundle(7200) }));
    count_from("alice", "local", 7200);
    assert_eq!(load(&*store, "alice").lane.failures, 1);
}

fn accounts_that_are_closed_to_new_places_are_listed_until_they_are_open(ground: &dyn Ground) {
    let store = ground.open("main");
    for (number, name) in (1..).zip(["carol", "alice", "bob"]) {
        insert(&*store, account(number, name));
    }
    let closed = |at, count| {
        let names = store.closed(time(at), count).unwrap();
        names.into_iter().map(String::from).collect::<Vec<_>>()
    };
    for _ in 0..CAP_IN_HOUR {
        store.count(&counting_against(1, "carol", 7200)).unwrap();
    }
    for number in 0..CAP_IN_ROW {
        store.count(&counting_against(2, "alice", 7200 + u64::from(number) * 3600)).unwrap();
    }
    store.count(&counting_against(3, "bob", 7200)).unwrap();
    assert_eq!(closed(7200, 10), ["alice", "carol"]);
    assert_eq!(closed(7200, 1), ["alice"]);
    assert_eq!(closed(7200 + 3600, 10), ["alice"], "an hour is over, a row is not");
    assert!(applies(&*store, Bundle { unlocked: Some(unlocked(2, "alice")), ..bundle(7200) }));
    assert!(closed(7200 + 3600, 10).is_empty());
}

fn a_source_is_known_once_it_was_right(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    insert(&*store, account(2, "bob"));
    assert_eq!(load(&*store, "alice").known_at, None);
    assert!(applies(&*store, Bundle { recognised: Some(recognised(1, "alice")), ..bundle(300) }));
    assert_eq!(load(&*store, "alice").known_at, Some(time(300)));
    assert_eq!(load(&*store, "bob").known_at, None);
}

fn of_an_accounts_sources_those_longest_unused_go(ground: &dyn Ground) {
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

fn refusals_beyond_a_few_are_counted_together(ground: &dyn Ground) {
    let store = ground.open("main");
    let refuse = |at: u64| refuse(&*store, "alice", PrimaryResult::Right, at);
    let written: usize = (0..1000).map(|number| refuse(1000 + number / 20).len()).sum();
    assert_eq!(count(written), TALLY_FREE);
    let due = refuse(1000 + TALLY_SECONDS);
    assert_eq!(due.iter().map(|record| record.reason).collect::<Vec<_>>(), [Reason::CountedTogether]);
    let together = due[0].together.unwrap();
    assert_eq!(together.names, Names::One);
    assert_eq!((together.count, together.since), (1000 - u64::from(TALLY_FREE) + 1, time(1000)));
    assert!(refuse(1010 + TALLY_SECONDS).is_empty(), "whoever has had one goes on being counted");
    let quiet = bundle(1010 + 3 * TALLY_SECONDS);
    assert!(matches!(&store.commit(&[quiet]).unwrap()[..], [Outcome::Applied(due)] if due.len() == 1));
    assert_eq!(refuse(1010 + 5 * TALLY_SECONDS).len(), 1, "a minute without a flood");
}

fn a_flood_of_names_writes_no_more_than_its_limits(ground: &dyn Ground) {
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
    let told: Vec<Record> =
        (0..2000).flat_map(|_| refuse(&*store, "one", PrimaryResult::Wrong, 3000)).collect();
    assert!(count(told.len()) <= TALLIES_MAX + TALLY_FREE + 3, "{}", told.len());
    let of_several = |record: &&Record| record.together.is_some_and(|many| many.names == Names::Several);
    assert_eq!(told.iter().filter(of_several).count(), 1, "those for whom there was no room");
}

fn a_right_password_does_not_hide_among_wrong_ones(ground: &dyn Ground) {
    let store = ground.open("main");
    for number in 0..200 {
        let _ = refuse(&*store, &format!("user {number}"), PrimaryResult::Wrong, 1000);
        let _ = refuse(&*store, "alice", PrimaryResult::Wrong, 1000);
    }
    assert_eq!(refuse(&*store, "alice", PrimaryResult::Right, 1001).len(), 1);
    let _ = refuse(&*store, "alice", PrimaryResult::Wrong, 1002);
}

fn what_lets_in_is_always_recorded_singly(ground: &dyn Ground) {
    let store = ground.open("main");
    let found = || Record { ending: Ending::Finding, ..record(1000) };
    for _ in 0..100 {
        let accept = Bundle::of_records(session(1), time(1000), vec![record(1000)]);
        let written_alone = applied_entries(store.commit(&[accept]).unwrap().remove(0));
        assert_eq!((written_alone.len(), written(&*store, "alice", found()).len()), (1, 1));
        assert_eq!(written(&*store, "alice", record(1000)).len(), 1, "also where its refusals are counted");
    }
}

fn what_is_found_again_and_again_hides_behind_no_refusals(ground: &dyn Ground) {
    let store = ground.open("main");
    for number in 0..700 {
        let _ = refuse(&*store, &format!("user {}", number % 60), PrimaryResult::Wrong, 1000);
    }
    let broken = |at| Record { ending: Ending::Finding, reason: Reason::BreakGlassBroken, ..record(at) };
    assert_eq!(written(&*store, "user 1", broken(1000)).len(), 1);
    let told: usize =
        (0..100).map(|number| written(&*store, &format!("user {number}"), broken(1001)).len()).sum();
    assert!((1..20).contains(&told), "{told}: many at once are counted");
    let together: Vec<_> = written(&*store, "user 2", broken(1062));
    let of_file =
        together.iter().filter_map(|record| record.together.filter(|_| record.ending == Ending::Finding));
    let of_file: Vec<_> = of_file.collect();
    assert!(of_file.len() == 1 && of_file[0].names == Names::Several, "{together:?}");
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
    let tally = Some(Tally::Refusals(lane(user)));
    let bundle = Bundle { tally, ..Bundle::of_records(session(1), at, vec![record]) };
    let outcome = store.commit(&[bundle]).unwrap().remove(0);
    applied_entries(outcome).into_iter().map(|entry| entry.record).collect()
}
