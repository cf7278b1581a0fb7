//! What users do to their own accounts in the course of a login: the same functions as an administrator's, with the login's
//! bundle around them.

use crate::account::Account;
use crate::acts::{Act, ActError, Desk, Issued, account, carry_out};
use crate::bundle::{AccountChange, Spend};
use crate::notices::{Circumstances, Happening, Notices};

/// What an act of the user comes to.
pub(crate) struct OwnAct {
    pub(crate) change: AccountChange,
    pub(crate) spends: Vec<Spend>,
    pub(crate) notices: Notices,
    pub(crate) issued: Issued,
    /// The account before and after, in words for the record.
    pub(crate) before: String,
    pub(crate) after: String,
}

/// Carries an act out on the account as it was loaded.
pub(crate) fn of_user(
    desk: &Desk<'_>,
    before: &Account,
    act: &Act,
    circumstances: &Circumstances<'_>,
) -> Result<OwnAct, ActError> {
    let done = carry_out(desk, &before.name, Some(before.clone()), act)?;
    let own = OwnAct::new(desk, before, done.change, &done.happenings, circumstances)?;
    Ok(OwnAct { spends: done.spends, issued: done.issued, after: own.after.clone() + &done.words, ..own })
}

impl OwnAct {
    /// A change that was made elsewhere.
    pub(crate) fn new(
        desk: &Desk<'_>,
        before: &Account,
        change: AccountChange,
        happenings: &[Happening],
        circumstances: &Circumstances<'_>,
    ) -> Result<Self, ActError> {
        let after = match &change {
            AccountChange::Insert(account) | AccountChange::Update(account) => account::describe(account),
            AccountChange::Remove(_) => String::new(),
        };
        let notices = Notices::of(happenings, Some(before), circumstances, desk.means())?;
        let before = account::describe(before);
        Ok(Self { change, spends: Vec::new(), notices, issued: Issued::Nothing, before, after })
    }
}
