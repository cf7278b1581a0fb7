//! crypt(3) by libcrypt (libxcrypt on Linux), for hashes that came from a shadow file. No other code calls it.
#![expect(unsafe_code, reason = "libcrypt is a C library and no well-kept crate wraps crypt_rn")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use common::Secret;
use common::ports::PasswordCheck;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

/// `sizeof(struct crypt_data)`: crypt.h of libxcrypt fixes it at exactly this.
const CRYPT_DATA_OCTETS: usize = 32768;

#[link(name = "crypt")]
unsafe extern "C" {
    /// crypt(3): hashes `phrase` as `setting` says, in `data` alone; null where it cannot.
    fn crypt_rn(phrase: *const c_char, setting: *const c_char, data: *mut c_void, size: c_int)
    -> *mut c_char;
}

/// The working memory of one call, aligned as any C object may need it.
#[repr(C, align(16))]
struct CryptData([u8; CRYPT_DATA_OCTETS]);

/// Compares a password with a crypt(3) hash.
pub(super) fn check(hash: &str, password: &Secret) -> PasswordCheck {
    // A password with a NUL can never have been hashed by crypt(3).
    let phrase = Zeroizing::new([password.expose(), b"\0"].concat());
    let Ok(phrase) = CStr::from_bytes_with_nul(&phrase) else { return PasswordCheck::Wrong };
    let Ok(setting) = CString::new(hash) else { return PasswordCheck::Unavailable };
    let Some(made) = crypt(phrase, &setting) else { return PasswordCheck::Unavailable };
    if bool::from(made.ct_eq(hash.as_bytes())) { PasswordCheck::Right } else { PasswordCheck::Wrong }
}

/// The hash of `phrase`, `None` where libcrypt does not know the setting or the phrase is too long for it.
fn crypt(phrase: &CStr, setting: &CStr) -> Option<Zeroizing<Vec<u8>>> {
    let mut data = Box::new(CryptData([0; CRYPT_DATA_OCTETS]));
    let size = c_int::try_from(CRYPT_DATA_OCTETS).ok()?;
    // SAFETY: crypt(3) asks for two NUL-terminated strings and for `size` octets of zeroed memory of ours, which is
    // `sizeof(struct crypt_data)`; all three outlive the call, and nobody else has them.
    let made = unsafe { crypt_rn(phrase.as_ptr(), setting.as_ptr(), (&raw mut data.0).cast(), size) };
    let copy = (!made.is_null()).then(|| {
        // SAFETY: what crypt_rn returns, if not null, is a NUL-terminated string inside of `data` (crypt(3)).
        Zeroizing::new(unsafe { CStr::from_ptr(made) }.to_bytes().to_vec())
    });
    data.0.zeroize();
    copy
}
