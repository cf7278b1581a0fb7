//! The break-glass file: what it keeps, what it survives, and that nothing in it is ever taken for what it is not.

mod torn;

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::account::{Account, Factor, FactorKind};
use common::bundle::{Bundle, Outcome, Precondition, Spend, Success};
use common::keys::KeyId;
use common::limits::FREE_FAILURES;
use common::ports::{BreakGlass as _, Loaded, Store as _, StoreError};
use common::totp::TotpParameters;
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::break_glass::layout::{FILE_OCTETS, RECORDS_MAX, SLOT_OCTETS, SUCCESSES_MAX};
use crate::conformance::samples::{
    CHAIN_KEY, account, code, code_id, counting, counting_against, factor, id, is_applied, lane, name,
    recognised, record, session, spending, step, time, with_codes,
};
use crate::{BREAK_GLASS_STREAM, BreakGlassFile, BreakGlassKey, Made};

const FILE: &str = "COUNTERSIGN_TEST_FILE";

/// A file in a folder of its own, gone with the value.
struct Den {
    _folder: TempDir,
    path: PathBuf,
}

impl Den {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("break-glass");
        assert_eq!(open(&path).create().unwrap(), Made::New);
        Self { _folder: folder, path }
    }

    /// With root in it, who has a factor and two recovery codes.
    fn with_root() -> Self {
        let den = Self::new();
        den.file().keep(&loaded(root(1))).unwrap();
        den
    }

    fn file(&self) -> BreakGlassFile {
        open(&self.path)
    }

    fn octets(&self) -> Vec<u8> {
        fs::read(&self.path).unwrap()
    }

    fn put(&self, begins: usize, octets: &[u8]) {
        let file = OpenOptions::new().write(true).open(&self.path).unwrap();
        file.write_all_at(octets, begins.try_into().unwrap()).unwrap();
    }
}

fn open(path: &Path) -> BreakGlassFile {
    BreakGlassFile::new(path.to_owned(), own_uid(path), vec![key(1, 9)])
}

fn own_uid(path: &Path) -> u32 {
    fs::metadata(path.parent().unwrap()).unwrap().uid()
}

fn key(id: u32, fill: u8) -> BreakGlassKey {
    let (slots, chain) = (Zeroizing::new([fill; 32]), Zeroizing::new(CHAIN_KEY));
    BreakGlassKey { id: KeyId(id), slots, chain }
}

fn root(version: u64) -> Account {
    let kind = FactorKind::Totp {
        parameters: TotpParameters::default(),
        secret: "1.AAAA".to_owned().try_into().unwrap(),
        drift: 0,
    };
    let app = Factor { id: factor(1), label: "phone".to_owned(), kind, added_at: time(100) };
    Account { version, factors: vec![app], ..with_codes(account(1, "root"), [1, 2]) }
}

fn loaded(account: Account) -> Loaded {
    Loaded { account: Some(account), ..Loaded::default() }
}

fn load(file: &BreakGlassFile, user: &str) -> Result<Loaded, StoreError> {
    file.load(&name(user), &lane(user), None)
}

/// A login that spends one thing.
fn login(spend: Spend) -> Bundle {
    let precondition = Precondition::Version { account: id(1), version: 1 };
    Bundle { precondition, records: vec![record(100)], ..spending(spend) }
}

fn applies(file: &BreakGlassFile, bundle: Bundle) -> bool {
    is_applied(&file.commit(&[bundle]).unwrap()[0])
}

/// The places of all records that are kept, after every MAC was computed again from the oldest one on.
fn verified(file: &BreakGlassFile) -> Vec<u64> {
    let survey = file.survey().unwrap();
    let (mut sequence, mut mac) = (survey.beginning.sequence, survey.beginning.mac);
    for record in &survey.records {
        sequence += 1;
        mac = mac.next(&CHAIN_KEY, BREAK_GLASS_STREAM, sequence, &record.body).unwrap();
        assert_eq!((record.sequence, record.mac), (sequence, mac));
    }
    assert_eq!((sequence, mac), (survey.head.sequence, survey.head.mac));
    survey.records.iter().map(|record| record.sequence).collect()
}

// What it keeps.

#[test]
fn a_new_file_is_whole_and_private_and_takes_all_its_space_at_once() {
    let den = Den::new();
    let metadata = fs::metadata(&den.path).unwrap();
    assert_eq!((metadata.len(), metadata.mode() & 0o7777), (FILE_OCTETS, 0o600));
    assert!(metadata.blocks() * 512 >= FILE_OCTETS, "{} blocks", metadata.blocks());
    assert_eq!(den.file().create().unwrap(), Made::Found);
    assert_eq!(load(&den.file(), "root").unwrap().account, None);
    assert_eq!(den.file().survey().unwrap().damaged_slots, 0);
    assert!(verified(&den.file()).is_empty());
}

#[test]
fn a_copy_loads_as_it_was_kept_and_nothing_ever_grows() {
    let den = Den::with_root();
    let file = den.file();
    let found = load(&file, "root").unwrap();
    assert_eq!(found.account, Some(root(1)));
    assert!(found.spent_steps.is_empty() && found.spent_codes.is_empty());
    assert_eq!(load(&file, "alice").unwrap().account, None);
    for at in 1..50 {
        assert!(applies(&file, login(step(1, 1, at))));
    }
    file.keep(&loaded(root(2))).unwrap();
    assert_eq!(load(&file, "root").unwrap().account.unwrap().version, 2);
    assert_eq!(fs::metadata(&den.path).unwrap().len(), FILE_OCTETS);
}

#[test]
fn a_code_and_a_recovery_code_work_once() {
    let den = Den::with_root();
    let file = den.file();
    assert!(applies(&file, login(step(1, 1, 40))));
    for spent in [40, 39, 1] {
        assert!(!applies(&file, login(step(1, 1, spent))), "{spent}");
    }
    assert!(applies(&file, login(code(1, 1))));
    assert!(!applies(&file, login(code(1, 1))));
    let found = load(&file, "root").unwrap();
    assert_eq!((found.spent_steps, found.spent_codes), (vec![(factor(1), 40)], vec![code_id(1)]));
    assert_eq!(verified(&file), [1, 2]);
}

#[test]
fn what_was_not_loaded_from_the_copy_is_not_for_the_file_to_decide() {
    let den = Den::with_root();
    for precondition in [
        Precondition::Version { account: id(1), version: 2 },
        Precondition::Version { account: id(2), version: 1 },
        Precondition::Absent(name("root")),
        Precondition::Nothing,
    ] {
        assert!(den.file().commit(&[Bundle { precondition, ..login(step(1, 1, 40)) }]).is_err());
    }
    assert!(!applies(&den.file(), login(step(2, 1, 40))), "a step of another account");
    assert!(verified(&den.file()).is_empty());
}

#[test]
fn what_was_loaded_before_the_account_was_changed_and_copied_has_lost_a_race() {
    let den = Den::with_root();
    den.file().keep(&loaded(root(2))).unwrap();
    assert!(!applies(&den.file(), login(step(1, 1, 40))));
    assert!(verified(&den.file()).is_empty());
    let precondition = Precondition::Version { account: id(1), version: 2 };
    assert!(applies(&den.file(), Bundle { precondition, ..login(step(1, 1, 40)) }), "nothing was spent");
}

#[test]
fn a_record_that_finds_no_room_is_no_accept() {
    let den = Den::with_root();
    let mut bundle = login(step(1, 1, 40));
    bundle.records[0].typed = "x".repeat(SLOT_OCTETS);
    assert!(den.file().commit(&[bundle]).is_err());
    assert!(applies(&den.file(), login(step(1, 1, 40))), "the code was spent for nothing");
}

#[test]
fn what_the_store_knows_to_be_spent_is_spent_in_the_copy_too() {
    let den = Den::with_root();
    let file = den.file();
    assert!(applies(&file, login(code(1, 2))));
    let used =
        Loaded { spent_steps: vec![(factor(1), 40)], spent_codes: vec![code_id(1)], ..loaded(root(1)) };
    file.keep(&used).unwrap();
    assert!(!applies(&file, login(step(1, 1, 40))));
    assert!(!applies(&file, login(code(1, 1))) && !applies(&file, login(code(1, 2))));
    let before = den.octets();
    file.keep(&used).unwrap();
    assert_eq!(den.octets(), before, "what is kept already was written again");
}

#[test]
fn a_late_process_does_not_bring_an_old_account_back_but_a_restored_store_does() {
    let den = Den::with_root();
    let file = den.file();
    file.keep(&loaded(root(3))).unwrap();
    file.keep(&loaded(root(2))).unwrap();
    assert_eq!(load(&file, "root").unwrap().account.unwrap().version, 3);
    file.keep(&Loaded { floor: time(500), ..loaded(root(2)) }).unwrap();
    let found = load(&file, "root").unwrap();
    assert_eq!((found.account.unwrap().version, found.floor), (2, time(500)));
    let precondition = Precondition::Version { account: id(1), version: 2 };
    let at_floor = Bundle { precondition, ..login(step(1, 1, 16)) };
    assert!(!applies(&file, at_floor), "a code from before the restore");
}

#[test]
fn a_renamed_account_keeps_its_place_and_a_removed_one_leaves_it() {
    let den = Den::with_root();
    let file = den.file();
    assert!(applies(&file, login(code(1, 1))));
    file.keep(&loaded(Account { name: name("rescue"), ..root(2) })).unwrap();
    assert_eq!(load(&file, "root").unwrap().account, None);
    assert_eq!(load(&file, "rescue").unwrap().spent_codes, [code_id(1)]);
    file.forget(&name("rescue")).unwrap();
    file.forget(&name("rescue")).unwrap();
    assert_eq!(load(&file, "rescue").unwrap().account, None);
    assert_eq!(verified(&file), [1]);
}

#[test]
fn there_are_places_for_eight_and_the_ninth_is_told_so() {
    let den = Den::new();
    let file = den.file();
    for number in 1..=8 {
        file.keep(&loaded(account(number, &format!("u{number}")))).unwrap();
    }
    assert!(file.keep(&loaded(account(9, "u9"))).is_err());
    file.keep_only(&["u1", "u2"].map(name).into()).unwrap();
    file.keep(&loaded(account(9, "u9"))).unwrap();
    let kept = file.survey().unwrap().kept;
    let names: Vec<_> = kept.iter().map(|kept| kept.account.name.as_str()).collect();
    assert_eq!(names, ["u1", "u2", "u9"]);
}

#[test]
fn guesses_are_counted_by_source_and_over_all_and_a_right_one_ends_them() {
    let den = Den::with_root();
    let file = den.file();
    for count in 1..=FREE_FAILURES {
        let seen = file.count(&counting_against(1, "root", 100)).unwrap();
        assert_eq!((seen.lane.failures, seen.cap.unwrap().in_row), (count, count));
    }
    // Strangers come from everywhere; those who have to wait stay.
    for stranger in 0..200 {
        file.count(&counting(&format!("s{stranger}"), 101)).unwrap();
    }
    let found = load(&file, "root").unwrap();
    assert!(!found.lane.is_open(time(102)) && found.known_at.is_none());
    let right = Bundle { recognised: Some(recognised(1, "root")), ..login(step(1, 1, 40)) };
    assert!(applies(&file, right));
    let found = load(&file, "root").unwrap();
    assert_eq!((found.lane.failures, found.cap.in_row, found.known_at), (0, 0, Some(time(100))));
}

#[test]
fn the_ring_keeps_the_newest_records_and_verifies_from_the_oldest_of_them() {
    let den = Den::with_root();
    let file = den.file();
    for at in 1..=RECORDS_MAX + 44 {
        assert!(applies(&file, login(step(1, 1, at))));
    }
    let kept = verified(&file);
    assert_eq!((kept.first(), kept.last()), (Some(&46), Some(&300)));
    assert_eq!(fs::metadata(&den.path).unwrap().len(), FILE_OCTETS);
}

/// A login that succeeds in a session.
fn success(number: u8, at: u64) -> Success {
    let at = time(at);
    Success { session: session(number), digest: [number; 32], expires_at: at.plus_seconds(300), at }
}

#[test]
fn the_last_successes_are_known_for_their_retransmission_and_no_session_succeeds_twice() {
    let den = Den::with_root();
    let file = den.file();
    let known = |number| file.load(&name("root"), &lane("root"), Some(session(number))).unwrap().success;
    let succeeds =
        |number, at| applies(&file, Bundle { success: Some(success(number, at)), ..login(step(1, 1, at)) });
    assert_eq!(known(1), None);
    assert!(succeeds(1, 100));
    assert_eq!(known(1), Some(success(1, 100)));
    assert!(!succeeds(1, 101), "the session succeeded twice");
    file.keep(&loaded(root(1))).unwrap();
    assert_eq!(known(1), Some(success(1, 100)), "what the store has loaded took it away");
    let others = u8::try_from(SUCCESSES_MAX).unwrap();
    assert!((2..=1 + others).all(|number| succeeds(number, 100 + u64::from(number))));
    assert_eq!((known(1), known(2)), (None, Some(success(2, 102))));
    assert!(succeeds(90, 5_000));
    assert_eq!((known(2), known(90)), (None, Some(success(90, 5_000))), "what has ended stays");
    assert_eq!(file.survey().unwrap().damaged_slots, 0);
}

// Several at once.

#[test]
fn of_a_hundred_parallel_uses_of_one_code_one_is_applied() {
    let den = Den::with_root();
    for spend in [step(1, 1, 40), code(1, 1)] {
        let use_it = || (0..5).filter(|_| applies(&den.file(), login(spend.clone()))).count();
        let applied: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..20).map(|_| scope.spawn(use_it)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(applied, 1);
    }
    assert_eq!(verified(&den.file()), [1, 2]);
}

/// This test program once more, as its ignored test.
fn child(path: &Path, from: u64) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "tests::break_glass::spends_until_it_is_killed", "--ignored", "--nocapture"])
        .env(FILE, path)
        .env("COUNTERSIGN_TEST_FROM", from.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The steps that a child says it has spent.
fn told(child: &mut Child) -> impl Iterator<Item = u64> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("spent ")?.parse().ok())
}

#[test]
#[ignore = "a child of the tests below"]
fn spends_until_it_is_killed() {
    let path = PathBuf::from(env::var_os(FILE).unwrap());
    let from: u64 = env::var("COUNTERSIGN_TEST_FROM").unwrap().parse().unwrap();
    println!();
    for at in from..from + 5000 {
        if let Outcome::Applied(_) = open(&path).commit(&[login(step(1, 1, at))]).unwrap().remove(0) {
            println!("spent {at}");
        }
    }
}

#[test]
fn processes_that_are_killed_lose_nothing_that_they_told_and_never_share_a_step() {
    let den = Den::with_root();
    let mut from = 1;
    for round in 1..=12_usize {
        let mut children = [child(&den.path, from), child(&den.path, from)];
        let mut uses = BTreeMap::new();
        let mut lines = told(&mut children[0]);
        let others = told(&mut children[1]);
        uses.insert(lines.by_ref().nth(round * 5).unwrap(), 1);
        for child in &mut children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        for step in lines.chain(others) {
            *uses.entry(step).or_insert(0) += 1;
        }
        assert!(uses.values().all(|count| *count == 1), "{uses:?}");
        let last = *uses.keys().next_back().unwrap();
        assert!(
            !applies(&den.file(), login(step(1, 1, last))),
            "step {last} was spent twice in round {round}"
        );
        assert_eq!(load(&den.file(), "root").unwrap().account, Some(root(1)));
        assert!(!verified(&den.file()).is_empty());
        from = load(&den.file(), "root").unwrap().spent_steps[0].1 + 1;
    }
}
