//! A machine in a folder: files are planted, and what the doctor finds is told in short.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use assembly::local::arguments::Arguments;
use common::PrimaryMode;
use doctor::{Diagnosis, Facts, Tree, examine};

/// Stack (a) of docs/pam.md.
pub(crate) const A: &str = "auth required pam_countersign.so primary=own\n";
/// Stack (b).
pub(crate) const B: &str = "auth [success=1 default=ignore] pam_unix.so\n\
                     auth [success=done default=die] pam_countersign.so primary=failed\n\
                     auth required pam_countersign.so primary=stack\n";
/// Stack (c).
pub(crate) const C: &str = "auth required pam_countersign.so primary=none\n";
/// /etc/pam.d/common-auth of Debian.
pub(crate) const COMMON_AUTH: &str = "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n\
                           auth required pam_permit.so\nauth optional pam_cap.so\n";
/// What every service has beside it.
pub(crate) const ACCOUNT: &str = "account required pam_unix.so\n";

/// sshd_config for (a) and (b).
pub(crate) const SSHD_AB: &str = "UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\n\
                           AuthenticationMethods keyboard-interactive\n";
/// sshd_config for (c).
pub(crate) const SSHD_C: &str = "UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\n\
                          AuthenticationMethods publickey,keyboard-interactive\n";

/// A folder that looks like a machine.
pub(crate) struct Machine {
    folder: tempfile::TempDir,
    pub(crate) root_signs_in: bool,
    pub(crate) registers: bool,
    pub(crate) local_answers: bool,
    pub(crate) own_password: bool,
    pub(crate) primary_service: Option<String>,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            root_signs_in: false,
            registers: false,
            local_answers: true,
            own_password: true,
            primary_service: None,
        }
    }

    /// With a PAM service, whose `account` lines are as they should be.
    pub(crate) fn with_stack(self, service: &str, auth: &str) -> Self {
        self.with(&format!("/etc/pam.d/{service}"), &format!("{auth}{ACCOUNT}"))
    }

    pub(crate) fn with(self, path: &str, text: &str) -> Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        self
    }

    pub(crate) fn with_mode(self, path: &str, mode: u32) -> Self {
        fs::set_permissions(self.path(path), Permissions::from_mode(mode)).unwrap();
        self
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    pub(crate) fn examined(&self) -> Diagnosis {
        let own = fs::metadata(self.folder.path()).unwrap().uid();
        let facts = Facts {
            read_arguments: &read_arguments,
            primary_service: self.primary_service.clone(),
            own_password: self.own_password,
            root_signs_in: self.root_signs_in,
            registers_at: &|_| self.registers,
            local_answers: self.local_answers,
            local_socket: "/run/countersign/local.sock".into(),
            root: own,
            system_user: None,
            own_files: vec!["/etc/countersign".into()],
        };
        examine(&Tree::new(self.folder.path()), &facts)
    }

    /// Each finding as `kind file:line`.
    pub(crate) fn findings(&self) -> Vec<String> {
        let findings = self.examined().findings;
        for finding in &findings {
            assert!(!finding.found.is_empty() && !finding.instead.is_empty(), "{finding:?}");
        }
        findings.iter().map(|it| format!("{} {}", it.kind.name(), it.place)).collect()
    }

    /// Who gets in at a service, in words.
    pub(crate) fn gets_in(&self, service: &str) -> Vec<String> {
        let services = self.examined().services;
        services.into_iter().find(|it| it.service == service).map(|it| it.words).unwrap_or_default()
    }
}

fn read_arguments(words: &[String]) -> Result<PrimaryMode, String> {
    Arguments::of_words(words).map(|arguments| arguments.primary).map_err(|mistake| mistake.to_string())
}

/// Fails with the whole list where it is another one.
pub(crate) fn check(machine: &Machine, expected: &[&str]) {
    assert_eq!(machine.findings(), expected, "{:#?}", machine.examined().findings);
}

/// A file below /etc/pam.d.
pub(crate) fn at(service: &str, kind: &str, line: u32) -> String {
    format!("{kind} {}:{line}", Path::new("/etc/pam.d").join(service).display())
}
