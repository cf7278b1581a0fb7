//! A connection to a collector that never waits longer than it is told. It starts no thread and never blocks
//! in a system call, so it may be used inside a process that asks PAM.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrLike, SockaddrStorage, UnixAddr, connect,
    getsockopt, recv, send, socket, sockopt,
};

/// Where a collector listens. Names are not resolved here: that could take seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A local socket such as `/dev/log`: datagrams, or a stream where it is one.
    Unix(PathBuf),
    /// One datagram for each line (RFC 5426). What is lost on the way is lost unseen.
    Udp(SocketAddr),
    /// A stream with octet counting (RFC 6587 §3.4.1).
    Tcp(SocketAddr),
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Udp(address) => write!(f, "udp:{address}"),
            Self::Tcp(address) => write!(f, "tcp:{address}"),
        }
    }
}

/// How lines are told apart on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Datagram,
    /// A line end after each line: what local stream sockets expect (RFC 6587 §3.4.2).
    LineEnd,
    OctetCount,
}

struct Peer {
    socket: OwnedFd,
    framing: Framing,
}

/// A collector, connected when there is something to say.
pub(crate) struct Link {
    destination: Destination,
    peer: Option<Peer>,
}

impl Link {
    pub(crate) fn new(destination: Destination) -> Self {
        Self { destination, peer: None }
    }

    /// Hands one line to the kernel, waiting at most `within` over all. A connection that has died since the
    /// last line is made anew once.
    pub(crate) fn send(&mut self, line: &[u8], within: Duration) -> io::Result<()> {
        let deadline = Deadline::after(within);
        let was_connected = self.peer.is_some();
        match self.send_once(line, &deadline) {
            Err(error) if was_connected && is_gone(&error) => self.send_once(line, &deadline),
            other => other,
        }
    }

    /// Closes the connection; the next line opens another.
    pub(crate) fn close(&mut self) {
        self.peer = None;
    }

    fn send_once(&mut self, line: &[u8], deadline: &Deadline) -> io::Result<()> {
        let peer = match self.peer.take().filter(Peer::is_open) {
            Some(peer) => peer,
            None => Peer::connect(&self.destination, deadline)?,
        };
        let sent = peer.send(line, deadline);
        // After a failure nobody knows how much of a line a stream has taken: the next one starts on a new stream.
        let still_whole =
            peer.framing == Framing::Datagram && sent.as_ref().err().is_none_or(|e| !is_gone(e));
        if sent.is_ok() || still_whole {
            self.peer = Some(peer);
        }
        sent
    }
}

/// Whether an error says that the connection is dead, rather than slow or that the line is too long.
fn is_gone(error: &io::Error) -> bool {
    let slow = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
    !slow && !is_refused_for_good(error)
}

/// Whether no later try could bring this line through either.
pub(crate) fn is_refused_for_good(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::libc::EMSGSIZE)
}

impl Peer {
    fn connect(destination: &Destination, deadline: &Deadline) -> io::Result<Self> {
        match destination {
            Destination::Udp(address) => {
                let address = SockaddrStorage::from(*address);
                let socket = connected(&address, SockType::Datagram, deadline)?;
                Ok(Self { socket, framing: Framing::Datagram })
            }
            Destination::Tcp(address) => {
                let address = SockaddrStorage::from(*address);
                let socket = connected(&address, SockType::Stream, deadline)?;
                Ok(Self { socket, framing: Framing::OctetCount })
            }
            Destination::Unix(path) => Self::connect_unix(&UnixAddr::new(path)?, deadline),
        }
    }

    fn connect_unix(address: &UnixAddr, deadline: &Deadline) -> io::Result<Self> {
        match connected(address, SockType::Datagram, deadline) {
            Ok(socket) => Ok(Self { socket, framing: Framing::Datagram }),
            Err(error) if error.raw_os_error() == Some(nix::libc::EPROTOTYPE) => {
                let socket = connected(address, SockType::Stream, deadline)?;
                Ok(Self { socket, framing: Framing::LineEnd })
            }
            Err(error) => Err(error),
        }
    }

    /// False for a stream that its collector has closed: what is written to it would be lost unseen.
    fn is_open(&self) -> bool {
        let mut octet = [0];
        self.framing == Framing::Datagram
            || recv(self.socket.as_raw_fd(), &mut octet, MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT)
                .map_or_else(|error| error == Errno::EAGAIN, |count| count > 0)
    }

    fn send(&self, line: &[u8], deadline: &Deadline) -> io::Result<()> {
        let frame = match self.framing {
            Framing::Datagram => return self.send_all(line, deadline),
            Framing::LineEnd => [line, b"\n"].concat(),
            Framing::OctetCount => [format!("{} ", line.len()).as_bytes(), line].concat(),
        };
        self.send_all(&frame, deadline)
    }

    fn send_all(&self, mut rest: &[u8], deadline: &Deadline) -> io::Result<()> {
        while !rest.is_empty() {
            match send(self.socket.as_raw_fd(), rest, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(Errno::EAGAIN) => deadline.wait_until_writable(&self.socket)?,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// A connected socket that never blocks. A local stream whose queue is full fails at once, by the kernel's rule.
fn connected(address: &dyn SockaddrLike, kind: SockType, deadline: &Deadline) -> io::Result<OwnedFd> {
    let family = address.family().unwrap_or(AddressFamily::Unspec);
    let socket = socket(family, kind, SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC, None)?;
    match connect(socket.as_raw_fd(), address) {
        Ok(()) => return Ok(socket),
        Err(Errno::EINPROGRESS | Errno::EINTR) => deadline.wait_until_writable(&socket)?,
        Err(error) => return Err(error.into()),
    }
    match getsockopt(&socket, sockopt::SocketError)? {
        0 => Ok(socket),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// The end of our patience.
struct Deadline {
    start: Instant,
    within: Duration,
}

impl Deadline {
    fn after(within: Duration) -> Self {
        Self { start: Instant::now(), within }
    }

    fn wait_until_writable(&self, socket: &OwnedFd) -> io::Result<()> {
        let left = self.within.saturating_sub(self.start.elapsed());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let mut ready = [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)];
        match poll(&mut ready, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
            Ok(0) => Err(io::ErrorKind::TimedOut.into()),
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
