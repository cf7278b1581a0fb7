//! Acts on an account as a whole.

use std::fmt::Write as _;

use crate::UnixTime;
use crate::account::{Account, Block, Deadline, PasswordHash, Role, State};
use crate::acts::{ActError, DeadlineChange, Desk, Done, Issued, NewTotp, Reset, StateChange, factor};
use crate::bundle::AccountChange;
use crate::id::AccountId;
use crate::message::Event;
use crate::notices::Happening;
use crate::username::Username;

/// A new account; a factor that it brings counts as registered.
pub(super) fn add(
    desk: &Desk<'_>,
    name: &Username,
    state: Option<State>,
    role: Role,
    password: Option<&PasswordHash>,
    totp: Option<&NewTotp>,
) -> Result<Done, ActError> {
    let mut account = new(desk, name, state.unwrap_or(desk.policy.default_state));
    account.role = role;
    account.password_hash = password.cloned();
    let Some(totp) = totp else { return Ok(Done::updated(account).inserting()) };
    let registered = factor::register_totp(desk, account, totp)?;
    let done = Done::issuing(registered.account, Issued::Factor(registered.factor));
    let mut done = done.saying(&registered.words).inserting();
    done.spends.extend(registered.spend);
    Ok(done)
}

/// The account of somebody whom only the primary knew until now.
pub(super) fn new(desk: &Desk<'_>, name: &Username, state: State) -> Account {
    let account = Account::new(AccountId::generate(desk.random), name.clone(), state, desk.now);
    Account { deadline: grace(desk).filter(|_| state == State::Enabled), ..account }
}

/// Whoever had it hears that all of it is gone: a stranger may be able to register under the name now.
pub(super) fn remove(account: &Account) -> Done {
    let happening = Happening::new(Event::AccountRemoved, String::new());
    Done::new(AccountChange::Remove(account.id), Issued::Nothing).telling(happening)
}

/// What the policy gives somebody who becomes `enabled` now.
fn grace(desk: &Desk<'_>) -> Option<Deadline> {
    desk.policy.registration.grace.deadline(desk.now)
}

/// `enabled` means "must register": who has registered already is `enforced`, and whoever is `enforced` stays so, since to
/// ask the same people once more must let nobody in with less. Who is `enabled` already keeps the deadline, unless another
/// one is given.
pub(super) fn set_state(desk: &Desk<'_>, mut account: Account, change: &StateChange) -> Account {
    let is_enforced = account.state == State::Enforced || !account.factors.is_empty();
    let state = match change.state {
        State::Enabled if is_enforced => State::Enforced,
        State::Disabled | State::Enabled | State::Enforced => change.state,
    };
    let deadline = match (state, account.state) {
        (State::Enabled, State::Enabled) if change.deadline == DeadlineChange::KEPT => account.deadline,
        (State::Enabled, State::Enabled) => change.deadline.over(account.deadline.or_else(|| grace(desk))),
        (State::Enabled, State::Disabled | State::Enforced) => change.deadline.over(grace(desk)),
        (State::Disabled | State::Enforced, _) => None,
    };
    if state == State::Disabled && account.state != State::Disabled {
        account.forget_devices();
    }
    Account { state, deadline, disabled_until: None, ..account }
}

/// Nothing of the account is lost by it: afterwards it is again what it is.
pub(super) fn disable_until(desk: &Desk<'_>, account: Account, until: UnixTime) -> Result<Account, ActError> {
    if until <= desk.now {
        return Err(ActError::Past);
    }
    Ok(Account { disabled_until: Some(until), ..account })
}

/// Somebody who is blocked so already stays as they are.
pub(super) fn block(mut account: Account, block: Block) -> Account {
    if account.block != Some(block) {
        account.forget_devices();
    }
    Account { block: Some(block), ..account }
}

/// Who has registered nothing cannot do it again: of that part nothing changes.
pub(super) fn reset(desk: &Desk<'_>, mut account: Account, reset: Reset) -> Result<Done, ActError> {
    let parts = [
        (reset.require_registration, "registration"),
        (reset.delete_app_passwords, "app-passwords"),
        (reset.forget_devices, "devices"),
    ];
    let parts: Vec<_> = parts.iter().filter(|(is_asked, _)| *is_asked).map(|(_, part)| *part).collect();
    if parts.is_empty() {
        return Err(ActError::EmptyReset);
    }
    let devices = desk.devices(&account);
    let must_register = reset.require_registration && !account.factors.is_empty();
    if reset.forget_devices || (must_register && !account.must_register_again) {
        account.forget_devices();
    }
    account.must_register_again |= must_register;
    if reset.delete_app_passwords {
        account.app_passwords.clear();
    }
    let issued = if reset.forget_devices { Issued::DevicesForgotten(devices) } else { Issued::Nothing };
    let done = Done::issuing(account, issued).saying(&format!("reset={}", parts.join(",")));
    Ok(if must_register {
        done.telling(Happening::new(Event::RegistrationRequired, String::new()))
    } else {
        done
    })
}

impl Done {
    /// The same, of an account that is new.
    pub(super) fn inserting(mut self) -> Self {
        if let AccountChange::Update(account) = self.change {
            self.change = AccountChange::Insert(account);
        }
        self
    }
}

/// The account in a few words, for the record of an act; never a secret. What is usual is left out.
pub(super) fn describe(account: &Account) -> String {
    let mut words = format!(
        "name={} state={} role={} blocked={} factors={} recovery-codes={} app-passwords={}",
        account.name,
        account.state.name(),
        account.role.name(),
        if account.block.is_some() { "yes" } else { "no" },
        account.factors.len(),
        account.recovery_codes.len(),
        account.app_passwords.len(),
    );
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = write!(words, " {name}={value}");
        }
    };
    let seconds = |moment: UnixTime| format!("@{}", moment.seconds());
    let deadline = account.deadline.unwrap_or_default();
    let yes = |holds: bool| holds.then(|| "yes".to_owned());
    add("deadline", deadline.by.map(seconds));
    add("sign-ins", deadline.sign_ins.map(|count| count.to_string()));
    add("disabled-until", account.disabled_until.map(seconds));
    add("must-register", yes(account.must_register_again));
    add("contacts", (!account.contacts.is_empty()).then(|| account.contacts.len().to_string()));
    add("temporary-code", account.temporary_code.as_ref().map(|code| seconds(code.expires_at)));
    add("default-factor", account.default_factor.map(|id| id.to_string()));
    words
}
