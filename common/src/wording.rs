//! The words of codes and notices as they are sent. A site can change each in its settings; what stands here holds else.

use crate::address::Channel;
use crate::limits::CODE_SECONDS;
use crate::message::{By, Content, Event, Message, Notice};
use crate::template::{Placeholder, Template, UnknownPlaceholder};
use crate::{Secret, UnixTime};

/// What a text may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The code.
    Code,
    /// The code digit by digit, for a voice: `1, 2, 3`.
    Spoken,
    /// For how many minutes it is good.
    Minutes,
    /// The name of the site, as in authenticator apps.
    Issuer,
    /// The user.
    User,
    /// What happened, in the words of the event.
    Event,
    /// More of what happened: a label, a masked number.
    Detail,
    /// Who did it.
    By,
    /// Where: a service, a client, the command line.
    Place,
    /// From where.
    Source,
    /// When, in UTC.
    Time,
}

impl Placeholder for Shown {
    const ALL: &'static [Self] = &[
        Self::Code,
        Self::Spoken,
        Self::Minutes,
        Self::Issuer,
        Self::User,
        Self::Event,
        Self::Detail,
        Self::By,
        Self::Place,
        Self::Source,
        Self::Time,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Spoken => "spoken",
            Self::Minutes => "minutes",
            Self::Issuer => "issuer",
            Self::User => "user",
            Self::Event => "event",
            Self::Detail => "detail",
            Self::By => "by",
            Self::Place => "place",
            Self::Source => "source",
            Self::Time => "time",
        }
    }
}

crate::closed_list! {
    /// Each text that is sent, but the words of events.
    Text {
        /// A code by text message. Placeholders: {code}, {minutes}, {issuer}, {user}.
        CodeSms = "code-sms",
        /// A code in a call. {spoken} is the code digit by digit.
        CodeCall = "code-call",
        /// The subject of a mail with a code.
        CodeMailSubject = "code-mail-subject",
        /// A code by mail.
        CodeMail = "code-mail",
        /// A notice by text message or call. {event} is one of the texts of `[delivery.events]`.
        Notice = "notice",
        /// The subject of a notice by mail.
        NoticeMailSubject = "notice-mail-subject",
        /// A notice by mail.
        NoticeMail = "notice-mail",
    }
}

impl Text {
    /// What holds where the settings say nothing, as TOML would have it.
    #[must_use]
    pub const fn standard(self) -> &'static str {
        match self {
            Self::CodeSms => "{code} is your {issuer} code, good for {minutes} minutes. Do not pass it on.",
            Self::CodeCall => {
                "Your {issuer} code is: {spoken}. Again: {spoken}. Once more: {spoken}. Good bye."
            }
            Self::CodeMailSubject => "Your {issuer} code",
            Self::CodeMail => {
                "{code} is your {issuer} code, good for {minutes} minutes. Nobody else needs it: do not pass it on. If you \
                 are not signing in right now, somebody knows your password: change it, and tell your administrator."
            }
            Self::Notice => {
                "{issuer}, account {user}: {event} ({by}, {place}). If that was not expected, tell your administrator."
            }
            Self::NoticeMailSubject => "Your {issuer} account: {event}",
            Self::NoticeMail => {
                "{event}. Account: {user}. When: {time} (UTC). Done {by}, at {place}, from {source}. If you did not expect \
                 this, tell your administrator at once: somebody may be using your account."
            }
        }
    }

    /// What it must show to be of any use.
    #[must_use]
    pub const fn needs(self) -> &'static [Shown] {
        match self {
            Self::CodeSms | Self::CodeMail => &[Shown::Code],
            Self::CodeCall => &[Shown::Spoken],
            Self::Notice | Self::NoticeMail => &[Shown::Event],
            Self::CodeMailSubject | Self::NoticeMailSubject => &[],
        }
    }

    /// Whether it can show something: codes and notices have different things to tell.
    #[must_use]
    pub const fn can_show(self, shown: Shown) -> bool {
        let of_code = matches!(self, Self::CodeSms | Self::CodeCall | Self::CodeMailSubject | Self::CodeMail);
        match shown {
            // A subject is shown on locked screens.
            Shown::Code | Shown::Spoken => of_code && !matches!(self, Self::CodeMailSubject),
            Shown::Minutes => of_code,
            Shown::Issuer | Shown::User | Shown::Time => true,
            Shown::Event | Shown::Detail | Shown::By | Shown::Place | Shown::Source => !of_code,
        }
    }
}

impl Event {
    /// What holds where the settings say nothing.
    #[must_use]
    pub const fn standard(self) -> &'static str {
        match self {
            Self::FactorAdded => "a way to sign in was added: {detail}",
            Self::FactorRemoved => "a way to sign in was removed: {detail}",
            Self::ContactAdded => "a telephone number or mail address was added: {detail}",
            Self::ContactRemoved => "a telephone number or mail address was changed or removed: {detail}",
            Self::AppPasswordCreated => "an app password was made: {detail}",
            Self::RecoveryCodeUsed => "a recovery code was used to sign in",
            Self::RecoveryCodesRenewed => "new recovery codes were made; older ones are void",
            Self::TemporaryCodeIssued => "a temporary code was made",
            Self::TemporaryCodeUsed => "a temporary code was used to sign in",
            Self::RegistrationRequired => "the account must be registered anew",
            Self::Registered => "the account was registered",
            Self::AccountRemoved => "the account was removed",
        }
    }
}

/// All texts of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    texts: Vec<Template<Shown>>,
    events: Vec<Template<Shown>>,
}

impl Wording {
    /// Puts the texts together; `None` for one that the site has not changed.
    ///
    /// # Errors
    /// A placeholder that there is not; those of the standard texts are all there.
    pub fn new(
        text: impl Fn(Text) -> Option<String>,
        event: impl Fn(Event) -> Option<String>,
    ) -> Result<Self, UnknownPlaceholder> {
        let texts = Text::ALL.iter().map(|it| text(*it).unwrap_or_else(|| it.standard().to_owned()));
        let events = Event::ALL.iter().map(|it| event(*it).unwrap_or_else(|| it.standard().to_owned()));
        Ok(Self {
            texts: texts.map(|text| Template::parse(&text)).collect::<Result<_, _>>()?,
            events: events.map(|text| Template::parse(&text)).collect::<Result<_, _>>()?,
        })
    }

    /// One text as it is written.
    #[must_use]
    pub fn text(&self, text: Text) -> &str {
        self.texts.get(text.place()).map_or(text.standard(), Template::as_str)
    }

    /// The words of an event as they are written.
    #[must_use]
    pub fn event(&self, event: Event) -> &str {
        self.events.get(event.place()).map_or(event.standard(), Template::as_str)
    }

    /// A message in words. `moment` writes a time.
    #[must_use]
    pub fn write(&self, message: &Message, issuer: &str, moment: fn(UnixTime) -> String) -> Written {
        let (subject, body) = match (&message.content, message.channel) {
            (Content::Code(_), Channel::Sms) => (Text::CodeMailSubject, Text::CodeSms),
            (Content::Code(_), Channel::Call) => (Text::CodeMailSubject, Text::CodeCall),
            (Content::Code(_), Channel::Email) => (Text::CodeMailSubject, Text::CodeMail),
            (Content::Notice(_), Channel::Sms | Channel::Call) => (Text::NoticeMailSubject, Text::Notice),
            (Content::Notice(_), Channel::Email) => (Text::NoticeMailSubject, Text::NoticeMail),
        };
        let values = Values { message, issuer, moment, wording: self };
        Written {
            subject: values.fill(self.texts.get(subject.place())),
            text: Secret::from(values.fill(self.texts.get(body.place()))),
        }
    }
}

impl Default for Wording {
    fn default() -> Self {
        let none = Self { texts: Vec::new(), events: Vec::new() };
        Self::new(|_| None, |_| None).unwrap_or(none)
    }
}

/// A message in words.
#[derive(Clone)]
pub struct Written {
    /// The subject, for mail. It never has the code.
    pub subject: String,
    /// The text.
    pub text: Secret,
}

struct Values<'a> {
    message: &'a Message,
    issuer: &'a str,
    moment: fn(UnixTime) -> String,
    wording: &'a Wording,
}

impl Values<'_> {
    fn fill(&self, template: Option<&Template<Shown>>) -> String {
        template.map(|template| template.fill(|shown, out| self.put(shown, out))).unwrap_or_default()
    }

    fn put(&self, shown: Shown, out: &mut String) {
        let code = match &self.message.content {
            Content::Code(code) => code.expose_text(),
            Content::Notice(_) => None,
        };
        match shown {
            Shown::Code => out.push_str(code.unwrap_or_default()),
            Shown::Spoken => spell(code.unwrap_or_default(), out),
            Shown::Minutes => out.push_str(&CODE_SECONDS.div_ceil(60).to_string()),
            Shown::Issuer => out.push_str(self.issuer),
            Shown::User => out.push_str(&harmless(&self.message.user)),
            Shown::Time => out.push_str(&(self.moment)(self.message.at)),
            Shown::Event | Shown::Detail | Shown::By | Shown::Place | Shown::Source => {
                if let Content::Notice(notice) = &self.message.content {
                    self.put_notice(notice, shown, out);
                }
            }
        }
    }

    fn put_notice(&self, notice: &Notice, shown: Shown, out: &mut String) {
        match shown {
            Shown::Event => {
                // The words of an event hold no other event: `can_show_in_event` sees to it, and this does.
                let words = self.wording.events.get(notice.event.place());
                let words = words.map(|template| {
                    template.fill(|inner, out| match inner {
                        Shown::Event => {}
                        inner => self.put(inner, out),
                    })
                });
                out.push_str(words.as_deref().unwrap_or(notice.event.name()).trim_end_matches([' ', ':']));
            }
            Shown::Detail => out.push_str(&harmless(&notice.detail)),
            Shown::By => out.push_str(match notice.by {
                By::User => "by you, or by somebody who signed in as you",
                By::Administrator => "by an administrator",
            }),
            Shown::Place => out.push_str(&harmless(&notice.place)),
            Shown::Source => {
                out.push_str(&harmless(notice.source.as_deref().unwrap_or("an unknown address")));
            }
            Shown::Code | Shown::Spoken | Shown::Minutes | Shown::Issuer | Shown::User | Shown::Time => {}
        }
    }
}

/// What the words of an event can show.
#[must_use]
pub const fn can_show_in_event(shown: Shown) -> bool {
    match shown {
        Shown::Code | Shown::Spoken | Shown::Minutes | Shown::Event => false,
        Shown::Issuer
        | Shown::User
        | Shown::Detail
        | Shown::By
        | Shown::Place
        | Shown::Source
        | Shown::Time => true,
    }
}

/// Each character by itself, so that a voice says `1, 2` and not `twelve`.
fn spell(code: &str, out: &mut String) {
    for (place, character) in code.chars().enumerate() {
        if place > 0 {
            out.push_str(", ");
        }
        out.push(character);
    }
}

/// What users named, such as a label: nothing in it can end a line, or begin a link that looks like ours.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
