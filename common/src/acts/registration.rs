//! What registering and dropping a factor does to the rest of an account, whoever does it.

use crate::account::{Account, Factor, FactorKind, State};
use crate::acts::gone;
use crate::id::FactorId;
use crate::notices::Happening;

/// The account with one factor more. Registering is what `enabled` waits for. Where all had to be registered anew, this
/// one is the first of the new ones: what was registered before is void, and so is all that came from it.
pub(crate) fn with_factor(mut account: Account, factor: Factor) -> Account {
    if account.must_register_again {
        account = Account {
            must_register_again: false,
            factors: Vec::new(),
            default_factor: None,
            recovery_codes: Vec::new(),
            app_passwords: Vec::new(),
            temporary_code: None,
            ..account
        };
        account.forget_devices();
    }
    account.factors.push(factor);
    if account.state == State::Enabled {
        account.state = State::Enforced;
        account.deadline = None;
    }
    account
}

/// Where all must be registered anew, the numbers and addresses that are void from now on hear of it themselves.
pub(crate) fn dropped(before: &Account) -> Vec<Happening> {
    let old = before.factors.iter().filter(|_| before.must_register_again);
    old.filter(|factor| matches!(factor.kind, FactorKind::Sent { .. })).map(gone).collect()
}

/// The account without a factor.
pub(crate) fn without_factor(mut account: Account, id: FactorId) -> Account {
    account.factors.retain(|factor| factor.id != id);
    account.default_factor = account.default_factor.filter(|default| *default != id);
    account.forget_devices();
    account
}
