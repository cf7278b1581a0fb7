//! What the core is told of a PAM login.

use assembly::config::Settings;
use common::{Attempt, Door, Parties, Place, PrimaryMode, Target, TypedName, Username};
use nix::unistd::User;

use crate::source;
use crate::transaction::{NobodyAnswers, Transaction};

/// Describes the login of this transaction.
pub(crate) fn describe(
    transaction: &mut Transaction<'_>,
    settings: &Settings,
    primary: PrimaryMode,
) -> Result<Attempt, NobodyAnswers> {
    let typed = transaction.user()?;
    let service = transaction.service();
    Ok(Attempt {
        door: Door::Pam,
        source: source::of(transaction),
        target: target(&typed),
        parties: Parties::default(),
        primary,
        profile: settings.services.profile(&service),
        place: Place::Service(service),
        typed,
    })
}

/// Whether the name that the application goes on with and the name that was let in are one user of the system.
/// Where realms fold names and the system does not, `Ops` must not come in with the factor of `ops`.
pub(crate) fn names_one_user(typed: &TypedName, accepted: &Username) -> bool {
    let uid = |name: &str| User::from_name(name).map(|user| user.map(|user| user.uid));
    typed.as_str() == accepted.as_str()
        || matches!((uid(typed.as_str()), uid(accepted.as_str())), (Ok(typed), Ok(accepted)) if typed == accepted)
}

/// Where nobody can tell whose uid it is, root's rights are assumed to be at stake.
fn target(typed: &TypedName) -> Target {
    match User::from_name(typed.as_str()) {
        Ok(Some(user)) if !user.uid.is_root() => Target::Ordinary,
        Ok(None) => Target::Ordinary,
        Ok(Some(_)) | Err(_) => Target::Root,
    }
}

#[cfg(test)]
mod tests {
    use super::names_one_user;
    use common::{TypedName, Username};

    #[test]
    fn a_folded_name_is_let_in_as_the_same_user_only() {
        let one = |typed: &str, accepted: &str| {
            names_one_user(&TypedName::new(typed.as_bytes()), &Username::parse(accepted).unwrap())
        };
        assert!(one("root", "root"));
        assert!(!one("root", "daemon"), "two users of this system");
        assert!(!one("Root", "root"), "nobody, and a user of this system");
        assert!(one("Nobody-Here", "nobody-here"), "two names that only the store knows");
    }
}
