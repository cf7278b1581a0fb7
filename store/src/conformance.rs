//! What every engine behind the ports must do, as cases that read as sentences. They use the ports alone.
//! An engine's tests call [`check`]; a case that fails panics with its name.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a case that fails is a panic, and its numbers are small"
)]

mod outbox;
pub mod samples;
mod sent;
mod throttle;
mod tickets;

use crate::limits::PURGE_SECONDS;
use common::account::{Account, State};
use common::bundle::{AccountChange, Bundle, Outcome, Precondition, Success};
use common::limits::SPENT_KEPT_SECONDS;
use common::ports::{Listing, Outbox, Store};
use common::record::{Ending, Record};
use samples::{
    account, applied_positions, applies, bundle, code, code_id, conflicts, counting, factor, id, insert,
    is_applied, lane, load, moments, name, recognised, record, session, spending, step, success, time,
    verified, with_codes,
};

/// A store with all of its ports.
pub trait Engine: Store + Listing + Outbox {}
impl<T: Store + Listing + Outbox> Engine for T {}

/// One store under test.
pub trait Ground: Sync {
    /// One more connection to it, as another process would have, writing records to `stream` under [`samples::CHAIN_KEY`].
    fn open(&self, stream: &str) -> Box<dyn Engine>;
}

/// A case: its sentence and what it does to an empty store.
pub type Case = (&'static str, fn(&dyn Ground));

/// Runs every case, each on an empty store from `fresh`.
pub fn check<G: Ground>(fresh: impl Fn() -> G) {
    for (sentence, case) in [CASES, throttle::CASES, sent::CASES, outbox::CASES, tickets::CASES].concat() {
        println!("{}", sentence.replace('_', " "));
        case(&fresh());
    }
}

macro_rules! cases {
    ($($case:ident),+ $(,)?) => {
        /// Every case of this file.
        pub(super) const CASES: &[Case] = &[$((stringify!($case), $case)),+];
    };
}

use cases;

cases![
    a_name_that_nobody_has_loads_as_nothing,
    an_account_loads_as_it_was_written,
    an_account_that_exists_is_not_made_again,
    a_change_is_made_once_to_the_version_that_it_saw,
    a_bundle_with_a_wrong_version_applies_nothing,
    a_name_that_is_taken_is_a_conflict,
    a_spent_step_and_every_earlier_one_conflict,
    each_factor_has_steps_of_its_own,
    what_belongs_to_no_account_cannot_be_spent,
    a_recovery_code_works_once,
    a_renewed_set_of_recovery_codes_forgets_the_old_one,
    a_hundred_parallel_uses_of_one_code_give_one_applied,
    a_conflict_at_the_very_end_takes_everything_before_it_back,
    a_conflict_leaves_the_other_bundles_of_its_batch,
    bundles_of_a_batch_see_the_ones_before,
    a_session_succeeds_once,
    a_users_last_sign_ins_are_found_in_every_stream,
    what_is_forgotten_stays_refused_by_the_floor,
    the_floor_covers_sessions_that_are_forgotten,
    the_floor_never_sinks_and_never_overtakes_the_clock,
    a_removed_name_is_free_and_the_returning_account_is_new,
    accounts_are_listed_in_pages_by_name,
    records_are_chained_in_order_and_only_by_what_applied,
    each_stream_has_a_head_of_its_own,
];

fn a_name_that_nobody_has_loads_as_nothing(ground: &dyn Ground) {
    let loaded = load(&*ground.open("main"), "nobody");
    assert_eq!((loaded.account, loaded.success, loaded.floor), (None, None, time(0)));
    assert!(loaded.spent_steps.is_empty() && loaded.spent_codes.is_empty());
    assert_eq!(loaded.lane.failures, 0);
}

fn an_account_loads_as_it_was_written(ground: &dyn Ground) {
    let written = with_codes(account(1, "José"), [1, 2]);
    insert(&*ground.open("main"), written.clone());
    let store = ground.open("main");
    assert_eq!(load(&*store, "José").account.as_ref(), Some(&written));
    assert_eq!(store.account(&name("José")).unwrap(), Some(written));
    assert_eq!(store.account(&name("jose")).unwrap(), None);
}

fn an_account_that_exists_is_not_made_again(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    let absent = Precondition::Absent(name("alice"));
    assert!(conflicts(&*store, Bundle { precondition: absent, ..bundle(100) }));
    let same_name = AccountChange::Insert(Box::new(account(2, "alice")));
    assert!(conflicts(&*store, Bundle { account: Some(same_name), ..bundle(100) }));
    let same_id = AccountChange::Insert(Box::new(account(1, "bob")));
    assert!(conflicts(&*store, Bundle { account: Some(same_id), ..bundle(100) }));
    let other = Precondition::Absent(name("bob"));
    assert!(applies(&*store, Bundle { precondition: other, ..bundle(100) }));
}

fn a_change_is_made_once_to_the_version_that_it_saw(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    let enforced = Account { version: 2, state: State::Enforced, ..account(1, "alice") };
    let change = Bundle { account: Some(AccountChange::Update(Box::new(enforced))), ..bundle(100) };
    assert!(applies(&*store, change.clone()));
    assert!(conflicts(&*store, change));
    let loaded = load(&*store, "alice").account.unwrap();
    assert_eq!((loaded.version, loaded.state), (2, State::Enforced));
}

fn a_bundle_with_a_wrong_version_applies_nothing(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    let before = store.heads().unwrap();
    for version in [0, 2] {
        let late = Bundle {
            precondition: Precondition::Version { account: id(1), version },
            spends: vec![step(1, 1, 40), code(1, 1)],
            success: Some(success(1, 100)),
            records: vec![record(100)],
            ..bundle(100)
        };
        assert!(conflicts(&*store, late));
    }
    let loaded = store.load(&name("alice"), &lane("alice"), Some(session(1))).unwrap();
    assert!(loaded.spent_steps.is_empty() && loaded.spent_codes.is_empty());
    assert_eq!((loaded.success, store.heads().unwrap()), (None, before));
}

fn a_name_that_is_taken_is_a_conflict(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    insert(&*store, account(2, "bob"));
    let rename = |to: &str| {
        let renamed = Account { version: 2, ..account(2, to) };
        Bundle { account: Some(AccountChange::Update(Box::new(renamed))), ..bundle(100) }
    };
    assert!(conflicts(&*store, rename("alice")));
    assert!(applies(&*store, rename("robert")));
    assert_eq!(load(&*store, "bob").account, None);
    assert_eq!(load(&*store, "robert").account.unwrap().id, id(2));
}

fn a_spent_step_and_every_earlier_one_conflict(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    assert!(applies(&*store, spending(step(1, 1, 40))));
    for spent in [40, 39, 1] {
        assert!(conflicts(&*store, spending(step(1, 1, spent))), "{spent}");
    }
    assert!(applies(&*store, spending(step(1, 1, 41))));
    assert_eq!(load(&*store, "alice").spent_steps, [(factor(1), 41)]);
}

fn each_factor_has_steps_of_its_own(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    insert(&*store, account(2, "bob"));
    for (account, factor) in [(1, 1), (1, 2), (2, 1)] {
        assert!(applies(&*store, spending(step(account, factor, 40))));
    }
    assert_eq!(load(&*store, "alice").spent_steps, [(factor(1), 40), (factor(2), 40)]);
    assert_eq!(load(&*store, "bob").spent_steps, [(factor(1), 40)]);
}

fn what_belongs_to_no_account_cannot_be_spent(ground: &dyn Ground) {
    let store = ground.open("main");
    assert!(conflicts(&*store, spending(step(1, 1, 40))));
    assert!(conflicts(&*store, spending(code(1, 1))));
}

fn a_recovery_code_works_once(ground: &dyn Ground) {
    let store = ground.open("main");
    let written = with_codes(account(1, "alice"), [1, 2]);
    insert(&*store, written.clone());
    assert!(applies(&*store, spending(code(1, 1))));
    assert!(conflicts(&*store, spending(code(1, 1))));
    assert!(applies(&*store, spending(code(1, 2))));
    assert_eq!(load(&*store, "alice").spent_codes, [code_id(1), code_id(2)]);
    assert_eq!(store.spent_codes(&written).unwrap(), [code_id(1), code_id(2)]);
}

fn a_renewed_set_of_recovery_codes_forgets_the_old_one(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, with_codes(account(1, "alice"), [1, 2]));
    assert!(applies(&*store, spending(code(1, 1))) && applies(&*store, spending(code(1, 2))));
    let renewed = Account { version: 2, ..with_codes(account(1, "alice"), [2, 3]) };
    assert!(applies(
        &*store,
        Bundle { account: Some(AccountChange::Update(Box::new(renewed))), ..bundle(100) }
    ));
    assert_eq!(load(&*store, "alice").spent_codes, [code_id(2)]);
}

fn a_hundred_parallel_uses_of_one_code_give_one_applied(ground: &dyn Ground) {
    insert(&*ground.open("main"), with_codes(account(1, "alice"), [1]));
    for spend in [step(1, 1, 40), code(1, 1)] {
        let spend = &spend;
        let use_it = || {
            let store = ground.open("main");
            (0..5).filter(|_| applies(&*store, spending(spend.clone()))).count()
        };
        let applied: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..20).map(|_| scope.spawn(use_it)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(applied, 1);
    }
}

fn a_conflict_at_the_very_end_takes_everything_before_it_back(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    store.count(&counting("bob", 100)).unwrap();
    assert!(applies(&*store, Bundle { success: Some(success(1, 100)), ..bundle(100) }));
    let repeated = Bundle {
        account: Some(AccountChange::Insert(Box::new(account(2, "bob")))),
        spends: vec![step(1, 1, 40), code(1, 1)],
        success: Some(success(1, 100)),
        recognised: Some(recognised(1, "bob")),
        records: vec![record(100)],
        ..bundle(100)
    };
    assert!(conflicts(&*store, repeated));
    let alice = load(&*store, "alice");
    assert!(alice.spent_steps.is_empty() && alice.spent_codes.is_empty());
    let bob = load(&*store, "bob");
    assert_eq!((bob.account, bob.lane.failures), (None, 1));
    assert!(store.records("main", 1, 10).unwrap().is_empty());
}

fn a_conflict_leaves_the_other_bundles_of_its_batch(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    let stale = Precondition::Version { account: id(1), version: 9 };
    let batch = [
        Bundle { records: vec![record(1)], ..spending(step(1, 1, 40)) },
        Bundle { precondition: stale, records: vec![record(2)], ..spending(step(1, 2, 40)) },
        Bundle { records: vec![record(3), record(4)], ..spending(step(1, 3, 40)) },
    ];
    let outcomes = store.commit(&batch).unwrap();
    assert!(matches!(&outcomes[..], [Outcome::Applied(_), Outcome::Conflict, Outcome::Applied(_)]));
    assert_eq!(load(&*store, "alice").spent_steps, [(factor(1), 40), (factor(3), 40)]);
    assert_eq!(moments(&*store, "main"), [1, 3, 4]);
}

fn bundles_of_a_batch_see_the_ones_before(ground: &dyn Ground) {
    let store = ground.open("main");
    let new = AccountChange::Insert(Box::new(account(1, "alice")));
    let batch = [
        Bundle { account: Some(new), ..bundle(100) },
        spending(step(1, 1, 40)),
        spending(step(1, 1, 40)),
        spending(step(1, 1, 41)),
    ];
    let applied: Vec<bool> = store.commit(&batch).unwrap().iter().map(is_applied).collect();
    assert_eq!(applied, [true, true, false, true]);
}

fn a_users_last_sign_ins_are_found_in_every_stream(ground: &dyn Ground) {
    let (one, other) = (ground.open("one"), ground.open("other"));
    for (store, at) in [(&one, 100), (&other, 200), (&one, 300)] {
        assert!(applies(&**store, Bundle { records: vec![record(at)], ..bundle(at) }));
    }
    let refused = Record { ending: Ending::Reject, ..record(400) };
    let of_another = Record { user: Some("alice2".to_owned()), ..record(500) };
    assert!(applies(&*one, Bundle { records: vec![refused, of_another], ..bundle(500) }));
    let found: Vec<_> = other.sign_ins(&name("alice"), 2).unwrap().into_iter().map(|it| it.at).collect();
    assert_eq!(found, [time(300), time(200)]);
}

fn a_session_succeeds_once(ground: &dyn Ground) {
    let store = ground.open("main");
    let succeeding = |digest: u8| {
        let success = Success { digest: [digest; 32], ..success(1, 100) };
        Bundle { success: Some(success), ..bundle(100) }
    };
    assert!(applies(&*store, succeeding(1)));
    assert!(conflicts(&*store, succeeding(1)) && conflicts(&*store, succeeding(2)));
    let loaded = |session| store.load(&name("alice"), &lane("alice"), Some(session)).unwrap().success;
    assert_eq!(loaded(session(1)), Some(Success { digest: [1; 32], ..success(1, 100) }));
    assert_eq!(loaded(session(2)), None);
}

fn what_is_forgotten_stays_refused_by_the_floor(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    assert!(applies(&*store, spending(step(1, 1, 40))));
    // Step 40 begins at 1200 and ends, with skew, at 1260.
    assert!(applies(&*store, bundle(1260 + SPENT_KEPT_SECONDS + PURGE_SECONDS)));
    assert_eq!(load(&*store, "alice").spent_steps, [(factor(1), 40)]);
    assert!(applies(&*store, bundle(1261 + SPENT_KEPT_SECONDS + PURGE_SECONDS)));
    let loaded = load(&*store, "alice");
    assert_eq!((loaded.spent_steps, loaded.floor), (vec![], time(1200)));
    assert!(conflicts(&*store, spending(step(1, 1, 40))));
    assert!(conflicts(&*store, spending(step(1, 2, 40))));
    assert!(applies(&*store, spending(step(1, 1, 41))));
}

fn the_floor_covers_sessions_that_are_forgotten(ground: &dyn Ground) {
    let store = ground.open("main");
    let remembered = success(1, 1000);
    let ended = remembered.expires_at;
    assert!(applies(&*store, Bundle { success: Some(remembered), ..bundle(1000) }));
    assert!(applies(&*store, bundle(ended.seconds() + SPENT_KEPT_SECONDS + PURGE_SECONDS + 1)));
    let loaded = store.load(&name("alice"), &lane("alice"), Some(session(1))).unwrap();
    assert_eq!((loaded.success, loaded.floor), (None, ended));
}

fn the_floor_never_sinks_and_never_overtakes_the_clock(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    let mut highest = time(0);
    for (factor, at) in (1..).zip([1_200, 9_000, 500, 20_000, 30, 60_000, 61_000, 90]) {
        let spends = vec![step(1, factor, at / 30), step(1, factor + 100, at / 30 + 1)];
        let _ = store.commit(&[Bundle { spends, ..bundle(at) }]).unwrap();
        let floor = load(&*store, "alice").floor;
        assert!(floor >= highest, "it sank at {at}");
        assert!(floor == highest || floor <= time(at), "it overtook the clock at {at}");
        highest = floor;
    }
    assert!(highest > time(0));
}

fn a_removed_name_is_free_and_the_returning_account_is_new(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    assert!(applies(&*store, spending(step(1, 1, 40))) && applies(&*store, spending(code(1, 1))));
    let remove = Bundle { account: Some(AccountChange::Remove(id(1))), ..bundle(100) };
    assert!(applies(&*store, remove.clone()));
    assert!(conflicts(&*store, remove));
    assert_eq!(load(&*store, "alice").account, None);
    insert(&*store, account(2, "alice"));
    let loaded = load(&*store, "alice");
    assert_eq!(loaded.account.unwrap().id, id(2));
    assert!(loaded.spent_steps.is_empty() && loaded.spent_codes.is_empty());
    let stale = Precondition::Version { account: id(1), version: 1 };
    assert!(conflicts(&*store, Bundle { precondition: stale, ..bundle(100) }));
}

fn accounts_are_listed_in_pages_by_name(ground: &dyn Ground) {
    let store = ground.open("main");
    for (number, user) in (1..).zip(["carol", "alice", "Zoë", "bob", "dave"]) {
        insert(&*store, account(number, user));
    }
    let page = |after: Option<&str>| -> Vec<String> {
        let accounts = store.accounts(after.map(name).as_ref(), 2).unwrap();
        accounts.into_iter().map(|account| account.name.to_string()).collect()
    };
    assert_eq!(page(None), ["Zoë", "alice"]);
    assert_eq!(page(Some("alice")), ["bob", "carol"]);
    assert_eq!(page(Some("carol")), ["dave"]);
    assert!(page(Some("dave")).is_empty());
}

fn records_are_chained_in_order_and_only_by_what_applied(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    let mut positions = Vec::new();
    for at in 1..=6 {
        let spends = if at % 3 == 0 { vec![step(1, 1, 40), step(1, 1, 40)] } else { Vec::new() };
        let records = vec![record(at), record(at + 100)];
        let outcome = store.commit(&[Bundle { records, spends, ..bundle(at) }]).unwrap().remove(0);
        positions.extend(applied_positions(outcome));
    }
    assert_eq!(moments(&*store, "main"), [1, 101, 2, 102, 4, 104, 5, 105]);
    let chained = verified(&*store, "main");
    assert_eq!(chained, positions);
    assert_eq!(store.heads().unwrap().last(), chained.last());
    assert_eq!(store.records("main", 3, 2).unwrap().len(), 2);
    assert_eq!(store.records("main", 3, 2).unwrap()[0].mac, chained[2].mac);
}

fn each_stream_has_a_head_of_its_own(ground: &dyn Ground) {
    let streams = ["main", "radius"];
    for at in 1..=4 {
        for stream in streams {
            let recording = Bundle::of_records(session(1), time(at), vec![record(at)]);
            assert!(applies(&*ground.open(stream), recording));
        }
    }
    let store = ground.open("main");
    let heads: Vec<_> = streams.iter().map(|stream| verified(&*store, stream).pop().unwrap()).collect();
    assert_eq!(store.heads().unwrap(), heads);
    assert_eq!(heads.iter().map(|head| head.sequence).collect::<Vec<_>>(), [4, 4]);
}
