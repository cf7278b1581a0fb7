//! Devices over restores: none that was forgotten comes back because a backup still knew it.

use std::fs;

use common::account::Account;
use common::bundle::{AccountChange, Bundle};

use super::restore::put_back_by_hand;
use super::support::{Yard, restore};
use crate::Process;
use crate::conformance::samples::{account, applies, insert, load, record, remembering, time};

fn recorded(at: u64, bundle: Bundle) -> Bundle {
    Bundle { records: vec![record(at)], ..bundle }
}

/// The backup knows a device. Since then an administrator has made it strange, and there is another one.
fn yard_with_later_devices() -> Yard {
    let yard = Yard::new(Process::ShortLived);
    let (store, alice) = (yard.sqlite(), account(1, "alice"));
    insert(&store, alice.clone());
    assert!(applies(&store, recorded(2900, remembering(&alice, 1, 2900))));
    store.backup_to(&yard.beside("backup")).unwrap();
    let later = Account { version: 2, generation: 1, ..alice };
    let update = Bundle {
        account: Some(AccountChange::Update(Box::new(later.clone()))),
        ..Bundle::of_records(record(3000).attempt, time(3000), Vec::new())
    };
    assert!(applies(&store, recorded(3000, update)));
    assert!(applies(&store, recorded(3010, remembering(&later, 2, 3010))));
    yard
}

#[test]
fn whatever_goes_back_remembers_no_device() {
    let over = |yard: &Yard| drop(restore(&yard.beside("backup"), &yard.path, 3050).unwrap());
    let lost = |yard: &Yard| {
        fs::remove_file(&yard.path).unwrap();
        over(yard);
    };
    let ways: [&dyn Fn(&Yard); 3] = [&over, &lost, &put_back_by_hand];
    for (number, go_back) in (0..).zip(ways) {
        let yard = yard_with_later_devices();
        go_back(&yard);
        let store = yard.sqlite();
        let loaded = load(&store, "alice");
        let alice = loaded.account.unwrap();
        assert_eq!(
            (alice.generation, loaded.tickets.live(&alice, time(3060)).count()),
            (0, 0),
            "way {number}"
        );
        assert!(applies(&store, remembering(&alice, 1, 3060)), "it may come back");
        assert_eq!(load(&store, "alice").tickets.live(&alice, time(3060)).count(), 1, "way {number}");
    }
}
