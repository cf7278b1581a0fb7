//! What `countersign doctor` finds in the files of a machine: its PAM stacks and sshd_config, read and gone through as
//! libpam and sshd do, and who can write to them. Who gets in with what is computed, not looked up.
//!
//! It reads below a root folder, writes nothing, starts nothing, and asks nobody.
#![forbid(unsafe_code)]

mod checks;
pub mod finding;
pub mod limits;
pub mod pam;
mod place;
pub mod sshd;
mod tree;
mod view;

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use common::PrimaryMode;

pub use finding::{Finding, Kind, Severity};
pub use place::Place;
pub use tree::{Contents, Tree};
pub use view::{ServiceView, SshdView};

use crate::sshd::config::Config;

/// What is so around the files, as far as it matters for who gets in.
pub struct Facts<'a> {
    /// Reads the arguments of pam_countersign.so as it does.
    pub read_arguments: &'a dyn Fn(&[String]) -> Result<PrimaryMode, String>,
    /// The PAM service that checks first passwords for Countersign, if one does.
    pub primary_service: Option<String>,
    /// Whether `primary=own` asks for a password: not with the backend `none`.
    pub own_password: bool,
    /// Whether root is meant to sign in with a second step.
    pub root_signs_in: bool,
    /// Whether somebody can register at a sign-in by this PAM service.
    pub registers_at: &'a dyn Fn(&str) -> bool,
    /// Whether countersign-local answers at the usual place.
    pub local_answers: bool,
    /// Where it would.
    pub local_socket: PathBuf,
    /// Who owns system files: root.
    pub root: u32,
    /// Who owns the socket's folder beside root.
    pub system_user: Option<u32>,
    /// Files of Countersign's own that nobody else may write to.
    pub own_files: Vec<PathBuf>,
}

/// What was found.
#[derive(Debug)]
pub struct Diagnosis {
    /// Everything that is not as it should be, the worst first.
    pub findings: Vec<Finding>,
    /// The PAM services of the machine, and who gets in there with what.
    pub services: Vec<ServiceView>,
    /// sshd, for everybody and for whom each `Match` block is meant.
    pub sshd: Vec<SshdView>,
    /// sshd_config, where there is one.
    pub sshd_config: Option<Config>,
}

/// Looks at a machine.
#[must_use]
pub fn examine(tree: &Tree, facts: &Facts<'_>) -> Diagnosis {
    let site = checks::Site::load(tree, facts);
    let mut findings = checks::pam::findings(&site);
    findings.extend(checks::around::findings(&site));
    let sshd = checks::sshd::look(&site);
    findings.extend(sshd.findings);
    findings.extend(checks::rights::findings(&site));
    let services = site.services.iter().filter(|it| it.is_for_programs(&site)).map(ServiceView::of);
    Diagnosis {
        findings: finding::merged(findings),
        services: services.collect(),
        sshd: sshd.views,
        sshd_config: site.sshd_config,
    }
}

/// Below which folders Linux distributions keep PAM modules, as `FOLDER/security` or `FOLDER/MULTIARCH/security`.
const LIBRARY_FOLDERS: [&str; 4] = ["/usr/lib64", "/usr/lib", "/lib64", "/lib"];

/// The folders in which libpam finds modules that are named without a path.
fn module_folders(tree: &Tree) -> Vec<PathBuf> {
    let libraries = LIBRARY_FOLDERS.iter().flat_map(|library| {
        let library = Path::new(library);
        let below = tree.names(library).into_iter().map(|name| library.join(name));
        std::iter::once(library.to_owned()).chain(below).collect::<Vec<_>>()
    });
    // /lib is a link to /usr/lib in most systems: one folder with two names.
    let mut seen = BTreeSet::new();
    let with_modules = libraries
        .map(|library| library.join("security"))
        .filter(|folder| tree.names(folder).iter().any(|name| name.starts_with("pam_")));
    let is_new = |folder: &PathBuf| {
        tree.metadata(folder).is_some_and(|metadata| seen.insert((metadata.dev(), metadata.ino())))
    };
    with_modules.filter(is_new).collect()
}
