//! What the service says.

use std::time::Duration;

use common::attempt::{Appended, Dialogue, Profile};
use common::login::Echo;
use common::session::SEALED_OCTETS;
use common::{Grounds, limits};
use serde::{Deserialize, Serialize};

use crate::local::Hindered;
use crate::local::wire::{Malformed, body, framed};

/// What the service says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Ask this, and come back with the session.
    Ask {
        /// The sealed session.
        session: Vec<u8>,
        /// The text of the question.
        text: String,
        /// Whether the answer is shown while it is typed.
        echo: Echo,
        /// How the service's answers are read.
        manner: Manner,
    },
    /// In.
    Accept {
        /// On what grounds.
        grounds: Ground,
        /// How the service's answers are read.
        manner: Manner,
    },
    /// Out.
    Reject,
    /// Could not tell.
    Unavailable,
    /// The request is there; what is decided of it comes next.
    Taken,
    /// It was written that the user went away.
    Abandoned,
    /// The login never got to the core.
    Hindered(Hindered),
    /// Too much is being asked at this moment.
    Busy,
    /// It is about other settings than the service's.
    NotMine,
}

/// How answers at a service are read, from its profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manner {
    /// How much the dialogue gives away.
    pub dialogue: Dialogue,
    /// How a code may be appended to the password.
    pub appended: Appended,
    /// A question or a refusal that follows a first password is heard no earlier than this after it was given.
    pub floor_milliseconds: u16,
}

impl Manner {
    pub(crate) fn new(profile: Profile, floor: Duration) -> Self {
        let floor_milliseconds = u16::try_from(floor.as_millis()).unwrap_or(u16::MAX);
        Self { dialogue: profile.dialogue, appended: profile.appended, floor_milliseconds }
    }

    /// The floor, never longer than one that may be configured: nobody is to wait for a wrong octet.
    #[must_use]
    pub fn floor(&self) -> Duration {
        Duration::from_millis(self.floor_milliseconds.min(config::limits::FLOOR_MILLISECONDS_MAX).into())
    }
}

/// [`Grounds`] on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of `common::Grounds`")]
pub enum Ground {
    BothProofs,
    AppPassword,
    SecondProof,
    PrimaryAlone,
    PolicyAlone,
}

impl From<Grounds> for Ground {
    fn from(grounds: Grounds) -> Self {
        match grounds {
            Grounds::BothProofs => Self::BothProofs,
            Grounds::AppPassword => Self::AppPassword,
            Grounds::SecondProof => Self::SecondProof,
            Grounds::PrimaryAlone => Self::PrimaryAlone,
            Grounds::PolicyAlone => Self::PolicyAlone,
        }
    }
}

impl Reply {
    /// The frame of it, with its length.
    pub fn encode(&self) -> Result<Vec<u8>, Malformed> {
        let head = postcard::to_allocvec(self).map_err(|_| Malformed::Head)?;
        framed(&head, &[]).map(|mut frame| std::mem::take(&mut *frame))
    }

    /// Reads a frame without its length.
    pub fn decode(frame: &[u8]) -> Result<Self, Malformed> {
        let (reply, rest) = postcard::take_from_bytes::<Self>(body(frame)?).map_err(|_| Malformed::Head)?;
        match &reply {
            _ if !rest.is_empty() => Err(Malformed::Answer),
            Self::Ask { session, .. } if session.len() != SEALED_OCTETS => Err(Malformed::Session),
            Self::Ask { text, .. } if text.len() > limits::PROMPT_OCTETS_MAX => Err(Malformed::TooLong),
            _ => Ok(reply),
        }
    }
}
