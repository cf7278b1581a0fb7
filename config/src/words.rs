//! The words that stand for the variants of an enum in configuration files.

use common::account::State;
use common::address::Channel;
use common::attempt::{Appended, Dialogue};
use common::gateway::{BodyFormat, Encryption, Method as HttpMethod};
use common::policy::{Action, Method};
use common::totp::TotpAlgorithm;
use common::username::Folding;

/// An enum that is written as one word.
pub trait Word: Copy + Sized + 'static {
    /// All variants, in the order in which they are explained.
    const ALL: &'static [Self];

    /// The word of one variant.
    fn word(self) -> &'static str;

    /// Reads a word.
    #[must_use]
    fn from_word(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|variant| variant.word() == text)
    }
}

impl Word for State {
    const ALL: &'static [Self] = &State::ALL;

    fn word(self) -> &'static str {
        self.name()
    }
}

impl Word for TotpAlgorithm {
    const ALL: &'static [Self] = &TotpAlgorithm::ALL;

    fn word(self) -> &'static str {
        self.word()
    }
}

impl Word for Action {
    const ALL: &'static [Self] = &Action::ALL;

    fn word(self) -> &'static str {
        self.name()
    }
}

impl Word for Method {
    const ALL: &'static [Self] = &Method::ALL;

    fn word(self) -> &'static str {
        self.name()
    }
}

impl Word for Channel {
    const ALL: &'static [Self] = &Channel::ALL;

    fn word(self) -> &'static str {
        self.name()
    }
}

impl Word for HttpMethod {
    const ALL: &'static [Self] = &[Self::Get, Self::Post, Self::Put];

    fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

impl Word for BodyFormat {
    const ALL: &'static [Self] = &[Self::Form, Self::Json, Self::Xml, Self::Text];

    fn word(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Text => "text",
        }
    }
}

impl Word for Encryption {
    const ALL: &'static [Self] = &[Self::StartTls, Self::Implicit, Self::None];

    fn word(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::Implicit => "implicit",
            Self::None => "none",
        }
    }
}

/// How a gateway is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayKind {
    /// HTTP.
    Http,
    /// SMTP.
    Smtp,
    /// A program of this machine.
    Program,
}

impl Word for GatewayKind {
    const ALL: &'static [Self] = &[Self::Http, Self::Smtp, Self::Program];

    fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Smtp => "smtp",
            Self::Program => "program",
        }
    }
}

impl Word for Folding {
    const ALL: &'static [Self] = &[Self::Exact, Self::Lowercase];

    fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Lowercase => "lowercase",
        }
    }
}

impl Word for Dialogue {
    const ALL: &'static [Self] = &[Self::Neutral, Self::Plain];

    fn word(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Plain => "plain",
        }
    }
}

impl Word for Appended {
    const ALL: &'static [Self] = &[Self::Refused, Self::AfterDelimiter, Self::ByShape];

    fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::AfterDelimiter => "delimiter",
            Self::ByShape => "shape",
        }
    }
}

/// Which backend checks the first password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Password hashes in the store.
    Local,
    /// Another PAM service of this machine.
    Pam,
    /// Nobody: the second proof stands alone.
    None,
}

impl Word for Backend {
    const ALL: &'static [Self] = &[Self::Local, Self::Pam, Self::None];

    fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Pam => "pam",
            Self::None => "none",
        }
    }
}

/// Whose second proof a PAM service asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorOf {
    /// That of whoever calls, by real uid.
    Caller,
    /// That of the user who is asked for.
    Target,
    /// That of whoever calls where root is asked for, else that of the user who is asked for.
    CallerForRoot,
}

impl Word for FactorOf {
    const ALL: &'static [Self] = &[Self::Caller, Self::Target, Self::CallerForRoot];

    fn word(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Target => "target",
            Self::CallerForRoot => "caller-for-root",
        }
    }
}

/// How records are written to syslog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyslogFormat {
    /// RFC 5424 with structured data.
    Rfc5424,
    /// RFC 3164 with `key=value` text.
    Rfc3164,
}

impl Word for SyslogFormat {
    const ALL: &'static [Self] = &[Self::Rfc5424, Self::Rfc3164];

    fn word(self) -> &'static str {
        match self {
            Self::Rfc5424 => "rfc5424",
            Self::Rfc3164 => "rfc3164",
        }
    }
}

/// A syslog facility (RFC 5424 §6.2.1) that suits records of logins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of syslog(3)")]
pub enum Facility {
    Authpriv,
    Auth,
    Daemon,
    User,
    Local0,
    Local1,
    Local2,
    Local3,
    Local4,
    Local5,
    Local6,
    Local7,
}

impl Facility {
    /// The numerical code (RFC 5424 table 1).
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::User => 1,
            Self::Daemon => 3,
            Self::Auth => 4,
            Self::Authpriv => 10,
            Self::Local0 => 16,
            Self::Local1 => 17,
            Self::Local2 => 18,
            Self::Local3 => 19,
            Self::Local4 => 20,
            Self::Local5 => 21,
            Self::Local6 => 22,
            Self::Local7 => 23,
        }
    }
}

impl Word for Facility {
    const ALL: &'static [Self] = &[
        Self::Authpriv,
        Self::Auth,
        Self::Daemon,
        Self::User,
        Self::Local0,
        Self::Local1,
        Self::Local2,
        Self::Local3,
        Self::Local4,
        Self::Local5,
        Self::Local6,
        Self::Local7,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Authpriv => "authpriv",
            Self::Auth => "auth",
            Self::Daemon => "daemon",
            Self::User => "user",
            Self::Local0 => "local0",
            Self::Local1 => "local1",
            Self::Local2 => "local2",
            Self::Local3 => "local3",
            Self::Local4 => "local4",
            Self::Local5 => "local5",
            Self::Local6 => "local6",
            Self::Local7 => "local7",
        }
    }
}
