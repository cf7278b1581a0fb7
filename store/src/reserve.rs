//! Disk space kept for the day when the disk is full: a file beside the database whose blocks are given back to the
//! disk in slices, and taken again at the end of the same write.
//!
//! It is touched only by whoever has the turn to write. What fills the disk may take whatever is free for a moment;
//! so no slice is free for longer than one write, and its size follows what that write needs.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use nix::fcntl::{FallocateFlags, fallocate};
use rusqlite::ffi;

use crate::SqliteError;
use crate::files::StoreFiles;
use crate::limits::{RESERVE_OCTETS, RESERVE_PIECE};

/// What file systems hand out at once.
const BLOCK_OCTETS: u64 = 4096;

/// The reserve of one store. `None` where it could not even be made.
pub(crate) struct Reserve(Option<File>);

/// How much of the reserve there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// All of it.
    Whole,
    /// Not yet all of it, and the disk has space left.
    Growing,
    /// Not all of it: the disk is full.
    Short,
}

impl Reserve {
    /// Opens the reserve of a store, or makes an empty one.
    pub(crate) fn open(files: &StoreFiles) -> Result<Self, SqliteError> {
        match files.beside("-reserve") {
            Ok((file, _)) => Ok(Self(Some(file))),
            // No name can be added to a full disk: better without a reserve than without a store.
            Err(SqliteError::File { source, .. }) if is_full(&source) => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }

    /// Octets that it holds.
    pub(crate) fn octets(&self) -> u64 {
        let metadata = self.0.as_ref().and_then(|file| file.metadata().ok());
        metadata.map_or(0, |metadata| metadata.len())
    }

    /// Takes up to `at_most` octets of what is missing.
    pub(crate) fn take_back(&self, at_most: u64) -> Held {
        let Some(file) = &self.0 else { return Held::Short };
        let held = self.octets();
        let end = held.saturating_add(at_most).min(RESERVE_OCTETS);
        match grow(file, held, end) {
            Ok(()) if end == RESERVE_OCTETS || held > RESERVE_OCTETS => Held::Whole,
            Err(error) if is_full(&error) => Held::Short,
            // Any other trouble with this file shall not keep anybody from being recorded.
            Ok(()) | Err(_) => Held::Growing,
        }
    }

    /// Gives up to `octets` back to the disk, and says how many.
    pub(crate) fn give_up(&self, octets: u64) -> u64 {
        let held = self.octets();
        let given = octets.checked_next_multiple_of(BLOCK_OCTETS).map_or(held, |given| given.min(held));
        let shortened = self.0.as_ref().map(|file| file.set_len(held.saturating_sub(given)));
        if matches!(shortened, Some(Ok(()))) { given } else { 0 }
    }

    /// Whether a write failed because the disk, or the owner's share of it, is full.
    ///
    /// SQLite says so only of some writes; of the others the disk is asked.
    pub(crate) fn explains(&self, error: &SqliteError) -> bool {
        match error {
            SqliteError::Full(_) => true,
            SqliteError::File { source, .. } => is_full(source),
            SqliteError::Sqlite(rusqlite::Error::SqliteFailure(failure, _)) => match failure.extended_code {
                ffi::SQLITE_FULL => true,
                ffi::SQLITE_IOERR_WRITE
                | ffi::SQLITE_IOERR_SHMSIZE
                | ffi::SQLITE_IOERR_SHMMAP
                | ffi::SQLITE_IOERR_SHMOPEN
                | ffi::SQLITE_CANTOPEN => self.finds_the_disk_full(),
                _ => false,
            },
            _ => false,
        }
    }

    fn finds_the_disk_full(&self) -> bool {
        let Some(file) = &self.0 else { return true };
        let held = self.octets();
        let grown = grow(file, held, held.saturating_add(BLOCK_OCTETS));
        let _ = file.set_len(held);
        grown.is_err_and(|error| is_full(&error))
    }
}

/// Makes a file longer by blocks that are really there, piece by piece, and to the last block that the disk has:
/// whoever fills the disk would take the rest.
fn grow(file: &File, from: u64, to: u64) -> io::Result<()> {
    let (mut held, mut piece) = (from, RESERVE_PIECE);
    while held < to {
        let octets = piece.min(to.saturating_sub(held));
        match add(file, held, octets) {
            Ok(()) => held = held.saturating_add(octets),
            Err(error) => {
                let _ = file.set_len(held);
                if piece <= BLOCK_OCTETS || !is_full(&error) {
                    return Err(error);
                }
                piece /= 2;
            }
        }
    }
    Ok(())
}

/// What is only allocated may be missing when it is written, and what is all the same may be compressed away.
fn add(file: &File, at: u64, octets: u64) -> io::Result<()> {
    let (offset, length) = (i64::try_from(at), i64::try_from(octets));
    if let (Ok(offset), Ok(length)) = (offset, length) {
        match fallocate(file, FallocateFlags::empty(), offset, length) {
            // Not every file system can; writing does it too.
            Ok(()) | Err(nix::errno::Errno::EOPNOTSUPP) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    file.write_all_at(&noise(at, octets), at)
}

/// Octets that do not compress; they are no secret (xorshift64, Marsaglia 2003).
pub(crate) fn noise(seed: u64, octets: u64) -> Vec<u8> {
    let octets = usize::try_from(octets).unwrap_or_default();
    let mut state = seed | 0x9e37_79b9_7f4a_7c15;
    let mut noise = Vec::with_capacity(octets.saturating_add(8));
    while noise.len() < octets {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    noise.truncate(octets);
    noise
}

/// Whether the kernel refused for lack of space.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::{Held, RESERVE_OCTETS, RESERVE_PIECE, Reserve};
    use crate::Process;
    use crate::files::StoreFiles;
    use crate::tests::support::Yard;

    #[test]
    fn a_new_store_has_all_of_it_and_what_was_given_up_is_taken_back() {
        let yard = Yard::new(Process::ShortLived);
        let reserve = Reserve::open(&StoreFiles::locate(&yard.path, None).unwrap()).unwrap();
        assert_eq!(reserve.take_back(0), Held::Whole);
        assert_eq!(reserve.give_up(3 * RESERVE_PIECE), 3 * RESERVE_PIECE);
        assert_eq!(reserve.take_back(RESERVE_PIECE), Held::Growing);
        assert_eq!(reserve.take_back(2 * RESERVE_PIECE), Held::Whole);
        assert_eq!(reserve.give_up(u64::MAX), RESERVE_OCTETS);
        assert_eq!(reserve.octets(), 0);
    }
}
