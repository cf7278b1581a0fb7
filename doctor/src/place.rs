//! Where something stands: a file of the machine, and a line of it.

use std::path::{Path, PathBuf};

/// A line of a file, or a file as a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, as the machine names it.
    pub file: PathBuf,
    /// The line, from 1; 0 where the file as a whole is meant.
    pub line: u32,
}

impl Place {
    /// A line.
    #[must_use]
    pub fn new(file: &Path, line: u32) -> Self {
        Self { file: file.to_owned(), line }
    }

    /// A file as a whole.
    #[must_use]
    pub fn whole(file: &Path) -> Self {
        Self::new(file, 0)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.file.display()),
            line => write!(f, "{}:{line}", self.file.display()),
        }
    }
}
