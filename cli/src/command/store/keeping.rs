//! The store that a restore overwrites: whether it may, and where a copy of it stays.

use std::fs;
use std::path::{Path, PathBuf};

use assembly::config::Settings;
use assembly::store::{Rollback, Trouble};
use assembly::{SystemClock, places};
use common::ports::Clock as _;

use crate::failure::Failure;
use crate::terminal::{self, Consent, Seat};

/// Names that are tried for the copy, one for each second from now.
const NAMES_MAX: u64 = 60;

/// Asks a person at a terminal; where no store is, there is nothing to lose.
pub(super) fn may_overwrite(settings: &Settings, backup: &Path) -> Result<Consent, Failure> {
    let store = places::store(settings);
    if terminal::seat() == Seat::Script || fs::symlink_metadata(&store).is_err() {
        return Ok(Consent::Given);
    }
    terminal::consent(&format!(
        "Put {} in the place of {}? Accounts, blocks and records newer than the backup will not be in it.",
        backup.display(),
        store.display()
    ))
}

/// Copies the store that is there beside itself. `None` where there is none, and where it is damaged: that one is set
/// aside as it is. With it what was noticed on the way.
pub(super) fn keep(settings: &Settings) -> Result<(Option<PathBuf>, Option<Rollback>), Failure> {
    let store = places::store(settings);
    if !fs::metadata(&store).is_ok_and(|metadata| metadata.len() > 0) {
        return Ok((None, None));
    }
    let copy = free_name(&store);
    match assembly::copy_store(settings, &copy).map_err(Failure::from) {
        Ok(rollback) => Ok((Some(copy), rollback)),
        Err(failure) if failure.store_trouble() == Some(Trouble::Damaged) => Ok((None, None)),
        Err(failure) => Err(Failure::NotKept { copy, source: Box::new(failure) }),
    }
}

/// `store.db-before-SECONDS`, of the first second from now that nothing is named after.
fn free_name(store: &Path) -> PathBuf {
    let now = SystemClock.now();
    let named = |ahead: u64| {
        let mut name = store.as_os_str().to_owned();
        name.push(format!("-before-{}", now.plus_seconds(ahead).seconds()));
        PathBuf::from(name)
    };
    let mut names = (0..NAMES_MAX).map(named);
    names.find(|name| fs::symlink_metadata(name).is_err()).unwrap_or_else(|| named(NAMES_MAX))
}
