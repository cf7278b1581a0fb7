//! One connection: who is at the other end, and as much of the request as has come.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use assembly::local::wire::{FRAME_OCTETS_MAX, LENGTH_OCTETS, frame_length};
use assembly::local::{Malformed, Reply, Request};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, getsockopt, recv, send, sockopt};
use zeroize::Zeroizing;

use crate::limits;

const BUFFER_OCTETS: usize = FRAME_OCTETS_MAX + LENGTH_OCTETS;

/// The caller, as long as its reply is awaited.
#[derive(Debug)]
pub struct Caller {
    stream: UnixStream,
    /// The effective uid of the process that connected, by the kernel.
    pub uid: u32,
}

/// A caller whose request is being read.
pub struct Connection {
    caller: Caller,
    until: Instant,
    octets: Zeroizing<Vec<u8>>,
    filled: usize,
}

/// How far a request is.
pub enum Progress {
    /// More is to come.
    Waiting,
    /// It is there.
    Complete(Box<Request>),
    /// It is none.
    Malformed(Malformed),
    /// The caller is gone.
    HungUp,
}

impl Caller {
    /// Asks the kernel who is at the other end.
    ///
    /// # Errors
    /// It does not say.
    pub fn new(stream: UnixStream) -> io::Result<Self> {
        let uid = getsockopt(&stream, sockopt::PeerCredentials)?.uid();
        Ok(Self { stream, uid })
    }

    /// Sends a reply, which always fits what the kernel holds for a connection: nobody is waited for.
    ///
    /// # Errors
    /// The caller is gone.
    pub fn reply(&self, reply: &Reply) -> io::Result<()> {
        let frame = reply.encode().map_err(|_| io::ErrorKind::InvalidData)?;
        let sent = send(self.stream.as_raw_fd(), &frame, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL)?;
        if sent == frame.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }
}

impl Connection {
    /// A connection from which nothing has been read.
    #[must_use]
    pub fn new(caller: Caller, now: Instant) -> Self {
        let until = now.checked_add(limits::REQUEST_PATIENCE).unwrap_or(now);
        Self { caller, until, octets: Zeroizing::new(vec![0; BUFFER_OCTETS]), filled: 0 }
    }

    /// The effective uid of the caller.
    #[must_use]
    pub const fn uid(&self) -> u32 {
        self.caller.uid
    }

    /// When the request must be there.
    #[must_use]
    pub const fn until(&self) -> Instant {
        self.until
    }

    /// The caller, to be answered.
    #[must_use]
    pub fn into_caller(self) -> Caller {
        self.caller
    }

    /// Reads what has come, without waiting.
    pub fn read(&mut self) -> Progress {
        let Some(rest) = self.octets.get_mut(self.filled..) else { return Progress::HungUp };
        match recv(self.caller.stream.as_raw_fd(), rest, MsgFlags::MSG_DONTWAIT) {
            Ok(0) => Progress::HungUp,
            Ok(octets) => {
                self.filled = self.filled.saturating_add(octets);
                self.look()
            }
            Err(Errno::EAGAIN | Errno::EINTR) => Progress::Waiting,
            Err(_) => Progress::HungUp,
        }
    }

    fn look(&self) -> Progress {
        let filled = self.octets.get(..self.filled).unwrap_or_default();
        let Some((length, rest)) = filled.split_first_chunk::<LENGTH_OCTETS>() else {
            return Progress::Waiting;
        };
        match frame_length(*length) {
            Err(malformed) => Progress::Malformed(malformed),
            Ok(length) if rest.len() < length => Progress::Waiting,
            // One request a connection: what comes behind it is no part of it.
            Ok(length) if rest.len() > length => Progress::Malformed(Malformed::Length),
            Ok(_) => match Request::decode(rest) {
                Ok(request) => Progress::Complete(Box::new(request)),
                Err(malformed) => Progress::Malformed(malformed),
            },
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.caller.stream.as_fd()
    }
}
