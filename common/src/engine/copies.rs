//! The copies of break-glass accounts follow what administrators do, at once: what was revoked must not be good in the
//! file either. Logins bring them up to date too, see [`super::ledger`].

use crate::Username;
use crate::engine::Engine;
use crate::keys::KeyError;
use crate::lane::LaneKey;
use crate::ports::{BreakGlass, StoreError, Stored};

/// Why a copy does not follow.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The store or the file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Engine {
    /// Copies a break-glass account as it is now into the file, and says whether there is such an account. A copy whose
    /// account is not in the store stays: the store may be a new one.
    pub fn copy_for_break_glass(&self, name: &Username) -> Result<Stored, CopyError> {
        let Some(file) = self.file_of(name) else { return Ok(Stored::No) };
        let lane = LaneKey::of_nobody(self.keys(), None)?;
        let loaded = self.parts.store.load(name, &lane, None)?;
        file.keep(&loaded)?;
        Ok(if loaded.account.is_some() { Stored::Yes } else { Stored::No })
    }

    /// Drops the copy of an account that was removed or has another name now.
    pub fn forget_for_break_glass(&self, name: &Username) -> Result<(), CopyError> {
        match self.file_of(name) {
            Some(file) => Ok(file.forget(name)?),
            None => Ok(()),
        }
    }

    fn file_of(&self, name: &Username) -> Option<&dyn BreakGlass> {
        self.parts.break_glass.as_deref().filter(|_| self.parts.policy.break_glass.contains(name))
    }
}
