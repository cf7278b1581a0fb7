//! Settings of a long-lived server: a file with a mistake never replaces a good one.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use crate::error::ConfigError;
use crate::finding::Finding;
use crate::settings::Settings;

/// The settings in force, exchanged whole.
pub struct Live {
    path: PathBuf,
    current: RwLock<Arc<Settings>>,
}

impl Live {
    /// Reads the file for the first time; the warnings come with it.
    pub fn open(path: &Path) -> Result<(Self, Vec<Finding>), ConfigError> {
        let loaded = Settings::load(path)?;
        let current = RwLock::new(Arc::new(loaded.settings));
        Ok((Self { path: path.to_owned(), current }, loaded.warnings))
    }

    /// The settings in force. Work that has begun with them goes on with them.
    #[must_use]
    pub fn current(&self) -> Arc<Settings> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the file again. On an error the old settings stay in force.
    pub fn reload(&self) -> Result<Vec<Finding>, ConfigError> {
        let loaded = Settings::load(&self.path)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded.settings);
        Ok(loaded.warnings)
    }
}
