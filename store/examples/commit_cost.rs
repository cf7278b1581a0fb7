//! What a login's writes cost here: `cargo run --release -p store --features conformance --example commit_cost`.
//!
//! Each login loads, counts its answer, and commits a spent step, a success and a record.
#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a measurement that fails ends")]

use std::path::Path;
use std::time::{Duration, Instant};

use common::AttemptId;
use common::bundle::Bundle;
use common::limits::TICKETS_MAX;
use common::ports::Store as _;
use store::conformance::samples::{
    CHAIN_KEY, account, counting, insert, is_applied, load, record, remembering, spending, step, time,
};
use store::{Process, Sqlite, SqliteOptions};
use zeroize::Zeroizing;

const LOGINS: u64 = 2000;

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store/countersign.db");
    Sqlite::create(&path, None).unwrap();
    insert(&open(&path, Process::LongLived), account(1, "alice"));

    let short = || open(&path, Process::ShortLived);
    row("open, commit, close", 1, |login| commit(&short(), login, 1));
    row("open, load, count, commit, close", 1, |login| {
        let store = short();
        load(&store, "alice");
        store.count(&counting("alice", login)).unwrap();
        commit(&store, login, 1);
    });
    let kept = open(&path, Process::LongLived);
    row("kept: commit", 1, |login| commit(&kept, login, 1));
    row("kept: load", 0, |_| drop(load(&kept, "alice")));
    for (number, (user, devices)) in (2..).zip([("bob", 1), ("carol", TICKETS_MAX)]) {
        insert(&kept, account(number, user));
        for device in (0..).take(devices) {
            let remembered = kept.commit(&[remembering(&account(number, user), device, 100)]).unwrap();
            assert!(is_applied(&remembered[0]));
        }
        row(&format!("kept: load with {devices} devices"), 0, |_| drop(load(&kept, user)));
    }
    row("kept: count", 0, |login| drop(kept.count(&counting("alice", login))));
    row("kept: commit of 64, for each", 64, |login| commit(&kept, login, 64));
}

/// Runs one kind of login many times; steps go on from row to row.
fn row(what: &str, each: u64, mut login: impl FnMut(u64)) {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1000);
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..LOGINS / each.max(1) {
        let first = NEXT.fetch_add(each.max(1), std::sync::atomic::Ordering::Relaxed);
        let began = Instant::now();
        login(first);
        times.push(began.elapsed());
    }
    times.sort();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    let shared = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(u32::try_from(each.max(1)).unwrap());
    println!("{what:<34} median {:>7.1} us   p99 {:>7.1} us", shared(at(50)), shared(at(99)));
}

fn commit(store: &Sqlite, first: u64, count: u64) {
    let login = |number: u64| {
        let session = AttemptId::from_bytes(u128::from(number).to_be_bytes());
        let at = number * 30;
        let mut success = store::conformance::samples::success(1, at);
        success.session = session;
        Bundle {
            at: time(at),
            success: Some(success),
            records: vec![record(at)],
            ..spending(step(1, 1, number))
        }
    };
    let bundles: Vec<Bundle> = (first..first + count).map(login).collect();
    assert!(store.commit(&bundles).unwrap().iter().all(is_applied));
}

fn open(path: &Path, process: Process) -> Sqlite {
    let chain_key = Zeroizing::new(CHAIN_KEY);
    Sqlite::open(path, SqliteOptions { chain_key, stream: "main".to_owned(), process, owner: None }).unwrap()
}
