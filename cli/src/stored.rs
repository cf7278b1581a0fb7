//! Accounts as lists and filters look at them: with what changes at every sign-in.

use assembly::Office;
use common::account::Account;
use common::ports::{Listing as _, Loaded};
use common::{CodeId, UnixTime};

use crate::failure::Failure;

/// Accounts read from the store at once.
const PAGE_ACCOUNTS: u32 = 500;

/// An account, and what stands apart from it.
pub(crate) struct Stored {
    pub(crate) account: Account,
    /// When the user was last let in, to the hour.
    pub(crate) signed_in_at: Option<UnixTime>,
    /// Spent recovery codes and temporary codes.
    pub(crate) spent_codes: Vec<CodeId>,
}

impl Stored {
    pub(crate) fn of_loaded(loaded: Loaded) -> Option<Self> {
        let Loaded { account, signed_in_at, spent_codes, .. } = loaded;
        account.map(|account| Self { account, signed_in_at, spent_codes })
    }

    /// Recovery codes that are still good.
    pub(crate) fn recovery_codes_left(&self) -> usize {
        self.account.recovery_codes.iter().filter(|code| !self.spent_codes.contains(&code.id)).count()
    }
}

impl Stored {
    /// Until when a temporary code is good, where there is one that is neither used nor too old.
    pub(crate) fn temporary_code_until(&self, now: UnixTime) -> Option<UnixTime> {
        let code = self.account.temporary_code.as_ref()?;
        let is_live = now < code.expires_at && !self.spent_codes.contains(&code.id);
        is_live.then_some(code.expires_at)
    }
}

/// Reads all accounts, page by page, in order of name.
pub(crate) fn for_each_stored(
    office: &Office,
    mut look: impl FnMut(Stored) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let page = office.store.accounts(after.as_ref(), PAGE_ACCOUNTS)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.name.clone());
        for account in page {
            let spent_codes = office.store.spent_codes(&account)?;
            look(Stored { account, signed_in_at: None, spent_codes })?;
        }
    }
}
