//! Keeps a panic from the application: nothing unwinds into C, and nothing of it is printed.
//!
//! A panic's text may hold what a user typed, and file descriptor 2 of su or sudo is the user's terminal. So the log
//! gets the place and no text. This library has a standard library of its own, whose hook nobody else uses.

#[cfg(panic = "abort")]
compile_error!("the guard needs `panic = \"unwind\"`: without it a panic would end sshd's or su's process");

use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

use pam::constants::PamResultCode;

use crate::ffi;

static HOOK: Once = Once::new();

/// Runs an entry point; a panic becomes `PAM_ABORT`.
pub(crate) fn guarded(entry: impl FnOnce() -> PamResultCode) -> PamResultCode {
    HOOK.call_once(|| panic::set_hook(Box::new(log_place)));
    match panic::catch_unwind(AssertUnwindSafe(entry)) {
        Ok(code) => code,
        Err(payload) => {
            // Dropping a payload may panic again, and dropping that one too.
            let dropped = panic::catch_unwind(AssertUnwindSafe(|| drop(payload)));
            std::mem::forget(dropped);
            PamResultCode::PAM_ABORT
        }
    }
}

fn log_place(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(|place| format!(" at {}:{}", place.file(), place.line()));
    ffi::log_error(&format!("pam_countersign: internal error{}", place.unwrap_or_default()));
}

#[cfg(test)]
mod tests {
    use super::guarded;
    use pam::constants::PamResultCode;

    struct PanicsWhenDropped;

    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            std::panic::panic_any(Self);
        }
    }

    #[test]
    fn a_panic_becomes_an_abort() {
        assert_eq!(guarded(|| panic!("for the test")), PamResultCode::PAM_ABORT);
        assert_eq!(guarded(|| std::panic::panic_any(PanicsWhenDropped)), PamResultCode::PAM_ABORT);
        assert_eq!(guarded(|| PamResultCode::PAM_SUCCESS), PamResultCode::PAM_SUCCESS);
    }
}
