//! How many remembered devices an act makes strange, for the record and for whoever asked for it.

use crate::account::Account;
use crate::acts::{Desk, Done, Issued};
use crate::bundle::AccountChange;

impl Desk<'_> {
    /// How many devices of an account are remembered now.
    pub(super) fn devices(&self, account: &Account) -> usize {
        self.loaded.tickets.live(account, self.now).count()
    }
}

impl Issued {
    /// How many devices were forgotten, where that was asked for.
    #[must_use]
    pub const fn devices_forgotten(&self) -> Option<usize> {
        match self {
            Self::DevicesForgotten(count) => Some(*count),
            Self::Nothing
            | Self::Factor(_)
            | Self::RecoveryCodes(_)
            | Self::AppPassword(..)
            | Self::Contact(_)
            | Self::TemporaryCode { .. } => None,
        }
    }
}

impl Done {
    /// Says what becomes of so many devices of an account that had come to this generation. That there were none is said
    /// to whoever asked.
    pub(super) fn telling_of_devices(self, devices: usize, generation: u64) -> Self {
        let word = match &self.change {
            AccountChange::Insert(after) | AccountChange::Update(after) if after.generation == generation => {
                return self;
            }
            AccountChange::Insert(_) | AccountChange::Update(_) => "devices-forgotten",
            AccountChange::Remove(_) => "devices",
        };
        if devices == 0 && self.issued.devices_forgotten().is_none() {
            return self;
        }
        self.saying(&format!("{word}={devices}"))
    }
}
