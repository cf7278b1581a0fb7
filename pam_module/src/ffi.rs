//! The entry points, and what pam-bindings lacks. The only unsafe code of the module; what comes from C is copied at once.
#![expect(unsafe_code, reason = "calls of libpam and syslog(3), and the symbols that libpam looks for")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::fd::{AsRawFd as _, BorrowedFd};

use common::Secret;
use pam::module::PamHandle;

use crate::Countersign;

pam::pam_hooks!(Countersign);

/// `PAM_AUTHTOK` of Linux-PAM's `_pam_types.h`.
const PAM_AUTHTOK: c_int = 6;

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_getenv(handle: *mut PamHandle, name: *const c_char) -> *const c_char;
    fn pam_set_item(handle: *mut PamHandle, item_type: c_int, item: *const c_void) -> c_int;
}

/// A variable of the PAM environment, which the application sets: not of the process's.
pub(crate) fn pam_variable(handle: &mut PamHandle, name: &CStr) -> Option<Vec<u8>> {
    // SAFETY: pam_getenv(3) reads a live handle and a terminated name, and keeps neither.
    let value = unsafe { pam_getenv(handle, name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: pam_getenv(3) returns a terminated text of libpam's, which lasts until the variable changes;
    // nothing else runs with this handle before the copy is made.
    Some(unsafe { CStr::from_ptr(value) }.to_bytes().to_vec())
}

/// Sets `PAM_AUTHTOK`, so that later modules need not ask again. A token with a NUL in it is none.
pub(crate) fn set_token(handle: &mut PamHandle, token: &Secret) {
    let mut octets = Vec::with_capacity(token.expose().len().saturating_add(1));
    octets.extend_from_slice(token.expose());
    octets.push(0);
    let terminated = Secret::new(octets);
    let Ok(text) = CStr::from_bytes_with_nul(terminated.expose()) else { return };
    // SAFETY: pam_set_item(3) copies a terminated text and keeps no pointer to it. That it may fail only means
    // that a later module asks again.
    let _ = unsafe { pam_set_item(handle, PAM_AUTHTOK, text.as_ptr().cast()) };
}

/// Columns and rows of a terminal, as far as it knows them itself.
pub(crate) fn window_size(terminal: BorrowedFd<'_>) -> Option<(u16, u16)> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCGWINSZ (ioctl_tty(2)) fills one `winsize`, which lives, of a descriptor that is open.
    let result = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    (result == 0).then_some((size.ws_col, size.ws_row))
}

/// Writes one line to the authentication log, as pam_syslog(3) does. Allocation apart, it cannot fail.
pub(crate) fn log_error(line: &str) {
    let Ok(line) = CString::new(line) else { return };
    // SAFETY: syslog(3) reads two terminated texts; the format takes exactly one.
    unsafe { libc::syslog(libc::LOG_AUTHPRIV | libc::LOG_ERR, c"%s".as_ptr(), line.as_ptr()) };
}
