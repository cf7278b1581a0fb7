//! countersign-local, as a caller asks it, the module or the command line: one round for each connection, with an end in
//! time, whatever the process that we are in has done to its limits, signals and descriptors.

use std::cell::OnceCell;
use std::fs;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::sockopt::{PeerCredentials, SendTimeout};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, getsockopt, recv, send, setsockopt,
    socket,
};
use nix::sys::time::TimeVal;
use nix::unistd::Uid;
use zeroize::Zeroizing;

use crate::local::wire::{FRAME_OCTETS_MAX, LENGTH_OCTETS, frame_length};
use crate::local::{ANSWER_PATIENCE, Malformed, Reply, Request, TAKING_PATIENCE, is_user};
use crate::places::SYSTEM_USER;

/// How long root waits in front of a service that is busy taking others in: it has another way.
const ROOT_CONNECTS_WITHIN: Duration = Duration::from_millis(100);
/// How long all others do.
const CONNECTS_WITHIN: Duration = Duration::from_secs(2);
/// Standard input, output and error, which we must not become: a program may have closed its own.
const STANDARD_DESCRIPTORS: i32 = 3;

/// Why the service has not decided.
#[derive(Debug, thiserror::Error)]
pub enum Away {
    /// It is not to be asked.
    #[error("the module's line says socket=off")]
    Off,
    /// There is no connection to be had.
    #[error("{}: {source}", path.display())]
    Connect {
        /// The socket, or the folder that it is in.
        path: PathBuf,
        /// The cause.
        source: Errno,
    },
    /// The socket, or its folder, may be somebody else's.
    #[error("{}: others than root and the user {SYSTEM_USER} could have put it there", path.display())]
    Foreign {
        /// The socket or the folder.
        path: PathBuf,
    },
    /// It hangs.
    #[error("it takes connections and says nothing")]
    Silent,
    /// The connection ended before the reply.
    #[error("it hung up: {0}")]
    HungUp(Errno),
    /// What it says is not understood.
    #[error("it is of another installation than this program ({})", .0.name())]
    Malformed(Malformed),
    /// It turns callers away.
    #[error("it has too much to do")]
    Busy,
    /// The caller means other settings than its own.
    #[error("it has other settings than this line of the PAM stack")]
    OtherSettings,
}

impl Away {
    /// What an administrator does about it, as the end of a line in the log.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Off => "take socket=off out of the line, it is for programs of root alone",
            Self::Connect { source: Errno::ENOENT | Errno::ECONNREFUSED, .. } => {
                "systemctl enable --now countersign-local.socket"
            }
            Self::Connect { .. } => {
                "see 'systemctl status countersign-local.socket', and who may get at that path"
            }
            Self::Foreign { .. } => {
                "see who owns the socket and its folder, then systemctl restart countersign-local.socket"
            }
            Self::Silent => {
                "it runs and hangs, or is stopped: systemctl restart countersign-local; 'countersign store check' says \
                 whether the store or its disk holds it up"
            }
            Self::HungUp(_) => {
                "systemctl status countersign-local says whether it runs; its journal says why it ended"
            }
            Self::Malformed(_) => "systemctl restart countersign-local",
            Self::Busy => {
                "see its counters: systemctl kill -s USR1 countersign-local; journalctl -u countersign-local"
            }
            Self::OtherSettings => "give the line and the service the same config=/PATH and --config PATH",
        }
    }
}

impl From<Malformed> for Away {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// The service at one socket.
pub struct Service {
    path: PathBuf,
    /// Whom the socket may belong to, once that is looked up: as many rounds as there are, one question to NSS.
    owner: OnceCell<u32>,
}

impl Service {
    /// The one behind this socket.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self { path, owner: OnceCell::new() }
    }

    /// One round. Nothing stays open after it.
    ///
    /// # Errors
    /// [`Away`]: whether it has decided anything is not known where it hung up.
    pub fn ask(&self, request: &Request) -> Result<Reply, Away> {
        let frame = request.encode()?;
        let socket = self.connect()?;
        let begun = Instant::now();
        // Who is turned away at the door may find it closed already: what it says is heard all the same.
        let sent = send_all(&socket, &frame, begun.checked_add(TAKING_PATIENCE));
        let reply = match receive(&socket, begun.checked_add(TAKING_PATIENCE)) {
            Ok(Reply::Taken) => receive(&socket, begun.checked_add(ANSWER_PATIENCE)),
            reply => reply,
        };
        match (sent, reply) {
            (_, Ok(Reply::Busy)) => Err(Away::Busy),
            (_, Ok(Reply::NotMine)) => Err(Away::OtherSettings),
            (_, Ok(reply)) => Ok(reply),
            (Err(away), Err(_)) | (Ok(()), Err(away)) => Err(away),
        }
    }

    /// A connection to a socket that only root or the system user can have put there.
    fn connect(&self) -> Result<OwnedFd, Away> {
        let failed = |source| Away::Connect { path: self.path.clone(), source };
        let owner = self.owner_of_folder()?;
        let flags = SockFlag::SOCK_CLOEXEC;
        let made = socket(AddressFamily::Unix, SockType::Stream, flags, None).map_err(failed)?;
        let socket = above_standard(made).map_err(failed)?;
        let within = if Uid::current().is_root() { ROOT_CONNECTS_WITHIN } else { CONNECTS_WITHIN };
        setsockopt(&socket, SendTimeout, &time_value(within)).map_err(failed)?;
        let address = UnixAddr::new(&self.path).map_err(failed)?;
        connect_until(&socket, &address, Instant::now().checked_add(within)).map_err(
            |error| match error {
                // What unix(7) says where the queue of a listening socket stays full.
                Errno::EAGAIN => Away::Busy,
                other => failed(other),
            },
        )?;
        let peer = getsockopt(&socket, PeerCredentials).map_err(failed)?.uid();
        if peer != owner && !self.is_trusted(peer) {
            return Err(Away::Foreign { path: self.path.clone() });
        }
        Ok(socket)
    }

    /// Whoever can write to the folder can put another socket there: it is root's or the system user's.
    fn owner_of_folder(&self) -> Result<u32, Away> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let metadata = fs::symlink_metadata(folder).map_err(|error| Away::Connect {
            path: folder.to_owned(),
            source: Errno::from_raw(error.raw_os_error().unwrap_or_default()),
        })?;
        match metadata.is_dir() && metadata.mode() & 0o022 == 0 && self.is_trusted(metadata.uid()) {
            true => Ok(metadata.uid()),
            false => Err(Away::Foreign { path: folder.to_owned() }),
        }
    }

    /// Root, and the user that the service becomes. Where nobody can tell who that is, root alone.
    fn is_trusted(&self, uid: u32) -> bool {
        if uid == 0 || self.owner.get() == Some(&uid) {
            return true;
        }
        let is_owner = is_user(SYSTEM_USER, uid);
        if is_owner {
            // It is the first one, or there is one already.
            let _ = self.owner.set(uid);
        }
        is_owner
    }
}

/// A signal is no reason to give up, and none to wait longer.
fn connect_until(socket: &OwnedFd, address: &UnixAddr, until: Option<Instant>) -> Result<(), Errno> {
    loop {
        match connect(socket.as_raw_fd(), address) {
            Err(Errno::EINTR) if until.is_some_and(|until| Instant::now() < until) => {}
            result => return result,
        }
    }
}

/// std duplicates to a number above the standard ones.
fn above_standard(socket: OwnedFd) -> Result<OwnedFd, Errno> {
    if socket.as_raw_fd() >= STANDARD_DESCRIPTORS {
        return Ok(socket);
    }
    let above = socket.try_clone();
    above.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or_default()))
}

fn send_all(socket: &OwnedFd, frame: &[u8], until: Option<Instant>) -> Result<(), Away> {
    let mut rest = frame;
    while !rest.is_empty() {
        match send(socket.as_raw_fd(), rest, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL) {
            Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => wait(socket, PollFlags::POLLOUT, until)?,
            Err(error) => return Err(Away::HungUp(error)),
        }
    }
    Ok(())
}

fn receive(socket: &OwnedFd, until: Option<Instant>) -> Result<Reply, Away> {
    let mut length = [0; LENGTH_OCTETS];
    receive_exact(socket, &mut length, until)?;
    // A question may hold a secret.
    let mut frame = Zeroizing::new([0; FRAME_OCTETS_MAX]);
    let frame = frame.get_mut(..frame_length(length)?).ok_or(Malformed::Length)?;
    receive_exact(socket, frame, until)?;
    Ok(Reply::decode(frame)?)
}

fn receive_exact(socket: &OwnedFd, octets: &mut [u8], until: Option<Instant>) -> Result<(), Away> {
    let mut rest = octets;
    while !rest.is_empty() {
        match recv(socket.as_raw_fd(), rest, MsgFlags::MSG_DONTWAIT) {
            Ok(0) => return Err(Away::HungUp(Errno::ECONNRESET)),
            Ok(received) => rest = rest.get_mut(received..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => wait(socket, PollFlags::POLLIN, until)?,
            Err(error) => return Err(Away::HungUp(error)),
        }
    }
    Ok(())
}

/// Waits on the monotonic clock; handlers of the application may run meanwhile.
fn wait(socket: &OwnedFd, what: PollFlags, until: Option<Instant>) -> Result<(), Away> {
    let left = until.map(|until| until.saturating_duration_since(Instant::now())).unwrap_or_default();
    if left.is_zero() {
        return Err(Away::Silent);
    }
    // A millisecond more, so that it is over then.
    let left = PollTimeout::try_from(left.saturating_add(Duration::from_millis(1)));
    match poll(&mut [PollFd::new(socket.as_fd(), what)], left.unwrap_or(PollTimeout::MAX)) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(Away::HungUp(error)),
    }
}

fn time_value(duration: Duration) -> TimeVal {
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    TimeVal::new(seconds, i64::from(duration.subsec_micros()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `daemon` has the uid 1 on every Debian.
    #[test]
    fn root_is_trusted_and_ordinary_users_are_not() {
        let service = Service::at(PathBuf::from("/nowhere"));
        assert!(service.is_trusted(0));
        assert!(!service.is_trusted(1) && !service.is_trusted(1000) && !service.is_trusted(54_321));
    }

    #[test]
    fn the_advice_fits_what_was_found() {
        let path = || PathBuf::from("/run/countersign/local.sock");
        let missing = Away::Connect { path: path(), source: Errno::ENOENT };
        assert!(missing.advice().contains("enable --now"), "there is none to restart");
        for hung in [Away::Silent, Away::Malformed(Malformed::Version)] {
            assert!(
                hung.advice().contains("restart countersign-local"),
                "{hung}: enabling starts no second one"
            );
        }
        let others = [Away::Off, Away::Busy, Away::OtherSettings, Away::Foreign { path: path() }];
        assert!(others.iter().all(|away| !away.advice().contains("enable")));
    }
}
