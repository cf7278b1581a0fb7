//! What an account means for its user, in plain words: what happens at the next sign-in and why, and what app passwords are
//! good for.

use common::UnixTime;
use common::account::{Account, Deadline, Role, State};
use common::policy::Policy;
use common::ports::Listed;

use crate::moment::rfc3339;
use crate::stored::Stored as _;
use crate::view::block;

/// What happens when the user signs in next, and why.
pub(super) fn next_sign_in(listed: &Listed, policy: &Policy, now: UnixTime) -> Vec<String> {
    let account = &listed.account;
    let mut sentences = vec![expected(listed, policy, now)];
    if let Some(until) = listed.temporary_code_until(now) {
        sentences.push(format!("A temporary code is good once, until {}.", rfc3339(until)));
    }
    if account.must_register_again {
        sentences.push(
            "Everything must be registered anew: what is registered now, or a temporary code, opens that and nothing else."
                .to_owned(),
        );
    }
    if !policy.rules.is_empty() && !policy.break_glass.contains(&account.name) {
        sentences.push("Rules of the settings come first: 'countersign config show' has them.".to_owned());
    }
    sentences
}

fn expected(listed: &Listed, policy: &Policy, now: UnixTime) -> String {
    let account = &listed.account;
    if policy.break_glass.contains(&account.name) {
        return "PAM services ask for a second proof, whatever the state: this is a break-glass account."
            .to_owned();
    }
    if let Some(until) = block(account.block, now) {
        return format!("Nobody gets in under this name: it is blocked {until}.");
    }
    let has_temporary_code = listed.temporary_code_until(now).is_some();
    match account.state_at(now) {
        State::Disabled => disabled(account, now),
        State::Enabled | State::Enforced if !account.factors.is_empty() => usual(account),
        State::Enabled if account.deadline.is_none_or(|deadline| deadline.allows(now)) => {
            may_wait(account.deadline, policy)
        }
        State::Enabled | State::Enforced if has_temporary_code => {
            "Nothing is registered and it cannot be put off: the temporary code opens the registration."
                .to_owned()
        }
        state => overdue(account, state),
    }
}

fn disabled(account: &Account, now: UnixTime) -> String {
    match account.disabled_until.filter(|until| now < *until) {
        Some(until) => format!(
            "The first password is enough until {}; from then on the account is {} again.",
            rfc3339(until),
            account.state.name()
        ),
        None => "The first password is enough: the account is disabled.".to_owned(),
    }
}

/// Somebody who has registered.
fn usual(account: &Account) -> String {
    let default = account.default_factor.and_then(|id| account.factors.iter().find(|factor| factor.id == id));
    let first = default.or_else(|| account.factors.first());
    let label = first.map_or("", |factor| factor.label.as_str());
    format!("A second proof is asked for: '{label}', unless the user chooses another way.")
}

fn may_wait(deadline: Option<Deadline>, policy: &Policy) -> String {
    let Deadline { by, sign_ins } = deadline.unwrap_or_default();
    let until = [by.map(|by| format!("until {}", rfc3339(by))), sign_ins.map(times)];
    let until: Vec<String> = until.into_iter().flatten().collect();
    let until = if until.is_empty() { "without an end".to_owned() } else { until.join(", at most ") };
    if policy.registration.at_sign_in {
        format!("The user is asked to register a second proof and may put it off {until}.")
    } else {
        format!(
            "The first password is enough {until}; the user is not asked to register at a sign-in, because the settings do not \
             offer it there."
        )
    }
}

fn times(sign_ins: u32) -> String {
    if sign_ins == 1 { "1 more time".to_owned() } else { format!("{sign_ins} more times") }
}

fn overdue(account: &Account, state: State) -> String {
    let why = match state {
        State::Enforced => "the account is enforced",
        State::Enabled | State::Disabled => "the time to register is over",
    };
    let name = &account.name;
    format!(
        "Nobody gets in under this name: {why} and nothing is registered. 'countersign enroll {name} totp' registers an app, \
         and with a code of 'countersign user temporary-code {name}' the user can do it."
    )
}

/// Why app passwords are, or are not, any good now, and whether the user may make one.
pub(super) fn app_passwords(account: &Account, policy: &Policy, now: UnixTime) -> Vec<String> {
    let mut sentences = Vec::new();
    if !account.app_passwords.is_empty() {
        sentences.push(usable(account, policy, now));
    }
    let scope = &policy.registration.app_passwords;
    let places: Vec<&str> = scope.services.iter().chain(&scope.clients).map(String::as_str).collect();
    sentences.push(match (places.is_empty(), account.role) {
        (true, _) => "Users are offered none: the settings name no place where they may make one. An administrator can, with \
             'countersign app-password create'."
            .to_owned(),
        (false, Role::Administrator) => "None is offered to an administrator.".to_owned(),
        (false, Role::User) if account.factors.is_empty() => {
            format!("The user may make one for {}, once a second proof is registered.", places.join(", "))
        }
        (false, Role::User) => format!("The user may make one for {}.", places.join(", ")),
    });
    sentences
}

fn usable(account: &Account, policy: &Policy, now: UnixTime) -> String {
    if account.is_blocked(now) {
        return "None is good while the account is blocked.".to_owned();
    }
    if account.state_at(now) == State::Disabled {
        return "They are suspended while the account is disabled, and not lost.".to_owned();
    }
    if account.role == Role::Administrator {
        return "An administrator's are good only where a rule of the settings names app passwords."
            .to_owned();
    }
    let dead: Vec<&str> = account
        .app_passwords
        .iter()
        .filter(|password| {
            !policy.privileged_services.is_empty()
                && password.scope.services.iter().all(|service| policy.privileged_services.contains(service))
                && password.scope.clients.is_empty()
        })
        .map(|password| password.label.as_str())
        .collect();
    let again = if account.must_register_again { " They end with the new registration." } else { "" };
    if dead.is_empty() {
        format!(
            "They are good where they were made for, as the only password and at the second question.{again}"
        )
    } else {
        format!(
            "They are good where they were made for, but for {}: sudo, su, login and the like take one only where a rule names \
             app passwords.{again}",
            dead.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use common::account::{Account, Block, Deadline, State};
    use common::policy::Policy;
    use common::ports::Listed;
    use common::{AccountId, UnixTime, Username};

    use super::{app_passwords, next_sign_in};

    fn now() -> UnixTime {
        UnixTime::from_seconds(1_795_348_800)
    }

    fn said(change: impl FnOnce(&mut Account)) -> String {
        let name = Username::parse("alice").unwrap();
        let mut account = Account::new(AccountId::from_bytes([1; 16]), name, State::Enabled, now());
        change(&mut account);
        let listed = Listed { account, signed_in_at: None, spent_codes: Vec::new() };
        next_sign_in(&listed, &Policy::new(State::Enabled), now()).join(" ")
    }

    type Change = fn(&mut Account);

    #[test]
    fn what_keeps_a_user_out_or_lets_them_in_is_said_in_words() {
        let cases: [(Change, &str); 7] = [
            (|_| {}, "may put it off without an end"),
            (|account| account.state = State::Disabled, "the account is disabled"),
            (|account| account.state = State::Enforced, "the account is enforced and nothing is registered"),
            (|account| account.block = Some(Block::Indefinitely), "it is blocked indefinitely"),
            (
                |account| account.deadline = Some(Deadline { by: Some(now()), sign_ins: None }),
                "the time to register is over",
            ),
            (
                |account| account.deadline = Some(Deadline { by: None, sign_ins: Some(3) }),
                "may put it off 3 more times",
            ),
            (
                |account| account.disabled_until = Some(now().plus_seconds(3600)),
                "enough until 2026-11-22T13:00:00Z; from then on the account is enabled again",
            ),
        ];
        for (change, words) in cases {
            let said = said(change);
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn whether_app_passwords_are_offered_is_said_with_its_reason() {
        let mut policy = Policy::new(State::Enabled);
        let name = Username::parse("alice").unwrap();
        let account = Account::new(AccountId::from_bytes([1; 16]), name, State::Enforced, now());
        assert!(app_passwords(&account, &policy, now()).join(" ").contains("name no place"));
        policy.registration.app_passwords.clients.push("vpn".to_owned());
        let said = app_passwords(&account, &policy, now()).join(" ");
        assert!(said.contains("may make one for vpn, once"), "{said}");
    }
}
