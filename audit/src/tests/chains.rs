//! The verifier against every way of falsifying a store that holds the records but not the key.

use std::collections::BTreeMap;

use crate::{Anchors, Facility, Finding, Flaw, Format, KeySpan, Origin, Renderer, Report, Tail, verify};
use common::account::Account;
use common::chain::{ChainMac, ChainPosition};
use common::keys::{KeyId, KeyRing, MasterKey, Purpose};
use common::lane::{LanesOf, Waits};
use common::ports::{Listed, Listing, StoreError, StoredRecord};
use common::throttle::Cap;
use common::{CodeId, UnixTime, Username};
use zeroize::Zeroizing;

pub(super) const STREAM: &str = "local";

fn master_key(id: u32) -> MasterKey {
    MasterKey { id: KeyId(id), octets: Zeroizing::new([u8::try_from(id).unwrap(); 32]) }
}

pub(super) fn ring() -> KeyRing {
    KeyRing::new(master_key(1), Vec::new())
}

#[derive(Default)]
pub(super) struct Archive {
    pub(super) records: BTreeMap<String, Vec<StoredRecord>>,
    pub(super) heads: Vec<ChainPosition>,
    beginning: Option<ChainPosition>,
}

impl Archive {
    pub(super) fn of(count: u64) -> Self {
        let mut archive = Self::default();
        archive.append(STREAM, count, &ring());
        archive
    }

    pub(super) fn append(&mut self, stream: &str, count: u64, ring: &KeyRing) {
        self.append_bodies(stream, count, ring, |sequence| format!("record {sequence}").into_bytes());
    }

    pub(super) fn append_bodies(
        &mut self,
        stream: &str,
        count: u64,
        ring: &KeyRing,
        body: impl Fn(u64) -> Vec<u8>,
    ) {
        let key = ring.derive(ring.newest(), Purpose::Chain).unwrap();
        let records = self.records.entry(stream.to_owned()).or_default();
        for _ in 0..count {
            let before = records.last().map_or(ChainMac::BEGINNING, |record| record.mac);
            let sequence = records.last().map_or(1, |record| record.sequence.saturating_add(1));
            let body = body(sequence);
            let mac = before.next(&key, stream, sequence, &body).unwrap();
            records.push(StoredRecord { sequence, body, mac });
        }
        let last = records.last().unwrap();
        self.heads.retain(|head| head.stream != stream);
        self.heads.push(ChainPosition { stream: stream.to_owned(), sequence: last.sequence, mac: last.mac });
    }

    fn local(&mut self) -> &mut Vec<StoredRecord> {
        self.records.get_mut(STREAM).unwrap()
    }

    /// As a ring does that has room for no more.
    fn forget(&mut self, count: usize) {
        let last = self.local().drain(..count).next_back().unwrap();
        let (sequence, mac) = (last.sequence, last.mac);
        self.beginning = Some(ChainPosition { stream: STREAM.to_owned(), sequence, mac });
    }

    fn renumber(&mut self) {
        for (sequence, record) in (1..).zip(self.local().iter_mut()) {
            record.sequence = sequence;
        }
    }

    /// What somebody does who cuts the end off and sets the head back to match.
    pub(super) fn cut_off_with_head(&mut self, kept: usize) {
        self.local().truncate(kept);
        let last = self.local().last().unwrap().clone();
        self.heads = vec![ChainPosition { stream: STREAM.into(), sequence: last.sequence, mac: last.mac }];
    }

    pub(super) fn anchor_lines(&self) -> String {
        let origin = Origin::of_this_host(Facility::LOG_AUTHPRIV, "countersign");
        let position = |record: &StoredRecord| ChainPosition {
            stream: STREAM.into(),
            sequence: record.sequence,
            mac: record.mac,
        };
        let formats = [Format::Rfc5424, Format::Rfc3164].map(|format| Renderer::new(format, origin.clone()));
        let mut lines = String::new();
        for (record, renderer) in self.records[STREAM].iter().zip(formats.iter().cycle()) {
            let line = renderer.anchor(&position(record), UnixTime::from_seconds(0)).unwrap();
            lines += &(String::from_utf8(line).unwrap() + "\n");
        }
        lines
    }
}

impl Listing for Archive {
    fn account(&self, _: &Username) -> Result<Option<Account>, StoreError> {
        unreachable!("the verifier reads no accounts")
    }

    fn accounts(&self, _: Option<&Username>, _: u32) -> Result<Vec<Account>, StoreError> {
        unreachable!("the verifier reads no accounts")
    }

    fn listed(&self, _: Option<&Username>, _: u32) -> Result<Vec<Listed>, StoreError> {
        unreachable!("the verifier reads no accounts")
    }

    fn spent_codes(&self, _: &Account) -> Result<Vec<CodeId>, StoreError> {
        unreachable!("the verifier reads no accounts")
    }

    fn cap(&self, _: &Account) -> Result<Cap, StoreError> {
        unreachable!("the verifier reads no accounts")
    }

    fn waits(&self, _: &LanesOf, _: UnixTime) -> Result<Waits, StoreError> {
        unreachable!("the verifier reads no accounts")
    }

    fn closed(&self, _: UnixTime, _: u32) -> Result<Vec<Username>, StoreError> {
        unreachable!("the verifier reads no accounts")
    }

    fn records(&self, stream: &str, from: u64, count: u32) -> Result<Vec<StoredRecord>, StoreError> {
        let records = self.records.get(stream).into_iter().flatten();
        let wanted = records.filter(|record| record.sequence >= from).take(count.try_into().unwrap());
        Ok(wanted.cloned().collect())
    }

    fn streams(&self) -> Result<Vec<String>, StoreError> {
        let with_heads = self.heads.iter().map(|head| head.stream.clone());
        let names: std::collections::BTreeSet<_> = self.records.keys().cloned().chain(with_heads).collect();
        Ok(names.into_iter().collect())
    }

    fn heads(&self) -> Result<Vec<ChainPosition>, StoreError> {
        Ok(self.heads.clone())
    }

    fn beginning(&self, stream: &str) -> Result<ChainPosition, StoreError> {
        let from_the_first =
            ChainPosition { stream: stream.to_owned(), sequence: 0, mac: ChainMac::BEGINNING };
        Ok(self.beginning.clone().filter(|it| it.stream == stream).unwrap_or(from_the_first))
    }
}

fn checked(archive: &Archive, anchors: Option<&str>) -> Report {
    let anchors = anchors.map(|lines| Anchors::of(lines.as_bytes()));
    verify(archive, &ring(), anchors).unwrap()
}

fn findings(archive: &Archive, anchors: Option<&str>) -> Vec<Finding> {
    let report = checked(archive, anchors);
    assert_eq!(report.is_sound(), report.streams.iter().all(|stream| stream.findings.is_empty()));
    report.streams.into_iter().flat_map(|stream| stream.findings).collect()
}

#[test]
fn a_sound_archive_is_sound_over_many_pages() {
    let mut archive = Archive::of(1203);
    archive.append("radius-1", 3, &ring());
    let report = checked(&archive, None);
    assert!(report.is_sound(), "{report}");
    assert_eq!(report.streams.iter().map(|stream| stream.sound_records).collect::<Vec<_>>(), [1203, 3]);
}

#[test]
fn a_stream_whose_head_was_removed_is_found_and_its_records_are_read() {
    let mut archive = Archive::of(3);
    archive.heads.clear();
    assert_eq!(findings(&archive, None), [Finding { sequence: 3, flaw: Flaw::HeadMissing }]);
    archive.local()[1].body = b"{}".to_vec();
    assert_eq!(findings(&archive, None), [Finding { sequence: 2, flaw: Flaw::Changed }]);
}

#[test]
fn nothing_at_all_proves_nothing() {
    let mut archive = Archive::of(1);
    archive.records.clear();
    archive.heads.clear();
    assert!(!checked(&archive, None).is_tail_proven());
}

#[test]
fn without_anchors_the_end_is_not_proven() {
    let archive = Archive::of(5);
    let report = checked(&archive, None);
    assert!(!report.is_tail_proven());
    assert!(report.to_string().contains("cannot be seen"), "{report}");
    let report = checked(&archive, Some(&archive.anchor_lines()));
    assert!(report.is_sound() && report.is_tail_proven(), "{report}");
    assert_eq!(report.streams[0].tail, Tail::ProvenUpTo { sequence: 5 });
}

#[test]
fn a_changed_record_is_found() {
    let mut archive = Archive::of(600);
    archive.local()[399].body = b"record 7".to_vec();
    assert_eq!(findings(&archive, None), [Finding { sequence: 400, flaw: Flaw::Changed }]);
    let mut archive = Archive::of(3);
    archive.local()[2].body = b"nothing happened".to_vec();
    assert_eq!(findings(&archive, None), [Finding { sequence: 3, flaw: Flaw::Changed }]);
    let mut archive = Archive::of(3);
    archive.local()[1].mac = ChainMac::from_bytes([1; 32]);
    assert_eq!(findings(&archive, None), [Finding { sequence: 2, flaw: Flaw::Changed }]);
}

#[test]
fn a_removed_record_is_found() {
    let mut archive = Archive::of(9);
    archive.local().drain(3..5);
    assert_eq!(findings(&archive, None), [Finding { sequence: 4, flaw: Flaw::Removed { last_sequence: 5 } }]);
}

#[test]
fn a_removed_record_is_found_though_the_rest_was_numbered_anew() {
    let mut archive = Archive::of(9);
    archive.local().remove(3);
    archive.renumber();
    assert_eq!(findings(&archive, None), [Finding { sequence: 4, flaw: Flaw::NotOurs }]);
}

#[test]
fn reordered_records_are_found() {
    let mut archive = Archive::of(9);
    archive.local().swap(3, 6);
    archive.renumber();
    let reordered = [Finding { sequence: 4, flaw: Flaw::Reordered { found_at: 7 } }];
    assert_eq!(findings(&archive, None), reordered);
    let mut archive = Archive::of(9);
    let (moved, other) = (archive.local()[3].body.clone(), archive.local()[6].body.clone());
    archive.local()[3].body = other;
    archive.local()[6].body = moved;
    assert_eq!(findings(&archive, None), reordered);
}

#[test]
fn a_record_from_another_stream_is_found() {
    let mut archive = Archive::of(2);
    archive.append("radius-1", 2, &ring());
    archive.local()[0] = archive.records["radius-1"][0].clone();
    assert!(!checked(&archive, None).is_sound());
}

#[test]
fn a_cut_off_end_is_found_by_the_head() {
    let mut archive = Archive::of(9);
    archive.local().truncate(6);
    let flaw = Flaw::CutOffBeforeHead { head: 9 };
    assert_eq!(findings(&archive, None), [Finding { sequence: 7, flaw }]);
}

#[test]
fn an_end_cut_off_together_with_its_head_is_found_by_anchors_only() {
    let mut archive = Archive::of(9);
    let lines = archive.anchor_lines();
    archive.cut_off_with_head(6);
    assert_eq!(findings(&archive, None), []);
    let flaw = Flaw::CutOffBeforeAnchor { anchor: 9, line: 9 };
    assert_eq!(findings(&archive, Some(&lines)), [Finding { sequence: 7, flaw }]);
}

#[test]
fn a_name_of_a_stream_cannot_turn_the_report_round() {
    let mut archive = Archive::of(2);
    archive.append("ra\u{202e}\n\u{1b}[2J", 1, &ring());
    let text = checked(&archive, None).to_string();
    assert!(text.contains("Stream ra\\u{202e}\\u{a}\\u{1b}[2J: sound"), "{text}");
}

#[test]
fn a_stream_removed_altogether_is_found_by_anchors() {
    let archive = Archive::of(4);
    let flaw = Flaw::CutOffBeforeAnchor { anchor: 4, line: 4 };
    let found = findings(&Archive::default(), Some(&archive.anchor_lines()));
    assert_eq!(found, [Finding { sequence: 1, flaw }]);
}

#[test]
fn a_chain_written_anew_with_its_key_is_found_by_anchors() {
    let lines = Archive::of(9).anchor_lines();
    let mut forged = Archive::default();
    let key = ring().derive(KeyId(1), Purpose::Chain).unwrap();
    let mut before = ChainMac::BEGINNING;
    for sequence in 1..=9 {
        let body = if sequence == 4 { b"forged".to_vec() } else { format!("record {sequence}").into_bytes() };
        let mac = before.next(&key, STREAM, sequence, &body).unwrap();
        forged.records.entry(STREAM.into()).or_default().push(StoredRecord { sequence, body, mac });
        before = mac;
    }
    forged.heads.push(ChainPosition { stream: STREAM.into(), sequence: 9, mac: before });
    assert_eq!(findings(&forged, None), []);
    let rewritten = Finding { sequence: 4, flaw: Flaw::Rewritten { line: 4 } };
    assert_eq!(findings(&forged, Some(&lines)), [rewritten]);
}

#[test]
fn a_head_that_disagrees_is_found() {
    let mut archive = Archive::of(4);
    archive.heads[0].mac = ChainMac::from_bytes([1; 32]);
    assert_eq!(findings(&archive, None), [Finding { sequence: 4, flaw: Flaw::HeadDiffers }]);
    let mut archive = Archive::of(4);
    archive.heads[0] = ChainPosition { stream: STREAM.into(), sequence: 2, mac: archive.local()[1].mac };
    assert_eq!(findings(&archive, None), [Finding { sequence: 2, flaw: Flaw::HeadDiffers }]);
}

#[test]
fn records_under_an_older_key_stay_sound_after_a_rotation() {
    let mut archive = Archive::of(3);
    let rotated = KeyRing::new(master_key(2), vec![master_key(1)]);
    archive.append(STREAM, 2, &rotated);
    let report = verify(&archive, &rotated, None).unwrap();
    assert!(report.is_sound(), "{report}");
    let spans = [KeySpan { from_sequence: 1, key: 1 }, KeySpan { from_sequence: 4, key: 2 }];
    assert_eq!(report.streams[0].keys, spans);
    assert!(report.to_string().contains("From record 4 on under key 2"), "{report}");
}

#[test]
fn records_under_a_deleted_key_are_not_taken_for_sound() {
    let report = verify(&Archive::of(3), &KeyRing::new(master_key(2), Vec::new()), None).unwrap();
    assert_eq!(report.streams[0].findings, [Finding { sequence: 1, flaw: Flaw::NotOurs }]);
    assert!(report.to_string().contains("an old key was deleted"), "{report}");
}

#[test]
fn the_report_is_json_for_programs() {
    let mut archive = Archive::of(9);
    archive.local().drain(3..5);
    let json = serde_json::to_value(checked(&archive, None)).unwrap();
    assert_eq!(json["streams"][0]["findings"][0]["flaw"]["kind"], "removed");
    assert_eq!(json["streams"][0]["findings"][0]["flaw"]["last-sequence"], 5);
    assert_eq!(json["anchors"], "not-given");
}

#[test]
fn a_ring_verifies_from_its_oldest_record_on() {
    let mut archive = Archive::of(20);
    archive.forget(12);
    let report = verify(&archive, &ring(), None).unwrap();
    assert!(report.is_sound(), "{report}");
    assert_eq!(report.streams[0].sound_records, 8);
    archive.local().remove(0);
    assert!(!verify(&archive, &ring(), None).unwrap().is_sound(), "the oldest one is missing");
    let mut archive = Archive::of(20);
    archive.forget(20);
    assert!(verify(&archive, &ring(), None).unwrap().is_sound());
}
