//! What a PAM module returns, by the numbers and names of Linux-PAM (`_pam_types.h`, pam.conf(5)).

/// A return value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u8);

/// All names that a control in brackets can have, in the order of their numbers.
const NAMES: [&str; Code::COUNT] = [
    "success",
    "open_err",
    "symbol_err",
    "service_err",
    "system_err",
    "buf_err",
    "perm_denied",
    "auth_err",
    "cred_insufficient",
    "authinfo_unavail",
    "user_unknown",
    "maxtries",
    "new_authtok_reqd",
    "acct_expired",
    "session_err",
    "cred_unavail",
    "cred_expired",
    "cred_err",
    "no_module_data",
    "conv_err",
    "authtok_err",
    "authtok_recover_err",
    "authtok_lock_busy",
    "authtok_disable_aging",
    "try_again",
    "ignore",
    "abort",
    "authtok_expired",
    "module_unknown",
    "bad_item",
    "conv_again",
    "incomplete",
];

impl Code {
    /// How many there are.
    pub(crate) const COUNT: usize = 32;

    /// Yes.
    pub const SUCCESS: Self = Self(0);
    /// A mistake in the line of the stack.
    pub const SERVICE_ERR: Self = Self(3);
    /// Refused; also what libpam makes of a line that it cannot read.
    pub const PERM_DENIED: Self = Self(6);
    /// No.
    pub const AUTH_ERR: Self = Self(7);
    /// It could not be told.
    pub const AUTHINFO_UNAVAIL: Self = Self(9);
    /// There is nobody of that name.
    pub const USER_UNKNOWN: Self = Self(10);
    /// Too many tries.
    pub const MAXTRIES: Self = Self(11);
    /// Credentials could not be set.
    pub const CRED_ERR: Self = Self(17);
    /// The password has expired.
    pub const NEW_AUTHTOK_REQD: Self = Self(12);
    /// Whoever was asked has gone away.
    pub const CONV_ERR: Self = Self(19);
    /// No opinion.
    pub const IGNORE: Self = Self(25);
    /// Something has gone wrong inside of the module.
    pub const ABORT: Self = Self(26);
    /// The module could not be loaded.
    pub const MODULE_UNKNOWN: Self = Self(28);

    pub(crate) fn number(self) -> usize {
        usize::from(self.0)
    }

    /// The value at the beginning of a text, and the rest behind it.
    pub(crate) fn strip(text: &str) -> Option<(Self, &str)> {
        let found =
            NAMES.iter().zip(0_u8..).find_map(|(name, number)| Some((number, text.strip_prefix(name)?)));
        found.map(|(number, rest)| (Self(number), rest))
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.get(self.number()).copied().unwrap_or("unknown")
    }
}
