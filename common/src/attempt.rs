//! What a door tells the core: who wants in, where, from where, and what the client there can do.

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::ports::Identity;
use crate::username::TypedName;
use crate::{Secret, limits};

/// The source of somebody at the machine itself. One for all terminals: a new one is easily had, and must not come
/// with new guesses.
pub const LOCAL_SOURCE: &str = "local";

/// The front end that an attempt came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    /// `pam_countersign.so`.
    Pam,
    /// `countersign-radiusd`.
    Radius,
    /// The command line: `countersign test`, and administrators' acts.
    CommandLine,
    /// None: a server sent a code or notice. The record of the login or act that it belongs to has the same attempt id.
    Delivery,
}

impl Door {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pam => "pam",
            Self::Radius => "radius",
            Self::CommandLine => "command-line",
            Self::Delivery => "delivery",
        }
    }
}

/// What somebody wants to get into: a PAM service or a RADIUS client (NAS).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// `PAM_SERVICE`, for example `sshd`.
    Service(String),
    /// The name of a RADIUS client in the configuration.
    Client(String),
}

/// The service at which users look after their own accounts, at a shell.
pub const SELF_SERVICE: &str = "countersign";

impl Place {
    /// Countersign itself: what stands in records of acts and deliveries where a login has its service.
    #[must_use]
    pub fn countersign() -> Self {
        Self::Service(SELF_SERVICE.to_owned())
    }

    /// Whether users look after their own accounts there, and get in nowhere.
    #[must_use]
    pub fn is_self_service(&self) -> bool {
        matches!(self, Self::Service(name) if name == SELF_SERVICE)
    }

    /// The name without its kind.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Service(name) | Self::Client(name) => name,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(name) => write!(f, "service {name}"),
            Self::Client(name) => write!(f, "client {name}"),
        }
    }
}

/// Who has checked, or will check, the first password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrimaryMode {
    /// We do, with the configured backend.
    Own,
    /// An earlier module of the stack did, and it was right (`primary=stack`).
    Stack,
    /// An earlier module of the stack refused it (`primary=failed`): only an app password can still be right.
    Failed,
    /// Nobody: something else stands for it, such as a public key (`primary=none`).
    None,
}

/// Whose rights are at stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// An ordinary user.
    Ordinary,
    /// Uid 0.
    Root,
}

/// How much a dialogue gives away before the second proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialogue {
    /// Everybody is asked the same; refusals come at the end.
    #[default]
    Neutral,
    /// A wrong password is refused at once.
    Plain,
}

/// What the first answer of a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirstAnswer {
    /// The primary password (or an app password in its place).
    #[default]
    Password,
    /// The code alone; somebody else checks the password.
    Code,
    /// An app password and nothing else.
    AppPassword,
}

/// How a code may be appended to the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Appended {
    /// Not at all.
    Refused,
    /// `password,123456`.
    #[default]
    AfterDelimiter,
    /// `password123456`, also without a delimiter.
    ByShape,
}

/// Whether the client can put a second question to its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecondQuestion {
    /// It can (a PAM conversation, Access-Challenge).
    #[default]
    Asked,
    /// It cannot: everything is in the first answer.
    Impossible,
}

/// What a service or client can do, from its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Profile {
    /// How much the dialogue gives away.
    pub dialogue: Dialogue,
    /// What the first answer is.
    pub first_answer: FirstAnswer,
    /// How a code may be appended to the password.
    pub appended: Appended,
    /// Whether a second question can be asked.
    pub second_question: SecondQuestion,
}

/// The people of a login that is made by one user for another, as by su and sudo.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parties {
    /// Who calls, by real uid; `None` where a service of the system does.
    pub caller: Option<String>,
    /// Whose rights are asked for, where that is not the user whose proof it is.
    pub target: Option<String>,
    /// What the calling program's word is worth.
    pub word: Word,
}

/// What a calling program's word is worth, such as that an earlier module has taken the first password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// It runs with root's rights, or the settings name it.
    #[default]
    Believed,
    /// It is a program of the user, who may have written it: it learns its verdict and lets nobody in by it.
    OfUser,
}

/// One login, as the door sees it. A door hands in the same attempt with every answer.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The front end.
    pub door: Door,
    /// What is to be entered.
    pub place: Place,
    /// The name as typed.
    pub typed: TypedName,
    /// What the system says of that name, where the door has asked already: a directory takes its time.
    pub identity: Option<Identity>,
    /// Where the user sits: an address or a Calling-Station-Id. A NAS address is no source.
    pub source: Option<String>,
    /// Whose rights are at stake.
    pub target: Target,
    /// Who calls, and for whom.
    pub parties: Parties,
    /// Who checks the first password.
    pub primary: PrimaryMode,
    /// What the client can do.
    pub profile: Profile,
}

/// What came back from a prompt. What a caller says is not what a user says (DESIGN §6.8).
#[derive(Clone)]
pub enum Answer {
    /// Something that a user may have typed.
    Text(Secret),
    /// Nothing, too much, junk that the application made up, or the primary password repeated:
    /// no guess, but it uses up one round of the attempt.
    Void,
}

/// What is there of an answer that is none.
static NOTHING: LazyLock<Secret> = LazyLock::new(|| Secret::new(Vec::new()));

impl Answer {
    /// What was typed; nothing where it is void.
    #[must_use]
    pub fn typed(&self) -> &Secret {
        match self {
            Self::Text(typed) => typed,
            Self::Void => &NOTHING,
        }
    }

    /// Sorts raw bytes from a conversation or packet: empty and overlong ones are void.
    #[must_use]
    pub fn from_octets(octets: Secret) -> Self {
        if octets.is_empty() || octets.expose().len() > limits::ANSWER_OCTETS_MAX {
            return Self::Void;
        }
        Self::Text(octets)
    }
}
