//! `user show`: one account with all that hangs on it.

use assembly::{AssemblyError, Office};
use common::Username;
use common::account::Account;
use common::lane::LanesOf;
use common::ports::Listing as _;

use crate::context::Context;
use crate::failure::Failure;
use crate::guesses::{CapView, WaitsView};
use crate::view::AccountView;
use crate::warning::warn_of_lockout;

pub(super) fn show(context: &Context, office: &Office, name: &Username) -> Result<(), Failure> {
    let account = account(office, name)?;
    let spent = office.store.spent_codes(&account)?;
    let now = office.engine.now();
    let (guesses, waits) = guesses(office, &account)?;
    context.say(&AccountView::new(&account, &spent, guesses, waits, now))?;
    warn_of_lockout(context, &account);
    Ok(())
}

/// The account of a name, folded as the settings say.
pub(crate) fn account(office: &Office, name: &Username) -> Result<Account, Failure> {
    let folded = office.engine.policy().folding.fold(name);
    office.store.account(&folded)?.ok_or(Failure::NoSuchAccount(folded))
}

/// How guesses at an account stand now.
pub(super) fn guesses(office: &Office, account: &Account) -> Result<(CapView, WaitsView), Failure> {
    let now = office.engine.now();
    let cap = CapView::new(&office.store.cap(account)?, now);
    let lanes = LanesOf::user(office.engine.keys(), account.name.as_str()).map_err(AssemblyError::from)?;
    Ok((cap, WaitsView::new(office.store.waits(&lanes, now)?)))
}
