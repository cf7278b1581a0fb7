//! The process that asks PAM: it takes requests, holds each conversation in a child with a time limit, and does
//! nothing else. A module that hangs or crashes takes its own conversation with it.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::ports::PasswordCheck;
use common::{Secret, Username, limits};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::{set_dumpable, set_name, set_pdeathsig};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::socket::{MsgFlags, recvmsg, send};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid, getppid};
use zeroize::Zeroizing;

use super::helper::HelperLimits;
use super::process::{close_all_but, passed_descriptor, run_in_child, watch};

/// Octets of a request: one for the length of the name (less one), the name, the password.
const REQUEST_OCTETS_MAX: usize = 1 + limits::USERNAME_OCTETS_MAX + limits::ANSWER_OCTETS_MAX;
/// How long a conversation that could not be ended yet is left alone.
const RETRY: Duration = Duration::from_millis(100);

/// One question: is this the password of this name?
pub(super) struct Request {
    name: Username,
    password: Secret,
}

impl Request {
    /// A name has 1 to 256 octets, so that its length less one fits in one.
    pub(super) fn encode(name: &Username, password: &Secret) -> Zeroizing<Vec<u8>> {
        let name = name.as_str().as_bytes();
        let length = u8::try_from(name.len().saturating_sub(1)).unwrap_or(u8::MAX);
        Zeroizing::new([&[length], name, password.expose()].concat())
    }

    fn decode(octets: &[u8]) -> Option<Self> {
        let (length, rest) = octets.split_first()?;
        let (name, password) = rest.split_at_checked(usize::from(*length).saturating_add(1))?;
        let name = Username::parse(std::str::from_utf8(name).ok()?).ok()?;
        Some(Self { name, password: Secret::new(password.to_vec()) })
    }
}

/// What the process says once, when it is prepared.
pub(super) const READY: [u8; 1] = [b'+'];

const RIGHT: u8 = b'r';
const WRONG: u8 = b'w';
const UNAVAILABLE: u8 = b'u';

fn reply(check: PasswordCheck) -> [u8; 1] {
    match check {
        PasswordCheck::Right => [RIGHT],
        PasswordCheck::Wrong => [WRONG],
        PasswordCheck::Unavailable => [UNAVAILABLE],
    }
}

/// Anything but a clear word is no answer.
pub(super) fn reply_of(reply: [u8; 1]) -> PasswordCheck {
    match reply {
        [RIGHT] => PasswordCheck::Right,
        [WRONG] => PasswordCheck::Wrong,
        _ => PasswordCheck::Unavailable,
    }
}

/// One conversation in its own process.
struct Conversation {
    process: Pid,
    end: OwnedFd,
    begun: Instant,
}

/// The process itself.
pub(super) struct Server<'a, C> {
    control: &'a OwnedFd,
    checker: &'a C,
    limits: HelperLimits,
    conversations: Vec<Conversation>,
}

/// What woke the server.
enum Woken {
    ByRequest,
    ByConversations,
}

impl<'a, C: Fn(&Username, &Secret) -> PasswordCheck> Server<'a, C> {
    /// Lets go of all that was inherited, and dies with its parent. Passwords must not get into a core file. A stop is for
    /// the parent, which lets this process go when the last login is decided.
    pub(super) fn prepare(
        control: &'a OwnedFd,
        checker: &'a C,
        limits: HelperLimits,
        parent: Pid,
    ) -> io::Result<Self> {
        die_with(parent)?;
        set_dumpable(false)?;
        set_name(c"countersign-pam")?;
        stop_signals().thread_block()?;
        close_all_but(control)?;
        send(control.as_raw_fd(), &READY, MsgFlags::MSG_NOSIGNAL)?;
        Ok(Self { control, checker, limits, conversations: Vec::new() })
    }

    /// Serves until the parent closes its end.
    pub(super) fn run(mut self) -> io::Result<()> {
        loop {
            self.reap();
            match self.next() {
                Ok(Received::End) => return self.end_all(),
                Ok(Received::Nonsense) => {}
                Ok(Received::Request(request, reply_to)) => self.begin(&request, &reply_to),
                // Only root could make another process like this one.
                Err(error) if is_shortage(error) => sleep(RETRY),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A request, or `Nonsense` when there is something else to do first.
    fn next(&self) -> Result<Received, Errno> {
        match self.wait()? {
            Woken::ByConversations => Ok(Received::Nonsense),
            Woken::ByRequest => self.receive(),
        }
    }

    /// Waits for a request, if there is room for one, for the end of a conversation, or for its time to be up.
    fn wait(&self) -> Result<Woken, Errno> {
        let mut watched: Vec<_> =
            self.conversations.iter().map(|one| PollFd::new(one.end.as_fd(), PollFlags::POLLIN)).collect();
        if self.conversations.len() < self.limits.conversations_max {
            watched.push(PollFd::new(self.control.as_fd(), PollFlags::POLLIN));
        }
        match poll(&mut watched, self.patience()) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
        let control = watched.get(self.conversations.len());
        let is_request = control.is_some_and(|control| control.any().unwrap_or_default());
        Ok(if is_request { Woken::ByRequest } else { Woken::ByConversations })
    }

    fn patience(&self) -> PollTimeout {
        let within = Duration::from_secs(self.limits.answer_seconds);
        let next = self.conversations.iter().map(|one| within.saturating_sub(one.begun.elapsed())).min();
        next.map_or(PollTimeout::NONE, |left| {
            PollTimeout::try_from(left.max(RETRY)).unwrap_or(PollTimeout::MAX)
        })
    }

    fn receive(&self) -> Result<Received, Errno> {
        let mut octets = Zeroizing::new([0; REQUEST_OCTETS_MAX]);
        let mut rights = nix::cmsg_space!([i32; 1]);
        let mut slices = [IoSliceMut::new(octets.as_mut_slice())];
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
        let message = match recvmsg::<()>(self.control.as_raw_fd(), &mut slices, Some(&mut rights), flags) {
            Ok(message) => message,
            Err(Errno::EAGAIN | Errno::EINTR) => return Ok(Received::Nonsense),
            Err(error) => return Err(error),
        };
        let reply_to = passed_descriptor(&message);
        let (count, is_cut) = (message.bytes, message.flags.contains(MsgFlags::MSG_TRUNC));
        if count == 0 && reply_to.is_none() {
            return Ok(Received::End);
        }
        let request = octets.get(..count).filter(|_| !is_cut).and_then(Request::decode);
        Ok(request.zip(reply_to).map_or(Received::Nonsense, |(request, to)| Received::Request(request, to)))
    }

    /// Where no child can be made the reply socket closes unanswered, which its owner takes for `Unavailable`.
    fn begin(&mut self, request: &Request, reply_to: &OwnedFd) {
        if !is_awaited(reply_to) {
            return;
        }
        let parent = getpid();
        let converse = || {
            let is_ready = die_with(parent).is_ok()
                && close_all_but(reply_to).is_ok()
                && SigSet::empty().thread_set_mask().is_ok();
            if is_ready {
                let check = (self.checker)(&request.name, &request.password);
                let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
                // Whoever asked may have gone; nobody else is to hear the answer.
                let _ = send(reply_to.as_raw_fd(), &reply(check), flags);
            }
        };
        let Ok(process) = run_in_child(converse) else { return };
        match watch(process) {
            Ok(end) => self.conversations.push(Conversation { process, end, begun: Instant::now() }),
            Err(_) => end_now(process),
        }
    }

    /// Forgets conversations that have ended, and ends those whose time is up.
    fn reap(&mut self) {
        let within = Duration::from_secs(self.limits.answer_seconds);
        self.conversations.retain(|one| {
            if one.begun.elapsed() >= within {
                // It may have ended just now, which the next line finds.
                let _ = kill(one.process, Signal::SIGKILL);
            }
            waitpid(one.process, Some(WaitPidFlag::WNOHANG))
                .is_ok_and(|status| status == WaitStatus::StillAlive)
        });
    }

    fn end_all(self) -> io::Result<()> {
        self.conversations.iter().for_each(|one| end_now(one.process));
        Ok(())
    }
}

/// What came over the control socket.
enum Received {
    Request(Request, OwnedFd),
    /// Nothing to begin a conversation with.
    Nonsense,
    End,
}

/// Whether an error of the kernel passes.
fn is_shortage(error: Errno) -> bool {
    matches!(error, Errno::ENOMEM | Errno::ENOBUFS | Errno::EMFILE | Errno::ENFILE)
}

/// What a service manager or a terminal sends to all processes of a service at once.
fn stop_signals() -> SigSet {
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().collect()
}

/// Asks the kernel to end this process when its parent dies, which may have happened already.
fn die_with(parent: Pid) -> io::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    if getppid() == parent { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}

/// Neither call can fail but for a process that has ended already.
fn end_now(process: Pid) {
    let _ = kill(process, Signal::SIGKILL);
    let _ = waitpid(process, None);
}

/// Whether the owner of a request still waits for its reply.
fn is_awaited(reply_to: &OwnedFd) -> bool {
    let mut state = [PollFd::new(reply_to.as_fd(), PollFlags::empty())];
    poll(&mut state, PollTimeout::ZERO).is_ok_and(|gone| gone == 0)
}

#[cfg(test)]
mod tests {
    use common::ports::PasswordCheck;
    use common::{Secret, Username};
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

    use super::{Request, is_awaited, reply, reply_of};

    #[test]
    fn a_request_is_read_as_it_was_written() {
        for name in ["a", "EXAMPLE\\alice", &"n".repeat(256)] {
            let (name, password) = (Username::parse(name).unwrap(), Secret::from("correct horse"));
            let read = Request::decode(&Request::encode(&name, &password)).unwrap();
            assert!(read.name == name && read.password == password, "{name}");
        }
    }

    #[test]
    fn nonsense_is_no_request() {
        for octets in [&b""[..], b"\x00", b"\x05alice", b"\x03a\nb\x00secret", b"\x00\xffsecret", b"\xffa"] {
            assert!(Request::decode(octets).is_none(), "{octets:?}");
        }
    }

    #[test]
    fn only_a_clear_word_is_an_answer() {
        for check in [PasswordCheck::Right, PasswordCheck::Wrong, PasswordCheck::Unavailable] {
            assert_eq!(reply_of(reply(check)), check);
        }
        assert_eq!(reply_of([0]), PasswordCheck::Unavailable);
        assert_eq!(reply_of(super::READY), PasswordCheck::Unavailable);
    }

    #[test]
    fn nobody_is_asked_for_somebody_who_has_gone() {
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).unwrap();
        assert!(is_awaited(&theirs));
        drop(ours);
        assert!(!is_awaited(&theirs));
    }
}
