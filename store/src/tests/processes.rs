//! Several processes at one store, some of which die in the middle.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::bundle::Bundle;

use super::support::{Yard, integrity, open};
use crate::Process;
use crate::conformance::samples::{
    account, applies, conflicts, insert, record, spending, step, time, verified,
};

pub(super) const STORE: &str = "COUNTERSIGN_TEST_STORE";
const STEPS: u64 = 60;

/// This test program once more, as one of its ignored tests.
pub(super) fn child(name: &str, store: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture", "--test-threads=1"])
        .env(STORE, store)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The steps that a child says it has spent.
fn told(child: &mut Child) -> impl Iterator<Item = u64> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("spent ")?.parse().ok())
}

fn spend(spent: u64) -> Bundle {
    Bundle { at: time(spent * 30), records: vec![record(spent)], ..spending(step(1, 1, spent)) }
}

/// Spends one step after another, each over a connection of its own, as logins do.
fn spend_from_the_environment(steps: impl Iterator<Item = u64>) {
    let store = open(Path::new(&env::var_os(STORE).unwrap()), Process::ShortLived);
    // The test harness has begun a line of its own.
    println!();
    for step in steps {
        if applies(&store, spend(step)) {
            println!("spent {step}");
        }
        store.release();
    }
}

#[test]
#[ignore = "a child of the test below"]
fn spends_some_steps() {
    spend_from_the_environment(1..=STEPS);
}

#[test]
fn four_processes_spend_each_step_at_most_once() {
    let yard = Yard::new(Process::ShortLived);
    insert(&yard.sqlite(), account(1, "alice"));
    let mut children: Vec<_> =
        (0..4).map(|_| child("tests::processes::spends_some_steps", &yard.path)).collect();
    let mut uses = BTreeMap::new();
    for child in &mut children {
        for step in told(child) {
            *uses.entry(step).or_insert(0) += 1;
        }
        assert!(child.wait().unwrap().success());
    }
    assert!(uses.values().all(|count| *count == 1), "{uses:?}");
    assert_eq!(uses.keys().next_back(), Some(&STEPS));
    let store = yard.sqlite();
    assert_eq!(verified(&store, "main").len(), uses.len());
    assert_eq!(store.take_rollback(), None);
}

#[test]
#[ignore = "a child of the test below"]
fn spends_until_it_is_killed() {
    let from: u64 = env::var("COUNTERSIGN_TEST_FROM").map_or(1, |from| from.parse().unwrap());
    spend_from_the_environment(from..);
}

#[test]
fn a_store_survives_the_death_of_its_writers() {
    let yard = Yard::new(Process::ShortLived);
    insert(&yard.sqlite(), account(1, "alice"));
    for round in 1..=6_usize {
        let mut child = child("tests::processes::spends_until_it_is_killed", &yard.path);
        // A different number of commits each time, so that it dies in different places.
        let mut lines = told(&mut child);
        let last = lines.by_ref().nth(round * 37).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let last = lines.last().unwrap_or(last);
        let store = yard.sqlite();
        assert!(conflicts(&store, spend(last)), "step {last} was spent twice in round {round}");
        assert_eq!(store.take_rollback(), None);
        let records = verified(&store, "main").len();
        assert_eq!(integrity(&yard.path), "ok");
        assert!(u64::try_from(records).unwrap() >= last, "{records} records, {last} steps");
    }
}
