//! The arguments of the module's line in a PAM stack. Nothing is guessed: a mistake refuses the login.

use std::ffi::CStr;
use std::path::{Component, Path, PathBuf};

use common::PrimaryMode;

const PRIMARIES: [(&str, PrimaryMode); 4] = [
    ("own", PrimaryMode::Own),
    ("stack", PrimaryMode::Stack),
    ("failed", PrimaryMode::Failed),
    ("none", PrimaryMode::None),
];

/// What the line says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// Who checks the first password.
    pub(crate) primary: PrimaryMode,
    /// The settings, where the line names another file than the usual one.
    pub(crate) settings: Option<PathBuf>,
}

/// A mistake in the line: the argument, and what is allowed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ArgumentError {
    #[error("unknown argument `{0}`: primary=own|stack|failed|none and config=/PATH are allowed")]
    Unknown(String),
    #[error("argument `{0}=` stands twice: once is allowed")]
    Twice(&'static str),
    #[error("argument `primary={0}`: own, stack, failed or none is allowed")]
    Primary(String),
    #[error("argument `config={0}`: an absolute path without `..` is allowed")]
    Config(String),
    #[error(
        "argument `primary=` is missing: primary=own|stack|failed|none says who checks the first password"
    )]
    NoPrimary,
}

impl Arguments {
    /// Reads the arguments; the first mistake counts.
    pub(crate) fn parse(arguments: &[&CStr]) -> Result<Self, ArgumentError> {
        let (mut primary, mut settings) = (None, None);
        for argument in arguments {
            let text = argument.to_string_lossy();
            match text.split_once('=') {
                Some(("primary", word)) => once("primary", &mut primary, read_primary(word)?)?,
                Some(("config", path)) => once("config", &mut settings, read_path(path)?)?,
                Some(_) | None => return Err(ArgumentError::Unknown(text.into_owned())),
            }
        }
        let primary = primary.ok_or(ArgumentError::NoPrimary)?;
        Ok(Self { primary, settings })
    }
}

fn once<T>(name: &'static str, place: &mut Option<T>, value: T) -> Result<(), ArgumentError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(ArgumentError::Twice(name)),
    }
}

fn read_primary(word: &str) -> Result<PrimaryMode, ArgumentError> {
    let known = PRIMARIES.into_iter().find(|(name, _)| *name == word);
    known.map(|(_, mode)| mode).ok_or_else(|| ArgumentError::Primary(word.to_owned()))
}

fn read_path(text: &str) -> Result<PathBuf, ArgumentError> {
    let path = Path::new(text);
    let plain = !text.contains(char::REPLACEMENT_CHARACTER);
    if path.is_absolute() && plain && path.components().all(|part| part != Component::ParentDir) {
        return Ok(path.to_owned());
    }
    Err(ArgumentError::Config(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{ArgumentError, Arguments};
    use common::PrimaryMode;
    use std::ffi::CStr;
    use std::path::PathBuf;

    fn parse(arguments: &[&CStr]) -> Result<(PrimaryMode, Option<PathBuf>), ArgumentError> {
        Arguments::parse(arguments).map(|arguments| (arguments.primary, arguments.settings))
    }

    #[test]
    fn each_word_is_a_mode() {
        assert_eq!(parse(&[c"primary=own"]), Ok((PrimaryMode::Own, None)));
        assert_eq!(parse(&[c"primary=stack"]), Ok((PrimaryMode::Stack, None)));
        assert_eq!(parse(&[c"primary=failed"]), Ok((PrimaryMode::Failed, None)));
        assert_eq!(parse(&[c"primary=none"]), Ok((PrimaryMode::None, None)));
    }

    #[test]
    fn other_settings_can_be_named() {
        let path = PathBuf::from("/etc/other.toml");
        assert_eq!(parse(&[c"config=/etc/other.toml", c"primary=own"]), Ok((PrimaryMode::Own, Some(path))));
    }

    #[test]
    fn every_mistake_is_refused() {
        let unknown = |text: &str| Err(ArgumentError::Unknown(text.to_owned()));
        let config = |text: &str| Err(ArgumentError::Config(text.to_owned()));
        assert_eq!(parse(&[]), Err(ArgumentError::NoPrimary));
        assert_eq!(parse(&[c"nullok"]), unknown("nullok"));
        assert_eq!(parse(&[c"primary=own", c"debug=1"]), unknown("debug=1"));
        assert_eq!(parse(&[c"Primary=own"]), unknown("Primary=own"));
        assert_eq!(parse(&[c"primary="]), Err(ArgumentError::Primary(String::new())));
        assert_eq!(parse(&[c"primary=Own"]), Err(ArgumentError::Primary("Own".to_owned())));
        assert_eq!(parse(&[c"primary=own", c"primary=own"]), Err(ArgumentError::Twice("primary")));
        assert_eq!(parse(&[c"config=/a", c"config=/a"]), Err(ArgumentError::Twice("config")));
        assert_eq!(parse(&[c"config=a.toml"]), config("a.toml"));
        assert_eq!(parse(&[c"config=/etc/../a"]), config("/etc/../a"));
        assert_eq!(parse(&[c"config=/etc/\xff"]), config("/etc/\u{fffd}"));
    }
}
