//! A question at a terminal, which may show nothing of what is typed. Whatever ends it, the terminal is as it was before.

use std::io;
use std::os::fd::AsFd as _;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

/// The signals by which people and systems end or stop a program that asks.
const SIGNALS: [Signal; 5] =
    [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGTSTP];

/// What the terminal shows of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// Nothing.
    Hidden,
    /// All of it.
    Shown,
}

/// What came while it was silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A line can be read.
    Line,
    /// Somebody wants us to end or to stop: the silence goes first, then the signal has its way.
    Signal(Signal),
}

/// The terminal at standard input, without echo where that is asked for, and with the signals held back until this is
/// dropped.
pub(crate) struct Silence {
    before: Termios,
    blocked_before: SigSet,
    signals: SignalFd,
}

impl Silence {
    /// Begins it.
    pub(crate) fn begin(typed: Typed) -> nix::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let held_back: SigSet = SIGNALS.into_iter().collect();
        let signals = SignalFd::with_flags(&held_back, SfdFlags::SFD_CLOEXEC)?;
        let blocked_before = held_back.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let silence = Self { before, blocked_before, signals };
        let mut silent = silence.before.clone();
        if typed == Typed::Hidden {
            silent.local_flags.remove(LocalFlags::ECHO);
            silent.local_flags.insert(LocalFlags::ECHONL);
        }
        tcsetattr(io::stdin(), SetArg::TCSANOW, &silent)?;
        Ok(silence)
    }

    /// Waits for a line or a signal, whichever comes first.
    pub(crate) fn wait(&self) -> nix::Result<Heard> {
        loop {
            let input = io::stdin();
            let mut sources = [
                PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
                PollFd::new(input.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut sources, PollTimeout::NONE) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error),
            }
            let [signals, input] = sources.map(|source| source.any().unwrap_or(true));
            if signals && let Some(signal) = self.signal()? {
                return Ok(Heard::Signal(signal));
            }
            if input {
                return Ok(Heard::Line);
            }
        }
    }

    fn signal(&self) -> nix::Result<Option<Signal>> {
        let info = self.signals.read_signal()?;
        let number = info.map(|info| i32::try_from(info.ssi_signo).map_err(|_| Errno::EINVAL)).transpose()?;
        number.map(Signal::try_from).transpose()
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // Where the terminal is gone, nothing is left to be put right.
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.before);
        let _ = self.blocked_before.thread_set_mask();
    }
}
