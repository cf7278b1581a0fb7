//! Signals as something to wait for: they interrupt nothing.

use std::os::fd::AsFd as _;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::daemon::DaemonError;

/// What a signal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// SIGHUP: the configuration is to be read again.
    Reload,
    /// SIGTERM, SIGINT: it is over.
    Stop,
    /// SIGUSR1: the counters are to be told.
    Tell,
    /// SIGCHLD: our only child, the process that asks PAM, has ended, or was stopped or let go on.
    ChildChanged,
}

/// The signals that mean something to us.
#[derive(Debug)]
pub struct Signals(SignalFd);

impl Signals {
    /// Blocks them for this thread and those that it starts.
    ///
    /// # Errors
    /// [`DaemonError::Kernel`].
    pub fn block() -> Result<Self, DaemonError> {
        let signals = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGCHLD];
        let mask: SigSet = signals.into_iter().collect();
        mask.thread_block().map_err(failed("block signals"))?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        SignalFd::with_flags(&mask, flags).map(Self).map_err(failed("wait for signals"))
    }

    /// Waits for one; `None` if none comes in time.
    ///
    /// # Errors
    /// [`DaemonError::Kernel`].
    pub fn next(&self, within: PollTimeout) -> Result<Option<Event>, DaemonError> {
        match poll(&mut [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)], within) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(source) => return Err(failed("wait for signals")(source)),
        }
        let read = self.0.read_signal().map_err(failed("read a signal"))?;
        let number = read.and_then(|signal| i32::try_from(signal.ssi_signo).ok());
        let signal = number.and_then(|number| Signal::try_from(number).ok());
        Ok(signal.map(|signal| match signal {
            Signal::SIGHUP => Event::Reload,
            Signal::SIGUSR1 => Event::Tell,
            Signal::SIGCHLD => Event::ChildChanged,
            _ => Event::Stop,
        }))
    }
}

fn failed(operation: &'static str) -> impl Fn(Errno) -> DaemonError {
    move |source| DaemonError::Kernel { operation, source }
}
