//! What can be wrong with a store, in a few kinds that verdicts, records and people have names for.

use std::io;

use common::closed_list;
use common::ports::{StoreError, StoreTrouble};
use rusqlite::{ErrorCode, ffi};

use crate::reserve::is_full;
use crate::{BreakGlassError, SqliteError};

closed_list! {
    /// A kind of trouble. Each has one thing to do about it: see [`Trouble::advice`].
    Trouble {
        /// There is no store.
        Absent = "absent",
        /// The store can be read and not written.
        ReadOnly = "read-only",
        /// No space is left.
        Full = "full",
        /// The content is not what was written.
        Damaged = "damaged",
        /// Somebody held the store for too long, or the disk is too slow.
        Slow = "slow",
        /// The key file belongs to another store.
        WrongKey = "wrong-key",
        /// A newer Countersign made the store.
        Newer = "newer",
        /// Others own, or can read, what only the store's owner may.
        Exposed = "exposed",
        /// Anything else.
        Other = "other",
    }
}

impl Trouble {
    /// The kind of what the port said.
    #[must_use]
    pub fn of(error: &StoreError) -> Self {
        match error {
            StoreError::Newer { .. } => Self::Newer,
            StoreError::Damaged { .. } => Self::Damaged,
            StoreError::Unavailable { source, .. } => {
                let in_store = source.downcast_ref().map(SqliteError::trouble);
                let in_file = || source.downcast_ref().map(BreakGlassError::trouble);
                in_store.or_else(in_file).unwrap_or(Self::Other)
            }
        }
    }

    /// The kind of what the store said; `None` where it was the break-glass file, which has advice of its own.
    #[must_use]
    pub fn of_store(error: &StoreError) -> Option<Self> {
        let source = match error {
            StoreError::Newer { .. } => None,
            StoreError::Damaged { source, .. } => source.as_ref(),
            StoreError::Unavailable { source, .. } => Some(source),
        };
        let is_of_file = source.is_some_and(|source| source.is::<BreakGlassError>());
        (!is_of_file).then(|| Self::of(error))
    }

    /// As the core knows it.
    #[must_use]
    pub const fn through_the_port(self) -> StoreTrouble {
        match self {
            Self::ReadOnly => StoreTrouble::ReadOnly,
            Self::Full => StoreTrouble::Full,
            Self::Slow => StoreTrouble::Slow,
            Self::WrongKey => StoreTrouble::WrongKey,
            Self::Absent | Self::Damaged | Self::Newer | Self::Exposed | Self::Other => StoreTrouble::Other,
        }
    }

    /// What to do about it, in a sentence or two.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Absent => {
                "If it was there before, look for the disk that should be mounted, or put a backup back with \
                 'countersign store restore'; on a new machine run 'countersign init'."
            }
            Self::ReadOnly => {
                "Look at the kernel's messages ('dmesg') for what made the disk read-only, mend that, and mount it \
                 for writing again. Nobody can sign in until then, because no code could be used up."
            }
            Self::Full => {
                "Free some space on that disk. Until then logins go on from space that was kept for it, and refusals \
                 are told to syslog only."
            }
            Self::Damaged => {
                "Put the newest backup back with 'countersign store restore FILE': it sets the damaged store aside. Look at \
                 the disk before you trust it again."
            }
            Self::Slow => {
                "See which program holds the store and whether it is stopped ('ps'), and whether the disk is busy; \
                 ending that program is safe, its unfinished write leaves nothing."
            }
            Self::WrongKey => {
                "Put the key file that was made with this store back from your copy. With another one no code and no \
                 app password can be checked."
            }
            Self::Newer => "Upgrade this program: the store was written by a newer Countersign.",
            Self::Exposed => {
                "Look at who could have read it, then give it back to its owner: 'chown' the file to the owner of the \
                 folder and 'chmod go=' it."
            }
            Self::Other => "See what the system says about the file named.",
        }
    }
}

impl SqliteError {
    /// The kind that it is.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Absent(_) => Trouble::Absent,
            Self::NotPlain { .. } | Self::Owner { .. } | Self::Mode { .. } => Trouble::Exposed,
            Self::File { source, .. } => of_kernel(source),
            Self::Queue { .. } | Self::Readers { .. } | Self::Busy => Trouble::Slow,
            Self::Full(_) => Trouble::Full,
            Self::Sqlite(error) => of_sqlite(error),
            Self::Foreign(_) | Self::Document(_) | Self::Integrity { .. } => Trouble::Damaged,
            Self::Newer { .. } => Trouble::Newer,
            Self::WrongKey { .. } => Trouble::WrongKey,
            Self::Exists(_)
            | Self::Forked
            | Self::Poisoned
            | Self::Unanswered
            | Self::Serialize(_)
            | Self::Chain(_) => Trouble::Other,
        }
    }
}

pub(crate) fn of_kernel(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::NotFound => Trouble::Absent,
        io::ErrorKind::ReadOnlyFilesystem => Trouble::ReadOnly,
        _ if is_full(error) => Trouble::Full,
        _ => Trouble::Other,
    }
}

fn of_sqlite(error: &rusqlite::Error) -> Trouble {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return if is_unlike_ours(error) { Trouble::Damaged } else { Trouble::Other };
    };
    match (failure.code, failure.extended_code) {
        (ErrorCode::ReadOnly, _) => Trouble::ReadOnly,
        (ErrorCode::DiskFull, _) => Trouble::Full,
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Trouble::Slow,
        (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => Trouble::Damaged,
        // A disk that cannot give back what was written.
        (
            _,
            ffi::SQLITE_IOERR_READ
            | ffi::SQLITE_IOERR_SHORT_READ
            | ffi::SQLITE_IOERR_CORRUPTFS
            | ffi::SQLITE_IOERR_DATA,
        ) => Trouble::Damaged,
        _ => Trouble::Other,
    }
}

/// Whether a row holds what nobody has written there.
fn is_unlike_ours(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    matches!(
        error,
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..)
    )
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;

    use super::{SqliteError, Trouble};

    #[test]
    fn what_the_kernel_refuses_has_a_name() {
        let refused = |kind: io::ErrorKind| {
            SqliteError::File { operation: "open", path: PathBuf::new(), source: kind.into() }.trouble()
        };
        assert_eq!(refused(io::ErrorKind::ReadOnlyFilesystem), Trouble::ReadOnly);
        assert_eq!(refused(io::ErrorKind::StorageFull), Trouble::Full);
        assert_eq!(refused(io::ErrorKind::QuotaExceeded), Trouble::Full);
        assert_eq!(refused(io::ErrorKind::NotFound), Trouble::Absent);
    }

    #[test]
    fn each_kind_says_what_to_do() {
        for kind in Trouble::ALL {
            assert!(kind.advice().ends_with('.') && kind.advice().len() > 30, "{}", kind.name());
        }
    }
}
