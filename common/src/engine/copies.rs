//! The copies of break-glass accounts follow what administrators do, at once: what was revoked must not be good in the
//! file either. Logins bring them up to date too, see [`super::ledger`].

use crate::Username;
use crate::bundle::Bundle;
use crate::engine::Engine;
use crate::lane::LaneKey;
use crate::ports::{BreakGlass, StoreError, Stored};

impl Engine {
    /// Copies a break-glass account as it is now into the file, and says whether there is such an account. A copy whose
    /// account is not in the store stays: the store may be a new one.
    pub fn copy_for_break_glass(&self, name: &Username) -> Result<Stored, StoreError> {
        let Some(file) = self.file_of(name) else { return Ok(Stored::No) };
        let loaded = self.parts.store.load(name, &LaneKey::NONE, None)?;
        file.keep(&loaded)?;
        Ok(if loaded.account.is_some() { Stored::Yes } else { Stored::No })
    }

    /// Drops the copy of an account that was removed or has another name now.
    pub fn forget_for_break_glass(&self, name: &Username) -> Result<(), StoreError> {
        match self.file_of(name) {
            Some(file) => file.forget(name),
            None => Ok(()),
        }
    }

    /// Whoever waits by what the file has counted need not wait any more either.
    pub(crate) fn unlock_for_break_glass(&self, name: &Username, bundle: &Bundle) -> Result<(), StoreError> {
        let Some(file) = self.file_of(name).filter(|_| bundle.unlocked.is_some()) else { return Ok(()) };
        let nothing = Bundle::of_records(bundle.attempt, bundle.at, Vec::new());
        file.commit(&[Bundle { unlocked: bundle.unlocked, ..nothing }]).map(drop)
    }

    fn file_of(&self, name: &Username) -> Option<&dyn BreakGlass> {
        self.parts.break_glass.as_deref().filter(|_| self.parts.policy.break_glass.contains(name))
    }
}
