//! Places files so that each is there wholly or not at all, and takes them away again.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::install::InstallError;
use crate::install::files::{Existing, Piece};

/// Says what an installation has placed, one absolute path a line; a later `uninstall` removes these and no others.
const MANIFEST: &str = "/usr/share/countersign/installed";

/// Where the path of a machine is below the destination folder.
pub(super) fn below(destination: &Path, path: &Path) -> PathBuf {
    destination.join(path.strip_prefix("/").unwrap_or(path))
}

/// Places all pieces but those that are the administrator's already, and writes down which. Says where they are.
pub(super) fn place_all(destination: &Path, pieces: &[Piece]) -> Result<Vec<PathBuf>, InstallError> {
    let is_due = |piece: &&Piece| {
        piece.existing == Existing::Replaced || !is_there(&below(destination, &piece.target))
    };
    let pieces: Vec<&Piece> = pieces.iter().filter(is_due).collect();
    let open = |piece: &&Piece| File::open(&piece.source).map_err(InstallError::file("read", &piece.source));
    // Opened first: a program that was never built is no reason for half an installation.
    let contents = pieces.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let mut placed = read_manifest(destination)?;
    let ours = pieces.iter().filter(|piece| piece.existing == Existing::Replaced);
    placed.extend(ours.map(|piece| piece.target.clone()));
    placed.sort();
    placed.dedup();
    // Written first: an installation that is cut off half-way can be taken away too.
    write_manifest(destination, &placed)?;
    let targets: Vec<PathBuf> = pieces.iter().map(|piece| below(destination, &piece.target)).collect();
    for ((piece, target), content) in pieces.iter().zip(&targets).zip(contents) {
        place(content, target, piece.mode)?;
    }
    Ok(targets)
}

/// A link counts, wherever it leads.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Removes what the manifest names, then the manifest; says what was removed.
pub(super) fn remove_all(destination: &Path) -> Result<Vec<PathBuf>, InstallError> {
    let placed = read_manifest(destination)?;
    let mut removed = Vec::new();
    for path in placed.iter().map(PathBuf::as_path).chain([Path::new(MANIFEST)]) {
        let target = below(destination, path);
        match fs::remove_file(&target) {
            Ok(()) => removed.push(target.clone()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(InstallError::file("remove", &target)(source)),
        }
        remove_own_folder(&target);
    }
    Ok(removed)
}

/// Folders named after us go when they are empty; all others were there before, or belong to the administrator now.
fn remove_own_folder(file: &Path) {
    if let Some(folder) = file.parent()
        && folder.file_name().is_some_and(|name| name == "countersign")
    {
        // It fails for a folder that is not empty, and that is what should stay.
        let _ = fs::remove_dir(folder);
    }
}

/// A rename in the same folder: a program that is running or a module that is loading sees the old file or the new one.
fn place(mut content: impl io::Read, target: &Path, mode: u32) -> Result<(), InstallError> {
    let folder = target.parent().unwrap_or(Path::new("/"));
    make_folder(folder)?;
    let writing = || InstallError::file("write", target);
    let mut file = tempfile::Builder::new().prefix(".countersign-").tempfile_in(folder).map_err(writing())?;
    io::copy(&mut content, &mut file).map_err(writing())?;
    file.as_file().set_permissions(fs::Permissions::from_mode(mode)).map_err(writing())?;
    if nix::unistd::Uid::effective().is_root() {
        chown(file.path(), Some(0), Some(0)).map_err(writing())?;
    }
    file.as_file().sync_all().map_err(writing())?;
    file.persist(target).map_err(|error| writing()(error.error))?;
    Ok(())
}

/// Makes a folder with those above it, open to everybody whatever the umask is.
fn make_folder(folder: &Path) -> Result<(), InstallError> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        make_folder(above)?;
    }
    let made =
        fs::create_dir(folder).and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(0o755)));
    made.map_err(InstallError::file("make", folder))
}

fn read_manifest(destination: &Path) -> Result<Vec<PathBuf>, InstallError> {
    let file = below(destination, Path::new(MANIFEST));
    match fs::read_to_string(&file) {
        Ok(text) => Ok(text.lines().map(PathBuf::from).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(InstallError::file("read", &file)(source)),
    }
}

fn write_manifest(destination: &Path, placed: &[PathBuf]) -> Result<(), InstallError> {
    let lines: String = placed.iter().map(|path| format!("{}\n", path.display())).collect();
    place(lines.as_bytes(), &below(destination, Path::new(MANIFEST)), 0o644)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files_below(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect();
        files.sort();
        files
    }

    #[test]
    fn what_was_placed_is_removed_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let source = root.path().join("built");
        fs::write(&source, "module").unwrap();
        let destination = root.path().join("destination");
        let own = destination.join("etc/countersign/countersign.toml");
        fs::create_dir_all(own.parent().unwrap()).unwrap();
        fs::write(&own, "the administrator's").unwrap();
        let piece = |target: &str, mode| Piece {
            source: source.clone(),
            target: target.into(),
            mode,
            existing: Existing::Replaced,
        };
        let pieces = [piece("/usr/bin/a", 0o755), piece("/etc/countersign/a.example", 0o644)];
        place_all(&destination, &pieces).unwrap();
        let program = destination.join("usr/bin/a");
        assert_eq!(fs::read_to_string(&program).unwrap(), "module");
        assert_eq!(fs::metadata(&program).unwrap().permissions().mode() & 0o7777, 0o755);
        assert_eq!(files_below(&destination).len(), 4);
        assert_eq!(remove_all(&destination).unwrap().len(), 3);
        assert_eq!(files_below(&destination), [own]);
        assert_eq!(remove_all(&destination).unwrap(), Vec::<PathBuf>::new());
    }

    #[test]
    fn what_is_the_administrators_is_neither_replaced_nor_removed() {
        let root = tempfile::tempdir().unwrap();
        let source = root.path().join("stack");
        fs::write(&source, "as delivered").unwrap();
        let piece = Piece { source, target: "/etc/pam.d/a".into(), mode: 0o644, existing: Existing::Kept };
        let destination = root.path().join("destination");
        let target = destination.join("etc/pam.d/a");
        assert_eq!(
            place_all(&destination, std::slice::from_ref(&piece)).unwrap(),
            std::slice::from_ref(&target)
        );
        fs::write(&target, "changed").unwrap();
        assert_eq!(place_all(&destination, &[piece]).unwrap(), Vec::<PathBuf>::new());
        remove_all(&destination).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "changed");
    }
}
