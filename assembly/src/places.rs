//! Where things are in the state directory, and whose it is.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use config::Settings;

use crate::AssemblyError;

/// The system user that owns the state directory and runs the server.
pub const SYSTEM_USER: &str = "countersign";

/// The database.
#[must_use]
pub fn store(settings: &Settings) -> PathBuf {
    settings.state_directory.join("store.db")
}

/// The file with the master keys.
#[must_use]
pub fn master_key(settings: &Settings) -> PathBuf {
    settings.state_directory.join("master.key")
}

/// The file of the break-glass accounts.
#[must_use]
pub fn break_glass(settings: &Settings) -> PathBuf {
    settings.break_glass_file.clone()
}

/// The uid of whoever owns the state directory: it must own all that is in it. A link is not followed.
pub fn owner(settings: &Settings) -> Result<u32, AssemblyError> {
    let path = &settings.state_directory;
    match std::fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.uid()),
        Err(source) => Err(AssemblyError::StateDirectory { path: path.clone(), source }),
    }
}
