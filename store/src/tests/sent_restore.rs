//! Codes that were sent, messages and counters of tokens over restores: nothing is used or sent twice because a backup did
//! not know of it.

use std::fs;

use common::bundle::{AccountChange, Bundle, Slot, Spend};
use common::message::Urgency;
use common::ports::{Fate, Outbox as _, OutboxFigures};

use super::restore::put_back_by_hand;
use super::support::{Yard, integrity, restore};
use crate::conformance::samples::{
    account, applies, bundle, conflicts, counter, envelope, factor, id, insert, load, message, phone, record,
    sending, sent_code, time,
};
use crate::{Process, RecoveryCodes, Sqlite};

fn used(at: u64, spend: Spend) -> Bundle {
    Bundle { spends: vec![spend], records: vec![record(at)], ..bundle(at) }
}

fn with_message(number: u64, bundle: Bundle) -> Bundle {
    Bundle { messages: vec![envelope(number, "alice", Urgency::Notice, 9000)], ..bundle }
}

/// The backup has two codes and a message. Since then one of them was used and the message sent, and there are a code and a
/// message that it does not have.
fn yard_with_later_codes() -> Yard {
    let yard = Yard::new(Process::ShortLived);
    let store = yard.sqlite();
    insert(&store, account(1, "alice"));
    assert!(applies(&store, used(2900, counter(1, 9, 5))));
    assert!(applies(&store, with_message(1, sending("alice", phone(1), 1, 2990))));
    assert!(applies(&store, sending("alice", phone(2), 2, 2990)));
    store.backup_to(&yard.beside("backup")).unwrap();
    assert_eq!(store.claim(time(3000), 60, 10).unwrap().len(), 1);
    store.settle(message(1), Fate::Over).unwrap();
    assert!(applies(&store, used(3010, sent_code("alice", phone(1), 1))));
    assert!(applies(&store, used(3010, counter(1, 9, 8))));
    let signed_in = Bundle { signed_in: Some(id(1)), ..sending("alice", Slot::Registration, 3, 3020) };
    assert!(applies(&store, with_message(2, signed_in)));
    yard
}

fn waiting(store: &Sqlite) -> Vec<u64> {
    let claimed = store.claim(time(4000), 60, 10).unwrap();
    (0..10).filter(|number| claimed.iter().any(|envelope| envelope.id == message(*number))).collect()
}

#[test]
fn a_restore_takes_codes_messages_and_counters_as_the_newer_store_has_them() {
    let yard = yard_with_later_codes();
    let restored = restore(&yard.beside("backup"), &yard.path, 3050).unwrap();
    assert_eq!(restored.recovery_codes, RecoveryCodes::StaySpent);
    let store = yard.sqlite();
    let loaded = load(&store, "alice");
    assert_eq!((loaded.signed_in_at, loaded.sent.sendings.in_day(time(3060))), (Some(time(3020)), 3));
    assert_eq!(loaded.spent_steps, [(factor(9), 8)]);
    assert!(conflicts(&store, used(3060, sent_code("alice", phone(1), 1))), "it was used");
    assert!(conflicts(&store, used(3060, counter(1, 9, 8))) && applies(&store, used(3060, counter(1, 9, 9))));
    assert!(applies(&store, used(3060, sent_code("alice", Slot::Registration, 3))));
    assert!(applies(&store, used(3060, sent_code("alice", phone(2), 2))));
    assert!(conflicts(&store, sending("alice", phone(1), 4, 3060)), "the day goes on");
    assert_eq!(store.figures().unwrap(), OutboxFigures { waiting: 1, expired: 0, left_out: 0 });
    assert_eq!((waiting(&store), integrity(&yard.path).as_str()), (vec![2], "ok"));
}

#[test]
fn without_the_newer_store_no_code_is_good_and_nothing_is_sent_again() {
    let lost = |yard: &Yard| {
        fs::remove_file(&yard.path).unwrap();
        restore(&yard.beside("backup"), &yard.path, 3050).unwrap();
    };
    let ways: [&dyn Fn(&Yard); 2] = [&lost, &put_back_by_hand];
    for (number, go_back) in (0..).zip(ways) {
        let yard = yard_with_later_codes();
        go_back(&yard);
        let store = yard.sqlite();
        for spend in [sent_code("alice", phone(1), 1), sent_code("alice", phone(2), 2)] {
            assert!(conflicts(&store, used(3060, spend)), "way {number}");
        }
        assert_eq!((waiting(&store), store.figures().unwrap().waiting), (vec![], 0), "way {number}");
        assert_eq!(integrity(&yard.path), "ok");
    }
}

#[test]
fn a_counter_stays_spent_although_its_account_was_removed_or_made_since() {
    let yard = yard_with_later_codes();
    let store = yard.sqlite();
    insert(&store, account(2, "bob"));
    assert!(applies(&store, used(3030, counter(2, 9, 70))));
    store.backup_to(&yard.beside("later")).unwrap();
    assert!(applies(&store, used(3031, counter(2, 9, 71))));
    assert!(applies(&store, Bundle { account: Some(AccountChange::Remove(id(1))), ..bundle(3040) }));
    // Of the two, the older backup knows alice alone, and the later one both.
    for backup in ["backup", "later"] {
        restore(&yard.beside(backup), &yard.path, 3050).unwrap();
    }
    let store = yard.sqlite();
    assert!(
        conflicts(&store, used(3060, counter(1, 9, 8))) && conflicts(&store, used(3060, counter(2, 9, 71)))
    );
    assert!(applies(&store, used(3060, counter(1, 9, 9))) && applies(&store, used(3060, counter(2, 9, 72))));
}

#[test]
fn the_higher_counter_stays_where_the_backup_has_it() {
    let yard = yard_with_later_codes();
    yard.sqlite().backup_to(&yard.beside("newest")).unwrap();
    put_back_by_hand(&yard);
    assert!(applies(&yard.sqlite(), used(3045, counter(1, 9, 6))), "an older copy does not know better");
    restore(&yard.beside("newest"), &yard.path, 3050).unwrap();
    let store = yard.sqlite();
    assert!(conflicts(&store, used(3060, counter(1, 9, 8))) && applies(&store, used(3060, counter(1, 9, 9))));
}
