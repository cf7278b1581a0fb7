//! Backups, restores, and copies put back by hand.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use common::bundle::Bundle;
use common::limits::SESSION_SECONDS;
use common::ports::{Listing as _, Store as _, StoreError};

use super::support::{Yard, integrity, open, restore};
use crate::conformance::samples::{
    account, applies, bundle, code, conflicts, counting, insert, load, record, spending, step, success, time,
    verified, with_codes,
};
use crate::{Process, RecoveryCodes};

fn used(at: u64, spend: common::bundle::Spend) -> Bundle {
    Bundle { at: time(at), records: vec![record(at)], ..spending(spend) }
}

/// A store with a backup, and a step and a recovery code used after it.
fn yard_with_later_uses() -> Yard {
    let yard = Yard::new(Process::ShortLived);
    let store = yard.sqlite();
    insert(&store, with_codes(account(1, "alice"), [1, 2]));
    assert!(applies(&store, used(3000, step(1, 1, 100))));
    store.backup_to(&yard.beside("backup")).unwrap();
    assert!(applies(&store, used(3030, step(1, 1, 102))));
    assert!(applies(&store, used(3031, code(1, 1))));
    assert!(applies(&store, Bundle { success: Some(success(1, 3031)), ..bundle(3031) }));
    store.count(&counting("alice", 3032)).unwrap();
    yard
}

#[test]
fn nothing_that_was_used_since_a_backup_works_after_its_restore() {
    let yard = yard_with_later_uses();
    let restored = restore(&yard.beside("backup"), &yard.path, 3050).unwrap();
    assert_eq!(restored.recovery_codes, RecoveryCodes::StaySpent);
    let heads_before = restored.heads_before.unwrap();
    assert_eq!((heads_before[0].sequence, restored.heads[0].sequence), (3, 1));
    // Step 102 was used early: it begins at 3060, after the restore.
    assert_eq!(restored.floor, time(3060));
    let store = yard.sqlite();
    for spent in [step(1, 1, 100), step(1, 1, 101), step(1, 1, 102), code(1, 1)] {
        assert!(conflicts(&store, used(3051, spent.clone())), "{spent:?}");
    }
    assert!(applies(&store, used(3091, step(1, 1, 103))) && applies(&store, used(3091, code(1, 2))));
    assert!(conflicts(&store, Bundle { success: Some(success(1, 3031)), ..bundle(3091) }));
    assert_eq!(load(&store, "alice").lane.failures, 1);
    assert_eq!(verified(&store, "main").len(), 3);
    assert_eq!((integrity(&yard.path).as_str(), store.take_rollback()), ("ok", None));
}

#[test]
fn a_backup_with_longer_pages_is_restored_too() {
    let yard = yard_with_later_uses();
    let older = rusqlite::Connection::open(yard.beside("backup")).unwrap();
    older.execute_batch("PRAGMA page_size = 4096; VACUUM").unwrap();
    drop(older);
    restore(&yard.beside("backup"), &yard.path, 3050).unwrap();
    let store = yard.sqlite();
    assert!(conflicts(&store, used(3051, step(1, 1, 102))) && conflicts(&store, used(3051, code(1, 1))));
    assert_eq!((integrity(&yard.path).as_str(), verified(&store, "main").len()), ("ok", 1));
}

#[test]
fn programs_that_have_the_store_open_go_on_with_the_restored_one() {
    let yard = yard_with_later_uses();
    let server = open(&yard.path, Process::LongLived);
    assert_eq!(load(&server, "alice").floor, time(0));
    server.count(&counting("bob", 3040)).unwrap();
    restore(&yard.beside("backup"), &yard.path, 4000).unwrap();
    assert_eq!(load(&server, "alice").floor, time(4000));
    assert!(conflicts(&server, used(4001, step(1, 1, 133))));
    assert!(applies(&server, used(4001, step(1, 1, 134))));
    assert_eq!(load(&yard.sqlite(), "bob").lane.failures, 1);
}

#[test]
fn a_lost_store_is_restored_too_and_recovery_codes_are_then_unknown() {
    let yard = yard_with_later_uses();
    fs::remove_file(&yard.path).unwrap();
    assert!(yard.path.with_file_name("countersign.db-wal").exists());
    let restored = restore(&yard.beside("backup"), &yard.path, 3050).unwrap();
    assert_eq!((restored.recovery_codes, restored.floor), (RecoveryCodes::Unknown, time(3060)));
    assert_eq!(
        (restored.heads_before, restored.heads[0].sequence),
        (None, 1),
        "nobody knows how far it went"
    );
    let store = yard.sqlite();
    assert!(conflicts(&store, used(3051, step(1, 1, 102))));
    assert_eq!((integrity(&yard.path).as_str(), verified(&store, "main").len()), ("ok", 1));
}

#[test]
fn a_backup_can_be_put_on_another_machine() {
    let yard = yard_with_later_uses();
    let path = yard.beside("elsewhere").join("countersign.db");
    restore(&yard.beside("backup"), &path, 5000).unwrap();
    let store = open(&path, Process::ShortLived);
    assert_eq!(load(&store, "alice").floor, time(5000));
    assert!(applies(&store, used(5040, step(1, 1, 167))));
    assert_eq!((integrity(&path).as_str(), store.take_rollback()), ("ok", None));
}

/// Damages the store in each of some ways, and restores: the backup is in force, and the damaged file is kept.
#[test]
fn a_damaged_store_is_set_aside_and_the_backup_put_in_its_place() {
    let inverted = |from: usize| {
        move |octets: &mut Vec<u8>| octets.iter_mut().skip(from).for_each(|octet| *octet = !*octet)
    };
    let foreign = |octets: &mut Vec<u8>| *octets = b"no database ".repeat(4096);
    let empty = |octets: &mut Vec<u8>| octets.clear();
    type Damage<'a> = &'a dyn Fn(&mut Vec<u8>);
    let ways: [Damage<'_>; 4] = [&inverted(0), &inverted(1024), &foreign, &empty];
    for (number, damage) in (0..).zip(ways) {
        let yard = yard_with_later_uses();
        let server = open(&yard.path, Process::LongLived);
        load(&server, "alice");
        // What stands in the log only would not be damaged with the database.
        let log = rusqlite::Connection::open(&yard.path).unwrap();
        log.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        drop(log);
        let mut octets = fs::read(&yard.path).unwrap();
        damage(&mut octets);
        fs::write(&yard.path, &octets).unwrap();
        let restored = restore(&yard.beside("backup"), &yard.path, 3050);
        let restored = restored.unwrap_or_else(|error| panic!("way {number}: {error:?}"));
        let aside = restored.damaged.unwrap_or_else(|| panic!("way {number}"));
        assert_eq!(aside.file_name().unwrap(), "countersign.db-damaged-3050");
        assert!(fs::read(&aside).unwrap() == octets, "way {number}");
        assert_eq!((restored.recovery_codes, restored.floor), (RecoveryCodes::Unknown, time(3060)));
        let store = yard.sqlite();
        assert!(conflicts(&store, used(3051, step(1, 1, 102))), "way {number}");
        assert!(applies(&store, used(3091, step(1, 1, 103))), "way {number}");
        assert_eq!(load(&server, "alice").floor, time(3060), "a server goes on with the restored one");
        assert_eq!((integrity(&yard.path).as_str(), verified(&store, "main").len()), ("ok", 2));
    }
}

#[test]
fn a_damaged_backup_changes_nothing() {
    let yard = yard_with_later_uses();
    let mut octets = fs::read(yard.beside("backup")).unwrap();
    for octet in octets.iter_mut().skip(8192) {
        *octet = !*octet;
    }
    fs::write(yard.beside("damaged"), octets).unwrap();
    fs::write(yard.beside("foreign"), b"no database at all").unwrap();
    for backup in ["damaged", "foreign"] {
        let refused = restore(&yard.beside(backup), &yard.path, 3050);
        assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{backup}: {refused:?}");
    }
    let store = yard.sqlite();
    assert_eq!((load(&store, "alice").floor, store.heads().unwrap()[0].sequence), (time(0), 3));
    let left = fs::read_dir(yard.path.parent().unwrap()).unwrap();
    let names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.contains("restore")).count(), 0);
}

/// What an administrator does who has no manual.
pub(crate) fn put_back_by_hand(yard: &Yard) {
    fs::copy(yard.beside("backup"), &yard.path).unwrap();
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(yard.path.with_file_name(format!("countersign.db{suffix}"))).unwrap();
    }
}

#[test]
fn a_server_notices_that_its_file_was_replaced() {
    let yard = yard_with_later_uses();
    let server = open(&yard.path, Process::LongLived);
    assert_eq!(load(&server, "alice").floor, time(0));
    fs::rename(yard.beside("backup"), &yard.path).unwrap();
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(yard.path.with_file_name(format!("countersign.db{suffix}"))).unwrap();
    }
    assert!(conflicts(&server, used(3051, step(1, 1, 102))));
    assert_eq!(server.take_rollback().unwrap().floor, time(3060));
    assert!(applies(&server, used(3091, step(1, 1, 103))));
    assert_eq!(load(&yard.sqlite(), "alice").spent_steps[0].1, 103);
}

#[test]
fn a_mark_from_a_clock_that_ran_ahead_locks_nobody_out() {
    let yard = yard_with_later_uses();
    let store = yard.sqlite();
    let far_ahead = u64::from(u32::MAX) * 30;
    assert!(applies(&store, used(far_ahead, step(1, 1, 900))));
    store.release();
    put_back_by_hand(&yard);
    let floor = load(&yard.sqlite(), "alice").floor.seconds();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!((now - 60..=now + SESSION_SECONDS).contains(&floor), "{floor}");
}

#[test]
fn an_older_copy_put_back_by_hand_is_noticed_and_its_codes_are_refused() {
    let yard = yard_with_later_uses();
    put_back_by_hand(&yard);
    let store = yard.sqlite();
    for spent in [step(1, 1, 101), step(1, 1, 102)] {
        assert!(conflicts(&store, used(3051, spent)));
    }
    let rollback = store.take_rollback().unwrap();
    assert_eq!((rollback.records_before, rollback.records_found, rollback.floor), (Some(3), 1, time(3060)));
    assert!(applies(&store, used(3091, step(1, 1, 103))));
    assert_eq!(yard.sqlite().take_rollback(), None);
}

#[test]
fn a_torn_or_missing_mark_beside_records_is_told_of_and_codes_from_before_are_refused() {
    let mark = |yard: &Yard| yard.path.with_file_name("countersign.db-mark");
    let torn = [b"".as_slice(), &[0; 42], b"99999999999999999999 99999999999999999999\n"];
    let break_it = |yard: &Yard, way: usize| match torn.get(way) {
        Some(octets) => fs::write(mark(yard), octets).unwrap(),
        None => fs::remove_file(mark(yard)).unwrap(),
    };
    for way in 0..=torn.len() {
        let yard = yard_with_later_uses();
        put_back_by_hand(&yard);
        break_it(&yard, way);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let store = yard.sqlite();
        assert!(conflicts(&store, used(3051, step(1, 1, 102))), "way {way}");
        let rollback = store.take_rollback().unwrap();
        assert_eq!((rollback.records_before, rollback.records_found), (None, 1));
        assert!((now - 1..=now + 5).contains(&rollback.floor.seconds()), "way {way}: {rollback:?}");
        assert_eq!(yard.sqlite().take_rollback(), None, "told once");
        assert!(applies(&store, used(now + 60, step(1, 1, now / 30 + 2))));
    }
    let fresh = Yard::new(Process::ShortLived);
    for way in 0..=torn.len() {
        break_it(&fresh, way);
        assert_eq!((load(&fresh.sqlite(), "alice").floor, fresh.sqlite().take_rollback()), (time(0), None));
    }
}

#[test]
fn a_new_store_has_a_mark_before_anything_is_written() {
    let yard = Yard::new(Process::ShortLived);
    let mark = fs::read(yard.path.with_file_name("countersign.db-mark")).unwrap();
    assert_eq!(mark.len(), 42);
}
