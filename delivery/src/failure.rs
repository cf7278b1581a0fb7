//! Why a gateway did not take a message. What may stand in records and logs is apart from what the gateway said.

use common::Secret;

/// What went wrong, in words without numbers, codes and texts of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It had the message, and took too long to say what became of it.
    #[error("no answer in time")]
    TimedOut,
    /// There is no such host, nobody listens there, or no connection came about in time.
    #[error("it cannot be reached")]
    Unreachable,
    /// The connection broke off.
    #[error("the connection broke off")]
    BrokenOff,
    /// No encryption that can be relied on.
    #[error("its encryption or certificate is not good")]
    Tls,
    /// It offers no STARTTLS.
    #[error("it offers no STARTTLS")]
    NoStartTls,
    /// It does not speak the protocol.
    #[error("it does not speak as it should")]
    Protocol,
    /// It did not let us in.
    #[error("it did not take name and password (status {0})")]
    SignIn(u16),
    /// It answered with this status.
    #[error("it answered with status {0}")]
    Status(u16),
    /// It answered with a good status, and its answer says otherwise.
    #[error("it answered with status {0}, and its answer says that it took nothing")]
    Answer(u16),
    /// The program could not be started.
    #[error("the program cannot be started")]
    NoProgram,
    /// The program ended so.
    #[error("the program ended with {0}")]
    Exit(i32),
    /// The program was ended by this signal.
    #[error("the program was ended by {0}")]
    Signal(&'static str),
    /// The gateway delivers codes only: its request has no place for another text.
    #[error("it delivers codes only")]
    CodesOnly,
    /// The message cannot be put into a request or a mail.
    #[error("the message does not fit into its form")]
    Form,
    /// Its password or authorities could not be read, or its settings are of no use.
    #[error("its password or certificates could not be read when the settings were")]
    NotEquipped,
}

impl Trouble {
    /// Whether it may have taken the message all the same: it had been handed over when this came.
    #[must_use]
    pub const fn leaves_doubt(self) -> bool {
        match self {
            Self::TimedOut | Self::BrokenOff | Self::Protocol | Self::Signal(_) => true,
            // Who says so has not heard in time from whoever is behind it (RFC 9110 §15.6.5).
            Self::Status(status) => status == 504,
            Self::Unreachable
            | Self::Tls
            | Self::NoStartTls
            | Self::SignIn(_)
            | Self::Answer(_)
            | Self::NoProgram
            | Self::Exit(_)
            | Self::CodesOnly
            | Self::Form
            | Self::NotEquipped => false,
        }
    }
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The gateway's: the next message would fare no better.
    Gateway,
    /// That cannot be told.
    Unclear,
    /// The message's: it is no use to try it here again.
    Message,
}

/// A message was not taken.
#[derive(Clone)]
pub struct Failure {
    /// Why.
    pub trouble: Trouble,
    /// Whose fault it is.
    pub blame: Blame,
    /// What the gateway said. It may repeat number and text: it is shown only to whoever tries a gateway out.
    pub said: Said,
}

/// What a gateway said: shown on demand, and never formatted by chance.
#[derive(Clone, Default)]
pub struct Said(Option<Secret>);

impl Said {
    /// Octets as they came.
    #[must_use]
    pub fn new(octets: &[u8]) -> Self {
        let text = String::from_utf8_lossy(octets);
        let text = text.trim();
        let cut: String = text.chars().take(crate::limits::SAID_CHARACTERS_MAX).collect();
        Self((!cut.is_empty()).then(|| Secret::from(cut)))
    }

    /// The text, if there was one.
    #[must_use]
    pub fn expose(&self) -> Option<&str> {
        self.0.as_ref().and_then(Secret::expose_text)
    }
}

impl Failure {
    /// One without words of the gateway.
    #[must_use]
    pub const fn new(trouble: Trouble, blame: Blame) -> Self {
        Self { trouble, blame, said: Said(None) }
    }

    /// The same with what the gateway said.
    #[must_use]
    pub fn saying(self, octets: &[u8]) -> Self {
        Self { said: Said::new(octets), ..self }
    }
}

impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Failure")
            .field("trouble", &self.trouble)
            .field("blame", &self.blame)
            .finish_non_exhaustive()
    }
}
