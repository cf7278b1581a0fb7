//! Who may try whom. The kernel says who calls; what a caller says of itself counts only where it has root's rights.

use assembly::config::Caller;
use common::attempt::{SELF_SERVICE, Word};

use assembly::local::{Errand, is_user, wire::LOCAL_SOURCE};

/// A program of one user tried another user's name.
#[derive(Debug, PartialEq, Eq)]
pub struct NotTheCaller;

/// Puts an errand right for a caller of this effective uid: what it may not say is replaced by what is true. A caller
/// with root's rights is believed. Others try nobody but themselves, at this machine, unless the settings name them. An
/// account is looked after by its user alone, whatever the settings name.
///
/// # Errors
/// [`NotTheCaller`]; the errand is right for the record then.
pub fn admit(callers: &[Caller], uid: u32, errand: &mut Errand) -> Result<(), NotTheCaller> {
    if uid == 0 {
        return Ok(());
    }
    errand.caller = uid;
    let is_named =
        |caller: &&Caller| errand.service != SELF_SERVICE && caller.services.contains(&errand.service);
    if callers.iter().filter(is_named).any(|caller| is_user(caller.user.as_str(), uid)) {
        return Ok(());
    }
    errand.source = Some(LOCAL_SOURCE.to_owned());
    errand.word = Word::OfUser;
    if is_user(&errand.user, uid) { Ok(()) } else { Err(NotTheCaller) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use common::{PrimaryMode, Username};

    use super::*;

    fn errand(service: &str, user: &str) -> Errand {
        Errand {
            settings: String::new(),
            service: service.to_owned(),
            user: user.to_owned(),
            source: Some("192.0.2.7".to_owned()),
            primary: PrimaryMode::Stack,
            caller: 0,
            word: Word::Believed,
        }
    }

    /// The result, the source and the caller that the record will have.
    fn tried(uid: u32, service: &str, user: &str) -> (bool, String, u32) {
        let services = BTreeSet::from(["database".to_owned(), SELF_SERVICE.to_owned()]);
        let callers = [Caller { user: Username::parse("bin").unwrap(), services }];
        let mut errand = errand(service, user);
        let is_admitted = admit(&callers, uid, &mut errand).is_ok();
        (is_admitted, errand.source.unwrap(), errand.caller)
    }

    /// `daemon` has the uid 1 and `bin` the uid 2 on every Debian.
    #[test]
    fn root_is_believed_and_others_try_themselves_only() {
        assert_eq!(tried(0, "sshd", "daemon"), (true, "192.0.2.7".to_owned(), 0));
        assert_eq!(tried(1, "lock", "daemon"), (true, "local".to_owned(), 1));
        for other in ["bin", "root", "nobody-of-this-name", "Daemon", ""] {
            assert_eq!(tried(1, "lock", other), (false, "local".to_owned(), 1), "{other}");
        }
    }

    #[test]
    fn an_account_is_looked_after_by_its_user_alone() {
        assert_eq!(tried(2, SELF_SERVICE, "bin"), (true, "local".to_owned(), 2));
        assert_eq!(tried(2, SELF_SERVICE, "daemon"), (false, "local".to_owned(), 2), "whatever is named");
        assert_eq!(tried(1, SELF_SERVICE, "root"), (false, "local".to_owned(), 1));
    }

    #[test]
    fn a_program_of_the_settings_may_try_anybody_at_its_services() {
        assert_eq!(tried(2, "database", "daemon"), (true, "192.0.2.7".to_owned(), 2));
        assert_eq!(tried(2, "lock", "daemon"), (false, "local".to_owned(), 2));
        assert_eq!(tried(1, "database", "root"), (false, "local".to_owned(), 1));
    }
}
