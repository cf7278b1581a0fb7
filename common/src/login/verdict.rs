//! How a login ends, and what is asked on the way.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::login::lines;
use crate::{Reason, Secret, Username, limits};

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
    few_codes: Option<usize>,
}

impl Accept {
    pub(super) const fn new(
        user: Username,
        grounds: Grounds,
        reason: Reason,
        few_codes: Option<usize>,
    ) -> Self {
        Self { user, grounds, reason, few_codes }
    }

    /// Who is in, by canonical name.
    #[must_use]
    pub const fn user(&self) -> &Username {
        &self.user
    }

    /// How many recovery codes are left, where the user should hear that they are few.
    #[must_use]
    pub const fn few_codes(&self) -> Option<usize> {
        self.few_codes
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
#[derive(Clone, PartialEq, Eq)]
pub struct Prompt {
    text: Text,
    /// Whether the answer is shown.
    pub echo: Echo,
    /// A URI to be scanned, for doors that can draw; everybody else finds it in the text.
    pub qr: Option<Secret>,
}

/// Text that stands in the program, or that was made for one user and may hold what nobody else should read.
#[derive(Clone, PartialEq, Eq)]
enum Text {
    Fixed(&'static str),
    Made(Secret),
}

impl Prompt {
    /// A question whose answer is not shown.
    #[must_use]
    pub const fn hidden(text: &'static str) -> Self {
        Self { text: Text::Fixed(text), echo: Echo::Hide, qr: None }
    }

    /// A question that was put together for one user.
    pub(super) fn made(mut text: String) -> Self {
        // What a site or user brings in is kept short where it is put in; this is for what nobody has thought of.
        text.truncate(text.floor_char_boundary(limits::PROMPT_OCTETS_MAX));
        lines::wrap(&mut text);
        Self { text: Text::Made(Secret::from(text)), echo: Echo::Hide, qr: None }
    }

    /// The words: at most `limits::PROMPT_OCTETS_MAX` octets.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.text {
            Text::Fixed(text) => text,
            Text::Made(text) => text.expose_text().unwrap_or_default(),
        }
    }
}

impl fmt::Debug for Prompt {
    /// What was made for one user is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match &self.text {
            Text::Fixed(text) => text,
            Text::Made(_) => "(made for one user)",
        };
        f.debug_struct("Prompt").field("text", &text).field("echo", &self.echo).finish_non_exhaustive()
    }
}
