//! What a sealed secret is bound to: whose it is, and everything that decides which codes are good. Of what stands beside it
//! in the file nothing can be changed, and it can be moved nowhere else.

use common::acts::{DeclaredKind, Label};
use common::totp::TotpParameters;
use common::{Secret, Username};

use crate::accounts::FORMAT;

/// A factor with a secret, but for the secret.
#[derive(Clone, Copy)]
pub(super) enum Token {
    /// It goes by the clock.
    Totp { parameters: TotpParameters, drift: i32 },
    /// It counts.
    Hotp { digits: u8, counter: u64 },
}

impl Token {
    /// The token and its secret; `None` where codes are sent.
    pub(super) fn of(kind: &DeclaredKind) -> Option<(Self, &Secret)> {
        match kind {
            DeclaredKind::Totp { parameters, drift, secret } => {
                Some((Self::Totp { parameters: *parameters, drift: *drift }, secret))
            }
            DeclaredKind::Hotp { digits, counter, secret } => {
                Some((Self::Hotp { digits: *digits, counter: *counter }, secret))
            }
            DeclaredKind::Sent(_) => None,
        }
    }

    /// The whole factor.
    pub(super) fn with(self, secret: Secret) -> DeclaredKind {
        match self {
            Self::Totp { parameters, drift } => DeclaredKind::Totp { parameters, drift, secret },
            Self::Hotp { digits, counter } => DeclaredKind::Hotp { digits, counter, secret },
        }
    }

    /// The place of its secret.
    pub(super) fn place(self, name: &Username, label: &Label) -> Vec<String> {
        let head = [format!("countersign accounts {FORMAT}"), name.to_string(), label.as_str().to_owned()];
        let own = match self {
            Self::Totp { parameters: TotpParameters { algorithm, digits, period_seconds }, drift } => vec![
                "totp".to_owned(),
                algorithm.word().to_owned(),
                digits.to_string(),
                period_seconds.to_string(),
                drift.to_string(),
            ],
            Self::Hotp { digits, counter } => {
                vec!["hotp".to_owned(), digits.to_string(), counter.to_string()]
            }
        };
        [head.to_vec(), own, vec!["secret".to_owned()]].concat()
    }
}
