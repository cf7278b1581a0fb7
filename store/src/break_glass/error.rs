//! What goes wrong with the break-glass file, and how it looks through the port.

use std::io;
use std::path::{Path, PathBuf};

use common::Username;
use common::keys::KeyError;
use common::ports::StoreError;

use crate::Trouble;
use crate::break_glass::layout::{ACCOUNTS_MAX, CONTENT_OCTETS_MAX};
use crate::trouble::of_kernel;

/// The cause behind a [`StoreError`] of the break-glass file.
#[derive(Debug, thiserror::Error)]
pub enum BreakGlassError {
    /// There is no file.
    #[error("{} does not exist: make it with 'countersign break-glass prepare'", .0.display())]
    Absent(PathBuf),
    /// There is no folder for it.
    #[error("the folder {} does not exist: mount its disk, or make it with 'install -d -m 0700 -o countersign -g countersign {}'", .0.display(), .0.display())]
    NoFolder(PathBuf),
    /// A link or something else stands where the file or its folder should.
    #[error("{} is not a plain {expected}: put the real one there, links are not followed", path.display())]
    NotPlain {
        /// Where.
        path: PathBuf,
        /// `file` or `folder`.
        expected: &'static str,
    },
    /// Somebody else owns it, or could change or read it.
    #[error("{} belongs to uid {owner} and has mode {mode:04o}: it must be of uid {expected}, for nobody else ('chown {expected} {}', 'chmod {remedy} {}')", path.display(), path.display(), path.display())]
    Exposed {
        /// Which file or folder.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Its permissions.
        mode: u32,
        /// Who must own it, if not root.
        expected: u32,
        /// What `chmod` has to take away.
        remedy: &'static str,
    },
    /// The kernel refused something.
    #[error("cannot {operation} {}", path.display())]
    File {
        /// What was tried, as a verb.
        operation: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Somebody held the file for too long.
    #[error("waited {seconds} s for another program at {}", path.display())]
    Held {
        /// Which file.
        path: PathBuf,
        /// How long.
        seconds: u64,
    },
    /// It is no such file, or is cut.
    #[error("{} is not a whole break-glass file", .0.display())]
    Foreign(PathBuf),
    /// Nothing in it was written with our keys.
    #[error("{} was written with the key file of another store", .0.display())]
    WrongKey(PathBuf),
    /// A place in it cannot be read, and the account may have been there.
    #[error("a place in {} is damaged", .0.display())]
    Damaged(PathBuf),
    /// The account is not in it, or not as it was loaded.
    #[error("the file has no current copy of the account")]
    NotCurrent,
    /// There are more accounts than places.
    #[error("the file has places for {ACCOUNTS_MAX} accounts, and none is free for {0}")]
    NoPlace(Username),
    /// An account or record is longer than its place.
    #[error("{octets} octets are more than the {max} of a place", max = CONTENT_OCTETS_MAX)]
    TooLong {
        /// How long it is.
        octets: usize,
    },
    /// An account or record could not be written as JSON.
    #[error("an account or record cannot be written as JSON")]
    Serialize(#[from] serde_json::Error),
    /// No MAC could be computed.
    #[error("no MAC can be computed")]
    Mac(#[from] KeyError),
}

impl BreakGlassError {
    /// The kind that it is.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Absent(_) | Self::NoFolder(_) => Trouble::Absent,
            Self::NotPlain { .. } | Self::Exposed { .. } => Trouble::Exposed,
            Self::File { source, .. } => of_kernel(source),
            Self::Held { .. } => Trouble::Slow,
            Self::Foreign(_) | Self::Damaged(_) => Trouble::Damaged,
            Self::WrongKey(_) => Trouble::WrongKey,
            Self::NotCurrent
            | Self::NoPlace(_)
            | Self::TooLong { .. }
            | Self::Serialize(_)
            | Self::Mac(_) => Trouble::Other,
        }
    }

    /// As the port says it: what was being done to which file.
    pub(super) fn during(self, operation: &str, file: &Path) -> StoreError {
        match self.trouble() {
            Trouble::Damaged => {
                StoreError::Damaged { what: file.display().to_string(), source: Some(Box::new(self)) }
            }
            trouble => StoreError::Unavailable {
                operation: format!("{operation} {}", file.display()),
                trouble: trouble.through_the_port(),
                source: Box::new(self),
            },
        }
    }
}

/// Names the operation and the file of a refusal.
pub(super) fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BreakGlassError {
    move |source| BreakGlassError::File { operation, path: path.to_owned(), source }
}
