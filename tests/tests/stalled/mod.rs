//! Collectors that take nothing: one whose backlog is full, one that has stopped reading, and none at all.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use test_ground::{Failure, Outcome, checked, wait_for};

/// How long a connection is tried for before the backlog counts as full; one that finds room is there at once.
const KNOCK: Duration = Duration::from_millis(300);
/// More than any backlog of the standard library holds.
const CONNECTIONS_MAX: usize = 512;
/// Rounds of filling; each is some 60 KiB, and buffers for frames of 1500 octets hold less than all of them.
const ROUNDS_MAX: usize = 60;

/// Loopback's frames of 64 KiB come with buffers of megabytes, which would take a test long to fill.
pub(crate) fn frames_as_on_a_cable() -> Outcome {
    checked(Command::new("ip").args(["link", "set", "lo", "mtu", "1500"])).map(drop)
}

/// An address where nobody listens, and which no program is given by chance (tcpmux).
pub(crate) const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// A listener that accepts nobody, with as many connections waiting as there can be.
pub(crate) struct Full {
    listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl Full {
    pub(crate) fn listen() -> Self {
        let listener = listener();
        let waiting = fill_backlog(address_of(&listener));
        Self { listener, _waiting: waiting }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        address_of(&self.listener)
    }

    pub(crate) fn is_full(&self) -> bool {
        TcpStream::connect_timeout(&self.address(), KNOCK).is_err()
    }
}

/// A collector that accepts who has come, never reads from them, and accepts nobody else.
pub(crate) struct Deaf {
    listener: TcpListener,
    accepted: Vec<TcpStream>,
    waiting: Vec<TcpStream>,
    stuck: u64,
}

impl Deaf {
    pub(crate) fn listen() -> Self {
        Self { listener: listener(), accepted: Vec::new(), waiting: Vec::new(), stuck: 0 }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        address_of(&self.listener)
    }

    /// Waits for a sender that stays, accepts it, and has no room for anybody who comes anew.
    pub(crate) fn accept_and_fill_the_backlog(&mut self) -> Outcome {
        wait_for("a sender", 10, || match senders(self.address().port()) {
            Ok(senders) if senders.iter().any(|sender| sender.state == Sender::ESTABLISHED) => Ok(()),
            other => Err(format!("{other:?}")),
        })?;
        self.listener.set_nonblocking(true).expect("a listener");
        self.accepted =
            std::iter::from_fn(|| self.listener.accept().ok()).map(|(stream, _)| stream).collect();
        self.waiting = fill_backlog(self.address());
        Ok(())
    }

    /// Has the sender send, again and again, until a whole round brings out not an octet more.
    pub(crate) fn fill(&mut self, round: impl Fn() -> Outcome) -> Outcome {
        for _ in 0..ROUNDS_MAX {
            let before = self.octets_held_back()?;
            round()?;
            self.stuck = self.octets_held_back()?;
            if self.stuck > 0 && self.stuck == before {
                return Ok(());
            }
        }
        Err(Failure::Unreadable { what: "a full buffer", found: format!("{} octets", self.stuck) })
    }

    /// Whether the same octets still wait for us. When the sender has given up, the end of the connection is one more.
    pub(crate) fn is_stuck(&self) -> Result<bool, Failure> {
        Ok(self.stuck > 0 && self.octets_held_back()? >= self.stuck)
    }

    /// Octets that a sender has in its buffer, and may not send.
    fn octets_held_back(&self) -> Result<u64, Failure> {
        let senders = senders(self.address().port())?;
        Ok(senders.iter().map(|sender| sender.held_back).max().unwrap_or_default())
    }
}

/// The other end of a connection to us, as the kernel sees it.
#[derive(Debug)]
struct Sender {
    state: u64,
    /// Octets that were written and not acknowledged.
    held_back: u64,
}

impl Sender {
    const ESTABLISHED: u64 = 1;

    /// A row of proc(5): slot, local address, remote address, state, tx_queue:rx_queue, all in hexadecimal.
    fn read(row: &str, collector_port: u16) -> Option<Self> {
        let words: Vec<&str> = row.split_whitespace().collect();
        let [_, _, remote, state, queues, ..] = words.as_slice() else { return None };
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        let (_, port) = remote.split_once(':')?;
        let held_back = number(queues.split_once(':')?.0)?;
        let is_theirs = number(port)? == u64::from(collector_port);
        is_theirs.then_some(Self { state: number(state)?, held_back })
    }
}

fn senders(collector_port: u16) -> Result<Vec<Sender>, Failure> {
    let file = Path::new("/proc/net/tcp");
    let table = fs::read_to_string(file).map_err(Failure::file("read", file))?;
    Ok(table.lines().filter_map(|row| Sender::read(row, collector_port)).collect())
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a loopback port")
}

fn address_of(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().expect("its address")
}

/// Connections until one finds no room.
fn fill_backlog(address: SocketAddr) -> Vec<TcpStream> {
    let knock = || TcpStream::connect_timeout(&address, KNOCK).ok();
    let waiting: Vec<TcpStream> = std::iter::from_fn(knock).take(CONNECTIONS_MAX).collect();
    assert!(waiting.len() < CONNECTIONS_MAX, "a backlog without end");
    waiting
}
