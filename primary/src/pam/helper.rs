//! The parent's side of the small root process that asks PAM for a server which has dropped its rights. Each request
//! brings its own socket, on which the process that holds the conversation answers: no ids, no threads, no mixing up.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use common::account::PasswordHash;
use common::ports::{Identity, Names, PasswordCheck, Primary, Stored};
use common::{Secret, Username};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, recv, sendmsg, socketpair,
};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::{Pid, getpid};
use zeroize::Zeroizing;

use super::process::run_in_child;
use super::serve::{READY, Request, Server, reply_of};
use super::{Pam, ServiceName};
use crate::{Nss, PrimaryError};

/// How long the process may take to prepare itself.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// What the process that asks PAM may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HelperLimits {
    /// Conversations at once, each a process; more requests wait.
    pub conversations_max: usize,
    /// Seconds until a conversation is ended and its question is `Unavailable`.
    pub answer_seconds: u64,
}

impl Default for HelperLimits {
    fn default() -> Self {
        Self { conversations_max: 16, answer_seconds: 10 }
    }
}

/// A PAM stack, asked by a process that stays root. It ends when this goes, or when this process dies.
#[derive(Debug)]
pub struct PamHelper {
    control: Option<OwnedFd>,
    process: Pid,
    limits: HelperLimits,
}

impl PamHelper {
    /// Forks the process. Call this as root, before any thread starts, and from the main thread: the kernel ends the
    /// process when the thread that forked it ends.
    pub fn fork(service: ServiceName, limits: HelperLimits) -> Result<Self, PrimaryError> {
        let threads = std::fs::read_dir("/proc/self/task").map_err(failed("counting threads"))?.count();
        if threads != 1 {
            return Err(PrimaryError::ThreadsRunning { threads });
        }
        let pam = Pam::new(service);
        Self::fork_with(move |name, password| pam.check(name, None, password), limits)
    }

    pub(super) fn fork_with(
        checker: impl Fn(&Username, &Secret) -> PasswordCheck,
        limits: HelperLimits,
    ) -> Result<Self, PrimaryError> {
        let (ours, theirs) = pair().map_err(failed("making a socket"))?;
        let parent = getpid();
        let serve = || drop(Server::prepare(&theirs, &checker, limits, parent).and_then(Server::run));
        let process = run_in_child(serve).map_err(failed("forking"))?;
        drop(theirs);
        let helper = Self { control: Some(ours), process, limits };
        helper.await_readiness().map_err(failed("preparing it"))?;
        Ok(helper)
    }

    /// A child that cannot prepare itself ends without a word.
    fn await_readiness(&self) -> io::Result<()> {
        let control = self.control.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        wait(control, PollFlags::POLLIN, READY_WITHIN)?;
        let mut ready = [0];
        match recv(control.as_raw_fd(), &mut ready, MsgFlags::MSG_DONTWAIT)? {
            1 if ready == READY => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Whether the process is gone. Then every check is `Unavailable`, and only root can fork another.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        // Its end stays to be waited for, which `drop` does.
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        waitid(Id::Pid(self.process), flags) != Ok(WaitStatus::StillAlive)
    }

    /// An error says that the process is gone or too slow.
    fn ask(&self, name: &Username, password: &Secret) -> io::Result<PasswordCheck> {
        let start = Instant::now();
        let within = Duration::from_secs(self.limits.answer_seconds);
        let left = || within.saturating_sub(start.elapsed());
        let control = self.control.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let request = Request::encode(name, password);
        let (ours, theirs) = pair()?;
        while let Err(error) = send_with(control, &request, &theirs) {
            match error {
                Errno::EAGAIN => wait(control, PollFlags::POLLOUT, left())?,
                Errno::EINTR => {}
                other => return Err(other.into()),
            }
        }
        drop(theirs);
        wait(&ours, PollFlags::POLLIN, left())?;
        let mut reply = [0];
        match recv(ours.as_raw_fd(), &mut reply, MsgFlags::MSG_DONTWAIT)? {
            1 => Ok(reply_of(reply)),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Drop for PamHelper {
    fn drop(&mut self) {
        // The process ends once its socket is closed; if it has ended before, there is nothing to wait for.
        self.control.take();
        let _ = waitpid(self.process, None);
    }
}

impl Names for PamHelper {
    fn identify(&self, name: &Username, stored: Stored) -> Identity {
        Nss.identify(name, stored)
    }
}

impl Primary for PamHelper {
    fn check(&self, name: &Username, _hash: Option<&PasswordHash>, password: &Secret) -> PasswordCheck {
        self.ask(name, password).unwrap_or(PasswordCheck::Unavailable)
    }
}

fn failed(operation: &'static str) -> impl FnOnce(io::Error) -> PrimaryError {
    move |source| PrimaryError::Helper { operation, source }
}

/// Two ends that keep messages apart.
fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let ends = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
    Ok(ends)
}

/// One request and the socket for its reply, wholly or not at all.
fn send_with(control: &OwnedFd, request: &Zeroizing<Vec<u8>>, reply_to: &OwnedFd) -> Result<(), Errno> {
    let descriptors = [reply_to.as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&descriptors)];
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    sendmsg::<()>(control.as_raw_fd(), &[IoSlice::new(request)], &rights, flags, None).map(drop)
}

fn wait(socket: &OwnedFd, flags: PollFlags, left: Duration) -> io::Result<()> {
    let mut ready = [PollFd::new(socket.as_fd(), flags)];
    match poll(&mut ready, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
        Ok(0) => Err(io::ErrorKind::TimedOut.into()),
        Ok(_) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
