//! The files of a store: 0600 in a directory 0700, all of one owner, opened without following links.
//!
//! The database is looked at by name and never opened here: closing any descriptor of it would drop
//! the locks that SQLite holds in this process (fcntl(2), POSIX locks).

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, fchown, lchown};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::unistd::geteuid;

use crate::SqliteError;

const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o700;
const OTHERS: u32 = 0o077;

/// Where a store is.
pub(crate) struct StoreFiles {
    /// The database.
    pub(crate) database: PathBuf,
    directory: PathBuf,
    owner: Option<u32>,
}

/// Which file a name stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl StoreFiles {
    /// The store at `path`. `owner` must own it; without one it is this process's own user, and root may open anybody's.
    ///
    /// Links above the store's own directory are resolved: that much of the path is the administrator's.
    pub(crate) fn locate(path: &Path, owner: Option<u32>) -> Result<Self, SqliteError> {
        let absolute = std::path::absolute(path).map_err(failed("find", path))?;
        let no_directory = || SqliteError::NotPlain { path: path.to_owned(), expected: "file" };
        let (Some(directory), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return Err(no_directory());
        };
        let (Some(above), Some(own)) = (directory.parent(), directory.file_name()) else {
            return Err(no_directory());
        };
        let directory = above.canonicalize().map_err(failed("find", above))?.join(own);
        Ok(Self { database: directory.join(name), directory, owner })
    }

    /// Refuses a store that others could have put there or could read, and says which file it is.
    pub(crate) fn check(&self) -> Result<FileIdentity, SqliteError> {
        let owner = self.check_directory()?;
        let metadata = look_at(&self.database)?;
        check_plain(&self.database, &metadata, owner)?;
        Ok(FileIdentity { device: metadata.dev(), inode: metadata.ino() })
    }

    /// Refuses a file beside the database that others could have put there or could read. It need not be there.
    pub(crate) fn check_beside(&self, suffix: &str) -> Result<(), SqliteError> {
        let path = self.path_beside(suffix);
        match look_at(&path) {
            Err(SqliteError::Absent(_)) => Ok(()),
            metadata => check_plain(&path, &metadata?, self.check_directory()?),
        }
    }

    /// The folder of the store.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether there is a database.
    pub(crate) fn exists(&self) -> bool {
        fs::symlink_metadata(&self.database).is_ok()
    }

    /// Makes the directory if need be, and an empty database that nobody else can read.
    pub(crate) fn create(&self) -> Result<(), SqliteError> {
        self.create_directory()?;
        self.create_file(&self.database)?;
        self.sync_directory()
    }

    /// A new file with the owner of the store. It must not exist.
    pub(crate) fn create_file(&self, path: &Path) -> Result<File, SqliteError> {
        let file = create_private(path)?;
        self.hand_over(&file, path)?;
        Ok(file)
    }

    /// A file beside the database, made if need be.
    pub(crate) fn beside(&self, suffix: &str) -> Result<(File, PathBuf), SqliteError> {
        let path = self.path_beside(suffix);
        let file = match options().open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => self.create_or_open(&path)?,
            opened => opened.map_err(failed("open", &path))?,
        };
        let metadata = file.metadata().map_err(failed("look at", &path))?;
        check_plain(&path, &metadata, self.check_directory()?)?;
        Ok((file, path))
    }

    /// The name of a file beside the database.
    pub(crate) fn path_beside(&self, suffix: &str) -> PathBuf {
        let mut name = OsString::from(&self.database);
        name.push(suffix);
        PathBuf::from(name)
    }

    /// Whether there is a write-ahead log.
    pub(crate) fn has_log(&self) -> bool {
        fs::symlink_metadata(self.path_beside("-wal")).is_ok()
    }

    /// Octets of the write-ahead log.
    pub(crate) fn log_octets(&self) -> u64 {
        fs::symlink_metadata(self.path_beside("-wal")).map_or(0, |metadata| metadata.len())
    }

    /// Makes names durable.
    pub(crate) fn sync_directory(&self) -> Result<(), SqliteError> {
        let synced = File::open(&self.directory).and_then(|directory| directory.sync_all());
        synced.map_err(failed("sync", &self.directory))
    }

    /// Two processes may be the first at once: whoever loses opens what the other made.
    fn create_or_open(&self, path: &Path) -> Result<File, SqliteError> {
        match self.create_file(path) {
            Err(SqliteError::Exists(_)) => options().open(path).map_err(failed("open", path)),
            created => created,
        }
    }

    /// Makes the store's own directory, unless it is there and as it should be.
    pub(crate) fn create_directory(&self) -> Result<(), SqliteError> {
        match DirBuilder::new().mode(DIRECTORY_MODE).create(&self.directory) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => {
                made.map_err(failed("create", &self.directory))?;
                if let Some(owner) = self.owner {
                    lchown(&self.directory, Some(owner), None).map_err(failed("chown", &self.directory))?;
                }
            }
        }
        self.check_directory().map(drop)
    }

    /// Checks the directory and gives its owner.
    fn check_directory(&self) -> Result<u32, SqliteError> {
        let metadata = look_at(&self.directory)?;
        if !metadata.is_dir() {
            return Err(SqliteError::NotPlain { path: self.directory.clone(), expected: "directory" });
        }
        let own = geteuid();
        let expected = self.owner.unwrap_or(if own.is_root() { metadata.uid() } else { own.as_raw() });
        check_rights(&self.directory, &metadata, expected)?;
        Ok(metadata.uid())
    }

    /// What root makes belongs to the owner of the directory.
    fn hand_over(&self, file: &File, path: &Path) -> Result<(), SqliteError> {
        let owner = self.check_directory()?;
        if geteuid().as_raw() == owner {
            return Ok(());
        }
        fchown(file, Some(owner), None).map_err(failed("chown", path))
    }
}

/// A new file that only this process's user can read.
pub(crate) fn create_private(path: &Path) -> Result<File, SqliteError> {
    options().create_new(true).open(path).map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => SqliteError::Exists(path.to_owned()),
        _ => failed("create", path)(source),
    })
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(FILE_MODE).custom_flags(OFlag::O_NOFOLLOW.bits());
    options
}

fn look_at(path: &Path) -> Result<Metadata, SqliteError> {
    fs::symlink_metadata(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => SqliteError::Absent(path.to_owned()),
        _ => failed("look at", path)(source),
    })
}

fn check_plain(path: &Path, metadata: &Metadata, owner: u32) -> Result<(), SqliteError> {
    if !metadata.is_file() {
        return Err(SqliteError::NotPlain { path: path.to_owned(), expected: "file" });
    }
    check_rights(path, metadata, owner)
}

fn check_rights(path: &Path, metadata: &Metadata, expected: u32) -> Result<(), SqliteError> {
    let path = path.to_owned();
    if metadata.uid() != expected {
        return Err(SqliteError::Owner { path, found: metadata.uid(), expected });
    }
    if metadata.mode() & OTHERS != 0 {
        return Err(SqliteError::Mode { path, mode: metadata.mode() & 0o7777 });
    }
    Ok(())
}

/// Names the operation and the file of a refusal.
pub(crate) fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SqliteError {
    move |source| SqliteError::File { operation, path: path.to_owned(), source }
}
