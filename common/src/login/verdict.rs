//! How a login ends, and what is asked on the way.

use serde::{Deserialize, Serialize};

use crate::{Reason, Username};

/// Yes, no, or could not tell.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Accept(Accept),
    /// No.
    Reject(Reason),
    /// Could not tell: never a yes, never a no.
    Unavailable(Reason),
}

impl Verdict {
    /// Why.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Accept(accept) => accept.reason,
            Self::Reject(reason) | Self::Unavailable(reason) => *reason,
        }
    }
}

/// A yes. Only the login machine makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accept {
    user: Username,
    grounds: Grounds,
    reason: Reason,
}

impl Accept {
    pub(super) const fn new(user: Username, grounds: Grounds, reason: Reason) -> Self {
        Self { user, grounds, reason }
    }

    /// Who is in, by canonical name.
    #[must_use]
    pub const fn user(&self) -> &Username {
        &self.user
    }

    /// On what grounds.
    #[must_use]
    pub const fn grounds(&self) -> Grounds {
        self.grounds
    }
}

/// What a yes stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grounds {
    /// The first password and a second proof.
    BothProofs,
    /// An app password in its scope.
    AppPassword,
    /// A second proof; somebody else answers for the first.
    SecondProof,
    /// The first password; the second step was skipped by state or rule.
    PrimaryAlone,
    /// Nothing was proven to us and the policy asks nothing: other modules decide (`PAM_IGNORE`).
    PolicyAlone,
}

/// Whether an answer is shown while it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Echo {
    /// It is not.
    Hide,
    /// It is.
    Show,
}

/// One question. It carries all its text itself: OpenSSH shows information messages only with the next prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// At most `limits::PROMPT_OCTETS_MAX` octets.
    pub text: &'static str,
    /// Whether the answer is shown.
    pub echo: Echo,
}

impl Prompt {
    pub(super) const fn hidden(text: &'static str) -> Self {
        Self { text, echo: Echo::Hide }
    }
}
