//! Signals as something to wait for: they interrupt nothing.

use std::os::fd::AsFd as _;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::error::ServerError;

/// What the administrator wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Read the configuration again.
    Reload,
    /// Stop.
    Stop,
}

/// The signals that mean something to us.
#[derive(Debug)]
pub struct Signals(SignalFd);

impl Signals {
    /// Blocks them for this thread and those that it starts.
    ///
    /// # Errors
    /// [`ServerError::Kernel`].
    pub fn block() -> Result<Self, ServerError> {
        let mask: SigSet = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM].into_iter().collect();
        mask.thread_block().map_err(failed("block signals"))?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        SignalFd::with_flags(&mask, flags).map(Self).map_err(failed("wait for signals"))
    }

    /// Waits for one; `None` if none comes in time.
    ///
    /// # Errors
    /// [`ServerError::Kernel`].
    pub fn next(&self, within: PollTimeout) -> Result<Option<Wish>, ServerError> {
        match poll(&mut [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)], within) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(source) => return Err(failed("wait for signals")(source)),
        }
        let read = self.0.read_signal().map_err(failed("read a signal"))?;
        let number = read.and_then(|signal| i32::try_from(signal.ssi_signo).ok());
        let signal = number.and_then(|number| Signal::try_from(number).ok());
        Ok(signal.map(|signal| if signal == Signal::SIGHUP { Wish::Reload } else { Wish::Stop }))
    }
}

fn failed(operation: &'static str) -> impl Fn(Errno) -> ServerError {
    move |source| ServerError::Kernel { operation, source }
}
