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
pub struct Arguments {
    /// Who checks the first password.
    pub primary: PrimaryMode,
    /// The settings, where the line names another file than the usual one.
    pub settings: Option<PathBuf>,
    /// Where countersign-local is asked.
    pub socket: Socket,
}

/// Where countersign-local is asked.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Socket {
    /// At the usual place.
    #[default]
    Usual,
    /// There.
    At(PathBuf),
    /// Nowhere.
    Off,
}

/// A mistake in the line: the argument, and what is allowed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// No argument of ours.
    #[error(
        "unknown argument `{0}`: primary=own|stack|failed|none, config=/PATH and socket=off|/PATH are allowed"
    )]
    Unknown(String),
    /// It may stand once.
    #[error("argument `{0}=` stands twice: once is allowed")]
    Twice(&'static str),
    /// No such word.
    #[error("argument `primary={0}`: own, stack, failed or none is allowed")]
    Primary(String),
    /// No path that is taken.
    #[error("argument `config={0}`: an absolute path without `..` is allowed")]
    Config(String),
    /// Neither `off` nor a path that is taken.
    #[error("argument `socket={0}`: off or an absolute path without `..` is allowed")]
    Socket(String),
    /// It must stand there.
    #[error(
        "argument `primary=` is missing: primary=own|stack|failed|none says who checks the first password"
    )]
    NoPrimary,
}

impl Arguments {
    /// Reads the arguments; the first mistake counts.
    ///
    /// # Errors
    /// [`ArgumentError`] names the argument and what is allowed.
    pub fn parse(arguments: &[&CStr]) -> Result<Self, ArgumentError> {
        let words: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
        Self::of_words(&words)
    }

    /// The same of words that were read from a file.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn of_words<S: AsRef<str>>(words: &[S]) -> Result<Self, ArgumentError> {
        let (mut primary, mut settings, mut socket) = (None, None, None);
        for word in words {
            let text = word.as_ref();
            match text.split_once('=') {
                Some(("primary", word)) => once("primary", &mut primary, read_primary(word)?)?,
                Some(("config", path)) => {
                    let path = read_path(path).ok_or_else(|| ArgumentError::Config(path.to_owned()))?;
                    once("config", &mut settings, path)?;
                }
                Some(("socket", word)) => once("socket", &mut socket, read_socket(word)?)?,
                Some(_) | None => return Err(ArgumentError::Unknown(text.to_owned())),
            }
        }
        let primary = primary.ok_or(ArgumentError::NoPrimary)?;
        Ok(Self { primary, settings, socket: socket.unwrap_or_default() })
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

fn read_socket(word: &str) -> Result<Socket, ArgumentError> {
    match word {
        "off" => Ok(Socket::Off),
        _ => read_path(word).map(Socket::At).ok_or_else(|| ArgumentError::Socket(word.to_owned())),
    }
}

fn read_path(text: &str) -> Option<PathBuf> {
    let path = Path::new(text);
    let plain = !text.contains(char::REPLACEMENT_CHARACTER);
    let is_right = path.is_absolute() && plain && path.components().all(|part| part != Component::ParentDir);
    is_right.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{ArgumentError, Arguments, Socket};
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
    fn the_service_can_be_elsewhere_or_nowhere() {
        let socket = |word| Arguments::parse(&[c"primary=own", word]).map(|arguments| arguments.socket);
        assert_eq!(socket(c"config=/a"), Ok(Socket::Usual));
        assert_eq!(socket(c"socket=/run/other.sock"), Ok(Socket::At(PathBuf::from("/run/other.sock"))));
        assert_eq!(socket(c"socket=off"), Ok(Socket::Off));
        for wrong in [c"socket=", c"socket=on", c"socket=other.sock", c"socket=/run/../x"] {
            assert!(matches!(socket(wrong), Err(ArgumentError::Socket(_))), "{wrong:?}");
        }
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
