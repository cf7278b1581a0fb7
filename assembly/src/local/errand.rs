//! Who wants what of us through PAM, and whose second proof that takes (DESIGN §4).

use common::attempt::{Dialogue, Profile, SELF_SERVICE, Word};
use common::{Answer, Attempt, Door, Parties, Place, PrimaryMode, Target, TypedName};
use config::Settings;
use config::words::FactorOf;
use nix::unistd::{Uid, User};
use primary::Nss;
use serde::{Deserialize, Serialize};

const ROOT: u32 = 0;

/// What the application of a PAM transaction is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// The settings that the module's line means.
    pub settings: String,
    /// `PAM_SERVICE`.
    pub service: String,
    /// `PAM_USER`, as far as it is kept: see [`TypedName`].
    pub user: String,
    /// Where the user sits.
    pub source: Option<String>,
    /// What the module's line says of the first password.
    pub primary: PrimaryMode,
    /// The real uid of the application: who calls.
    pub caller: u32,
    /// What the application's word is worth; it never travels.
    pub word: Word,
}

/// A login as the core sees it.
#[derive(Debug)]
pub struct Case {
    /// What the core decides on. `typed` is whose proof is wanted.
    pub attempt: Attempt,
    is_for_another: bool,
    binding: String,
}

/// What keeps an errand from its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hindered {
    /// We would ask one person for a password and let another's code stand beside it.
    AnothersPassword,
    /// Folding made two users of the system one account.
    AnotherUser,
}

/// Describes the login. Names are looked up by NSS: nothing that the application says about its user counts.
pub fn case(settings: &Settings, errand: &Errand) -> Result<Case, Hindered> {
    let found = User::from_name(&errand.user);
    let user = uid(&found);
    // Where nobody can tell whose uid it is, root's rights are assumed to be at stake.
    let is_root = matches!(user, Ok(Some(ROOT)) | Err(_));
    let by_caller = match settings.services.factor_of(&errand.service) {
        FactorOf::Caller => true,
        FactorOf::Target => false,
        FactorOf::CallerForRoot => is_root,
    };
    let is_for_another = by_caller && user != Ok(Some(errand.caller));
    if is_for_another && errand.primary == PrimaryMode::Own {
        return Err(Hindered::AnothersPassword);
    }
    // sudo asks in the name of whoever calls and does not say for whom: root's rights are assumed.
    let target = if is_root || by_caller { Target::Root } else { Target::Ordinary };
    // Root is named where its own proof is wanted; elsewhere its name is not worth the looking up.
    let caller = (is_for_another || errand.caller != ROOT).then(|| name_of(errand.caller));
    let typed = caller.as_ref().filter(|_| is_for_another).unwrap_or(&errand.user);
    Ok(Case {
        attempt: Attempt {
            door: Door::Pam,
            place: Place::Service(errand.service.clone()),
            typed: TypedName::new(typed.as_bytes()),
            identity: (!is_for_another).then(|| Nss::told(&found)),
            source: errand.source.clone(),
            target,
            parties: Parties {
                caller: caller.filter(|_| errand.caller != ROOT),
                target: is_for_another.then(|| errand.user.clone()),
                word: errand.word,
            },
            primary: errand.primary,
            profile: profile(settings, errand, user == Ok(Some(errand.caller))),
        },
        is_for_another,
        binding: binding(errand),
    })
}

/// Who looks after the own account hears plainly what there is: nobody else can ask for it.
fn profile(settings: &Settings, errand: &Errand, is_own: bool) -> Profile {
    let profile = settings.services.profile(&errand.service);
    if is_own && errand.service == SELF_SERVICE && errand.primary == PrimaryMode::None {
        return Profile { dialogue: Dialogue::Plain, ..profile };
    }
    profile
}

impl Case {
    /// What the core is given at the beginning. A password that was refused for one person is no app password of
    /// another.
    #[must_use]
    pub fn first<'a>(&self, first: Option<&'a Answer>) -> Option<&'a Answer> {
        first.filter(|_| !self.is_for_another)
    }

    /// To what a carried session of this login is bound, besides the typed name: it means nothing elsewhere.
    #[must_use]
    pub fn binding(&self) -> &str {
        &self.binding
    }
}

/// A RADIUS client's name has no space in it, so that no binding is one of RADIUS.
fn binding(errand: &Errand) -> String {
    let Errand { service, user, primary, caller, .. } = errand;
    format!("local {caller} {primary:?} {service:?} {user:?}")
}

/// The name of a user of this system, or a text that is nobody's name.
fn name_of(uid: u32) -> String {
    match User::from_uid(Uid::from_raw(uid)) {
        Ok(Some(user)) => user.name,
        Ok(None) | Err(_) => format!("#{uid}"),
    }
}

/// Whether a name is that of this uid. Where nobody can tell it is not.
#[must_use]
pub fn is_user(name: &str, uid: u32) -> bool {
    uid_of(name) == Ok(Some(uid))
}

/// Whether a name is somebody's. Where nobody can tell it is not.
#[must_use]
pub fn is_known(name: &str) -> bool {
    matches!(uid_of(name), Ok(Some(_)))
}

/// The uid of a name; `None` is nobody's.
fn uid_of(name: &str) -> nix::Result<Option<u32>> {
    uid(&User::from_name(name))
}

fn uid(found: &nix::Result<Option<User>>) -> nix::Result<Option<u32>> {
    found.as_ref().map(|user| user.as_ref().map(|user| user.uid.as_raw())).map_err(|error| *error)
}

/// Whether the name that the application goes on with and the name that was let in are one user of the system.
/// Where realms fold names and the system does not, `Ops` must not come in with the factor of `ops`.
pub(super) fn is_one_user(typed: &str, accepted: &str) -> bool {
    typed == accepted
        || matches!((uid_of(typed), uid_of(accepted)), (Ok(typed), Ok(accepted)) if typed == accepted)
}

#[cfg(test)]
mod tests {
    use common::Username;
    use common::ports::Identity;

    use super::*;

    fn settings(lines: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("countersign.toml");
        std::fs::write(&path, format!("default-state = \"enforced\"\n{lines}")).unwrap();
        Settings::load_without_clients(&path).ok().unwrap().settings
    }

    fn errand(service: &str, user: &str, primary: PrimaryMode, caller: u32) -> Errand {
        let (settings, source) = (String::new(), Some("local".to_owned()));
        let (service, user) = (service.to_owned(), user.to_owned());
        Errand { settings, service, user, source, primary, caller, word: Word::Believed }
    }

    /// Whose proof is wanted, who called, for whom, and whose rights are at stake.
    fn people(case: &Case) -> (&str, Option<&str>, Option<&str>, Target) {
        let Attempt { typed, parties, target, .. } = &case.attempt;
        (typed.as_str(), parties.caller.as_deref(), parties.target.as_deref(), *target)
    }

    /// `daemon` has the uid 1 and `bin` the uid 2 on every Debian.
    #[test]
    fn the_factor_is_that_of_the_caller_or_of_the_target() {
        let usual = settings("");
        let of = |service: &str, user: &str, caller| {
            case(&usual, &errand(service, user, PrimaryMode::Stack, caller)).unwrap()
        };
        assert_eq!(people(&of("sudo", "daemon", 1)), ("daemon", Some("daemon"), None, Target::Root));
        // With rootpw, sudo asks in the name of root.
        assert_eq!(people(&of("sudo", "root", 1)), ("daemon", Some("daemon"), Some("root"), Target::Root));
        assert_eq!(people(&of("su", "root", 1)), ("daemon", Some("daemon"), Some("root"), Target::Root));
        assert_eq!(people(&of("su", "bin", 1)), ("bin", Some("daemon"), None, Target::Ordinary));
        assert_eq!(people(&of("sshd", "daemon", 0)), ("daemon", None, None, Target::Ordinary));
        assert_eq!(people(&of("sshd", "root", 0)), ("root", None, None, Target::Root));
        assert_eq!(people(&of("sudo", "x", 54_321)).0, "#54321", "nobody has this uid");
    }

    #[test]
    fn the_name_is_asked_for_once_and_that_of_another_is_left_to_the_core() {
        let usual = settings("");
        let of = |service: &str, user: &str, caller| {
            case(&usual, &errand(service, user, PrimaryMode::Stack, caller)).unwrap().attempt.identity
        };
        let known = |name: &str| Some(Identity::Known(Username::parse(name).unwrap()));
        assert_eq!(of("sshd", "daemon", 0), known("daemon"));
        assert_eq!(of("sshd", "nobody-of-this-name", 0), Some(Identity::Unknown));
        assert_eq!(of("su", "root", 1), None, "the factor is that of daemon");
    }

    #[test]
    fn settings_say_otherwise() {
        let lines =
            "[pam.services.su]\nfactor-of = \"target\"\n[pam.services.door]\nfactor-of = \"caller\"\n";
        let strict = settings(lines);
        let of = |service: &str| case(&strict, &errand(service, "root", PrimaryMode::Stack, 1)).unwrap();
        assert_eq!(people(&of("su")), ("root", Some("daemon"), None, Target::Root));
        assert_eq!(people(&of("door")), ("daemon", Some("daemon"), Some("root"), Target::Root));
    }

    #[test]
    fn one_persons_password_and_anothers_code_are_not_mixed_up() {
        let usual = settings("");
        let of = |user: &str, primary| case(&usual, &errand("su", user, primary, 1));
        assert_eq!(of("root", PrimaryMode::Own).err(), Some(Hindered::AnothersPassword));
        assert!(of("bin", PrimaryMode::Own).is_ok(), "both are the target's");
        let first = Answer::Void;
        assert!(of("root", PrimaryMode::Failed).unwrap().first(Some(&first)).is_none());
        assert!(of("bin", PrimaryMode::Failed).unwrap().first(Some(&first)).is_some());
    }

    #[test]
    fn a_session_is_bound_to_all_that_it_began_with() {
        let usual = settings("");
        let of = |service: &str, user: &str, primary, caller| {
            case(&usual, &errand(service, user, primary, caller)).unwrap().binding().to_owned()
        };
        let all = [
            of("su", "root", PrimaryMode::Stack, 1),
            of("su", "root", PrimaryMode::Failed, 1),
            of("su", "root", PrimaryMode::Stack, 2),
            of("su", "bin", PrimaryMode::Stack, 1),
            of("su-l", "root", PrimaryMode::Stack, 1),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn a_folded_name_is_let_in_as_the_same_user_only() {
        assert!(is_one_user("root", "root"));
        assert!(!is_one_user("root", "daemon"), "two users of this system");
        assert!(!is_one_user("Root", "root"), "nobody, and a user of this system");
        assert!(is_one_user("Nobody-Here", "nobody-here"), "two names that only the store knows");
    }
}
