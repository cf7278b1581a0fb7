//! Ctrl-C while many accounts are changed: what has been begun is finished, and nothing new is.

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// The signals that mean "stop now".
const SIGNALS: [Signal; 3] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM];

/// The signals are held back until this is dropped, and asked after between accounts.
pub(super) struct Interrupt {
    held: Option<(SignalFd, SigSet)>,
}

impl Interrupt {
    /// Where signals cannot be held back they do what they always do.
    pub(super) fn hold() -> Self {
        Self { held: Self::held() }
    }

    fn held() -> Option<(SignalFd, SigSet)> {
        let signals: SigSet = SIGNALS.into_iter().collect();
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let arriving = SignalFd::with_flags(&signals, flags).ok()?;
        let before = signals.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok()?;
        Some((arriving, before))
    }

    /// Whether somebody wants us to stop.
    pub(super) fn came(&self) -> bool {
        let arrived = self.held.as_ref().map(|(arriving, _)| arriving.read_signal());
        matches!(arrived, Some(Ok(Some(_))))
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        if let Some((_, before)) = &self.held {
            let _ = before.thread_set_mask();
        }
    }
}
