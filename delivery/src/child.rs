//! Runs a program in a process group of its own, with nothing of ours but a message: a limit of time, and an end for all
//! that it started. No shell, and no signal blocked, whatever this thread blocks.

use std::ffi::{CStr, CString};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;

use crate::limits::OUTPUT_OCTETS_MAX;

/// How often it is looked whether a silent program has ended.
const LOOK: Duration = Duration::from_millis(20);

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Exited(i32),
    Signalled(&'static str),
    /// It was ended because its time was over.
    TimedOut,
}

/// Runs the program that comes first among the words. Gives how it ended, and what it printed, cut.
pub(crate) fn run(
    words: &[CString],
    environment: &[CString],
    input: &[u8],
    patience: Duration,
) -> io::Result<(End, Vec<u8>)> {
    let path = words.first().ok_or(io::ErrorKind::InvalidInput)?;
    let (input_end, writer) = io::pipe()?;
    let (reader, output_end) = io::pipe()?;
    let mut actions = PosixSpawnFileActions::init()?;
    actions.add_dup2(input_end.as_raw_fd(), 0)?;
    actions.add_dup2(output_end.as_raw_fd(), 1)?;
    actions.add_dup2(output_end.as_raw_fd(), 2)?;
    let words: Vec<&CStr> = words.iter().map(CString::as_c_str).collect();
    let environment: Vec<&CStr> = environment.iter().map(CString::as_c_str).collect();
    let child = posix_spawn(path.as_c_str(), &actions, &apart()?, &words, &environment)?;
    drop((input_end, output_end));
    let mut running = Running { child, end: None };
    let output = running.attend(writer, reader, input, patience)?;
    Ok((running.end.unwrap_or(End::TimedOut), output))
}

/// A group of its own, no signal blocked, and those that Rust ignores at their defaults.
fn apart() -> io::Result<PosixSpawnAttr> {
    let mut attributes = PosixSpawnAttr::init()?;
    attributes.set_pgroup(Pid::from_raw(0))?;
    attributes.set_sigmask(&SigSet::empty())?;
    attributes.set_sigdefault(&SigSet::all())?;
    attributes.set_flags(
        PosixSpawnFlags::POSIX_SPAWN_SETPGROUP
            | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK
            | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF,
    )?;
    Ok(attributes)
}

struct Running {
    child: Pid,
    end: Option<End>,
}

impl Running {
    /// Writes, reads and waits until it has ended or its time is over.
    fn attend(
        &mut self,
        writer: io::PipeWriter,
        mut reader: io::PipeReader,
        mut input: &[u8],
        patience: Duration,
    ) -> io::Result<Vec<u8>> {
        let until = Instant::now().checked_add(patience);
        do_not_wait(&writer)?;
        do_not_wait(&reader)?;
        let (mut writer, mut output) = (Some(writer), Vec::new());
        let mut is_open = true;
        while until.is_none_or(|until| Instant::now() < until) {
            if let Some(pipe) = &mut writer
                && !write_some(pipe, &mut input)
            {
                writer = None;
            }
            is_open = is_open && read_some(&mut reader, &mut output)?;
            if self.has_ended()? {
                // What it left in the pipe is read; a child of it that holds the pipe open is not waited for.
                let _ = read_some(&mut reader, &mut output)?;
                break;
            }
            pause(is_open.then_some(&reader), writer.as_ref());
        }
        Ok(output)
    }

    fn has_ended(&mut self) -> io::Result<bool> {
        // It is looked at and not reaped: until then its number is nobody else's, so that no stranger's group is ended below.
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        self.end = match waitid(Id::Pid(self.child), flags) {
            Ok(WaitStatus::Exited(_, code)) => Some(End::Exited(code)),
            Ok(WaitStatus::Signaled(_, signal, _)) => Some(End::Signalled(signal.as_str())),
            Ok(_) | Err(Errno::EINTR) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(self.end.is_some())
    }
}

impl Drop for Running {
    /// Whatever is left of its group ends here, and then it is reaped.
    fn drop(&mut self) {
        let _ = killpg(self.child, Signal::SIGKILL);
        let _ = waitpid(self.child, None);
    }
}

/// Whether there is more to write. A program that reads nothing has closed the pipe, which is no failure.
fn write_some(pipe: &mut io::PipeWriter, input: &mut &[u8]) -> bool {
    match pipe.write(input) {
        Ok(written) => {
            *input = input.get(written..).unwrap_or_default();
            !input.is_empty()
        }
        Err(error) => matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted),
    }
}

/// Reads what is there; whether more can come. Beyond the limit it is read and dropped, so that nobody blocks.
fn read_some(reader: &mut io::PipeReader, output: &mut Vec<u8>) -> io::Result<bool> {
    let mut octets = [0; 4096];
    loop {
        match reader.read(&mut octets) {
            Ok(0) => return Ok(false),
            Ok(count) => {
                let room = OUTPUT_OCTETS_MAX.saturating_sub(output.len());
                output.extend(octets.iter().take(count.min(room)));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Waits a little, or until there is something to read or room to write.
fn pause(reader: Option<&io::PipeReader>, writer: Option<&io::PipeWriter>) {
    let mut waited: Vec<PollFd<'_>> = Vec::new();
    waited.extend(reader.map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
    waited.extend(writer.map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLOUT)));
    let _ = poll(&mut waited, PollTimeout::try_from(LOOK).unwrap_or(PollTimeout::ZERO));
}

fn do_not_wait(pipe: &impl std::os::fd::AsFd) -> io::Result<()> {
    fcntl(pipe.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map(drop).map_err(Into::into)
}
