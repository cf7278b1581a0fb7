//! A disk that is really full: a small file system of its own, in a mount namespace that ends with the test.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::bundle::{Bundle, Outcome, Success};
use common::message::Urgency;
use common::ports::{Fate, Outbox as _, Store as _, StoreError, StoreTrouble};
use common::record::{Ending, Record, Severity};
use common::{AttemptId, Reason};

use super::support::{integrity, open};
use crate::conformance::samples::{
    account, applies, bundle, counting, envelope, insert, load, new_code, phone, record, step, time, verified,
};
use crate::limits::{RESERVE_OCTETS, RESERVE_TAKEN};
use crate::{Process, Sqlite};

const DISK: &str = "COUNTERSIGN_TEST_DISK";
const DISK_OCTETS: &str = "32m";
/// What the reserve is made for.
const ACCEPTS: u64 = 5_000;
const ACCOUNTS: u8 = 200;

/// Runs one of the ignored tests below on a file system of its own. Where nobody may mount one the test fails: a full disk
/// that nobody has tried is no disk that was survived.
fn on_a_small_disk(name: &str) {
    let mount = "mount -t tmpfs -o size=\"$1\" tmpfs \"$2\" && shift 2 && exec \"$@\"";
    let directory = tempfile::tempdir().unwrap();
    let is_root = nix::unistd::geteuid().is_root();
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        if !is_root {
            command.arg("--map-root-user");
        }
        command.args(["--mount", "--", "sh", "-c", script, "sh", DISK_OCTETS]);
        command.arg(directory.path()).env(DISK, directory.path());
        command
    };
    let tried = unshare("mount -t tmpfs -o size=\"$1\" tmpfs \"$2\"").output();
    assert!(
        tried.as_ref().is_ok_and(|tried| tried.status.success()),
        "this machine lets an ordinary user mount no file system of their own ({tried:?}): run the tests of `store` as root, \
         or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1 or \
         kernel.apparmor_restrict_unprivileged_userns=0)"
    );
    let name = format!("tests::full_disk::{name}");
    let ended = unshare(mount)
        .arg(env::current_exe().unwrap())
        .args(["--exact", &name, "--ignored", "--nocapture", "--test-threads=1"])
        .status()
        .unwrap();
    assert!(ended.success());
}

/// Somebody who takes every octet that is free, whenever it is asked.
struct Filler(File);

impl Filler {
    fn new(disk: &Path) -> Self {
        Self(OpenOptions::new().create(true).append(true).open(disk.join("filler")).unwrap())
    }

    fn fill(&mut self) {
        for piece in [vec![1; 1 << 20], vec![2; 4096]] {
            loop {
                match self.0.write_all(&piece) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }
}

struct Disk {
    path: PathBuf,
    store: PathBuf,
    filler: Filler,
}

impl Disk {
    fn new() -> Self {
        let path = PathBuf::from(env::var_os(DISK).unwrap());
        let store = path.join("store/countersign.db");
        Sqlite::create(&store, None).unwrap();
        let server = open(&store, Process::LongLived);
        for number in 0..ACCOUNTS {
            insert(&server, account(number, &format!("user{number}")));
        }
        let filler = Filler::new(&path);
        Self { path, store, filler }
    }

    fn reserve(&self) -> u64 {
        fs::metadata(self.store.with_file_name("countersign.db-reserve")).unwrap().len()
    }

    fn free(&mut self) {
        fs::remove_file(self.path.join("filler")).unwrap();
        self.filler = Filler::new(&self.path);
    }
}

fn session(number: u64) -> AttemptId {
    let mut octets = [7; 16];
    octets[..8].copy_from_slice(&number.to_be_bytes());
    AttemptId::from_bytes(octets)
}

/// A record with every field that an ordinary login has.
fn full_record(number: u64, ending: Ending) -> Record {
    let (severity, reason) = match ending {
        Ending::Reject => (Severity::Notice, Reason::WrongCode),
        _ => (Severity::Info, Reason::BothProofs),
    };
    Record {
        attempt: session(number),
        severity,
        rule: Some("employees-from-outside".to_owned()),
        factor: Some("totp 3f0c9a52d1e84b7790aa".to_owned()),
        ending,
        reason,
        ..record(10_000 + number)
    }
}

fn accept(number: u64) -> Bundle {
    let at = time(10_000 + number);
    let owner = u8::try_from(number % u64::from(ACCOUNTS)).unwrap();
    Bundle {
        spends: vec![step(owner, 1, (10_000 + number) / 30 + 1)],
        success: Some(Success {
            session: session(number),
            digest: [3; 32],
            expires_at: at.plus_seconds(300),
            at,
        }),
        ..Bundle::of_records(session(number), at, vec![full_record(number, Ending::Accept)])
    }
}

fn refusal(number: u64) -> Bundle {
    let records = vec![full_record(number, Ending::Reject)];
    Bundle::of_records(session(number), time(10_000 + number), records)
}

/// As a login does: it loads, counts, and spends.
fn sign_in(store: &Sqlite, number: u64) {
    let user = format!("user{}", number % u64::from(ACCOUNTS));
    load(store, &user);
    store.count(&counting(&user, 10_000 + number)).unwrap();
    let outcomes = store.commit(&[accept(number)]).unwrap();
    assert!(matches!(outcomes[0], Outcome::Applied(_)), "accept {number}");
}

fn is_turned_away(store: &Sqlite, number: u64) -> bool {
    match store.commit(&[refusal(number)]).unwrap().remove(0) {
        Outcome::Applied(entries) => entries.iter().all(|entry| entry.position.is_none()),
        Outcome::Conflict => panic!("a refusal has no condition"),
    }
}

#[test]
fn a_full_disk_takes_5000_accepts_more() {
    on_a_small_disk("takes_accepts_from_the_reserve");
}

#[test]
#[ignore = "needs the file system of the test above"]
fn takes_accepts_from_the_reserve() {
    let mut disk = Disk::new();
    let server = open(&disk.store, Process::LongLived);
    sign_in(&server, 0);
    assert_eq!(disk.reserve(), RESERVE_OCTETS);
    disk.filler.fill();
    for number in 1..=ACCEPTS {
        // Whoever fills the disk takes what is free between any two writes.
        disk.filler.fill();
        if number % 5 == 0 {
            sign_in(&open(&disk.store, Process::ShortLived), number);
        } else {
            sign_in(&server, number);
        }
    }
    println!("reserve left after {ACCEPTS} accepts: {} of {RESERVE_OCTETS}", disk.reserve());
    assert_eq!(integrity(&disk.store), "ok");
    assert_eq!(verified(&server, "main").len(), usize::try_from(ACCEPTS).unwrap() + 1);

    disk.free();
    for number in 1..=RESERVE_OCTETS / RESERVE_TAKEN + 1 {
        sign_in(&server, ACCEPTS + number);
    }
    assert_eq!(disk.reserve(), RESERVE_OCTETS);
    assert!(!is_turned_away(&server, 9_999));
}

#[test]
fn refusals_cost_nothing_of_the_reserve() {
    on_a_small_disk("turns_refusals_away");
}

#[test]
#[ignore = "needs the file system of the test above"]
fn turns_refusals_away() {
    let mut disk = Disk::new();
    let server = open(&disk.store, Process::LongLived);
    for _ in 0..40 {
        disk.filler.fill();
        if is_turned_away(&server, 1) {
            break;
        }
    }
    sign_in(&server, 1);
    disk.filler.fill();
    let (before, log) =
        (disk.reserve(), fs::metadata(disk.store.with_file_name("countersign.db-wal")).unwrap().len());
    for number in 2..500 {
        assert!(is_turned_away(&server, number));
        assert!(is_turned_away(&open(&disk.store, Process::ShortLived), number));
        disk.filler.fill();
    }
    let log_now = fs::metadata(disk.store.with_file_name("countersign.db-wal")).unwrap().len();
    assert_eq!(disk.reserve(), before);
    assert!(log_now < log + 8192, "more than what is left of one page: {log}, {log_now}");
    // A flood of counts from new places makes nobody's guesses forgotten, and stays small.
    let guessed = || server.count(&counting("guesser", 10_000)).unwrap().lane.failures;
    assert_eq!([guessed(), guessed(), guessed(), guessed()], [1, 2, 3, 4]);
    for number in 0..2_000 {
        server.count(&counting(&format!("guesser{number}"), 10_000)).unwrap();
        disk.filler.fill();
    }
    println!("reserve before and after 2,000 counts: {before}, {}", disk.reserve());
    assert!(disk.reserve() + 1_000_000 > before);
    assert_eq!(guessed(), 5);
    sign_in(&server, 501);
    assert_eq!(integrity(&disk.store), "ok");
    disk.free();
    for number in 0..=RESERVE_OCTETS / RESERVE_TAKEN {
        assert!(!is_turned_away(&server, 1_000 + number), "{number}");
    }
    assert_eq!(disk.reserve(), RESERVE_OCTETS);
}

#[test]
fn codes_are_refused_on_a_full_disk_and_what_was_claimed_is_settled() {
    on_a_small_disk("refuses_codes");
}

fn is_full<T>(done: &Result<T, StoreError>) -> bool {
    matches!(done, Err(StoreError::Unavailable { trouble: StoreTrouble::Full, .. }))
}

#[test]
#[ignore = "needs the file system of the test above"]
fn refuses_codes() {
    let mut disk = Disk::new();
    let server = open(&disk.store, Process::LongLived);
    let message = |number| envelope(number, "user1", Urgency::Notice, 90_000);
    let put = Bundle { messages: (0..50).map(message).collect(), ..bundle(10_000) };
    assert!(applies(&server, put));
    assert_eq!(server.claim(time(10_000), 60, 40).unwrap().len(), 40);
    let ask = |number: u64| Bundle {
        new_code: Some(new_code(&format!("user{number}"), phone(1), 1, 10_000)),
        messages: vec![envelope(1_000 + number, "user1", Urgency::Code, 10_300)],
        records: vec![full_record(number, Ending::Challenge)],
        ..bundle(10_000)
    };
    for number in 0..40 {
        disk.filler.fill();
        if is_full(&server.commit(&[ask(number)])) {
            break;
        }
    }
    disk.filler.fill();
    let reserve = disk.reserve();
    for number in 100..200 {
        let process = open(&disk.store, Process::ShortLived);
        assert!(is_full(&server.commit(&[ask(number)])) && is_full(&process.commit(&[ask(number)])));
        assert!(load(&server, &format!("user{number}")).sent.codes.is_empty());
        assert!(is_full(&server.claim(time(10_000), 60, 40)));
        disk.filler.fill();
    }
    assert_eq!(disk.reserve(), reserve, "what can do without the reserve does");
    let waiting = server.figures().unwrap().waiting;
    for number in 0..40 {
        server.settle(message(number).id, Fate::Over).unwrap();
        disk.filler.fill();
    }
    assert_eq!(server.figures().unwrap().waiting, waiting - 40);
    // Who gets in by a recovery code gets in, and the notice of it is kept.
    let notice = envelope(9_999, "user2", Urgency::Notice, 90_000);
    assert!(applies(&server, Bundle { messages: vec![notice], ..accept(1) }));
    assert_eq!((server.figures().unwrap().waiting, integrity(&disk.store).as_str()), (waiting - 39, "ok"));
    disk.free();
    for number in 0..=RESERVE_OCTETS / RESERVE_TAKEN {
        assert!(!is_turned_away(&server, 1_000 + number), "{number}");
    }
    assert!(applies(&server, ask(199)) && !server.claim(time(10_000), 60, 40).unwrap().is_empty());
}

#[test]
fn a_group_on_a_full_disk_is_parted() {
    on_a_small_disk("parts_a_group");
}

#[test]
#[ignore = "needs the file system of the test above"]
fn parts_a_group() {
    let mut disk = Disk::new();
    let server = open(&disk.store, Process::LongLived);
    sign_in(&server, 0);
    disk.filler.fill();
    let filler = &mut disk.filler;
    std::thread::scope(|scope| {
        let accepts: Vec<_> = (1..=20)
            .map(|number| {
                let server = &server;
                scope.spawn(move || match number % 2 {
                    0 => sign_in(server, number),
                    _ => {
                        is_turned_away(server, number);
                    }
                })
            })
            .collect();
        while accepts.iter().any(|it| !it.is_finished()) {
            filler.fill();
        }
        assert!(accepts.into_iter().all(|it| it.join().is_ok()));
    });
    assert_eq!(integrity(&disk.store), "ok");
}
