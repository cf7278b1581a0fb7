//! Opens a configuration file without following a link, and refuses one that somebody else could have written.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use zeroize::Zeroizing;

use crate::error::ConfigError;
use crate::limits;

/// What is in a file, and so who may read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    /// Readable by all: the PAM module also runs with the rights of an ordinary user.
    Settings,
    /// Secrets of clients: never printed, and closed to all but its owner and group.
    Secrets,
    /// One password, as closed as those.
    Password,
}

impl Contents {
    fn octets_max(self) -> u64 {
        match self {
            Self::Settings => limits::SETTINGS_OCTETS_MAX,
            Self::Secrets => limits::CLIENTS_OCTETS_MAX,
            Self::Password => limits::PASSWORD_OCTETS_MAX,
        }
    }

    fn forbidden_mode(self) -> u32 {
        match self {
            Self::Settings => 0o022,
            Self::Secrets | Self::Password => 0o027,
        }
    }
}

/// A file in memory, wiped when it is dropped.
pub(crate) struct SourceFile {
    pub(crate) path: PathBuf,
    pub(crate) contents: Contents,
    text: Zeroizing<String>,
    line_starts: Vec<usize>,
}

/// A place in a file as people count: from 1, columns in characters.
pub(crate) struct Line<'a> {
    pub(crate) number: usize,
    pub(crate) start: usize,
    pub(crate) text: &'a str,
}

impl SourceFile {
    /// Opens and reads it.
    pub(crate) fn open(path: &Path, contents: Contents) -> Result<Self, ConfigError> {
        let file = open_regular(path)?;
        refuse_foreign(path, &file, contents)?;
        let text = read_text(path, file, contents.octets_max())?;
        Ok(Self::from_text(path, contents, text))
    }

    /// Takes a text that is in memory already.
    pub(crate) fn from_text(path: &Path, contents: Contents, text: Zeroizing<String>) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at.saturating_add(1));
        let line_starts = std::iter::once(0).chain(after_breaks).collect();
        Self { path: path.to_owned(), contents, text, line_starts }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The line that an offset is in.
    pub(crate) fn line_at(&self, offset: usize) -> Line<'_> {
        let number = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.line_starts.get(number.saturating_sub(1)).copied().unwrap_or(0);
        let rest = self.text.get(start..).unwrap_or("");
        Line { number, start, text: rest.lines().next().unwrap_or("") }
    }
}

/// A pipe in its place must not make a login wait for ever, so the file is opened without waiting.
pub(crate) fn open_regular(path: &Path) -> Result<File, ConfigError> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path);
    let file = opened.map_err(|source| cannot_open(path, source))?;
    let metadata = file.metadata().map_err(|source| cannot_read(path, source))?;
    if !metadata.is_file() {
        return Err(ConfigError::NotRegular { path: path.to_owned() });
    }
    Ok(file)
}

fn cannot_open(path: &Path, source: io::Error) -> ConfigError {
    // open(2): O_NOFOLLOW answers ELOOP for a link.
    if source.raw_os_error().map(Errno::from_raw) == Some(Errno::ELOOP) {
        return ConfigError::SymbolicLink { path: path.to_owned() };
    }
    cannot_read(path, source)
}

fn cannot_read(path: &Path, source: io::Error) -> ConfigError {
    ConfigError::Read { path: path.to_owned(), source }
}

/// The owner is root, or the very user that this process already acts for.
fn refuse_foreign(path: &Path, file: &File, contents: Contents) -> Result<(), ConfigError> {
    let metadata = file.metadata().map_err(|source| cannot_read(path, source))?;
    let owner = metadata.uid();
    if owner != 0 && owner != nix::unistd::geteuid().as_raw() {
        return Err(ConfigError::Owner { path: path.to_owned(), owner });
    }
    let mode = metadata.mode() & 0o7777;
    let forbidden = contents.forbidden_mode();
    if mode & forbidden != 0 {
        return Err(ConfigError::Mode { path: path.to_owned(), mode, forbidden });
    }
    Ok(())
}

fn read_text(path: &Path, file: File, octets_max: u64) -> Result<Zeroizing<String>, ConfigError> {
    let mut octets = Zeroizing::new(Vec::new());
    let read = file.take(octets_max.saturating_add(1)).read_to_end(&mut octets);
    read.map_err(|source| cannot_read(path, source))?;
    if u64::try_from(octets.len()).unwrap_or(u64::MAX) > octets_max {
        return Err(ConfigError::TooLarge { path: path.to_owned(), octets_max });
    }
    text_of(path, &octets)
}

/// TOML is UTF-8.
pub(crate) fn text_of(path: &Path, octets: &[u8]) -> Result<Zeroizing<String>, ConfigError> {
    let text = std::str::from_utf8(octets).map_err(|wrong| {
        let before = octets.get(..wrong.valid_up_to()).unwrap_or(&[]);
        let breaks = before.iter().filter(|octet| **octet == b'\n').count();
        ConfigError::NotUtf8 { path: path.to_owned(), line: breaks.saturating_add(1) }
    })?;
    Ok(Zeroizing::new(text.to_owned()))
}
