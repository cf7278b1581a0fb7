//! Every sentence that a user can read. Plain words, no blame, nothing that tells a stranger anything.
//!
//! Each fits one RADIUS Reply-Message (253 octets) and one PAM message (512 octets).

/// Asks for the first password.
pub const PASSWORD: &str = "Password: ";

/// Asks for the second proof. The same for everybody, whatever the account has.
pub const CODE: &str = "One-time code (? for other ways): ";

/// Asks again after a wrong or unusable answer.
pub const CODE_AGAIN: &str = "That did not work. Try once more.\nOne-time code (? for other ways): ";

/// Stands behind everything that is said to somebody who looks after the own account.
pub const COMMAND: &str = "Command (? for help, Enter to finish): ";

/// The same, where no other question may follow.
pub const LAST_COMMAND: &str = "That was the last command of this sign-in. Press Enter to finish: ";

/// Above the ways that there are, also after one was chosen.
pub const WAYS_HEAD: &str = "What you choose is used if you have it.\n";

/// Below them.
pub const WAYS_QUESTION: &str = "Number or code: ";

/// Where a code was sent, in a plain dialogue.
pub const SENT_NOWHERE: &str = "You have nothing registered for that.\nOne-time code (? for other ways): ";

/// To somebody whose first password was right and who had to register by now, or has to sign in with a temporary code.
pub const OVERDUE: &str = "You need a second step before you can sign in.\n\
    Type a temporary code from an administrator, or a recovery code: ";

/// The same after a wrong answer.
pub const OVERDUE_AGAIN: &str = "That did not work. Try once more.\n\
    Type a temporary code from an administrator, or a recovery code: ";

/// After a recovery code, where few are left.
#[must_use]
pub fn few_codes(left: usize) -> String {
    match left {
        0 => "That was your last recovery code.".to_owned(),
        1 => "One recovery code is left.".to_owned(),
        left => format!("{left} recovery codes are left."),
    }
}

/// Stands behind [`few_codes`] for somebody who is in by that.
pub const NEW_CODES: &str = "For new ones type menu at your next sign-in, then codes.";

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
            super::SENT_NOWHERE,
            super::COMMAND,
            super::LAST_COMMAND,
            super::OVERDUE,
            super::OVERDUE_AGAIN,
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
