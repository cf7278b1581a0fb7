//! What goes wrong has a name, and nothing that is wrong gets anybody in.

use std::fs;

use common::account::Account;
use common::bundle::Bundle;
use common::keys::KeyId;
use common::ports::{Store as _, StoreError};

use super::support::Yard;
use crate::conformance::samples::{
    account, applies, counting, insert, lane, name, record, spending, step, with_codes,
};
use crate::{KeyCheck, Process, Sqlite, Trouble};

fn with_key(yard: &Yard, octet: u8) -> Sqlite {
    yard.sqlite().checking_keys(vec![KeyCheck { key: KeyId(1), mac: [octet; 32] }])
}

fn trouble<T>(result: Result<T, StoreError>) -> Trouble {
    match result {
        Ok(_) => panic!("nothing was wrong"),
        Err(error) => Trouble::of(&error),
    }
}

#[test]
fn a_key_file_of_another_machine_is_refused_at_the_first_look() {
    let yard = Yard::new(Process::ShortLived);
    // A store from before the check is not told from a new one: the first who writes says which key it is.
    insert(&yard.sqlite(), account(1, "alice"));
    let right = with_key(&yard, 1);
    assert!(right.load(&name("alice"), &lane("alice"), None).is_ok());
    right.count(&counting("alice", 1)).unwrap();
    let wrong = with_key(&yard, 2);
    assert_eq!(trouble(wrong.load(&name("alice"), &lane("alice"), None)), Trouble::WrongKey);
    assert_eq!(trouble(wrong.count(&counting("alice", 2))), Trouble::WrongKey);
    assert_eq!(with_key(&yard, 1).count(&counting("alice", 2)).unwrap().lane.failures, 2);
}

/// Octets all over the file, one after the other, with bits turned over. SQLite keeps no checksums of its pages: a
/// digit of an id may change unseen, and a name may be missing. Who somebody is and what he may do never changes.
#[test]
fn turned_bits_never_make_up_what_somebody_may_do() {
    let yard = Yard::new(Process::ShortLived);
    let written = with_codes(account(1, "alice"), [1, 2]);
    insert(&yard.sqlite(), written.clone());
    for number in 2..40 {
        insert(&yard.sqlite(), account(number, &format!("user{number}")));
    }
    let spent = Bundle { records: vec![record(3_000)], ..spending(step(1, 1, 100)) };
    assert!(applies(&yard.sqlite(), spent.clone()));
    yard.sqlite().backup_to(&yard.beside("copy.db")).unwrap();
    let sound = fs::read(yard.beside("copy.db")).unwrap();
    let mut damaged = 0;
    for place in (0..sound.len()).step_by(157) {
        let mut octets = sound.clone();
        octets[place] ^= 0x55;
        put_in_place(&yard, &octets);
        match yard.sqlite().load(&name("alice"), &lane("alice"), None) {
            Ok(loaded) => {
                let who = |it: &Account| (it.name.clone(), it.version, it.state, it.role, it.block);
                let found = loaded.account.as_ref().map_or_else(|| who(&written), who);
                assert_eq!(found, who(&written), "octet {place}");
            }
            Err(error) => damaged += u32::from(Trouble::of(&error) == Trouble::Damaged),
        }
        // Whatever becomes of it: not a panic.
        let _ = yard.sqlite().commit(std::slice::from_ref(&spent));
    }
    assert!(damaged > 5, "{damaged}");
}

fn put_in_place(yard: &Yard, octets: &[u8]) {
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(yard.path.with_file_name(format!("countersign.db{suffix}")));
    }
    fs::write(&yard.path, octets).unwrap();
}
