//! What goes wrong has a name, and nothing that is wrong gets anybody in.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use common::account::Account;
use common::bundle::Bundle;
use common::keys::KeyId;
use common::message::Urgency;
use common::ports::{Outbox as _, OutboxFigures, Store as _, StoreError};

use super::support::{Yard, options};
use crate::conformance::samples::{
    account, applies, bundle, counting, envelope, insert, lane, name, record, spending, step, time,
    with_codes,
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

fn examined(yard: &Yard, key: u8) -> Vec<(Trouble, String)> {
    let keys = vec![KeyCheck { key: KeyId(1), mac: [key; 32] }];
    let examination = Sqlite::examine(&yard.path, options("main", Process::ShortLived), keys, time(5_000));
    examination.findings.into_iter().map(|finding| (finding.trouble, finding.what)).collect()
}

#[test]
fn a_look_finds_what_is_wrong_and_nothing_else() {
    let yard = Yard::new(Process::ShortLived);
    insert(&with_key(&yard, 1), account(1, "alice"));
    assert_eq!(examined(&yard, 1), []);
    let kinds = |found: Vec<(Trouble, String)>| found.iter().map(|(kind, _)| *kind).collect::<Vec<_>>();
    assert_eq!(kinds(examined(&yard, 2)), [Trouble::WrongKey]);
    for name in ["countersign.db-queue", "countersign.db"] {
        let file = yard.path.with_file_name(name);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(kinds(examined(&yard, 1)).iter().all(|kind| *kind == Trouble::Exposed), "{name}");
        assert!(!examined(&yard, 1).is_empty(), "{name}");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let sound = fs::read(&yard.path).unwrap();
    put_in_place(&yard, &[sound[..4096].to_vec(), vec![7; sound.len() - 4096]].concat());
    assert_eq!(kinds(examined(&yard, 1)), [Trouble::Damaged]);
    fs::remove_file(&yard.path).unwrap();
    assert_eq!(kinds(examined(&yard, 1)), [Trouble::Absent]);
}

#[test]
fn a_look_says_who_holds_the_queue() {
    let yard = Yard::new(Process::ShortLived);
    let queue = fs::File::open(yard.path.with_file_name("countersign.db-queue")).unwrap();
    queue.lock().unwrap();
    let (kind, what) = examined(&yard, 1).remove(0);
    assert_eq!(kind, Trouble::Slow);
    assert!(what.starts_with(&format!("process {} (", std::process::id())), "{what}");
    drop(queue);
    assert_eq!(examined(&yard, 1), []);
}

#[test]
fn a_look_tells_of_a_clock_that_is_behind() {
    let yard = Yard::new(Process::ShortLived);
    let raw = rusqlite::Connection::open(&yard.path).unwrap();
    raw.execute("UPDATE meta SET floor = 5_060", []).unwrap();
    let (kind, what) = examined(&yard, 1).remove(0);
    assert_eq!((kind, what.contains("60 s more")), (Trouble::Other, true), "{what}");
}

#[test]
fn an_examination_says_what_waits_to_be_sent_and_since_when_no_server_comes() {
    let yard = Yard::new(Process::LongLived);
    let store = yard.sqlite();
    let figures = |now| {
        let options = options("main", Process::ShortLived);
        let examination = Sqlite::examine(&yard.path, options, Vec::new(), time(now));
        assert_eq!(examination.findings, []);
        (examination.figures.messages.unwrap(), examination.figures.untaken_since)
    };
    assert_eq!(figures(1000), (OutboxFigures::default(), None));
    let messages = vec![envelope(1, "alice", Urgency::Notice, 9000)];
    assert!(applies(&store, Bundle { messages, ..bundle(1000) }));
    let waiting = OutboxFigures { waiting: 1, expired: 0, left_out: 0 };
    assert_eq!((figures(999), figures(2000)), ((waiting, None), (waiting, Some(time(1000)))));
    assert_eq!(store.claim(time(2000), 60, 1).unwrap().len(), 1);
    assert_eq!(figures(2000), (waiting, None));
    assert_eq!(figures(3000), (waiting, Some(time(2060))));
}
