//! What an installation consists of, and where each piece goes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cargo;
use crate::install::InstallError;

/// The module's file name: what PAM stacks name.
pub(crate) const MODULE: &str = "pam_countersign.so";

/// The stack that checks first passwords for `backend = "pam"`.
pub(super) const PRIMARY_STACK: &str = "/etc/pam.d/countersign-primary";

/// Below which folders Linux distributions keep PAM modules, as `FOLDER/security` or `FOLDER/MULTIARCH/security`.
const LIBRARY_FOLDERS: [&str; 4] = ["usr/lib64", "lib64", "usr/lib", "lib"];

/// One file of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where it comes from.
    pub(super) source: PathBuf,
    /// Where it goes, as an absolute path of the machine that it is for.
    pub(super) target: PathBuf,
    /// Its permissions.
    pub(super) mode: u32,
    /// What becomes of one that is there.
    pub(super) existing: Existing,
}

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    /// It is an older one of ours.
    Replaced,
    /// It is the administrator's, also if we have placed it once: only `--purge` removes it.
    Kept,
}

/// All files; `programs` is the folder with what cargo built.
pub(super) fn pieces(programs: &Path) -> Result<Vec<Piece>, InstallError> {
    let module = module_folder(Path::new("/"))?.join(MODULE);
    let etc = cargo::repository().join("config/etc");
    let program = |name: &str, target: &str| Piece {
        source: programs.join(name),
        target: PathBuf::from(target),
        mode: 0o755,
        existing: Existing::Replaced,
    };
    let data = |source: PathBuf, target: PathBuf| Piece {
        source,
        target,
        mode: 0o644,
        existing: Existing::Replaced,
    };
    let of_etc = |source: &str, target: &str| data(etc.join(source), PathBuf::from(target));
    Ok(vec![
        data(programs.join("libpam_countersign.so"), module),
        program("countersign", "/usr/bin/countersign"),
        program("countersign-local", "/usr/sbin/countersign-local"),
        program("countersign-radiusd", "/usr/sbin/countersign-radiusd"),
        of_etc("systemd/countersign-local.service", "/usr/lib/systemd/system/countersign-local.service"),
        of_etc("systemd/countersign-local.socket", "/usr/lib/systemd/system/countersign-local.socket"),
        of_etc("systemd/countersign-radiusd.service", "/usr/lib/systemd/system/countersign-radiusd.service"),
        of_etc("sysusers.d/countersign.conf", "/usr/lib/sysusers.d/countersign.conf"),
        of_etc("tmpfiles.d/countersign.conf", "/usr/lib/tmpfiles.d/countersign.conf"),
        // `countersign init` writes the files without `.example`; those are the administrator's.
        of_etc("countersign.toml", "/etc/countersign/countersign.toml.example"),
        of_etc("clients.toml", "/etc/countersign/clients.toml.example"),
        Piece { existing: Existing::Kept, ..of_etc("pam.d/countersign-primary", PRIMARY_STACK) },
    ])
}

/// The folder of the machine at `root` that has `pam_unix.so`: there libpam looks for modules named without a path.
fn module_folder(root: &Path) -> Result<PathBuf, InstallError> {
    let candidates = LIBRARY_FOLDERS.iter().flat_map(|folder| {
        let folder = root.join(folder);
        let multiarch = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
        std::iter::once(folder).chain(multiarch).map(|library| library.join("security"))
    });
    candidates
        .into_iter()
        .find(|folder| folder.join("pam_unix.so").is_file())
        .ok_or(InstallError::NoModuleFolder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_goes_where_pam_unix_is() {
        for folder in ["usr/lib64/security", "usr/lib/x86_64-linux-gnu/security", "lib/security"] {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join(folder);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("pam_unix.so"), "").unwrap();
            fs::create_dir_all(root.path().join("lib/another/security")).unwrap();
            assert_eq!(module_folder(root.path()).unwrap(), folder);
        }
    }

    #[test]
    fn a_machine_without_pam_is_refused() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(module_folder(root.path()), Err(InstallError::NoModuleFolder)));
    }
}
