//! The system user, and the folder with the key and the store that belong to it.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, lchown};
use std::path::Path;
use std::process::Command;

use assembly::config::Settings;
use assembly::store::Sqlite;
use assembly::{SystemRandom, key_file, places};
use nix::errno::Errno;
use nix::unistd::User;

use super::Step;
use crate::failure::Failure;

/// Whose the files are.
#[derive(Clone, Copy)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The system user, made where it is missing.
pub(super) fn system_user(steps: &mut Vec<Step>) -> Result<Owner, Failure> {
    let name = Path::new(places::SYSTEM_USER);
    if let Some(owner) = find_user()? {
        steps.push(Step::found("system user", name));
        return Ok(owner);
    }
    // Its home is not made here: the state directory gets its rights below.
    let mut useradd = Command::new("/usr/sbin/useradd");
    useradd.args(["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]);
    useradd.args(["--shell", "/usr/sbin/nologin", "--comment", "Countersign", places::SYSTEM_USER]);
    run("useradd", useradd.env_clear())?;
    steps.push(Step::made("system user", name));
    find_user()?
        .ok_or_else(|| Failure::Program { program: "useradd", said: "the user is still unknown".to_owned() })
}

fn find_user() -> Result<Option<Owner>, Failure> {
    // Where SSSD is installed and does not run, a name that nobody has comes back as an error (getpwnam(3): ENOENT).
    let found = match User::from_name(places::SYSTEM_USER) {
        Err(Errno::ENOENT | Errno::ESRCH) => Ok(None),
        found => found,
    };
    let found = found.map_err(|error| Failure::file("look into", Path::new("/etc/passwd"))(error.into()))?;
    Ok(found.map(|user| Owner { uid: user.uid.as_raw(), gid: user.gid.as_raw() }))
}

fn run(program: &'static str, command: &mut Command) -> Result<(), Failure> {
    let output = command.output().map_err(Failure::file("start", Path::new(program)))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or("it said nothing");
    Err(Failure::Program { program, said: last.to_owned() })
}

/// The folder of the settings. Everybody has to get at them, whatever the umask is; one that is there stays as it is.
pub(super) fn settings_folder(folder: &Path) -> Result<(), Failure> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(Failure::file("make", folder))?;
    fs::set_permissions(folder, Permissions::from_mode(0o755)).map_err(Failure::file("chmod", folder))
}

/// The folder, the key and the store. A key is never overwritten, and none is made beside a store that needs another.
pub(super) fn state_directory(
    settings: &Settings,
    owner: Owner,
    steps: &mut Vec<Step>,
) -> Result<(), Failure> {
    let folder = &settings.state_directory;
    steps.push(make_folder(folder, owner)?);
    let (key, store) = (places::master_key(settings), places::store(settings));
    let has_store = fs::symlink_metadata(&store).is_ok();
    steps.push(make_key(&key, has_store, owner)?);
    // After the key, so that in a new folder the owner cannot have put anything in its way.
    lchown(folder, Some(owner.uid), Some(owner.gid)).map_err(Failure::file("chown", folder))?;
    if has_store {
        steps.push(Step::found("store", &store));
        return Ok(());
    }
    // A new store asks nobody for a second proof: it must not take the place of one that is lost.
    if has_had_store(&store) || fs::symlink_metadata(places::break_glass(settings)).is_ok() {
        return Err(Failure::StoreLost(store));
    }
    Sqlite::create(&store, Some(owner.uid))?;
    steps.push(Step::made("store", &store));
    Ok(())
}

/// The mark stands beside every store, and stays where the store has gone.
fn has_had_store(store: &Path) -> bool {
    let mut mark = store.as_os_str().to_owned();
    mark.push("-mark");
    fs::symlink_metadata(mark).is_ok()
}

fn make_folder(folder: &Path, owner: Owner) -> Result<Step, Failure> {
    if let Ok(metadata) = fs::symlink_metadata(folder) {
        let is_owned = metadata.uid() == owner.uid || metadata.uid() == 0;
        if !metadata.is_dir() || !is_owned || metadata.mode() & 0o7777 != 0o700 {
            return Err(Failure::UnsafeFolder(folder.to_owned()));
        }
        return Ok(Step::found("state directory", folder));
    }
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above).map_err(Failure::file("make", above))?;
    }
    DirBuilder::new().mode(0o700).create(folder).map_err(Failure::file("make", folder))?;
    Ok(Step::made("state directory", folder))
}

fn make_key(key: &Path, has_store: bool, owner: Owner) -> Result<Step, Failure> {
    if fs::symlink_metadata(key).is_ok() {
        return Ok(Step::found("master key", key));
    }
    if has_store {
        return Err(Failure::KeyLost(key.to_owned()));
    }
    // The ring itself is not needed yet.
    let _ = key_file::create(key, &SystemRandom, Some(owner.uid))?;
    Ok(Step::made("master key", key))
}
