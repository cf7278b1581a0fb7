//! Every sentence that a user can read. Plain words, no blame, nothing that tells a stranger anything.
//!
//! Each fits one RADIUS Reply-Message (253 octets) and one PAM message (512 octets).

/// Asks for the first password.
pub const PASSWORD: &str = "Password: ";

/// Asks for the second proof. The same for everybody, whatever the account has.
pub const CODE: &str = "One-time code (? for other ways): ";

/// Asks again after a wrong or unusable answer.
pub const CODE_AGAIN: &str = "That did not work. Try once more.\nOne-time code (? for other ways): ";

/// The answer to `?`: the ways that exist at this site, whoever asks.
pub const WAYS: &str = "Type one of these:\n\
    - the code that your authenticator app shows now (a code works once)\n\
    - a recovery code, like abcd-efgh-jkmn\n\
    - an app password, where it is allowed\n\
    One-time code: ";

/// After the word `recovery`.
pub const RECOVERY_CODE: &str = "Recovery code: ";

/// After the word `app`.
pub const AUTHENTICATOR_CODE: &str = "Code from your authenticator app: ";

/// Stands above a picture that reads on a dark screen.
pub const SCAN_ON_DARK: &str = "Scan this with your app (on a light screen, answer: light)";

/// Stands above a picture that reads on a light screen.
pub const SCAN_ON_LIGHT: &str = "Scan this with your app (on a dark screen, answer: dark)";

/// Turns a picture around, for a light screen.
pub const LIGHT: &str = "light";

/// Turns it back, for a dark one.
pub const DARK: &str = "dark";

/// The last word to somebody who does not get in, whatever the reason.
pub const REFUSED: &str = "Login refused.";

/// The last word when the system could not tell.
pub const UNAVAILABLE: &str = "Login is not possible right now. Please try again later.";

/// The last word where this machine's own service does not answer: what somebody types is not at fault.
pub const SERVICE_AWAY: &str =
    "The login service of this machine does not answer. Please ask an administrator.";

#[cfg(test)]
mod tests {
    use crate::limits;

    #[test]
    fn every_prompt_fits_one_reply_message() {
        let all = [
            super::PASSWORD,
            super::CODE,
            super::CODE_AGAIN,
            super::WAYS,
            super::RECOVERY_CODE,
            super::AUTHENTICATOR_CODE,
            super::SCAN_ON_DARK,
            super::SCAN_ON_LIGHT,
            super::REFUSED,
            super::UNAVAILABLE,
            super::SERVICE_AWAY,
        ];
        for text in all {
            assert!(text.len() <= limits::PROMPT_OCTETS_MAX && text.is_ascii(), "{text}");
        }
    }
}
