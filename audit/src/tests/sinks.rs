//! Collectors that work, come back, never read, and are not there.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::queue::{Line, Queue};
use crate::sink::{Lost, Tally};
use crate::{Destination, Facility, Format, Origin, Renderer, SyslogSink};
use common::chain::{ChainMac, ChainPosition};
use common::ports::Sink as _;
use common::record::{Ending, PrimaryResult, Record, Severity};
use common::{AttemptId, Door, Place, Reason, UnixTime};

/// What a login may lose to all its collectors, with room for a busy test machine.
const NO_DELAY: Duration = Duration::from_millis(250);
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

fn renderer() -> Renderer {
    Renderer::new(Format::Rfc5424, Origin::of_this_host(Facility::LOG_AUTHPRIV, "countersign"))
}

pub(super) fn direct(destination: Destination) -> SyslogSink {
    SyslogSink::direct(destination, renderer())
}

pub(super) fn record() -> Record {
    Record {
        at: UnixTime::from_seconds(0),
        attempt: AttemptId::from_bytes([0; 16]),
        severity: Severity::Info,
        door: Door::Radius,
        place: Place::Client("gateway".into()),
        typed: "alice".into(),
        user: None,
        source: None,
        rule: None,
        primary: PrimaryResult::Right,
        factor: None,
        ending: Ending::Accept,
        reason: Reason::BothProofs,
        caller: None,
        target: None,
        together: None,
        told: None,
        delivery: None,
        act: None,
    }
}

fn position(sequence: u64) -> ChainPosition {
    ChainPosition { stream: "radius-1".into(), sequence, mac: ChainMac::BEGINNING }
}

fn publish(sink: &SyslogSink, sequence: u64) {
    sink.publish(&record(), Some(&position(sequence)));
}

fn sequence_in(line: &str) -> u64 {
    let (_, rest) = line.split_once(" seq=\"").unwrap_or_else(|| panic!("no place in {line}"));
    rest.split_once('"').unwrap().0.parse().unwrap()
}

fn received(octets: &[u8]) -> u64 {
    sequence_in(std::str::from_utf8(octets).unwrap())
}

/// One frame of RFC 6587 §3.4.1.
fn frame(stream: &mut impl std::io::BufRead) -> Option<u64> {
    let mut count = Vec::new();
    stream.read_until(b' ', &mut count).ok()?;
    let count: usize = std::str::from_utf8(&count).ok()?.trim_end().parse().ok()?;
    let mut line = vec![0; count];
    stream.read_exact(&mut line).ok()?;
    Some(received(&line))
}

fn publishes_without_delay(sink: &SyslogSink, count: u64) {
    let start = Instant::now();
    (1..=count).for_each(|sequence| publish(sink, sequence));
    assert!(start.elapsed() < NO_DELAY, "{count} records took {:?}", start.elapsed());
}

#[test]
fn a_local_socket_takes_datagrams() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let collector = UnixDatagram::bind(&path).unwrap();
    let sink = direct(Destination::Unix(path));
    publish(&sink, 1);
    let mut octets = [0; 8192];
    let count = collector.recv(&mut octets).unwrap();
    assert_eq!(received(&octets[..count]), 1);
    assert_eq!((sink.counts().sent, sink.counts().dropped), (1, 0));
}

#[test]
fn a_local_socket_may_be_a_stream() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let collector = UnixListener::bind(&path).unwrap();
    let sink = direct(Destination::Unix(path));
    publish(&sink, 1);
    publish(&sink, 2);
    let mut lines = BufReader::new(collector.accept().unwrap().0).lines();
    assert_eq!(sequence_in(&lines.next().unwrap().unwrap()), 1);
    assert_eq!(sequence_in(&lines.next().unwrap().unwrap()), 2);
}

#[test]
fn a_collector_that_comes_back_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let sink = direct(Destination::Unix(path.clone()));
    let first = UnixDatagram::bind(&path).unwrap();
    publish(&sink, 1);
    drop(first);
    std::fs::remove_file(&path).unwrap();
    publish(&sink, 2);
    assert_eq!((sink.counts().sent, sink.counts().dropped), (1, 1));
    let second = UnixDatagram::bind(&path).unwrap();
    publish(&sink, 3);
    let mut octets = [0; 8192];
    let count = second.recv(&mut octets).unwrap();
    assert_eq!(received(&octets[..count]), 3);
}

#[test]
fn a_local_collector_that_never_reads_delays_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let _collector = UnixDatagram::bind(&path).unwrap();
    let sink = direct(Destination::Unix(path));
    publishes_without_delay(&sink, 1000);
    assert!(sink.counts().sent > 0 && sink.counts().dropped > 0, "{:?}", sink.counts());
    assert_eq!(sink.counts().sent + sink.counts().dropped, 1000);
}

fn of_command(destination: Destination) -> SyslogSink {
    SyslogSink::of_command(destination, renderer())
}

#[test]
fn a_command_that_is_faster_than_its_collector_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let collector = UnixDatagram::bind(&path).unwrap();
    let reading = std::thread::spawn(move || {
        let mut octets = [0; 8192];
        (1..=20_000).all(|sequence| {
            collector.recv(&mut octets).is_ok_and(|count| received(&octets[..count]) == sequence)
        })
    });
    let sink = of_command(Destination::Unix(path));
    (1..=20_000).for_each(|sequence| publish(&sink, sequence));
    assert!(reading.join().unwrap(), "every line, in order");
    assert_eq!((sink.counts().dropped, sink.take_lost()), (0, None));
}

#[test]
fn a_command_waits_two_seconds_for_a_collector_that_never_reads_and_says_how_much_was_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let _collector = UnixDatagram::bind(&path).unwrap();
    let sink = of_command(Destination::Unix(path));
    let start = Instant::now();
    (1..=1000).for_each(|sequence| publish(&sink, sequence));
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    sink.anchor(&position(1001), UnixTime::from_seconds(0));
    let lost = sink.take_lost().unwrap();
    assert_eq!((lost.count, lost.since), (1000 - sink.counts().sent, record().at), "an anchor is no record");
    assert_eq!(sink.take_lost(), None, "it is told once");
    let behind = Record { reason: Reason::SyslogBehind, ..record() };
    sink.publish(&behind, Some(&position(1002)));
    assert_eq!(sink.take_lost(), None, "and not told of itself");
}

#[test]
fn what_the_thread_of_a_queue_drops_is_lost_too() {
    let tally = Arc::<Tally>::default();
    let line = |octets: usize, second: u64| Line {
        octets: vec![b'x'; octets],
        of: (second > 0).then(|| UnixTime::from_seconds(second)),
    };
    let collector = UdpSocket::bind("127.0.0.1:0").unwrap();
    let queue = Queue::start(Destination::Udp(collector.local_addr().unwrap()), Arc::clone(&tally)).unwrap();
    let no_datagram = 70_000;
    for line in [line(no_datagram, 8), line(100, 9), line(no_datagram, 7), line(no_datagram, 0)] {
        queue.put(line).unwrap();
    }
    queue.flush(PATIENCE);
    let since = UnixTime::from_seconds(7);
    assert_eq!(tally.take_lost(), Some(Lost { count: 2, since }), "an anchor is no record");
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::start(Destination::Unix(folder.path().join("nobody")), Arc::clone(&tally)).unwrap();
    queue.put(line(100, 7)).unwrap();
    drop(queue);
    assert_eq!(tally.take_lost(), Some(Lost { count: 1, since }), "given up");
}

#[test]
fn a_local_stream_that_never_accepts_delays_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let _collector = UnixListener::bind(&path).unwrap();
    let sink = direct(Destination::Unix(path));
    publishes_without_delay(&sink, 2000);
    assert!(sink.counts().dropped > 0, "{:?}", sink.counts());
}

#[test]
fn datagrams_go_over_udp() {
    let collector = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sink = direct(Destination::Udp(collector.local_addr().unwrap()));
    publish(&sink, 1);
    let mut octets = [0; 8192];
    let count = collector.recv(&mut octets).unwrap();
    assert_eq!(received(&octets[..count]), 1);
}

#[test]
fn octets_are_counted_over_tcp() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let sink = direct(Destination::Tcp(collector.local_addr().unwrap()));
    publish(&sink, 1);
    publish(&sink, 2);
    let mut stream = BufReader::new(collector.accept().unwrap().0);
    assert_eq!((frame(&mut stream), frame(&mut stream)), (Some(1), Some(2)));
}

/// A listener whose backlog is full: the kernel drops every further SYN, as a black hole would.
fn black_hole() -> (TcpListener, Vec<SyslogSink>, SocketAddr) {
    use nix::sys::socket::{Backlog, listen};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listen(&listener, Backlog::new(1).unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let mut fillers = Vec::new();
    for _ in 0..64 {
        let filler = direct(Destination::Tcp(address));
        publish(&filler, 0);
        let is_full = filler.counts().dropped > 0;
        fillers.push(filler);
        if is_full {
            return (listener, fillers, address);
        }
    }
    panic!("64 connections do not fill a backlog of 1");
}

#[test]
fn a_collector_in_a_black_hole_delays_nobody() {
    let (_listener, _fillers, address) = black_hole();
    let sink = direct(Destination::Tcp(address));
    publishes_without_delay(&sink, 1000);
    assert_eq!(sink.counts().dropped, 1000);
}

#[test]
fn a_collector_over_tcp_that_never_reads_delays_nobody() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let sink = direct(Destination::Tcp(collector.local_addr().unwrap()));
    let start = Instant::now();
    let mut slowest = Duration::ZERO;
    while sink.counts().dropped == 0 && start.elapsed() < PATIENCE {
        let before = Instant::now();
        publish(&sink, 1);
        slowest = slowest.max(before.elapsed());
    }
    assert!(sink.counts().dropped > 0);
    assert!(slowest < NO_DELAY, "{slowest:?}");
}

#[test]
fn nothing_stays_open_over_a_prompt() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let sink = direct(Destination::Tcp(collector.local_addr().unwrap()));
    publish(&sink, 1);
    sink.release();
    let mut stream = BufReader::new(collector.accept().unwrap().0);
    assert_eq!(frame(&mut stream), Some(1));
    assert_eq!(frame(&mut stream), None, "closed");
    publish(&sink, 2);
    assert_eq!(frame(&mut BufReader::new(collector.accept().unwrap().0)), Some(2));
}

#[test]
fn nobody_at_all_is_counted() {
    let unused = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for destination in [Destination::Unix("/nonexistent/log".into()), Destination::Tcp(unused)] {
        let sink = direct(destination);
        sink.publish(&record(), None);
        assert_eq!(sink.counts().dropped, 1);
    }
}

#[test]
fn a_server_keeps_the_order_over_a_collectors_absence() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = collector.local_addr().unwrap();
    let sink = SyslogSink::queued(Destination::Tcp(address), renderer()).unwrap();
    publish(&sink, 1);
    let mut stream = BufReader::new(collector.accept().unwrap().0);
    assert_eq!(frame(&mut stream), Some(1));
    drop((stream, collector));
    (2..=50).for_each(|sequence| publish(&sink, sequence));
    let collector = TcpListener::bind(address).unwrap();
    let mut stream = BufReader::new(collector.accept().unwrap().0);
    assert_eq!((2..=50).map_while(|_| frame(&mut stream)).collect::<Vec<_>>(), (2..=50).collect::<Vec<_>>());
    assert_eq!(sink.counts().dropped, 0);
}

#[test]
fn a_server_queues_for_a_local_socket_whose_queue_is_short() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let collector = UnixDatagram::bind(&path).unwrap();
    collector.set_read_timeout(Some(PATIENCE)).unwrap();
    let sink = SyslogSink::queued(Destination::Unix(path), renderer()).unwrap();
    (1..=1500).for_each(|sequence| publish(&sink, sequence));
    let mut octets = [0; 8192];
    for expected in 1..=1500 {
        let count = collector.recv(&mut octets).unwrap();
        assert_eq!(received(&octets[..count]), expected);
    }
}

#[test]
fn a_servers_queue_is_bounded_and_delays_nobody() {
    let (_listener, _fillers, address) = black_hole();
    let sink = SyslogSink::queued(Destination::Tcp(address), renderer()).unwrap();
    let start = Instant::now();
    let mut slowest = Duration::ZERO;
    while sink.counts().dropped == 0 && start.elapsed() < PATIENCE {
        let before = Instant::now();
        publish(&sink, 1);
        slowest = slowest.max(before.elapsed());
    }
    assert!(sink.counts().dropped > 0 && slowest < NO_DELAY, "{:?}, {slowest:?}", sink.counts());
}

#[test]
fn a_server_that_stops_sends_what_waits() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let sink = SyslogSink::queued(Destination::Tcp(collector.local_addr().unwrap()), renderer()).unwrap();
    (1..=20).for_each(|sequence| publish(&sink, sequence));
    drop(sink);
    let mut stream = BufReader::new(collector.accept().unwrap().0);
    assert_eq!((1..=20).map_while(|_| frame(&mut stream)).count(), 20);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_flush_waits_for_what_was_put_and_not_for_ever() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let sink = SyslogSink::queued(Destination::Tcp(collector.local_addr().unwrap()), renderer()).unwrap();
    (1..=100).for_each(|sequence| publish(&sink, sequence));
    sink.flush(Duration::from_secs(10));
    assert_eq!(sink.counts().sent, 100);
    let (_listener, _fillers, away) = black_hole();
    let sink = SyslogSink::queued(Destination::Tcp(away), renderer()).unwrap();
    publish(&sink, 1);
    let start = Instant::now();
    sink.flush(Duration::from_millis(50));
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_server_that_stops_does_not_wait_for_a_collector_that_is_away() {
    let (_listener, _fillers, address) = black_hole();
    let sink = SyslogSink::queued(Destination::Tcp(address), renderer()).unwrap();
    (1..=100).for_each(|sequence| publish(&sink, sequence));
    let start = Instant::now();
    drop(sink);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}
