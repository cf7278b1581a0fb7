//! pam_countersign.so: the PAM door. It renders prompts and carries answers; `common` decides.
//!
//! It asks countersign-local, and where the caller is root and the service is away, it opens the store itself. It has no thread and no runtime, trusts no environment variable of the process, and nothing unwinds out of it.
//! docs/pam.md shows the stacks that it is made for, and what it returns when.

mod answer;
mod code;
mod desk;
mod dialogue;
mod errand;
mod ffi;
mod guard;
mod hindrance;
mod login;
mod picture;
mod source;
mod transaction;
mod window;

use std::ffi::CStr;

use pam::constants::{PamFlag, PamResultCode};
use pam::module::{PamHandle, PamHooks};

/// The module, as Linux-PAM calls it.
struct Countersign;

impl PamHooks for Countersign {
    fn sm_authenticate(handle: &mut PamHandle, arguments: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        guard::guarded(|| login::authenticate(handle, &arguments, flags))
    }

    /// There are no credentials to set, and that has worked: where ours is the only `auth` module, `PAM_IGNORE` would
    /// make pam_setcred(3) fail, and sshd drops a user who has signed in.
    fn sm_setcred(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_SUCCESS
    }

    /// cron and sshd's public keys come here without any authentication: nothing can be asked, so nothing is decided.
    fn acct_mgmt(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_IGNORE
    }

    fn sm_open_session(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_IGNORE
    }

    fn sm_close_session(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_IGNORE
    }

    fn sm_chauthtok(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_IGNORE
    }
}
