//! What a user can prove a login with, apart from codes on paper: apps, tokens, numbers and addresses.

use serde::{Deserialize, Serialize};

use crate::UnixTime;
use crate::address::Address;
use crate::id::FactorId;
use crate::keys::Sealed;
use crate::totp::{STRONG_SECRET_OCTETS, TotpParameters};

/// A second proof that the user has registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Factor {
    /// Random, never reused.
    pub id: FactorId,
    /// The user's word for it, such as `phone`.
    pub label: String,
    /// What it is.
    pub kind: FactorKind,
    /// When it was proven.
    pub added_at: UnixTime,
}

/// The kinds of factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum FactorKind {
    /// An authenticator app or token (RFC 6238).
    Totp {
        /// Algorithm, digits, period.
        parameters: TotpParameters,
        /// The shared secret, sealed under the account id and [`Factor::secret_field`].
        secret: Sealed,
        /// Steps by which the clock of the token is ahead of ours; set by two codes in a row, never learned from logins.
        #[serde(default)]
        drift: i32,
    },
    /// A token that counts (RFC 4226).
    Hotp {
        /// 6 to 8.
        digits: u8,
        /// The shared secret, sealed as that of [`FactorKind::Totp`].
        secret: Sealed,
        /// The first counter that is good; what is spent stands in the other half of the account.
        counter: u64,
    },
    /// Codes are sent there, by the channels that it has.
    Sent {
        /// A number or mail address that was proven by a code.
        address: Address,
    },
}

impl FactorKind {
    /// The word in records and on the command line.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Totp { .. } => "totp",
            Self::Hotp { .. } => "hotp",
            Self::Sent { address } => address.kind(),
        }
    }
}

impl Factor {
    /// The field name that a factor's secret is bound to, with the factor's id.
    #[must_use]
    pub fn secret_field(id: FactorId) -> String {
        format!("factor/{id}/secret")
    }

    /// The sealed secret, of factors that have one.
    #[must_use]
    pub const fn secret(&self) -> Option<&Sealed> {
        match &self.kind {
            FactorKind::Totp { secret, .. } | FactorKind::Hotp { secret, .. } => Some(secret),
            FactorKind::Sent { .. } => None,
        }
    }

    /// Whether its secret is shorter than RFC 4226 §4 R6 wants: one that was imported.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        self.secret().is_some_and(|secret| secret.content_octets() < STRONG_SECRET_OCTETS)
    }
}
