//! Names of people: as typed, and as the primary knows them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits;

/// What somebody typed as a name. Anything at all may be in it; it is only ever looked up, recorded escaped, and shown to nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedName(String);

impl TypedName {
    /// Takes the bytes as typed. What is not UTF-8 is replaced, what is too long is cut for the record:
    /// such a name is not [`Username`]-like either way, so nobody is taken for somebody else.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let shown = bytes.get(..limits::TYPED_NAME_OCTETS_MAX).unwrap_or(bytes);
        let mut text = String::from_utf8_lossy(shown).into_owned();
        if shown.len() < bytes.len() || text.as_bytes() != shown {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        Self(text)
    }

    /// The text as typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How the names of a realm are folded: once, before anything is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Folding {
    /// `Alice` and `alice` are two people, as on Unix.
    #[default]
    Exact,
    /// `Alice` and `alice` are one account.
    Lowercase,
}

impl Folding {
    /// Folds a name.
    #[must_use]
    pub fn fold(self, name: &Username) -> Username {
        match self {
            Self::Exact => name.clone(),
            Self::Lowercase => Username(name.0.to_lowercase()),
        }
    }
}

/// A canonical user name: 1 to 256 octets of UTF-8 without control characters, white space at either end,
/// `:` or `/`, and not beginning with `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Username(String);

/// Why a text is no user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// Nothing was given.
    #[error("a user name cannot be empty")]
    Empty,
    /// More than 256 octets.
    #[error("a user name has at most {} octets", limits::USERNAME_OCTETS_MAX)]
    TooLong,
    /// A control character, `:`, `/`, U+FFFD, white space at an end, or a leading `-`.
    #[error("a user name has no control characters, ':' or '/', no space at either end and no leading '-'")]
    Forbidden,
}

impl Username {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, UsernameError> {
        if text.is_empty() {
            return Err(UsernameError::Empty);
        }
        if text.len() > limits::USERNAME_OCTETS_MAX {
            return Err(UsernameError::TooLong);
        }
        let forbidden = |c: char| c.is_control() || matches!(c, ':' | '/' | char::REPLACEMENT_CHARACTER);
        if text.contains(forbidden) || text.starts_with('-') || text.trim() != text {
            return Err(UsernameError::Forbidden);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Username {
    type Error = UsernameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Username> for String {
    fn from(name: Username) -> Self {
        name.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Folding, TypedName, Username, UsernameError};

    #[test]
    fn ordinary_names_are_taken() {
        for name in ["alice", "Alice", "alice@example.test", "EXAMPLE\\alice", "José", "a b"] {
            assert!(Username::parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn names_that_could_forge_a_line_are_refused() {
        for name in ["a\nb", "a:b", "../a", " alice", "alice ", "-rf", "a\u{7f}"] {
            assert_eq!(Username::parse(name), Err(UsernameError::Forbidden), "{name:?}");
        }
        assert_eq!(Username::parse(""), Err(UsernameError::Empty));
        assert_eq!(Username::parse(&"x".repeat(257)), Err(UsernameError::TooLong));
    }

    #[test]
    fn a_cut_or_broken_name_is_never_somebody() {
        let long = TypedName::new(&[b'a'; 2000]);
        assert!(Username::parse(long.as_str()).is_err());
        let broken = TypedName::new(b"ali\xffce");
        assert!(Username::parse(broken.as_str()).is_err());
    }

    #[test]
    fn folding_is_by_realm() {
        let name = Username::parse("Alice").unwrap();
        assert_eq!(Folding::Exact.fold(&name).as_str(), "Alice");
        assert_eq!(Folding::Lowercase.fold(&name).as_str(), "alice");
    }
}
