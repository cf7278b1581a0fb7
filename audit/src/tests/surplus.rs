//! A flood while the store takes no refusals: what reaches the collector.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use common::ports::Sink as _;
use common::record::{Ending, PrimaryResult, Record, Severity};
use common::{Reason, UnixTime};

use super::sinks::{direct, record};
use crate::{Destination, SyslogSink};

struct Collector {
    socket: UnixDatagram,
    sink: SyslogSink,
    _folder: tempfile::TempDir,
}

impl Collector {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { socket, sink: direct(Destination::Unix(path)), _folder: folder }
    }

    /// Publishes what the store could not take, and reads each line away.
    fn tell(&self, record: &Record) -> Vec<String> {
        self.sink.publish(record, None);
        self.lines()
    }

    fn lines(&self) -> Vec<String> {
        let mut line = [0; 4096];
        let mut lines = Vec::new();
        while let Ok(count) = self.socket.recv(&mut line) {
            lines.push(String::from_utf8(line[..count].to_vec()).unwrap());
        }
        lines
    }
}

fn refusal(user: &str, at: u64) -> Record {
    Record {
        at: UnixTime::from_seconds(at),
        user: (!user.is_empty()).then(|| user.to_owned()),
        primary: PrimaryResult::Wrong,
        ending: Ending::Reject,
        reason: Reason::WrongPassword,
        severity: Severity::Notice,
        ..record()
    }
}

#[test]
fn refusals_that_the_store_cannot_take_do_not_flood_syslog_and_are_counted() {
    let collector = Collector::new();
    let told: usize = (0..10_000).map(|_| collector.tell(&refusal("alice", 1_000)).len()).sum();
    assert_eq!(told, 12, "of one name");
    let told: usize = (0..10_000).map(|_| collector.tell(&refusal("", 1_001)).len()).sum();
    assert_eq!(told, 60, "of names that nobody has");
    collector.sink.settle(UnixTime::from_seconds(1_059));
    assert!(collector.lines().is_empty(), "before its minute is over");
    collector.sink.settle(UnixTime::from_seconds(1_061));
    let lines = collector.lines();
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.contains("reason=\"counted-together\"")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("count=\"9988\"")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("count=\"9940\"")), "{lines:?}");
}

#[test]
fn a_flood_of_many_names_is_bounded_over_all_and_what_goes_on_stays_counted() {
    let collector = Collector::new();
    let flood = |at| (0..20_000).map(|n| collector.tell(&refusal(&format!("u{n}"), at)).len()).sum::<usize>();
    let first = flood(1_000);
    assert!((100..=600).contains(&first), "{first}");
    let second = flood(1_060);
    assert!(second <= 750, "{second}: counted ones and new ones");
}

#[test]
fn acts_and_what_has_a_place_are_told_singly_and_an_end_tells_the_rest() {
    let collector = Collector::new();
    let act = Record { ending: Ending::Act, reason: Reason::ActDone, ..refusal("alice", 1_000) };
    let told: usize = (0..100).map(|_| collector.tell(&act).len()).sum();
    assert_eq!(told, 100);
    let right = Record { primary: PrimaryResult::Right, ..refusal("alice", 1_000) };
    let told: usize = (0..100).map(|_| collector.tell(&refusal("alice", 1_000)).len()).sum();
    assert_eq!((told, collector.tell(&right).len()), (12, 1), "a right password hides among wrong ones");
    collector.sink.flush(Duration::ZERO);
    let lines = collector.lines();
    assert!(lines.len() == 1 && lines[0].contains("count=\"88\""), "{lines:?}");
}

#[test]
fn an_alert_about_the_file_does_not_hide_among_refusals_of_the_same_user() {
    let collector = Collector::new();
    let told: usize = (0..100).map(|_| collector.tell(&refusal("alice", 1_000)).len()).sum();
    assert_eq!(told, 12);
    let alert = Record {
        ending: Ending::Finding,
        reason: Reason::BreakGlassBroken,
        severity: Severity::Alert,
        ..refusal("alice", 1_001)
    };
    assert_eq!(collector.tell(&alert).len(), 1);
    let told: usize = (0..100).map(|_| collector.tell(&alert).len()).sum();
    assert_eq!(told, 11, "each login of alice finds it again");
}

#[test]
fn what_came_after_a_right_password_is_counted_apart_for_each_user_however_many_there_are() {
    let collector = Collector::new();
    for number in 0..20_000 {
        let _ = collector.tell(&refusal(&format!("u{number}"), 1_000));
    }
    let right = |user: &str| Record { primary: PrimaryResult::Right, ..refusal(user, 1_001) };
    for user in ["alice", "bob"] {
        let told: usize = (0..50).map(|_| collector.tell(&right(user)).len()).sum();
        assert_eq!(told, 12, "{user}");
    }
}
