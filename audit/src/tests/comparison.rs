//! Anchors in any number, and of records that are written while they are read.

use std::io::{BufReader, Cursor, Read};
use std::sync::{Mutex, MutexGuard};

use common::account::Account;
use common::chain::ChainPosition;
use common::lane::{LanesOf, Waits};
use common::ports::{Listed, Listing, StoreError, StoredRecord};
use common::throttle::Cap;
use common::{CodeId, UnixTime, Username};

use super::chains::{Archive, STREAM, ring};
use crate::{Anchors, AnchorsRead, Finding, Flaw, Tail, verify};

/// An archive that grows while it is read.
struct Shared(Mutex<Archive>);

impl Shared {
    fn archive(&self) -> MutexGuard<'_, Archive> {
        self.0.lock().unwrap()
    }
}

impl Listing for Shared {
    fn account(&self, name: &Username) -> Result<Option<Account>, StoreError> {
        self.archive().account(name)
    }

    fn accounts(&self, after: Option<&Username>, count: u32) -> Result<Vec<Account>, StoreError> {
        self.archive().accounts(after, count)
    }

    fn listed(&self, after: Option<&Username>, count: u32) -> Result<Vec<Listed>, StoreError> {
        self.archive().listed(after, count)
    }

    fn spent_codes(&self, account: &Account) -> Result<Vec<CodeId>, StoreError> {
        self.archive().spent_codes(account)
    }

    fn cap(&self, account: &Account) -> Result<Cap, StoreError> {
        self.archive().cap(account)
    }

    fn waits(&self, lanes: &LanesOf, now: UnixTime) -> Result<Waits, StoreError> {
        self.archive().waits(lanes, now)
    }

    fn closed(&self, now: UnixTime, count: u32) -> Result<Vec<Username>, StoreError> {
        self.archive().closed(now, count)
    }

    fn records(&self, stream: &str, from: u64, count: u32) -> Result<Vec<StoredRecord>, StoreError> {
        self.archive().records(stream, from, count)
    }

    fn streams(&self) -> Result<Vec<String>, StoreError> {
        self.archive().streams()
    }

    fn heads(&self) -> Result<Vec<ChainPosition>, StoreError> {
        self.archive().heads()
    }

    fn beginning(&self, stream: &str) -> Result<ChainPosition, StoreError> {
        self.archive().beginning(stream)
    }
}

#[test]
fn only_anchors_that_agree_with_nothing_are_kept_and_too_many_of_them_are_not_sound() {
    let mut archive = Archive::of(9);
    let lines = archive.anchor_lines();
    let checked = |archive: &Archive, lines: &str| {
        let mut anchors = Anchors::of(lines.as_bytes());
        anchors.disagreeing_max = 4;
        verify(archive, &ring(), Some(anchors)).unwrap()
    };
    let nowhere = format!(
        "Nov 22 11:50:37 gate countersign[1]: event=\"anchor\" stream=\"local\" seq=\"0\" mac=\"{}\"\n",
        "0".repeat(64)
    );
    archive.cut_off_with_head(6);
    let again = lines.lines().nth(8).unwrap().to_owned() + "\n";
    let report = checked(&archive, &(nowhere.repeat(50) + &again.repeat(50) + &lines));
    let flaw = Flaw::CutOffBeforeAnchor { anchor: 9, line: 51 };
    assert_eq!(report.streams[0].findings, [Finding { sequence: 7, flaw }]);
    assert_eq!(report.anchors, AnchorsRead::Read { lines: 109, anchors: 59, ignored: 0 });
    let forged: String = (1..=9).map(|stream| nowhere.replace("local", &stream.to_string())).collect();
    let report = checked(&Archive::of(6), &(forged.replace("\"0\"", "\"1\"") + &archive.anchor_lines()));
    assert_eq!(report.anchors, AnchorsRead::Read { lines: 15, anchors: 15, ignored: 5 });
    assert!(!report.is_sound() && !report.is_tail_proven());
    assert!(
        report.to_string().contains("NOT SOUND: so many of them agree with no record that 5"),
        "{report}"
    );
}

/// The lines of a collector, which come while a server writes on.
struct GrowingFile<'a>(&'a Shared, Cursor<Vec<u8>>);

impl Read for GrowingFile<'_> {
    fn read(&mut self, octets: &mut [u8]) -> std::io::Result<usize> {
        if self.1.get_ref().is_empty() {
            let mut archive = self.0.archive();
            archive.append(STREAM, 4, &ring());
            *self.1.get_mut() = archive.anchor_lines().into_bytes();
        }
        self.1.read(octets)
    }
}

#[test]
fn records_that_are_written_while_anchors_are_read_are_compared_too() {
    let archive = Shared(Mutex::new(Archive::default()));
    for end in [4, 8] {
        let file = BufReader::new(GrowingFile(&archive, Cursor::default()));
        let report = verify(&archive, &ring(), Some(Anchors::of(file))).unwrap();
        assert!(report.is_sound(), "{report}");
        assert_eq!(report.streams[0].tail, Tail::ProvenUpTo { sequence: end });
    }
}
