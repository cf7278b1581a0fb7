//! What can be wrong with a store, in a few kinds that verdicts, records and people have names for.

use std::io;
use std::path::Path;

use common::closed_list;
use common::ports::{StoreError, StoreTrouble};
use rusqlite::{ErrorCode, ffi};

use crate::reserve::is_full;
use crate::{BreakGlassError, SqliteError};

closed_list! {
    /// A kind of trouble. Each has one thing to do about it: see [`Trouble::advice`].
    Trouble {
        /// There is no store: nobody but break-glass accounts can sign in.
        Absent = "absent",
        /// The store can be read and not written: nobody but break-glass accounts can sign in.
        ReadOnly = "read-only",
        /// No space is left: logins live on what is kept for them.
        Full = "full",
        /// The content is not what was written: nobody can sign in by it.
        Damaged = "damaged",
        /// Somebody holds the store for too long, or the disk is too slow: logins wait and give up.
        Slow = "slow",
        /// The key file belongs to another store: no code and no app password can be checked.
        WrongKey = "wrong-key",
        /// A newer Countersign made the store, and this one does not open it: nobody but break-glass accounts can sign in.
        Newer = "newer",
        /// Others own, or can read, what only the store's owner may.
        Exposed = "exposed",
        /// Something else is in the way.
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

    /// What to do about it, with the commands for the file that it is about.
    #[must_use]
    pub fn advice_about(self, file: &Path) -> String {
        self.advice().replace("FILE", &file.display().to_string())
    }

    /// What to do about what the store at `store` said, with the commands for the file that was in the way; `None` where
    /// it was the break-glass file.
    #[must_use]
    pub fn advice_on(error: &StoreError, store: &Path) -> Option<String> {
        let trouble = Self::of_store(error)?;
        let source = match error {
            StoreError::Newer { .. } => None,
            StoreError::Damaged { source, .. } => source.as_ref(),
            StoreError::Unavailable { source, .. } => Some(source),
        };
        let file = source.and_then(|source| source.downcast_ref()).and_then(SqliteError::file);
        Some(trouble.advice_about(file.unwrap_or(store)))
    }

    /// The same, with the word FILE in the place of the file.
    const fn advice(self) -> &'static str {
        match self {
            Self::Absent => {
                "If it was there before, look for a disk that is not mounted ('findmnt --fstab'), or put a backup back: \
                 'countersign store restore BACKUP'. On a new machine: 'countersign init'."
            }
            Self::ReadOnly => {
                "'dmesg | tail -n 50' says what made the disk read-only. Mend that, then mount it for writing again: \
                 'mount -o remount,rw \"$(findmnt -no TARGET -T FILE)\"'. 'countersign break-glass status' says who gets in meanwhile."
            }
            Self::Full => {
                "See what fills the disk ('df -h FILE', 'du -xh / | sort -h | tail') and make room there. Until then logins \
                 go on from space that is kept for them, and refusals are told to syslog only; what is kept fills again \
                 by itself."
            }
            Self::Damaged => {
                "Put the newest backup back: 'countersign store restore BACKUP' sets the damaged store aside. Look at the \
                 disk ('dmesg', 'smartctl -a DEVICE') before you trust it again."
            }
            Self::Slow => {
                "See which program holds it ('fuser -v FILE'). One that is stopped goes on with 'kill -CONT PROCESS', and \
                 ending it is safe: its unfinished write leaves nothing. Where none holds it, the disk is busy: 'vmstat 1'."
            }
            Self::WrongKey => {
                "Put the key file that was made with this store back from your copy, in the place of master.key, with mode \
                 0600 and the owner of its folder. Where the store is the wrong one: 'countersign store restore BACKUP'."
            }
            Self::Newer => {
                "Install the newer Countersign again ('cargo xtask install' in its checkout), then 'systemctl restart \
                 countersign-local countersign-radiusd'."
            }
            Self::Exposed => {
                "See who could have read or changed it ('ls -ldn FILE'), then give it back to the owner of the folder: \
                 'chown countersign:countersign FILE' and 'chmod go= FILE'. Where others could read the key file, they \
                 have all secrets of the store."
            }
            Self::Other => "See what the system says about it: 'ls -ld FILE', 'dmesg | tail -n 50'.",
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
            Self::Queue { .. }
            | Self::Unfinished { .. }
            | Self::Readers { .. }
            | Self::Busy
            | Self::Restoring(_) => Trouble::Slow,
            Self::Full(_) => Trouble::Full,
            Self::Sqlite(error) => of_sqlite(error),
            Self::Foreign(_)
            | Self::Document(_)
            | Self::Sent(_)
            | Self::Tickets(_)
            | Self::Sealed(_)
            | Self::Integrity { .. } => Trouble::Damaged,
            Self::Newer { .. } => Trouble::Newer,
            Self::WrongKey { .. } | Self::BackupOfOther { .. } => Trouble::WrongKey,
            Self::Exists(_)
            | Self::Replaced(_)
            | Self::Forked
            | Self::Unanswered
            | Self::Serialize(_)
            | Self::Chain(_) => Trouble::Other,
        }
    }
}

impl SqliteError {
    /// The file that was in the way, where it names one.
    fn file(&self) -> Option<&Path> {
        match self {
            Self::Absent(path)
            | Self::Exists(path)
            | Self::NotPlain { path, .. }
            | Self::Owner { path, .. }
            | Self::Mode { path, .. }
            | Self::File { path, .. }
            | Self::Queue { path, .. }
            | Self::Unfinished { path, .. }
            | Self::Readers { path, .. }
            | Self::Full(path)
            | Self::Replaced(path)
            | Self::Restoring(path)
            | Self::BackupOfOther { path, .. }
            | Self::Foreign(path)
            | Self::Integrity { path, .. } => Some(path),
            Self::Busy
            | Self::Forked
            | Self::Unanswered
            | Self::Sqlite(_)
            | Self::Newer { .. }
            | Self::WrongKey { .. }
            | Self::Document(_)
            | Self::Sent(_)
            | Self::Tickets(_)
            | Self::Sealed(_)
            | Self::Serialize(_)
            | Self::Chain(_) => None,
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
    use std::path::{Path, PathBuf};

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
    fn each_kind_says_what_is_wrong_and_the_command_that_helps() {
        for kind in Trouble::ALL {
            let advice = kind.advice_about(Path::new("/var/lib/countersign/store.db"));
            assert!(advice.ends_with('.') && advice.matches('\'').count() >= 2, "{}: {advice}", kind.name());
            assert!(!advice.contains("FILE"), "{}: {advice}", kind.name());
            assert!(kind.meaning().len() > 20, "{}", kind.name());
        }
    }
}
