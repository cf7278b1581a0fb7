//! What acts on many accounts cost here: `cargo run --release -p store --features conformance --example bulk_cost`, with the
//! number of accounts if that is not 100,000.
//!
//! Each account is made, and then changed, by a bundle with a record and a notice, in groups as the command line hands
//! them in; then all are listed, and the notices taken and settled.
#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a measurement that fails ends")]

use std::fs;
use std::path::Path;
use std::time::Instant;

use common::account::{Account, State};
use common::bundle::{AccountChange, Bundle, Precondition};
use common::message::Urgency;
use common::ports::{Fate, Listing as _, Outbox as _, Store as _};
use common::{AccountId, Username};
use store::conformance::samples::{
    CHAIN_KEY, account, bundle, envelope, is_applied, name, record, time, with_codes,
};
use store::{Process, Sqlite, SqliteOptions};
use zeroize::Zeroizing;

/// Bundles in one transaction.
const GROUP: u64 = 256;
/// Accounts on one page of a list.
const PAGE: u32 = 1000;
/// Messages that a server takes at once.
const CLAIM: u32 = 32;

fn main() {
    let accounts = std::env::args().nth(1).map_or(100_000, |count| count.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store/countersign.db");
    Sqlite::create(&path, None).unwrap();
    let chain_key = Zeroizing::new(CHAIN_KEY);
    let options =
        SqliteOptions { chain_key, stream: "main".to_owned(), process: Process::LongLived, owner: None };
    let store = Sqlite::open(&path, options).unwrap();
    let step = |what: &str, work: &dyn Fn()| {
        let began = Instant::now();
        work();
        println!("{what:<28} {:>7.2} s   {}", began.elapsed().as_secs_f64(), sizes(&path));
    };
    step("bundles alone", &|| (0..accounts).for_each(|number| drop((made(number), changed(number)))));
    step("made", &|| in_groups(&store, accounts, made));
    step("changed, with a notice", &|| in_groups(&store, accounts, changed));
    step("changed again, in conflict", &|| conflict(&store, accounts));
    step("listed", &|| assert_eq!(listed(&store), accounts));
    step("notices taken and settled", &|| println!("{} messages", sent(&store)));
}

/// One account as an organisation has them: with ten recovery codes.
fn numbered(number: u64) -> Account {
    let id = AccountId::from_bytes(u128::from(number).to_be_bytes());
    let name = name(&format!("user{number:06}"));
    Account { id, name, ..with_codes(account(1, "user"), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) }
}

fn made(number: u64) -> Bundle {
    let new = AccountChange::Insert(Box::new(numbered(number)));
    Bundle { account: Some(new), records: vec![record(1000)], ..bundle(1000) }
}

fn changed(number: u64) -> Bundle {
    let before = numbered(number);
    let precondition = Precondition::Version { account: before.id, version: before.version };
    let notice = envelope(number, before.name.as_str(), Urgency::Notice, 90_000);
    let after = Account { version: 2, state: State::Enforced, ..before };
    Bundle {
        precondition,
        account: Some(AccountChange::Update(Box::new(after))),
        messages: vec![notice],
        records: vec![record(1000)],
        ..bundle(1000)
    }
}

fn in_groups(store: &Sqlite, accounts: u64, act: fn(u64) -> Bundle) {
    for first in (0..accounts).step_by(usize::try_from(GROUP).unwrap()) {
        let group: Vec<Bundle> = (first..accounts.min(first + GROUP)).map(act).collect();
        assert!(store.commit(&group).unwrap().iter().all(is_applied));
    }
}

fn conflict(store: &Sqlite, accounts: u64) {
    for first in (0..accounts).step_by(usize::try_from(GROUP).unwrap()) {
        let group: Vec<Bundle> = (first..accounts.min(first + GROUP)).map(changed).collect();
        assert!(!store.commit(&group).unwrap().iter().any(is_applied));
    }
}

fn listed(store: &Sqlite) -> u64 {
    let (mut count, mut after): (u64, Option<Username>) = (0, None);
    loop {
        let page = store.listed(after.as_ref(), PAGE).unwrap();
        let Some(last) = page.last() else { return count };
        after = Some(last.account.name.clone());
        count += u64::try_from(page.len()).unwrap();
    }
}

fn sent(store: &Sqlite) -> u64 {
    let mut count = 0;
    loop {
        let claimed = store.claim(time(1000), 60, CLAIM).unwrap();
        if claimed.is_empty() {
            return count;
        }
        for envelope in claimed {
            store.settle(envelope.id, Fate::Over).unwrap();
            count += 1;
        }
    }
}

fn sizes(path: &Path) -> String {
    let kib = |path: &Path| fs::metadata(path).map_or(0, |file| file.len()) / 1024;
    let log = path.with_file_name("countersign.db-wal");
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default().trim();
    format!("database {:>7} KiB   log {:>6} KiB   peak memory {peak}", kib(path), kib(&log))
}
