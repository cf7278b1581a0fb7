//! Where a user can be reached: telephone numbers and mail addresses, and by which channels.

use serde::{Deserialize, Serialize};

use crate::shown_as_written::shown_as_written;

/// Digits of a number after its `+` (ITU-T E.164 §6.2).
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// Digits and signs of an extension.
const EXTENSION_MAX: usize = 10;
/// Octets of a mail address (RFC 5321 §4.5.3.1.3, without the angle brackets).
pub const MAIL_OCTETS_MAX: usize = 254;
/// Digits at the end of a number that are shown.
const SHOWN_DIGITS: usize = 4;

/// How a message reaches somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// A text message to a mobile.
    Sms,
    /// A call that speaks.
    Call,
    /// Mail.
    Email,
}

impl Channel {
    /// All channels.
    pub const ALL: [Self; 3] = [Self::Sms, Self::Call, Self::Email];

    /// The word in configuration, records and prompts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Call => "call",
            Self::Email => "email",
        }
    }

    /// Whether each message costs money, and rings in somebody's pocket.
    #[must_use]
    pub const fn costs(self) -> bool {
        match self {
            Self::Sms | Self::Call => true,
            Self::Email => false,
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == word)
    }
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not `+` and 7 to 15 digits.
    #[error("a telephone number is written with its country, as +4915112345678: '+' and 7 to 15 digits")]
    Number,
    /// Not an extension.
    #[error("an extension has 1 to {EXTENSION_MAX} of the digits 0 to 9, '*' and '#'")]
    Extension,
    /// Not a mail address.
    #[error(
        "a mail address is written as name@example.org, in at most {MAIL_OCTETS_MAX} octets and without spaces"
    )]
    Mail,
}

/// A telephone number with its country: `+` and 7 to 15 digits (E.164).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number; spaces, hyphens, dots, slashes and brackets between the digits are dropped, and `00` stands for `+`.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let kept: String =
            text.trim().chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '/' | '(' | ')')).collect();
        let digits =
            kept.strip_prefix('+').or_else(|| kept.strip_prefix("00")).ok_or(AddressError::Number)?;
        let fits = DIGITS.contains(&digits.len())
            && digits.bytes().all(|octet| octet.is_ascii_digit())
            && !digits.starts_with('0');
        fits.then(|| Self(format!("+{digits}"))).ok_or(AddressError::Number)
    }

    /// `+` and the digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `…1234`: enough for its owner to know it again.
    #[must_use]
    pub fn masked(&self) -> String {
        let (_, last) = self.0.split_at(self.0.len().saturating_sub(SHOWN_DIGITS));
        format!("...{last}")
    }
}

/// What is dialled after an office number has answered.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Extension(String);

impl Extension {
    /// Reads an extension.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let fits = (1..=EXTENSION_MAX).contains(&text.len())
            && text.bytes().all(|octet| octet.is_ascii_digit() || matches!(octet, b'*' | b'#'));
        fits.then(|| Self(text.to_owned())).ok_or(AddressError::Extension)
    }

    /// The digits and signs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A mail address, as far as it can be told without sending: one `@`, a domain with a dot or none, no white space, no control
/// character, nothing that could begin another header or argument.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailAddress(String);

impl MailAddress {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::Mail)?;
        let is_plain = |c: char| {
            c.is_ascii_graphic()
                && !matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | ':' | '"' | '\\' | '[' | ']')
        };
        let domain_fits = !domain.is_empty()
            && domain
                .split('.')
                .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
            && domain.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.'));
        let local_fits = !local.is_empty()
            && !local.starts_with('-')
            && !local.contains('@')
            && local.chars().all(is_plain);
        let fits = text.len() <= MAIL_OCTETS_MAX && domain_fits && local_fits;
        fits.then(|| Self(text.to_owned())).ok_or(AddressError::Mail)
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `a...@example.org`.
    #[must_use]
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or(("", &self.0));
        let first: String = local.chars().take(1).collect();
        format!("{first}...@{domain}")
    }
}

/// Where a user can be reached. A number has a kind: what it is for decides how it may be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Address {
    /// A mobile: text messages and calls.
    Mobile(PhoneNumber),
    /// An office telephone: calls only, perhaps through an extension.
    Office(PhoneNumber, Option<Extension>),
    /// Mail.
    Email(MailAddress),
}

impl Address {
    /// By which channels it can be reached, the usual one first.
    #[must_use]
    pub const fn channels(&self) -> &'static [Channel] {
        match self {
            Self::Mobile(_) => &[Channel::Sms, Channel::Call],
            Self::Office(..) => &[Channel::Call],
            Self::Email(_) => &[Channel::Email],
        }
    }

    /// Enough of it for its owner to know it again, and nobody else.
    #[must_use]
    pub fn masked(&self) -> String {
        match self {
            Self::Mobile(number) | Self::Office(number, _) => number.masked(),
            Self::Email(address) => address.masked(),
        }
    }

    /// The word for its kind on the command line and in files.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Mobile(_) => "mobile",
            Self::Office(..) => "office",
            Self::Email(_) => "email",
        }
    }
}

macro_rules! text_form {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = AddressError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        shown_as_written!($name);
    };
}

text_form!(PhoneNumber);
text_form!(Extension);
text_form!(MailAddress);

#[cfg(test)]
mod tests {
    use super::{Address, AddressError, Channel, Extension, MailAddress, PhoneNumber};

    #[test]
    fn a_number_is_read_as_people_write_it() {
        for text in ["+49 151 12345678", "0049-151-12345678", " +49 (151) 1234/5678"] {
            assert_eq!(PhoneNumber::parse(text).unwrap().as_str(), "+4915112345678", "{text}");
        }
        for text in
            ["015112345678", "+4", "+49151x", "", "+", "+0151123456", "+49151123456789012", "+٤٩١٥١١٢٣٤"]
        {
            assert_eq!(PhoneNumber::parse(text), Err(AddressError::Number), "{text}");
        }
    }

    #[test]
    fn a_mail_address_cannot_be_taken_for_anything_else() {
        for text in ["a@example.org", "first.last+tag@mail.example.org", "root@localhost", "o'neil@x.example"]
        {
            assert_eq!(MailAddress::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "a",
            "@x.org",
            "a@",
            "a@x..org",
            "-f@x.org",
            "a b@x.org",
            "a@x.org\r\nBcc: b@x.org",
            "<a@x.org>",
            "a,b@x.org",
            "a@b@x.org",
            "a@-x.org",
            "\"a\"@x.org",
            "ä@x.org",
        ] {
            assert_eq!(MailAddress::parse(text), Err(AddressError::Mail), "{text:?}");
        }
    }

    #[test]
    fn only_the_end_of_a_number_is_shown() {
        let number = PhoneNumber::parse("+4915112345678").unwrap();
        assert_eq!(Address::Mobile(number.clone()).masked(), "...5678");
        assert_eq!(
            Address::Email(MailAddress::parse("alice@example.org").unwrap()).masked(),
            "a...@example.org"
        );
        let office = Address::Office(number, Some(Extension::parse("12#").unwrap()));
        assert_eq!(office.channels(), [Channel::Call], "nobody reads a text at the office");
    }
}
