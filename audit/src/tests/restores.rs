//! Restores that the records tell of: what they explain, and what they do not hide.

use common::chain::ChainMac;
use common::record::{ActRecord, Actor, Ending, Record};
use common::{Reason, UnixTime};

use super::chains::{Archive, STREAM, ring};
use super::sinks::record;
use crate::{
    Anchors, CutOff, Facility, Finding, Flaw, Format, Origin, RESTORE, Renderer, Report, RestoreName, verify,
};

fn restored(words: &str) -> Record {
    let actor = Actor { login_uid: Some(1000), uid: Some(0), tty: None, host: "gate".to_owned() };
    let act = ActRecord { act: RESTORE.to_owned(), actor, before: None, after: Some(words.to_owned()) };
    Record {
        at: UnixTime::from_seconds(1_000_000_000),
        ending: Ending::Act,
        reason: Reason::ActDone,
        act: Some(act),
        ..record()
    }
}

impl Archive {
    /// The record of a restore, and the line that it leaves.
    fn append_restore(&mut self, words: &str) -> String {
        let record = restored(words);
        self.append_bodies(STREAM, 1, &ring(), |_| serde_json::to_vec(&record).unwrap());
        let renderer = Renderer::new(Format::Rfc5424, Origin::local(Facility::LOG_AUTHPRIV, "countersign"));
        String::from_utf8(renderer.record(&record, Some(&self.heads[0])).unwrap()).unwrap() + "\n"
    }
}

/// Nine records; then a backup of six is restored, as `words` say, and three more follow. With the anchors of all, in the
/// order in which they were sent.
fn archive(words: &str) -> (Archive, String) {
    let mut archive = Archive::of(9);
    let mut lines = archive.anchor_lines();
    archive.cut_off_with_head(6);
    archive.append_restore(words);
    archive.append_bodies(STREAM, 3, &ring(), |sequence| format!("after {sequence}").into_bytes());
    lines += &archive.anchor_lines();
    (archive, lines)
}

fn report(archive: &Archive, lines: &str) -> Report {
    verify(archive, &ring(), Some(Anchors::of(lines.as_bytes()))).unwrap()
}

fn is_tampering(report: &Report) -> bool {
    report.streams.iter().any(|stream| !stream.findings.is_empty())
}

#[test]
fn what_a_restore_cut_off_is_named_so_and_is_sound_once_the_restore_is_known() {
    for words in [
        "file=/b/local=1/2 x codes-refused-until=z local=6/9",
        "file=a codes-refused-until=b local=6/? *=0/?",
    ] {
        let (archive, lines) = archive(words);
        let mut report = report(&archive, &lines);
        assert!(!is_tampering(&report) && !report.is_sound(), "{report}");
        let gap = report.streams[0].restores[0].clone();
        assert_eq!((gap.sequence, gap.last_sequence, gap.uid), (7, 9, 1000));
        let text = report.to_string();
        assert!(
            text.contains("Records 7 to 9 were cut off by the restore at 2001-09-09T01:46:40Z"),
            "{text}"
        );
        assert!(text.contains(&format!("--known-restore {}", gap.restore)), "{text}");
        let name = gap.restore.to_string();
        assert!(name.starts_with("local:7:") && name.len() == "local:7:".len() + 16, "{name}");
        assert!(!report.know(&RestoreName::new("local:7:0000000000000000")) && !report.is_sound());
        assert!(report.know(&RestoreName::new(&name)) && report.is_sound());
        assert!(report.is_tail_proven());
    }
}

#[test]
fn a_restore_explains_nothing_that_it_does_not_name() {
    for words in ["file=a main=6/9", "file=a local=6/8", "file=a local=8/9", "file=a local=6/9 and more", ""]
    {
        let (archive, lines) = archive(words);
        assert!(is_tampering(&report(&archive, &lines)), "{words}");
    }
}

#[test]
fn what_is_cut_off_after_a_restore_is_not_explained_by_it() {
    let (mut archive, lines) = archive("file=a local=6/99");
    archive.cut_off_with_head(8);
    let report = report(&archive, &lines);
    assert!(is_tampering(&report), "{report}");
}

#[test]
fn a_restore_that_no_anchor_has_seen_explains_nothing() {
    let (archive, lines) = archive("file=a local=6/9");
    let before: Vec<_> = lines.lines().take(9).collect();
    assert!(is_tampering(&report(&archive, &before.join("\n"))));
}

#[test]
fn streams_that_an_unreadable_store_had_besides_are_explained_too() {
    let (mut archive, lines) = archive("file=a local=6/? *=0/?");
    let gone = Archive::of(4).anchor_lines().replace("\"local\"", "\"radiusd\"");
    let lines = gone + &lines;
    assert!(!is_tampering(&report(&archive, &lines)));
    archive.cut_off_with_head(6);
    assert!(is_tampering(&report(&archive, &lines)));
}

#[test]
fn what_a_restore_did_is_read_as_it_is_written() {
    let cut_off = CutOff { stream: "main".to_owned(), kept: 3, before: Some(7) };
    assert_eq!((cut_off.to_string(), CutOff::others().to_string()), ("main=3/7".into(), "*=0/?".into()));
}

/// Seven records and a backup of four of them, which is restored, over eight more records restored again, and one follows.
/// The record of the first restore went with the second one. With the lines of all, as they were sent.
fn restored_twice() -> (Archive, Vec<String>) {
    let mut archive = Archive::of(7);
    let mut lines = archive.anchor_lines();
    archive.cut_off_with_head(4);
    for (words, after) in [("file=b0 local=4/7", 8), ("file=b0 local=4/13", 1)] {
        archive.cut_off_with_head(4);
        let first = archive.append_restore(words);
        archive.append_bodies(STREAM, after, &ring(), |sequence| format!("{words} {sequence}").into_bytes());
        lines += &first;
        lines.extend(archive.anchor_lines().split_inclusive('\n').skip(5));
    }
    (archive, lines.lines().map(str::to_owned).collect())
}

#[test]
fn a_later_restore_does_not_hide_an_earlier_one_whose_record_it_cut_off() {
    let (archive, lines) = restored_twice();
    let mut report = report(&archive, &lines.join("\n"));
    assert!(!is_tampering(&report) && !report.is_sound(), "{report}");
    let gaps = report.streams[0].restores.clone();
    assert_eq!(
        gaps.iter().map(|gap| (gap.sequence, gap.last_sequence)).collect::<Vec<_>>(),
        [(5, 7), (5, 13)]
    );
    let lost = report.streams[0].lost_restores[0].clone();
    assert_eq!((lost.sequence, lost.line, &lost.restore, lost.uid), (5, 8, &gaps[0].restore, 1000));
    assert_eq!(report.to_string().matches(&format!("--known-restore {}.", lost.restore)).count(), 2);
    assert!(report.know(&gaps[1].restore) && !report.is_sound(), "{report}");
    assert!(report.know(&lost.restore) && report.is_sound(), "{report}");
}

#[test]
fn the_line_of_a_restore_whose_record_is_gone_must_be_named_though_it_cut_nothing_off() {
    let mut archive = Archive::of(4);
    let mut lines = archive.anchor_lines();
    for words in ["file=b0 local=4/4", "file=b0 local=4/5"] {
        archive.cut_off_with_head(4);
        lines += &archive.append_restore(words);
    }
    let mut report = report(&archive, &lines);
    let later = report.streams[0].restores[0].restore.clone();
    assert!(report.know(&later) && !report.is_sound(), "{report}");
    let lost = report.streams[0].lost_restores[0].restore.clone();
    assert!(report.know(&lost) && report.is_sound(), "{report}");
}

#[test]
fn a_forged_line_of_a_restore_does_not_take_the_name_of_a_known_one() {
    let (mut archive, lines) = archive("file=a local=6/9");
    let name = report(&archive, &lines).streams[0].restores[0].restore.to_string();
    archive.cut_off_with_head(8);
    let mut head = archive.heads[0].clone();
    let mut mac = *archive.records[STREAM][6].mac.as_bytes();
    mac[31] ^= 1;
    (head.sequence, head.mac) = (7, ChainMac::from_bytes(mac));
    let renderer = Renderer::new(Format::Rfc5424, Origin::local(Facility::LOG_AUTHPRIV, "countersign"));
    let forged = renderer.record(&restored("file=a local=6/99"), Some(&head)).unwrap();
    let mut report = report(&archive, &(lines + &String::from_utf8(forged).unwrap() + "\n"));
    assert!(report.know(&RestoreName::new(&name)) && !report.is_sound(), "{report}");
}

#[test]
fn a_cut_before_a_restore_is_not_explained_by_a_later_one() {
    let (mut archive, lines) = archive("file=a local=6/8");
    archive.append_restore("file=b local=2/99");
    let lines = lines + archive.anchor_lines().lines().last().unwrap();
    assert!(is_tampering(&report(&archive, &lines)));
}

#[test]
fn a_place_with_two_records_before_one_restore_is_found_without_the_line_of_the_other_one() {
    let (archive, mut lines) = restored_twice();
    lines.retain(|line| !line.contains("local=4/7"));
    let mut report = report(&archive, &lines.join("\n"));
    let named: Vec<_> = report.streams[0].restores.iter().map(|gap| gap.restore.clone()).collect();
    assert!(named.iter().all(|name| report.know(name)) && !report.is_sound(), "{report}");
    let flaw = Flaw::Twice { line: 6, other_line: 8 };
    assert_eq!(report.streams[0].findings, [Finding { sequence: 6, flaw }]);
}
