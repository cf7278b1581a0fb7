//! Why there are no settings.

use std::io;
use std::path::PathBuf;

use common::causes::with_causes;

use crate::finding::Finding;
use crate::render::{Colour, render_findings};

/// Why a configuration could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be opened or read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The path ends in a symbolic link.
    #[error("{path} is a symbolic link: name the file itself")]
    SymbolicLink {
        /// The link.
        path: PathBuf,
    },
    /// A folder, pipe or device.
    #[error("{path} is not a regular file")]
    NotRegular {
        /// What was found.
        path: PathBuf,
    },
    /// Somebody else could change it.
    #[error("{path} belongs to uid {owner}: it must belong to root")]
    Owner {
        /// The file.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// Its mode gives rights to too many.
    #[error("{path} has mode {mode:04o}: take these rights away with 'chmod {} {path}'", chmod(*.forbidden))]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Those that must not be set.
        forbidden: u32,
    },
    /// Too large to be a configuration.
    #[error("{path} has more than {octets_max} octets")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        octets_max: u64,
    },
    /// TOML is UTF-8.
    #[error("{path} is not UTF-8 text: line {line} has other bytes")]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The first line that is wrong.
        line: usize,
    },
    /// It was read, and there are mistakes in it.
    #[error("{}", count(*.errors))]
    Mistakes {
        /// Errors and warnings, in the order of the files.
        findings: Vec<Finding>,
        /// How many errors there are, those beyond [`crate::limits::FINDINGS_MAX`] included.
        errors: usize,
    },
    /// The same of a file of accounts, of which nothing is carried out.
    #[error("{}", of_accounts(*.errors))]
    MistakesInAccounts {
        /// What is wrong, in order.
        findings: Vec<Finding>,
        /// How many errors there are.
        errors: usize,
    },
    /// A file could not be written; the old one is untouched.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A change would have made a file that is refused.
    #[error("{path} was not changed: {why}")]
    NotChanged {
        /// The file.
        path: PathBuf,
        /// The mistakes that would be in it.
        why: String,
    },
    /// A file is there already and is not overwritten.
    #[error("{path} exists already: change it, or move it away first")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Clients in a form that cannot be changed without losing its shape.
    #[error("{path} cannot be changed by this command: write every client as a [[client]] table of its own")]
    Shape {
        /// The file.
        path: PathBuf,
    },
    /// No client has this name.
    #[error("there is no client {name:?} in {path}")]
    UnknownClient {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// A file for a password has none.
    #[error("{path} has to hold one password and nothing else")]
    NoPassword {
        /// The file.
        path: PathBuf,
    },
    /// A secret that cannot be written as text.
    #[error("the secret of client {name:?} is not UTF-8 text")]
    SecretNotText {
        /// The client.
        name: String,
    },
}

impl ConfigError {
    /// What an administrator reads: every finding with its line and a caret, or one sentence with its cause.
    #[must_use]
    pub fn render(&self, colour: Colour) -> String {
        match self {
            Self::Mistakes { findings, .. } | Self::MistakesInAccounts { findings, .. } => {
                format!("{}{self}\n", render_findings(findings, colour))
            }
            other => with_causes(other),
        }
    }

    /// The findings, if it was readable.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Mistakes { findings, .. } | Self::MistakesInAccounts { findings, .. } => findings,
            Self::Read { .. }
            | Self::SymbolicLink { .. }
            | Self::NotRegular { .. }
            | Self::Owner { .. }
            | Self::Mode { .. }
            | Self::TooLarge { .. }
            | Self::NotUtf8 { .. }
            | Self::Write { .. }
            | Self::NotChanged { .. }
            | Self::Exists { .. }
            | Self::Shape { .. }
            | Self::UnknownClient { .. }
            | Self::NoPassword { .. }
            | Self::SecretNotText { .. } => &[],
        }
    }
}

fn count(errors: usize) -> String {
    match errors {
        1 => "1 mistake in the configuration".to_owned(),
        more => format!("{more} mistakes in the configuration"),
    }
}

fn of_accounts(errors: usize) -> String {
    let count = if errors == 1 { "1 mistake".to_owned() } else { format!("{errors} mistakes") };
    format!("{count} in the file of accounts: nothing was changed")
}

fn chmod(forbidden: u32) -> &'static str {
    if forbidden & 0o007 == 0o007 { "g-wx,o-rwx" } else { "go-w" }
}
