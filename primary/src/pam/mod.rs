//! Passwords that a PAM stack checks: one conversation, one password, no second question.

mod application;
mod helper;
mod process;
mod serve;

use std::ffi::CString;
use std::path::Path;

use common::account::PasswordHash;
use common::ports::{Identity, Names, PasswordCheck, Primary, Stored};
use common::{Secret, Username, limits};

use crate::{Nss, PrimaryError};
use application::{Conversation, Status};
pub use helper::{HelperLimits, PamHelper};

/// Where Linux-PAM looks for services (pam.conf(5)).
const SERVICE_FOLDERS: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];

/// The name of a PAM service that has a file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceName(CString);

impl ServiceName {
    /// Takes a name whose file is there. Without one PAM would ask the service `other`, whose no is not an answer.
    pub fn find(name: &str) -> Result<Self, PrimaryError> {
        Self::find_in(name, &SERVICE_FOLDERS.map(Path::new))
    }

    fn find_in(name: &str, folders: &[&Path]) -> Result<Self, PrimaryError> {
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        let invalid = || PrimaryError::ServiceNameInvalid { name: name.to_owned() };
        if name.is_empty() || !name.chars().all(is_allowed) {
            return Err(invalid());
        }
        if !folders.iter().any(|folder| folder.join(name).is_file()) {
            return Err(PrimaryError::ServiceMissing { name: name.to_owned() });
        }
        CString::new(name).map(Self).map_err(|_| invalid())
    }
}

/// A PAM stack, asked in this process. It waits as long as the stack does; [`PamHelper`] does not.
#[derive(Clone, Debug)]
pub struct Pam {
    service: ServiceName,
}

impl Pam {
    /// Asks this service.
    #[must_use]
    pub fn new(service: ServiceName) -> Self {
        Self { service }
    }
}

impl Names for Pam {
    fn identify(&self, name: &Username, stored: Stored) -> Identity {
        Nss.identify(name, stored)
    }
}

impl Primary for Pam {
    fn check(&self, name: &Username, _hash: Option<&PasswordHash>, password: &Secret) -> PasswordCheck {
        match ask(&self.service, name, password) {
            Outcome::Right => PasswordCheck::Right,
            Outcome::Wrong | Outcome::MustChange | Outcome::AccountRefused | Outcome::AnotherUser => {
                PasswordCheck::Wrong
            }
            Outcome::Unavailable => PasswordCheck::Unavailable,
        }
    }
}

/// What the stack said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Right,
    Wrong,
    /// The password was right and has to be changed before it is good for anything.
    MustChange,
    /// The password was right and the account is expired, locked or not allowed now.
    AccountRefused,
    /// The stack made somebody else of the name.
    AnotherUser,
    Unavailable,
}

fn ask(service: &ServiceName, name: &Username, password: &Secret) -> Outcome {
    // An empty password would pass stacks that allow `nullok`; an overlong one or one with a NUL no stack can take.
    let octets = password.expose();
    if octets.is_empty() || octets.len() >= limits::ANSWER_OCTETS_MAX || octets.contains(&0) {
        return Outcome::Wrong;
    }
    let Ok(user) = CString::new(name.as_str()) else { return Outcome::Wrong };
    let Ok(mut conversation) = Conversation::start(&service.0, &user, password) else {
        return Outcome::Unavailable;
    };
    match of_authentication(conversation.authenticate()) {
        Outcome::Right => {}
        refusal => return refusal,
    }
    let outcome = of_account(conversation.account());
    let is_same_user = conversation.user().is_some_and(|asked| asked == user);
    if outcome == Outcome::Right && !is_same_user { Outcome::AnotherUser } else { outcome }
}

fn of_authentication(status: Status) -> Outcome {
    match status {
        Status::SUCCESS => Outcome::Right,
        Status::AUTH_ERR | Status::USER_UNKNOWN | Status::MAXTRIES | Status::PERM_DENIED => Outcome::Wrong,
        Status::NEW_AUTHTOK_REQD | Status::AUTHTOK_EXPIRED => Outcome::MustChange,
        Status::ACCT_EXPIRED | Status::CRED_EXPIRED => Outcome::AccountRefused,
        _ => Outcome::Unavailable,
    }
}

fn of_account(status: Status) -> Outcome {
    match status {
        Status::SUCCESS => Outcome::Right,
        Status::NEW_AUTHTOK_REQD | Status::AUTHTOK_EXPIRED => Outcome::MustChange,
        Status::AUTH_ERR
        | Status::USER_UNKNOWN
        | Status::PERM_DENIED
        | Status::ACCT_EXPIRED
        | Status::CRED_EXPIRED => Outcome::AccountRefused,
        _ => Outcome::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, ServiceName, Status, of_account, of_authentication};
    use crate::PrimaryError;

    #[test]
    fn only_success_is_right() {
        let right = |outcome| outcome == Outcome::Right;
        for code in 1..40 {
            assert!(!right(of_authentication(Status(code))) && !right(of_account(Status(code))), "{code}");
        }
        assert!(right(of_authentication(Status(0))) && right(of_account(Status(0))));
    }

    #[test]
    fn a_broken_stack_is_no_answer() {
        for status in [Status::AUTHINFO_UNAVAIL, Status::SYSTEM_ERR, Status::MODULE_UNKNOWN, Status(999)] {
            assert_eq!(of_authentication(status), Outcome::Unavailable, "{status:?}");
            assert_eq!(of_account(status), Outcome::Unavailable, "{status:?}");
        }
    }

    #[test]
    fn a_service_needs_a_proper_name_and_a_file() {
        let folder = std::env::temp_dir();
        for name in ["", "../other", "a/b", "Other", "a b", "a\0"] {
            let found = ServiceName::find_in(name, &[&folder]);
            assert!(matches!(found, Err(PrimaryError::ServiceNameInvalid { .. })), "{name:?}");
        }
        let missing = ServiceName::find_in("countersign-no-such-service", &[&folder]);
        assert!(matches!(missing, Err(PrimaryError::ServiceMissing { .. })));
    }
}
