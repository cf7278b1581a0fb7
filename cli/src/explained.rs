//! What the fields of an account come to, in sentences: how its user signs in now, and what becomes of app passwords.

use common::UnixTime;
use common::account::{Account, Deadline, Role, Scope, State};
use common::policy::Policy;

use crate::moment::rfc3339;

/// How the user signs in as of now, and why app passwords are, or are not, good.
pub(crate) fn explained(account: &Account, policy: &Policy, now: UnixTime) -> Vec<String> {
    vec![second_step(account, now), app_passwords(account, policy, now)]
}

fn second_step(account: &Account, now: UnixTime) -> String {
    let name = &account.name;
    let temporary = format!("'countersign user temporary-code {name}' makes one");
    if account.is_blocked(now) {
        return "Every door refuses this user.".to_owned();
    }
    if let Some(until) = account.disabled_until.filter(|until| now < *until) {
        let then = account.state.name();
        return format!(
            "No second step is asked until {}; then the account is {then} again.",
            rfc3339(until)
        );
    }
    if account.must_register_again {
        return format!(
            "Everything must be registered again: what is registered opens that and nothing else, and so does a temporary \
             code; {temporary}."
        );
    }
    match (account.state, account.factors.is_empty()) {
        (State::Disabled, _) => "No second step is asked: the first password is enough.".to_owned(),
        (State::Enabled, _) => enabled(account.deadline, now, &temporary),
        (State::Enforced, true) => {
            format!(
                "A second step is asked and none is registered: only a temporary code helps; {temporary}."
            )
        }
        (State::Enforced, false) => "A second step is asked at every login.".to_owned(),
    }
}

fn enabled(deadline: Option<Deadline>, now: UnixTime, temporary: &str) -> String {
    let deadline = deadline.unwrap_or_default();
    if !deadline.allows(now) {
        return format!("The time for registering is over: only a temporary code opens it now; {temporary}.");
    }
    let end = match (deadline.by, deadline.sign_ins) {
        (None, None) => String::new(),
        (Some(by), None) => format!(", until {}", rfc3339(by)),
        (None, Some(left)) => format!(", for {left} more sign-ins"),
        (Some(by), Some(left)) => {
            format!(", for {left} more sign-ins and until {} at the longest", rfc3339(by))
        }
    };
    format!(
        "Nothing is registered yet: doors that can ask do so, and the first password is enough meanwhile{end}."
    )
}

fn app_passwords(account: &Account, policy: &Policy, now: UnixTime) -> String {
    let goodness = if account.role == Role::Administrator {
        "App passwords are refused, because administrators need a rule that names them"
    } else if account.state_at(now) == State::Disabled {
        "App passwords rest, because no second step is asked"
    } else if account.must_register_again {
        "App passwords are good until something is registered again, and void then"
    } else if account.app_passwords.is_empty() {
        "There are no app passwords"
    } else {
        "App passwords are good where their scope says, and nowhere privileged"
    };
    let Scope { services, clients } = &policy.registration.app_passwords;
    let places: Vec<_> = services.iter().chain(clients).map(String::as_str).collect();
    if places.is_empty() {
        return format!("{goodness}; users are offered none here, an administrator makes them.");
    }
    format!("{goodness}; users are offered them for {}.", places.join(", "))
}

#[cfg(test)]
mod tests {
    use common::account::{Account, Block, Deadline, Role, State};
    use common::policy::Policy;
    use common::{AccountId, UnixTime, Username};

    use super::explained;

    const NOW: UnixTime = UnixTime::from_seconds(1_795_348_800);

    fn account(state: State) -> Account {
        Account::new(AccountId::from_bytes([1; 16]), Username::parse("alice").unwrap(), state, NOW)
    }

    fn said(account: &Account) -> String {
        explained(account, &Policy::new(State::Enforced), NOW).join(" ")
    }

    #[test]
    fn each_state_has_a_sentence_of_its_own_that_says_what_helps() {
        let later = NOW.plus_seconds(3600);
        let by =
            |by, sign_ins| Account { deadline: Some(Deadline { by, sign_ins }), ..account(State::Enabled) };
        for (account, words) in [
            (account(State::Disabled), "the first password is enough."),
            (account(State::Enabled), "enough meanwhile."),
            (by(Some(later), None), "meanwhile, until 2026-11-22T13:00:00Z."),
            (by(Some(later), Some(2)), "for 2 more sign-ins and until 2026-11-22T13:00:00Z at the longest."),
            (
                by(None, Some(0)),
                "only a temporary code opens it now; 'countersign user temporary-code alice' makes one.",
            ),
            (by(Some(NOW), None), "The time for registering is over"),
            (account(State::Enforced), "none is registered: only a temporary code helps"),
            (
                Account { block: Some(Block::Indefinitely), ..account(State::Enforced) },
                "Every door refuses this user.",
            ),
            (
                Account { disabled_until: Some(later), ..account(State::Enforced) },
                "until 2026-11-22T13:00:00Z; then the account is enforced again.",
            ),
            (
                Account { must_register_again: true, ..account(State::Enforced) },
                "opens that and nothing else",
            ),
        ] {
            assert!(said(&account).contains(words), "{} lacks {words}", said(&account));
        }
    }

    #[test]
    fn app_passwords_are_explained() {
        let resting = Account { disabled_until: Some(NOW.plus_seconds(1)), ..account(State::Enforced) };
        assert!(said(&resting).contains("App passwords rest, because no second step is asked;"));
        let administrator = Account { role: Role::Administrator, ..account(State::Enforced) };
        assert!(said(&administrator).contains("administrators need a rule that names them;"));
        let mut policy = Policy::new(State::Enforced);
        policy.registration.app_passwords.clients.push("mail".to_owned());
        let offered = explained(&account(State::Enforced), &policy, NOW).join(" ");
        assert!(
            offered.ends_with("There are no app passwords; users are offered them for mail."),
            "{offered}"
        );
    }
}
