//! A PAM module that panics at every login, behind the guard and the entry points of the real one. For the suite `pam` only.

#[expect(dead_code, reason = "a module that panics needs the entry points and the log alone")]
#[path = "../src/ffi.rs"]
mod ffi;
#[path = "../src/guard.rs"]
mod guard;

use std::ffi::CStr;

use pam::constants::{PamFlag, PamResultCode};
use pam::module::{PamHandle, PamHooks};

/// Stands in for the real one, by the name that the entry points call.
struct Countersign;

impl PamHooks for Countersign {
    fn sm_authenticate(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        guard::guarded(panic_with_a_password)
    }

    fn sm_setcred(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_SUCCESS
    }
}

#[expect(clippy::panic, reason = "it is what this module is for")]
fn panic_with_a_password() -> PamResultCode {
    panic!("the password is correct horse")
}
