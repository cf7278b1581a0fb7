//! Restores after restores, of strangers' backups, beside uses, and broken off in the middle.

use std::fs;
use std::sync::{Mutex, PoisonError};

use common::UnixTime;
use common::account::Account;
use common::bundle::{AccountChange, Bundle};
use common::keys::KeyId;
use common::ports::{Clock, Listing as _, StoreError};

use super::support::{Yard, options, restore, restore_with};
use crate::conformance::samples::{
    account, applies, bundle, code, conflicts, id, insert, load, record, spending, step, time, with_codes,
};
use crate::{KeyCheck, Process, RecoveryCodes, Restoring, Sqlite, SqliteError, Trouble};

fn used(at: u64, spend: common::bundle::Spend) -> Bundle {
    Bundle { at: time(at), records: vec![record(at)], ..spending(spend) }
}

/// A store with alice and two recovery codes; backups from before she was made, and after. Code 1 was used since.
fn yard_with_two_backups() -> Yard {
    let yard = Yard::new(Process::ShortLived);
    let store = yard.sqlite();
    store.backup_to(&yard.beside("old")).unwrap();
    insert(&store, with_codes(account(1, "alice"), [1, 2]));
    store.backup_to(&yard.beside("new")).unwrap();
    assert!(applies(&store, used(3031, code(1, 1))));
    yard
}

fn put(yard: &Yard, backup: &str) -> RecoveryCodes {
    restore(&yard.beside(backup), &yard.path, 3050).unwrap().recovery_codes
}

fn only_the_second_code_is_good(yard: &Yard) {
    let store = yard.sqlite();
    assert!(conflicts(&store, used(3091, code(1, 1))));
    assert!(applies(&store, used(3091, code(1, 2))));
}

#[test]
fn codes_stay_spent_over_a_backup_that_does_not_know_their_account() {
    let yard = yard_with_two_backups();
    assert_eq!(put(&yard, "old"), RecoveryCodes::StaySpent);
    assert!(load(&yard.sqlite(), "alice").account.is_none());
    assert_eq!(put(&yard, "new"), RecoveryCodes::StaySpent);
    only_the_second_code_is_good(&yard);
}

#[test]
fn codes_stay_spent_although_their_set_was_renewed_or_their_account_removed() {
    let renewed = Account { version: 2, ..with_codes(account(1, "alice"), [8, 9]) };
    for change in [AccountChange::Update(Box::new(renewed)), AccountChange::Remove(id(1))] {
        let yard = yard_with_two_backups();
        assert!(applies(&yard.sqlite(), Bundle { account: Some(change), ..bundle(3040) }));
        assert_eq!(put(&yard, "new"), RecoveryCodes::StaySpent);
        only_the_second_code_is_good(&yard);
    }
}

#[test]
fn a_store_that_lost_uses_itself_does_not_say_that_codes_stay_spent() {
    let yard = yard_with_two_backups();
    fs::write(&yard.path, b"").unwrap();
    assert_eq!(put(&yard, "old"), RecoveryCodes::Unknown);
    assert_eq!(put(&yard, "new"), RecoveryCodes::Unknown);
    yard.sqlite().backup_to(&yard.beside("newest")).unwrap();
    assert_eq!(put(&yard, "newest"), RecoveryCodes::StaySpent);

    let yard = yard_with_two_backups();
    fs::remove_file(yard.path.with_file_name("countersign.db-mark")).unwrap();
    let restored = restore(&yard.beside("new"), &yard.path, 3050).unwrap();
    assert_eq!(restored.recovery_codes, RecoveryCodes::Unknown);
    assert_eq!(restored.rollback.unwrap().records_before, None);
}

fn check(key: u32, octet: u8) -> KeyCheck {
    KeyCheck { key: KeyId(key), mac: [octet; 32] }
}

#[test]
fn a_backup_that_was_written_with_other_keys_changes_nothing() {
    let strangers = yard_with_two_backups();
    let with_keys = Sqlite::open(&strangers.path, options("main", Process::ShortLived)).unwrap();
    assert!(applies(&with_keys.checking_keys(vec![check(1, 7)]), used(3032, code(1, 2))));
    strangers.sqlite().backup_to(&strangers.beside("strange")).unwrap();

    let yard = yard_with_two_backups();
    let before = yard.sqlite().heads().unwrap();
    let refused = restore_with(vec![check(1, 1)], &strangers.beside("strange"), &yard.path, 3050);
    let Err(StoreError::Unavailable { source, .. }) = refused else { panic!("{refused:?}") };
    let cause = source.downcast_ref::<SqliteError>().unwrap();
    assert!(matches!(cause, SqliteError::BackupOfOther { key: 1, .. }), "{cause:?}");
    assert_eq!((yard.sqlite().heads().unwrap(), load(&yard.sqlite(), "alice").floor), (before, time(0)));
    assert!(restore_with(vec![check(1, 7)], &strangers.beside("strange"), &yard.path, 3050).is_ok());
}

/// A clock that is asked when nobody else can write: until then, somebody uses a code.
struct Late<'yard>(&'yard Yard, Mutex<Vec<UnixTime>>);

impl Clock for Late<'_> {
    fn now(&self) -> UnixTime {
        let locked = fs::File::open(self.0.path.with_file_name("countersign.db-queue")).unwrap().try_lock();
        assert!(locked.is_err(), "nobody holds the turn");
        self.1.lock().unwrap_or_else(PoisonError::into_inner).push(time(3400));
        time(3400)
    }
}

#[test]
fn a_restore_asks_the_clock_once_nobody_can_use_a_code_any_more() {
    let yard = yard_with_two_backups();
    let clock = Late(&yard, Mutex::new(Vec::new()));
    let restored = Sqlite::restore(
        &yard.beside("new"),
        &yard.path,
        &Restoring { owner: None, keys: vec![], clock: &clock },
    );
    assert_eq!(restored.unwrap().floor, time(3400));
    assert_eq!(clock.1.into_inner().unwrap().len(), 1);
}

#[test]
fn a_step_that_was_used_far_ahead_of_the_clock_of_a_restore_stays_spent() {
    let yard = yard_with_two_backups();
    assert!(applies(&yard.sqlite(), used(9000, step(1, 1, 300))));
    let restored = restore(&yard.beside("new"), &yard.path, 3050).unwrap();
    assert!(restored.floor < time(9000));
    let store = yard.sqlite();
    assert!(conflicts(&store, used(9001, step(1, 1, 300))) && conflicts(&store, used(9001, step(1, 1, 299))));
    assert!(applies(&store, used(9031, step(1, 1, 301))));
}

#[test]
fn what_a_broken_off_restore_left_is_named_and_the_next_one_removes_it() {
    let yard = yard_with_two_backups();
    let left = ["-restore", "-restore-wal", "-restore-shm", "-restore-journal"]
        .map(|suffix| yard.path.with_file_name(format!("countersign.db{suffix}")));
    left.iter().for_each(|path| fs::write(path, b"secrets").unwrap());
    let examine = || {
        let options = options("main", Process::ShortLived);
        let findings = Sqlite::examine(&yard.path, options, Vec::new(), time(4000)).findings;
        findings.into_iter().filter(|it| left.contains(&it.file)).collect::<Vec<_>>()
    };
    let found = examine();
    assert!(found.len() == 4 && found.iter().all(|it| it.trouble == Trouble::Other), "{found:?}");
    assert!(found.iter().all(|it| it.advice.contains(&format!("'rm {}'", it.file.display()))), "{found:?}");

    let directory = fs::File::open(yard.path.parent().unwrap()).unwrap();
    directory.lock().unwrap();
    assert_eq!(examine(), [], "one that is under way");
    assert!(restore(&yard.beside("new"), &yard.path, 3050).is_err());
    assert!(left.iter().all(|path| path.exists()), "they belong to the other one");
    drop(directory);

    put(&yard, "new");
    assert!(!left.iter().any(|path| path.exists()));
}
