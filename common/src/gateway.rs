//! Gateways: whom codes and notices are handed to, as the settings describe them. Data only; `delivery` speaks to them.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::address::{Channel, MailAddress};
use crate::template::{Placeholder, Template};

/// One gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Its name in records, counters and messages.
    pub name: String,
    /// What it delivers.
    pub channels: BTreeSet<Channel>,
    /// How long handing over one message may take.
    pub patience: Duration,
    /// The name that we sign in with there.
    pub username: Option<String>,
    /// Whether passwords and codes may go to another machine unencrypted.
    pub plaintext: Plaintext,
    /// How it is spoken to.
    pub way: Way,
}

/// Whether something may go to another machine unencrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plaintext {
    /// It may not; on this machine it may.
    Refused,
    /// The settings say that it may.
    Allowed,
}

/// How a gateway is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// By HTTP.
    Http(Box<Http>),
    /// By SMTP.
    Smtp(Smtp),
    /// By a program of this machine.
    Program(Program),
}

impl Way {
    /// The word for it in the settings.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Smtp(_) => "smtp",
            Self::Program(_) => "program",
        }
    }

    /// Whether a message without a code can be said. A request with a place for the code alone cannot.
    #[must_use]
    pub fn says_texts(&self) -> bool {
        match self {
            Self::Http(http) => http.says_texts(),
            Self::Smtp(_) | Self::Program(_) => true,
        }
    }
}

/// A gateway that takes a message in one HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// The method.
    pub method: Method,
    /// Where to. Scheme, host and port are written out: no value can change them.
    pub url: Template<Value>,
    /// Names and values of headers.
    pub headers: Vec<(String, Template<Value>)>,
    /// The body, where the method has one.
    pub body: Option<Template<Value>>,
    /// What the body is, and so how values are escaped in it.
    pub format: BodyFormat,
    /// Which statuses say that it has taken the message.
    pub success: Vec<StatusPattern>,
    /// A regular expression that the answer's body must match besides.
    pub success_pattern: Option<String>,
    /// A regular expression that it must not match.
    pub failure_pattern: Option<String>,
}

impl Http {
    /// Whether the request has a place for any text.
    #[must_use]
    pub fn says_texts(&self) -> bool {
        let headers = self.headers.iter().map(|(_, value)| value);
        headers.chain([&self.url]).chain(&self.body).any(|template| template.has(Value::Text))
    }
}

/// The method of an HTTP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`, without a body.
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// `application/x-www-form-urlencoded`
    Form,
    /// `application/json`
    Json,
    /// `text/xml`
    Xml,
    /// `text/plain`
    Text,
}

/// A status, or a hundred of them: `202`, `2xx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusPattern {
    /// This one.
    One(u16),
    /// All that begin with this digit.
    Class(u16),
}

impl StatusPattern {
    /// Reads `202` or `2xx`. What redirects is no success: the message is with nobody then.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let pattern = match text.strip_suffix("xx") {
            Some(class) => Self::Class(class.parse().ok().filter(|_| class.len() == 1)?),
            None => Self::One(text.parse().ok().filter(|_| text.len() == 3)?),
        };
        let class = match pattern {
            Self::One(status) => status.checked_div(100)?,
            Self::Class(class) => class,
        };
        matches!(class, 2 | 4 | 5).then_some(pattern)
    }

    /// Whether a status fits.
    #[must_use]
    pub fn fits(self, status: u16) -> bool {
        match self {
            Self::One(one) => status == one,
            Self::Class(class) => status.checked_div(100) == Some(class),
        }
    }
}

impl std::fmt::Display for StatusPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(status) => write!(f, "{status}"),
            Self::Class(class) => write!(f, "{class}xx"),
        }
    }
}

/// A mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smtp {
    /// Its name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// Who the mail is from.
    pub from: Sender,
}

/// How an SMTP connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// It begins in the clear and must change over before anything is said (RFC 3207).
    StartTls,
    /// From the first octet (RFC 8314).
    Implicit,
    /// Not at all.
    None,
}

impl Encryption {
    /// The usual port.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}

/// Who a mail is from: `Countersign <mfa@example.org>` or the address alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The name that people see.
    pub name: Option<String>,
    /// The address.
    pub address: MailAddress,
}

impl Sender {
    /// Reads it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some((name, rest)) = text.split_once('<') else {
            return Some(Self { name: None, address: MailAddress::parse(text).ok()? });
        };
        let address = MailAddress::parse(rest.strip_suffix('>')?).ok()?;
        let name = name.trim().trim_matches('"');
        let is_plain = !name.chars().any(|c| c.is_control() || matches!(c, '"' | '\\' | '<' | '>' | '@'));
        is_plain.then(|| Self { name: Some(name.to_owned()).filter(|name| !name.is_empty()), address })
    }
}

impl std::fmt::Display for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

/// A program of this machine, run without a shell. It hears the message on its standard input and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The program's absolute path.
    pub path: String,
    /// Its arguments.
    pub arguments: Vec<Template<Value>>,
    /// Who a mail is from, where it delivers mail: it then gets a whole one (RFC 5322).
    pub from: Option<Sender>,
}

/// What can be filled in where a gateway is described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// The number with `+`, or the mail address.
    To,
    /// The number without `+`.
    Digits,
    /// The extension of an office number.
    Extension,
    /// `sms`, `call` or `email`.
    Channel,
    /// The id of the message, the same each time that it is tried.
    Id,
    /// The message.
    Text,
    /// The code alone.
    Code,
    /// The subject of a mail.
    Subject,
    /// The user.
    User,
    /// The name that we sign in with.
    Username,
    /// The password from the password file.
    Password,
    /// The same two as HTTP Basic authentication has them (RFC 7617).
    Basic,
}

impl Value {
    /// Whether other users of this machine may see it, as they see the arguments of programs.
    #[must_use]
    pub const fn may_be_seen(self) -> bool {
        match self {
            Self::To | Self::Digits | Self::Extension | Self::Channel | Self::Id => true,
            Self::Text
            | Self::Code
            | Self::Subject
            | Self::User
            | Self::Username
            | Self::Password
            | Self::Basic => false,
        }
    }
}

impl Placeholder for Value {
    const ALL: &'static [Self] = &[
        Self::To,
        Self::Digits,
        Self::Extension,
        Self::Channel,
        Self::Id,
        Self::Text,
        Self::Code,
        Self::Subject,
        Self::User,
        Self::Username,
        Self::Password,
        Self::Basic,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::To => "to",
            Self::Digits => "digits",
            Self::Extension => "extension",
            Self::Channel => "channel",
            Self::Id => "id",
            Self::Text => "text",
            Self::Code => "code",
            Self::Subject => "subject",
            Self::User => "user",
            Self::Username => "username",
            Self::Password => "password",
            Self::Basic => "basic",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Sender, StatusPattern};

    #[test]
    fn a_status_is_one_or_a_class_of_them_and_a_redirection_is_no_success() {
        assert!(StatusPattern::parse("2xx").is_some_and(|it| it.fits(202) && !it.fits(302)));
        assert!(StatusPattern::parse("200").is_some_and(|it| it.fits(200) && !it.fits(202)));
        for text in ["", "xx", "3xx", "302", "20", "2000", "22xx", "abc", "1xx", "+20", "-2x"] {
            assert!(StatusPattern::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_sender_has_an_address_and_perhaps_a_name() {
        for text in ["mfa@example.org", "Countersign <mfa@example.org>", "Müller GmbH <mfa@example.org>"] {
            assert_eq!(Sender::parse(text).unwrap().to_string(), text);
        }
        for text in
            ["", "Countersign", "a <b", "a\r\nBcc: x <b@example.org>", "a@b <c@example.org>", "<b c@d>"]
        {
            assert!(Sender::parse(text).is_none(), "{text:?}");
        }
    }
}
