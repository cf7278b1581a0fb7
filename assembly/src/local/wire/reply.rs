//! What the service says.

use std::fmt;
use std::time::Duration;

use common::attempt::{Appended, Dialogue, Profile};
use common::login::Echo;
use common::session::{Asked, SEALED_OCTETS};
use common::{Grounds, Prompt, Secret, limits};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::local::Hindered;
use crate::local::wire::{Malformed, body, framed};

/// What stands between a text and what is to be scanned: neither has it.
const SEPARATOR: u8 = 0;

/// What the service says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Ask this, and come back with the session.
    Ask {
        /// The sealed session.
        session: Vec<u8>,
        /// The question.
        question: Question,
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

/// What the user is asked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The words. They may hold what nobody else should read, so they never pass through a serialiser.
    #[serde(skip, default = "nothing")]
    pub text: Secret,
    /// What an authenticator app can scan, for who can draw it; nor does it.
    #[serde(skip)]
    pub qr: Option<Secret>,
    /// Whether the answer is shown while it is typed.
    pub echo: Echo,
    /// Whether words may choose another way.
    pub words: Words,
    /// What it asks for.
    pub asked: Asked,
}

/// Whether words like `recovery` choose another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Words {
    /// They do.
    Heard,
    /// They do not where sshd asks. It makes answers up, of which only the length is the user's: if words did something,
    /// they would tell those whom it knows from those whom it does not.
    Unheard,
}

impl Question {
    /// What would make no picture anyway is left out: the text says it too.
    pub(crate) fn new(prompt: &Prompt, words: Words, asked: Asked) -> Self {
        let qr = prompt.qr.clone().filter(|uri| uri.expose().len() <= limits::QR_OCTETS_MAX);
        Self { text: Secret::from(prompt.text()), qr, echo: prompt.echo, words, asked }
    }

    /// What stands behind the head.
    fn octets(&self) -> Zeroizing<Vec<u8>> {
        let scanned = self.qr.as_ref().map_or(&[][..], Secret::expose);
        let length = self.text.expose().len().saturating_add(scanned.len()).saturating_add(1);
        let mut octets = Zeroizing::new(Vec::with_capacity(length));
        octets.extend_from_slice(self.text.expose());
        if self.qr.is_some() {
            octets.push(SEPARATOR);
            octets.extend_from_slice(scanned);
        }
        octets
    }

    fn read(&mut self, octets: &[u8]) -> Result<(), Malformed> {
        let mut parts = octets.splitn(2, |octet| *octet == SEPARATOR);
        let text = Secret::new(parts.next().unwrap_or_default().to_vec());
        let scanned = parts.next();
        if text.expose().len() > limits::PROMPT_OCTETS_MAX
            || scanned.is_some_and(|octets| octets.len() > limits::QR_OCTETS_MAX)
        {
            return Err(Malformed::TooLong);
        }
        if text.expose_text().is_none() || scanned.is_some_and(|octets| !is_uri(octets)) {
            return Err(Malformed::Question);
        }
        (self.text, self.qr) = (text, scanned.map(|octets| Secret::new(octets.to_vec())));
        Ok(())
    }
}

fn nothing() -> Secret {
    Secret::new(Vec::new())
}

fn is_uri(octets: &[u8]) -> bool {
    !octets.is_empty() && octets.iter().all(u8::is_ascii_graphic)
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("echo", &self.echo).finish_non_exhaustive()
    }
}

/// How answers at a service are read, from its profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manner {
    /// How much the dialogue gives away.
    pub dialogue: Dialogue,
    /// How a code may be appended to the password.
    pub appended: Appended,
    /// A question or a refusal that follows the answer to this question is heard no earlier than this after it was given.
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
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, Malformed> {
        let head = postcard::to_allocvec(self).map_err(|_| Malformed::Head)?;
        match self {
            Self::Ask { question, .. } => framed(&head, &question.octets()),
            Self::Accept { .. }
            | Self::Reject
            | Self::Unavailable
            | Self::Taken
            | Self::Abandoned
            | Self::Hindered(_)
            | Self::Busy
            | Self::NotMine => framed(&head, &[]),
        }
    }

    /// Reads a frame without its length.
    pub fn decode(frame: &[u8]) -> Result<Self, Malformed> {
        let (mut reply, rest) =
            postcard::take_from_bytes::<Self>(body(frame)?).map_err(|_| Malformed::Head)?;
        match &mut reply {
            Self::Ask { session, .. } if session.len() != SEALED_OCTETS => return Err(Malformed::Session),
            Self::Ask { question, .. } => question.read(rest)?,
            _ if !rest.is_empty() => return Err(Malformed::Answer),
            _ => {}
        }
        Ok(reply)
    }
}
