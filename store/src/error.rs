//! What goes wrong with the files and with SQLite, and how it looks through the port.

use std::path::{Path, PathBuf};

use common::keys::KeyError;
use common::ports::StoreError;

use crate::Trouble;

/// The cause behind a [`StoreError`] of this engine.
#[derive(Debug, thiserror::Error)]
pub enum SqliteError {
    /// There is no store.
    #[error("{} does not exist", .0.display())]
    Absent(PathBuf),
    /// There is something already.
    #[error("{} exists already: move it away first", .0.display())]
    Exists(PathBuf),
    /// A link or something else stands where a file or directory should.
    #[error("{} is not a plain {expected}: put the real one there, links are not followed", path.display())]
    NotPlain {
        /// Where.
        path: PathBuf,
        /// `file` or `directory`.
        expected: &'static str,
    },
    /// It belongs to somebody else.
    #[error("{} belongs to uid {found} instead of {expected}: chown it", path.display())]
    Owner {
        /// Which file or directory.
        path: PathBuf,
        /// Its owner.
        found: u32,
        /// Who must own it.
        expected: u32,
    },
    /// Others can read or write it.
    #[error("{} has mode {mode:04o}: 'chmod go= {}'", path.display(), path.display())]
    Mode {
        /// Which file or directory.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The kernel refused something.
    #[error("cannot {operation} {}", path.display())]
    File {
        /// What was tried, as a verb.
        operation: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Other writers did not finish in time.
    #[error("waited {seconds} s for other writers at {}", path.display())]
    Queue {
        /// The queue's file.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// Another thread has begun to write it, and the disk did not finish in time.
    #[error("waited {seconds} s for a write to {}: whether it is there is not known", path.display())]
    Unfinished {
        /// The database.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// Another database was put in its place while a turn was waited for.
    #[error("{} was replaced: try again", .0.display())]
    Replaced(PathBuf),
    /// Readers kept the write-ahead log from being emptied, and it has reached its limit.
    #[error("readers keep {} from being emptied, and it has {octets} octets: end the program that reads for so long", path.display())]
    Readers {
        /// The log.
        path: PathBuf,
        /// Its octets.
        octets: u64,
    },
    /// No space is left, or not enough for what can do without.
    #[error("the disk of {} is full: free some space there", .0.display())]
    Full(PathBuf),
    /// SQLite's own locks were held too long.
    #[error("another program holds the database: try again")]
    Busy,
    /// The store was open when this process was forked from its parent.
    #[error("the store was open over a fork: this program must release it before")]
    Forked,
    /// A group was written without an answer for one of its members: a fault of ours.
    #[error("a write was not answered: please report this")]
    Unanswered,
    /// SQLite could not.
    #[error("SQLite")]
    Sqlite(#[from] rusqlite::Error),
    /// The file is a database but not a store of ours.
    #[error("{} is not a store of Countersign", .0.display())]
    Foreign(PathBuf),
    /// Made by a newer Countersign.
    #[error("schema {found} is newer than {known}")]
    Newer {
        /// The schema found.
        found: u32,
        /// The schema known.
        known: u32,
    },
    /// The key file is not the one that the store was written with.
    #[error(
        "the key file belongs to another store: its key {key} is not the one that this store was written with"
    )]
    WrongKey {
        /// The id of the key.
        key: u32,
    },
    /// A backup was not written with the key file of this machine.
    #[error(
        "{} is a backup of another store: key {key} of the key file here is not the one that it was written with. Nothing \
         was changed; if it is meant, put the key file that belongs to it in place first",
        path.display()
    )]
    BackupOfOther {
        /// The backup.
        path: PathBuf,
        /// The id of the key.
        key: u32,
    },
    /// Two restores at once would take each other's copy.
    #[error("another restore of {} is under way: try again when it has ended", .0.display())]
    Restoring(PathBuf),
    /// A stored document cannot be read.
    #[error("a stored account does not parse")]
    Document(#[source] serde_json::Error),
    /// What was sent to a user cannot be read.
    #[error("a row of sent codes does not parse")]
    Sent(#[source] serde_json::Error),
    /// What is remembered of a user's devices cannot be read.
    #[error("a row of remembered devices does not parse")]
    Tickets(#[source] serde_json::Error),
    /// A message that waits cannot be read.
    #[error("a message that waits to be sent does not parse")]
    Sealed(#[source] KeyError),
    /// SQLite's own check found something.
    #[error("the integrity check of {} says: {finding}", path.display())]
    Integrity {
        /// Which file.
        path: PathBuf,
        /// The first finding.
        finding: String,
    },
    /// An account or record could not be written as JSON.
    #[error("an account or record cannot be written as JSON")]
    Serialize(#[source] serde_json::Error),
    /// No MAC could be computed.
    #[error("a record cannot be chained")]
    Chain(#[from] KeyError),
}

impl SqliteError {
    /// As the port says it: what was being done to which store.
    pub(crate) fn during(self, operation: &str, store: &Path) -> StoreError {
        match self {
            Self::Newer { found, known } => StoreError::Newer { found, known },
            damage if damage.trouble() == Trouble::Damaged => {
                StoreError::Damaged { what: store.display().to_string(), source: Some(Box::new(damage)) }
            }
            cause => StoreError::Unavailable {
                operation: format!("{operation} {}", store.display()),
                trouble: cause.trouble().through_the_port(),
                source: Box::new(cause),
            },
        }
    }
}
