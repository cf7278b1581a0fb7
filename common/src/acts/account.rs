//! Acts on an account as a whole.

use crate::AccountId;
use crate::account::{Account, PasswordHash, Role, State};
use crate::acts::{ActError, Desk, Done, Issued, NewTotp, factor};
use crate::bundle::AccountChange;
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
    let id = AccountId::generate(desk.random);
    let state = state.unwrap_or(desk.policy.default_state);
    let mut account = Account::new(id, name.clone(), state, desk.now);
    account.role = role;
    account.password_hash = password.cloned();
    let Some(totp) = totp else {
        return Ok(Done {
            change: AccountChange::Insert(Box::new(account)),
            spends: Vec::new(),
            issued: Issued::Nothing,
        });
    };
    let registered = factor::register(desk, account, totp)?;
    Ok(Done {
        change: AccountChange::Insert(Box::new(registered.account)),
        spends: registered.spend.into_iter().collect(),
        issued: Issued::Factor(registered.factor),
    })
}

/// `enabled` means "must register": who has registered already is `enforced`.
pub(super) fn set_state(account: Account, state: State) -> Account {
    let state = match state {
        State::Enabled if !account.factors.is_empty() => State::Enforced,
        State::Disabled | State::Enabled | State::Enforced => state,
    };
    Account { state, ..account }
}

/// The account in a few words, for the record of an act; never a secret.
pub(super) fn describe(account: &Account) -> String {
    format!(
        "name={} state={} role={} blocked={} factors={} recovery-codes={} app-passwords={}",
        account.name,
        account.state.name(),
        account.role.name(),
        if account.block.is_some() { "yes" } else { "no" },
        account.factors.len(),
        account.recovery_codes.len(),
        account.app_passwords.len(),
    )
}
