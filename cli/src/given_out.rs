//! Secrets that are given out once, on purpose: the one place where a secret becomes text.

use common::Secret;
use serde::{Serialize, Serializer};

/// A secret on its way to standard output.
pub(crate) struct GivenOut(Secret);

impl From<Secret> for GivenOut {
    fn from(secret: Secret) -> Self {
        Self(secret)
    }
}

impl GivenOut {
    /// The text. All our secrets are made of letters and digits.
    pub(crate) fn text(&self) -> &str {
        self.0.expose_text().unwrap_or_default()
    }
}

impl Serialize for GivenOut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}
