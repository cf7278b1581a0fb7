//! Restores that the records tell of: what they explain, and what they do not hide.

use common::record::{ActRecord, Actor, Ending, Record};
use common::{Reason, UnixTime};

use super::chains::{Archive, STREAM, ring};
use super::sinks::record;
use crate::{Anchors, CutOff, RESTORE, Report, RestoreName, verify};

fn restored(words: &str) -> Vec<u8> {
    let actor = Actor { login_uid: Some(1000), uid: 0, tty: None, host: "gate".to_owned() };
    let act = ActRecord { act: RESTORE.to_owned(), actor, before: None, after: Some(words.to_owned()) };
    let restored = Record {
        at: UnixTime::from_seconds(1_000_000_000),
        ending: Ending::Act,
        reason: Reason::ActDone,
        act: Some(act),
        ..record()
    };
    serde_json::to_vec(&restored).unwrap()
}

/// Nine records; then a backup of six is restored, as `words` say, and three more follow. With the anchors of all, in the
/// order in which they were sent.
fn archive(words: &str) -> (Archive, String) {
    let mut archive = Archive::of(9);
    let mut lines = archive.anchor_lines();
    archive.cut_off_with_head(6);
    archive.append_bodies(STREAM, 1, &ring(), |_| restored(words));
    archive.append_bodies(STREAM, 3, &ring(), |sequence| format!("after {sequence}").into_bytes());
    lines += &archive.anchor_lines();
    (archive, lines)
}

fn report(archive: &Archive, lines: &str) -> Report {
    verify(archive, &ring(), Some(&Anchors::read(lines.as_bytes()).unwrap())).unwrap()
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
