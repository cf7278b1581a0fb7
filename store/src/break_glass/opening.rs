//! Making, opening and locking the file: 0600, of the store's owner or root, never through a link.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::libc;
use nix::unistd::geteuid;

use crate::break_glass::error::{BreakGlassError, failed};
use crate::break_glass::layout::{FILE_OCTETS, PAUSE, WAIT};

const FILE_MODE: u32 = 0o600;
const OTHERS: u32 = 0o077;
const OTHERS_WRITE: u32 = 0o022;

/// What the file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// To look; others may look at the same time.
    Read,
    /// To change it, alone.
    Change,
}

/// Opens the file and locks it until it is closed. The kernel drops the lock of whoever dies.
pub(super) fn open(path: &Path, owner: u32, access: Access) -> Result<File, BreakGlassError> {
    open_within(path, owner, access, WAIT)
}

pub(super) fn open_within(
    path: &Path,
    owner: u32,
    access: Access,
    longest: Duration,
) -> Result<File, BreakGlassError> {
    check_folder(path, owner)?;
    let mut options = OpenOptions::new();
    // A pipe in its place must not make a login wait.
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    options.read(true).write(access == Access::Change).custom_flags(flags.bits());
    let file = options.open(path).map_err(|source| refusal(path, source))?;
    check(path, &file.metadata().map_err(failed("look at", path))?, owner)?;
    lock(path, &file, access, longest)?;
    Ok(file)
}

fn refusal(path: &Path, source: std::io::Error) -> BreakGlassError {
    match source.kind() {
        ErrorKind::NotFound => BreakGlassError::Absent(path.to_owned()),
        _ if source.raw_os_error() == Some(libc::ELOOP) => not_plain(path, "file"),
        _ => failed("open", path)(source),
    }
}

fn check(path: &Path, metadata: &Metadata, owner: u32) -> Result<(), BreakGlassError> {
    if !metadata.is_file() {
        return Err(not_plain(path, "file"));
    }
    check_rights(path, metadata, owner, OTHERS)?;
    // Cut off, it would be written beyond its end, which is what must never be needed.
    if metadata.len() == FILE_OCTETS { Ok(()) } else { Err(BreakGlassError::Foreign(path.to_owned())) }
}

/// Who can change the folder can put another file in its place.
fn check_folder(path: &Path, owner: u32) -> Result<(), BreakGlassError> {
    let folder = folder(path);
    let metadata = fs::metadata(&folder).map_err(|source| match source.kind() {
        ErrorKind::NotFound => BreakGlassError::NoFolder(folder.clone()),
        _ => failed("look at", &folder)(source),
    })?;
    if !metadata.is_dir() {
        return Err(not_plain(&folder, "folder"));
    }
    check_rights(&folder, &metadata, owner, OTHERS_WRITE)
}

fn check_rights(path: &Path, metadata: &Metadata, owner: u32, forbidden: u32) -> Result<(), BreakGlassError> {
    let is_owned = metadata.uid() == owner || metadata.uid() == 0;
    if is_owned && metadata.mode() & forbidden == 0 {
        return Ok(());
    }
    let mode = metadata.mode() & 0o7777;
    let remedy = if forbidden == OTHERS { "go=" } else { "go-w" };
    Err(BreakGlassError::Exposed {
        path: path.to_owned(),
        owner: metadata.uid(),
        mode,
        expected: owner,
        remedy,
    })
}

/// It polls, as the queue of the store does: a PAM module must not touch its caller's signals.
fn lock(path: &Path, file: &File, access: Access, longest: Duration) -> Result<(), BreakGlassError> {
    let began = Instant::now();
    loop {
        let locked = match access {
            Access::Read => file.try_lock_shared(),
            Access::Change => file.try_lock(),
        };
        match locked {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(source)) => return Err(failed("lock", path)(source)),
            Err(TryLockError::WouldBlock) if began.elapsed() >= longest => {
                return Err(BreakGlassError::Held { path: path.to_owned(), seconds: longest.as_secs() });
            }
            Err(TryLockError::WouldBlock) => sleep(PAUSE),
        }
    }
}

/// A new file with this content, under its name only once it is whole and on the disk.
pub(super) fn create(path: &Path, owner: u32, content: &[u8]) -> Result<(), BreakGlassError> {
    check_folder(path, owner)?;
    let unfinished = unfinished(path);
    // What a broken-off try left.
    let _ = fs::remove_file(&unfinished);
    let written = write_new(&unfinished, owner, content)
        .and_then(|()| fs::rename(&unfinished, path))
        .and_then(|()| File::open(folder(path))?.sync_all());
    written.map_err(failed("make", path)).inspect_err(|_| {
        let _ = fs::remove_file(&unfinished);
    })
}

fn write_new(path: &Path, owner: u32, content: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(FILE_MODE).custom_flags(OFlag::O_NOFOLLOW.bits());
    let mut file = options.open(path)?;
    file.write_all(content)?;
    if geteuid().as_raw() != owner {
        fchown(&file, Some(owner), None)?;
    }
    file.sync_all()
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-new");
    name.into()
}

fn folder(path: &Path) -> PathBuf {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

fn not_plain(path: &Path, expected: &'static str) -> BreakGlassError {
    BreakGlassError::NotPlain { path: path.to_owned(), expected }
}
