//! What is to be sent: codes and notices. A message lies sealed in the outbox until a server takes it.
//!
//! Who sends renders the words; here is what they are about.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::address::{Address, Channel};
use crate::id::{AccountId, AttemptId, MessageId};
use crate::keys::{KeyError, KeyRing, Sealed};
use crate::random::Random;
use crate::{Secret, UnixTime};

/// One message.
#[derive(Clone)]
pub struct Message {
    /// Stands in the outbox; one message is sent once.
    pub id: MessageId,
    /// The login or act that it belongs to; its records have the same.
    pub attempt: AttemptId,
    /// The canonical name of the user.
    pub user: String,
    /// How it goes.
    pub channel: Channel,
    /// Where it goes.
    pub to: Address,
    /// What it says.
    pub content: Content,
    /// When it was written.
    pub at: UnixTime,
    /// From when on it is worth nothing.
    pub expires_at: UnixTime,
}

/// What a message says.
#[derive(Clone)]
pub enum Content {
    /// A one-time code.
    Code(Secret),
    /// Something about the account has changed.
    Notice(Notice),
}

/// What a user is told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Notice {
    /// What happened.
    pub event: Event,
    /// More of it, such as a label or a masked number; never a secret.
    pub detail: String,
    /// Who did it: `you`, or an administrator.
    pub by: By,
    /// Where: a service, a client, the command line.
    pub place: String,
    /// From where, where that is known.
    pub source: Option<String>,
}

/// Who changed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The user, or whoever could sign in as the user.
    User,
    /// An administrator.
    Administrator,
}

crate::closed_list! {
    /// What a user is told of, at the contacts that were known before it.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    Event {
        /// A way to sign in was added.
        FactorAdded = "factor-added",
        /// A way to sign in was removed.
        FactorRemoved = "factor-removed",
        /// A telephone number or mail address was added.
        ContactAdded = "contact-added",
        /// A telephone number or mail address was changed or removed.
        ContactRemoved = "contact-removed",
        /// An app password was made.
        AppPasswordCreated = "app-password-created",
        /// A recovery code was used to sign in.
        RecoveryCodeUsed = "recovery-code-used",
        /// New recovery codes were made.
        RecoveryCodesRenewed = "recovery-codes-renewed",
        /// A temporary code was made.
        TemporaryCodeIssued = "temporary-code-issued",
        /// A temporary code was used to sign in.
        TemporaryCodeUsed = "temporary-code-used",
        /// The account must be registered anew.
        RegistrationRequired = "registration-required",
        /// The account was registered anew.
        Registered = "registered",
        /// The account was removed.
        AccountRemoved = "account-removed",
    }
}

/// A message as it lies in the outbox. What it says, how and where it goes cannot be read without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The message.
    pub id: MessageId,
    /// The canonical name of the user, whose messages are counted.
    pub user: String,
    /// How soon it goes.
    pub urgency: Urgency,
    /// From when on it is worth nothing.
    pub expires_at: UnixTime,
    /// The rest of it.
    pub sealed: Sealed,
}

/// How soon a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Before any notice: somebody waits for it.
    Code,
    /// After all codes.
    Notice,
}

impl Content {
    const fn urgency(&self) -> Urgency {
        match self {
            Self::Code(_) => Urgency::Code,
            Self::Notice(_) => Urgency::Notice,
        }
    }
}

/// [`Message`] without what stands outside, as it is sealed.
#[derive(Serialize, Deserialize)]
struct Inside {
    attempt: AttemptId,
    user: String,
    channel: Channel,
    to: Address,
    at: UnixTime,
    code: Option<Zeroizing<String>>,
    notice: Option<Notice>,
}

impl Message {
    /// Seals it to its id.
    pub fn seal(&self, keys: &KeyRing, random: &dyn Random) -> Result<Envelope, KeyError> {
        let (code, notice) = match &self.content {
            Content::Code(code) => (code.expose_text().map(|code| Zeroizing::new(code.to_owned())), None),
            Content::Notice(notice) => (None, Some(notice.clone())),
        };
        let inside = Inside {
            attempt: self.attempt,
            user: self.user.clone(),
            channel: self.channel,
            to: self.to.clone(),
            at: self.at,
            code,
            notice,
        };
        let plain = Secret::new(serde_json::to_vec(&inside).map_err(|_| KeyError::DoesNotSeal)?);
        let sealed = keys.seal(random, AccountId::from_bytes(*self.id.as_bytes()), FIELD, &plain)?;
        let (user, urgency) = (self.user.clone(), self.content.urgency());
        Ok(Envelope { id: self.id, user, urgency, expires_at: self.expires_at, sealed })
    }
}

/// What a message is sealed to besides its id.
const FIELD: &str = "outbox";

impl Envelope {
    /// Opens what [`Message::seal`] made.
    pub fn open(&self, keys: &KeyRing) -> Result<Message, KeyError> {
        let plain = keys.open(AccountId::from_bytes(*self.id.as_bytes()), FIELD, &self.sealed)?;
        let inside: Inside = serde_json::from_slice(plain.expose()).map_err(|_| KeyError::DoesNotOpen)?;
        let content = match (inside.code, inside.notice) {
            (Some(code), None) => Content::Code(Secret::from(code.as_str())),
            (None, Some(notice)) => Content::Notice(notice),
            (Some(_), Some(_)) | (None, None) => return Err(KeyError::DoesNotOpen),
        };
        Ok(Message {
            id: self.id,
            attempt: inside.attempt,
            user: inside.user,
            channel: inside.channel,
            to: inside.to,
            content,
            at: inside.at,
            expires_at: self.expires_at,
        })
    }
}
