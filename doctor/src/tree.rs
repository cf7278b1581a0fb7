//! The files of a machine below a root folder: bounded, never waiting for a pipe, changing nothing.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use crate::limits::{ENTRIES_MAX, FILE_OCTETS_MAX};

/// A machine's files. Paths are as that machine has them: absolute, without the root.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
}

/// What became of reading a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Its text; octets that are no UTF-8 are replaced, since no word that matters has any.
    Text(String),
    /// It is not there.
    Absent,
    /// It is there and cannot be read, for this reason.
    Unreadable(String),
}

impl Tree {
    /// The machine whose `/` is this folder.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Reads a file.
    #[must_use]
    pub fn read(&self, path: &Path) -> Contents {
        match self.try_read(path) {
            Ok(text) => Contents::Text(text),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Contents::Absent
            }
            Err(error) => Contents::Unreadable(error.to_string()),
        }
    }

    /// The names in a folder, in order.
    #[must_use]
    pub fn names(&self, folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(self.below(folder)).into_iter().flatten().flatten().take(ENTRIES_MAX);
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// Whether there is a file, a folder or anything else of that name; links are followed.
    #[must_use]
    pub fn metadata(&self, path: &Path) -> Option<Metadata> {
        fs::metadata(self.below(path)).ok()
    }

    /// Whether there is a plain file.
    #[must_use]
    pub fn is_file(&self, path: &Path) -> bool {
        self.metadata(path).is_some_and(|metadata| metadata.is_file())
    }

    fn try_read(&self, path: &Path) -> io::Result<String> {
        let path = self.below(path);
        // Looked at first: a pipe would make us wait for whoever writes into it.
        if !fs::metadata(&path)?.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is no plain file"));
        }
        let mut octets = Vec::new();
        let read = File::open(path)?.take(FILE_OCTETS_MAX.saturating_add(1)).read_to_end(&mut octets)?;
        if u64::try_from(read).is_ok_and(|octets| octets > FILE_OCTETS_MAX) {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is longer than any such file"));
        }
        Ok(String::from_utf8_lossy(&octets).into_owned())
    }

    fn below(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }
}
