//! `primary.backend = "none"`: somebody else answers for the first password.

use common::account::PasswordHash;
use common::ports::{Identity, Names, PasswordCheck, Primary, Stored};
use common::{Secret, Username};

/// Knows the names that the store knows, and checks nothing.
pub(crate) struct Nobody;

impl Names for Nobody {
    fn identify(&self, name: &Username, stored: Stored) -> Identity {
        match stored {
            Stored::Yes => Identity::Known(name.clone()),
            Stored::No => Identity::Unknown,
        }
    }
}

impl Primary for Nobody {
    /// Nobody can tell, which is never a yes.
    fn check(&self, _: &Username, _: Option<&PasswordHash>, _: &Secret) -> PasswordCheck {
        PasswordCheck::Unavailable
    }
}
