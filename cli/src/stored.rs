//! Accounts as lists and filters look at them: with what changes at every sign-in.

use assembly::Office;
use common::UnixTime;
use common::ports::{Listed, Listing as _, Loaded};

use crate::failure::Failure;

/// Accounts read from the store at once.
const PAGE_ACCOUNTS: u32 = 500;

/// What an account says only together with what stands apart from it.
pub(crate) trait Stored {
    /// Recovery codes that are still good.
    fn recovery_codes_left(&self) -> usize;

    /// Until when a temporary code is good, where there is one that is neither used nor too old.
    fn temporary_code_until(&self, now: UnixTime) -> Option<UnixTime>;
}

impl Stored for Listed {
    fn recovery_codes_left(&self) -> usize {
        self.account.recovery_codes.iter().filter(|code| !self.spent_codes.contains(&code.id)).count()
    }

    fn temporary_code_until(&self, now: UnixTime) -> Option<UnixTime> {
        let code = self.account.temporary_code.as_ref()?;
        let is_live = now < code.expires_at && !self.spent_codes.contains(&code.id);
        is_live.then_some(code.expires_at)
    }
}

/// One account that was loaded, as a list would have it.
pub(crate) fn listed(loaded: Loaded) -> Option<Listed> {
    let Loaded { account, signed_in_at, spent_codes, .. } = loaded;
    account.map(|account| Listed { account, signed_in_at, spent_codes })
}

/// Reads all accounts, page by page, in order of name.
pub(crate) fn for_each_stored(
    office: &Office,
    mut look: impl FnMut(Listed) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let page = office.store.listed(after.as_ref(), PAGE_ACCOUNTS)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.account.name.clone());
        page.into_iter().try_for_each(&mut look)?;
    }
}
