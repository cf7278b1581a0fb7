//! What an account means for its user, in plain words: what happens at the next sign-in and why, and what app passwords are
//! good for.

use common::UnixTime;
use common::account::{Account, Deadline, Role, State};
use common::engine::Engine;
use common::policy::Policy;
use common::ports::Listed;

use crate::moment::rfc3339;
use crate::stored::Stored as _;
use crate::view::block;

/// What opens a registration for somebody besides a temporary code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ways {
    /// A code to a contact, wherever the user signs in.
    Contact,
    /// The password alone, where an opening of the settings is.
    Openings,
    /// Nothing.
    None,
}

impl Ways {
    pub(super) fn of(engine: &Engine, account: &Account) -> Self {
        match (engine.reaches_contact(account), engine.policy().registration.openings.is_empty()) {
            (true, _) => Self::Contact,
            (false, false) => Self::Openings,
            (false, true) => Self::None,
        }
    }
}

/// What happens when the user signs in next, and why.
pub(super) fn next_sign_in(listed: &Listed, ways: Ways, policy: &Policy, now: UnixTime) -> Vec<String> {
    let account = &listed.account;
    let mut sentences = vec![expected(listed, ways, policy, now)];
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

fn expected(listed: &Listed, ways: Ways, policy: &Policy, now: UnixTime) -> String {
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
            let deadline = account.deadline.or_else(|| policy.registration.grace.deadline(now));
            may_wait(deadline, ways, policy)
        }
        State::Enabled | State::Enforced if has_temporary_code => {
            "Nothing is registered and it cannot be put off: the temporary code opens the registration."
                .to_owned()
        }
        state => overdue(account, state, listed.recovery_codes_left()),
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

fn may_wait(deadline: Option<Deadline>, ways: Ways, policy: &Policy) -> String {
    let has_deadline = deadline.is_some();
    let Deadline { by, sign_ins } = deadline.unwrap_or_default();
    let until = [by.map(|by| format!("until {}", rfc3339(by))), sign_ins.map(times)];
    let until: Vec<String> = until.into_iter().flatten().collect();
    let until = if until.is_empty() { "without an end".to_owned() } else { until.join(", at most ") };
    if !policy.registration.at_sign_in {
        return format!(
            "The first password is enough {until}; the user is not asked to register at a sign-in, because the settings do not \
             offer it there."
        );
    }
    let elsewhere = match has_deadline {
        true => format!("is asked for a temporary code, which opens that, and may put it off {until}"),
        false => "is asked nothing, and let in".to_owned(),
    };
    match ways {
        Ways::Contact => format!("The user is asked to register a second proof and may put it off {until}."),
        Ways::Openings => {
            let openings = policy.registration.openings.iter().map(|opening| format!("'{}'", opening.name));
            format!(
                "Where an opening of the settings fits ({}), the user is asked to register a second proof and may put it off \
                 {until}; elsewhere the user {elsewhere}.",
                openings.collect::<Vec<_>>().join(", ")
            )
        }
        Ways::None => format!(
            "The user {elsewhere}: the settings have no opening, and no contact that you or the directory have set can be \
             reached."
        ),
    }
}

fn times(sign_ins: u32) -> String {
    if sign_ins == 1 { "1 more time".to_owned() } else { format!("{sign_ins} more times") }
}

fn overdue(account: &Account, state: State, recovery_codes_left: usize) -> String {
    let why = match state {
        State::Enforced => "the account is enforced",
        State::Enabled | State::Disabled => "the time to register is over",
    };
    let name = &account.name;
    let opened_by = match recovery_codes_left {
        0 => "a temporary code".to_owned(),
        left => format!("a recovery code ({left} left) or a temporary code"),
    };
    format!(
        "Nobody gets in under this name without {opened_by}: {why} and nothing is registered. 'countersign user temporary-code \
         {name}' makes one, which opens the registration, and 'countersign enroll {name} totp' registers an app."
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
    use common::registration::Opening;
    use common::{AccountId, UnixTime, Username};

    use super::{Ways, app_passwords, next_sign_in, overdue};

    fn now() -> UnixTime {
        UnixTime::from_seconds(1_795_348_800)
    }

    fn said(change: impl FnOnce(&mut Account)) -> String {
        said_with(Ways::Contact, &Policy::new(State::Enabled), change)
    }

    fn said_with(ways: Ways, policy: &Policy, change: impl FnOnce(&mut Account)) -> String {
        let name = Username::parse("alice").unwrap();
        let mut account = Account::new(AccountId::from_bytes([1; 16]), name, State::Enabled, now());
        change(&mut account);
        let listed = Listed { account, signed_in_at: None, spent_codes: Vec::new() };
        next_sign_in(&listed, ways, policy, now()).join(" ")
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
    fn whoever_can_only_type_a_temporary_code_is_not_said_to_be_able_to_register() {
        let mut policy = Policy::new(State::Enabled);
        let by_a_day = |account: &mut Account| {
            account.deadline = Some(Deadline { by: Some(now().plus_seconds(3600)), sign_ins: None });
        };
        let said = said_with(Ways::None, &policy, by_a_day);
        assert!(said.starts_with("The user is asked for a temporary code"), "{said}");
        assert!(
            said.contains("put it off until 2026-11-22T13:00:00Z: the settings have no opening"),
            "{said}"
        );
        let said = said_with(Ways::None, &policy, |_| {});
        assert!(said.starts_with("The user is asked nothing, and let in"), "{said}");
        policy.registration.openings.push(Opening {
            name: "office".to_owned(),
            services: vec!["sshd".to_owned()],
            clients: Vec::new(),
            networks: Vec::new(),
        });
        let said = said_with(Ways::Openings, &policy, by_a_day);
        assert!(said.contains("('office'), the user is asked to register"), "{said}");
        assert!(said.contains("elsewhere the user is asked for a temporary code"), "{said}");
    }

    #[test]
    fn recovery_codes_that_still_open_the_door_are_not_passed_over() {
        let name = Username::parse("alice").unwrap();
        let account = Account::new(AccountId::from_bytes([1; 16]), name, State::Enforced, now());
        let said = overdue(&account, State::Enforced, 1);
        assert!(
            said.starts_with("Nobody gets in under this name without a recovery code (1 left) or"),
            "{said}"
        );
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
