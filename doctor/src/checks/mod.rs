//! The checks, and what all of them look at.

pub(crate) mod around;
mod culprit;
pub(crate) mod pam;
pub(crate) mod rights;
pub(crate) mod sshd;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::pam::code::Code;
use crate::pam::dispatch;
use crate::pam::modules::{OURS, Part, Setting};
use crate::pam::printed::Printed;
use crate::pam::stack::{self, OTHER, Service, Step};
use crate::pam::ways::{Ways, ways};
use crate::sshd::config::Config;
use crate::{Facts, Tree, module_folders};

/// Files that are there to be included by every service.
const COMMON_FILES: [&str; 10] = [
    "base-auth",
    "fingerprint-auth",
    "password-auth",
    "postlogin",
    "smartcard-auth",
    "system-auth",
    "system-local-login",
    "system-login",
    "system-remote-login",
    "system-services",
];

/// The machine, read once.
pub(crate) struct Site<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) facts: &'a Facts<'a>,
    pub(crate) services: Vec<Examined>,
    pub(crate) module_folders: Vec<PathBuf>,
    pub(crate) sshd_config: Option<Config>,
    /// What stands in for a service that has no `account` lines: whether that refuses.
    pub(crate) other_refuses: bool,
    /// The names of files that are there to be included.
    included: BTreeSet<String>,
}

/// A service with all that its stack comes to.
pub(crate) struct Examined {
    pub(crate) service: Service,
    pub(crate) ways: Ways,
    pub(crate) printed: Option<Printed>,
}

impl<'a> Site<'a> {
    pub(crate) fn load(tree: &'a Tree, facts: &'a Facts<'a>) -> Self {
        let mut site = Self {
            tree,
            facts,
            services: Vec::new(),
            module_folders: module_folders(tree),
            sshd_config: Config::load(tree),
            other_refuses: true,
            included: BTreeSet::new(),
        };
        let mut loaded = stack::load_all(tree);
        site.included = common_files(&loaded);
        let other = loaded.iter().find(|service| service.name == OTHER).cloned().unwrap_or_default();
        site.other_refuses = refuses(&other.account);
        // libpam takes the lines of that one where a service has none of its own.
        for service in loaded.iter_mut().filter(|service| service.auth.is_empty()) {
            service.auth.clone_from(&other.auth);
        }
        site.services = loaded.into_iter().map(|service| site.examined(service)).collect();
        site
    }

    fn examined(&self, service: Service) -> Examined {
        let by_sshd = self.sshd_services().contains(&service.name);
        let ways = self.ways_of(&service.auth, by_sshd, false);
        let printed = Printed::recognise(&service.name, &service.auth, &ways.parts);
        Examined { service, ways, printed }
    }

    /// Who gets in with what by a stack.
    pub(crate) fn ways_of(&self, steps: &[Step], by_sshd: bool, one_answer: bool) -> Ways {
        let is_module = |path: &str| self.is_module(path);
        let setting = Setting {
            read_arguments: self.facts.read_arguments,
            is_module: &is_module,
            by_sshd,
            one_answer,
            own_password: self.facts.own_password,
        };
        ways(steps, &setting)
    }

    /// The PAM services that sshd asks.
    pub(crate) fn sshd_services(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::from(["sshd".to_owned()]);
        if let Some(config) = &self.sshd_config {
            let named = config.settings.iter().filter(|setting| setting.keyword == "pamservicename");
            names.extend(named.filter_map(|setting| setting.arguments.first().cloned()));
        }
        names
    }

    pub(crate) fn service(&self, name: &str) -> Option<&Examined> {
        self.services.iter().find(|examined| examined.service.name == name)
    }

    /// Whether libpam finds a module. A tree without any module is no machine, and says nothing about that.
    pub(crate) fn is_module(&self, path: &str) -> bool {
        let path = path.strip_prefix("$ISA/").unwrap_or(path);
        if path.starts_with('/') {
            return self.module_folders.is_empty() || self.tree.metadata(Path::new(path)).is_some();
        }
        self.module_folders.is_empty()
            || self.module_folders.iter().any(|folder| self.tree.metadata(&folder.join(path)).is_some())
    }
}

/// Files that every service includes, by their names or because several do: no program asks them.
fn common_files(services: &[Service]) -> BTreeSet<String> {
    let is_common = |name: &str| {
        let including = services.iter().filter(|it| it.includes.contains(name)).count();
        including > 1 || name.starts_with("common-") || COMMON_FILES.contains(&name)
    };
    services.iter().map(|service| service.name.clone()).filter(|name| is_common(name)).collect()
}

/// Whether `account` lines say no to everybody: by `pam_deny.so`, or because there are none.
fn refuses(account: &[Step]) -> bool {
    let said =
        |step: &Step| if step.module() == Some("pam_deny.so") { Code::AUTH_ERR } else { Code::SUCCESS };
    dispatch::run(account, said) != Code::SUCCESS
}

impl Examined {
    /// Whether our module stands among the lines about who somebody is.
    pub(crate) fn has_ours(&self) -> bool {
        self.service.auth.iter().any(is_ours)
    }

    /// Whether programs ask it: not what is only there to be included.
    pub(crate) fn is_for_programs(&self, site: &Site<'_>) -> bool {
        !site.included.contains(&self.service.name)
    }

    /// The lines about who somebody is, with what each comes to.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&Step, &Part)> {
        self.service.auth.iter().zip(&self.ways.parts)
    }
}

/// Whether a line calls our module.
pub(crate) fn is_ours(step: &Step) -> bool {
    step.module() == Some(OURS)
}
