//! What is so around the files: what the settings say, who the system user is, whether the local service answers.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use assembly::config::{Primary, Settings, paths};
use assembly::doctor;
use assembly::local::arguments::Arguments;
use assembly::places::SYSTEM_USER;
use common::PrimaryMode;
use nix::unistd::{Uid, User};

/// The same, gathered.
pub(super) struct Facts<'a> {
    settings: Option<&'a Settings>,
    system_user: Option<u32>,
    local_answers: bool,
}

impl<'a> Facts<'a> {
    pub(super) fn gather(settings: Option<&'a Settings>) -> Self {
        let user = User::from_name(SYSTEM_USER).ok().flatten();
        // Whoever listens there says nothing before it is asked, and a connection that asks nothing costs it nothing.
        let local_answers = UnixStream::connect(paths::LOCAL_SOCKET).is_ok();
        Self { settings, system_user: user.map(|user| user.uid.as_raw()), local_answers }
    }

    /// Hands them to whoever looks at the files.
    pub(super) fn with<T>(&self, look: impl FnOnce(&doctor::Facts<'_>) -> T) -> T {
        look(&doctor::Facts {
            read_arguments: &read_arguments,
            primary_service: self.settings.and_then(primary_service),
            own_password: self.settings.is_none_or(|settings| settings.primary != Primary::None),
            root_signs_in: self.settings.is_some_and(names_root),
            registers_at: &|service| self.settings.is_some_and(|settings| registers_at(settings, service)),
            local_answers: self.local_answers,
            local_socket: PathBuf::from(paths::LOCAL_SOCKET),
            root: Uid::from_raw(0).as_raw(),
            system_user: self.system_user,
            own_files: own_files(self.settings),
        })
    }
}

fn read_arguments(words: &[String]) -> Result<PrimaryMode, String> {
    Arguments::of_words(words).map(|arguments| arguments.primary).map_err(|mistake| mistake.to_string())
}

fn primary_service(settings: &Settings) -> Option<String> {
    match &settings.primary {
        Primary::Pam { service } => Some(service.clone()),
        Primary::Local | Primary::None => None,
    }
}

/// Who is kept for the day of need has to get in.
fn names_root(settings: &Settings) -> bool {
    settings.policy.break_glass.iter().any(|name| name.as_str() == "root")
}

/// Openings are where a first password alone registers, which is what takes long.
fn registers_at(settings: &Settings, service: &str) -> bool {
    let registration = &settings.policy.registration;
    let is_open = registration.openings.iter().any(|opening| opening.services.iter().any(|it| it == service));
    registration.at_sign_in && is_open
}

/// The settings themselves are looked at when they are read.
fn own_files(settings: Option<&Settings>) -> Vec<PathBuf> {
    let file = settings.map_or(Path::new(paths::SETTINGS_FILE), |settings| &settings.path);
    file.parent().map(Path::to_owned).into_iter().collect()
}
