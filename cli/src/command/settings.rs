//! `countersign config`: what is wrong with the settings, and what holds.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use assembly::config::{Colour, ConfigError, Finding, Loaded, Primary, Settings};
use assembly::places::SYSTEM_USER;
use assembly::primary::ServiceName;
use clap::{Args, Subcommand};
use common::attempt::SELF_SERVICE;
use common::policy::Policy;
use nix::unistd::User;
use serde::Serialize;

use crate::command::Outcome;
use crate::context::Context;
use crate::failure::Failure;
use crate::pam_services;
use crate::report::{Drawing, Report};

/// What is done with the settings.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say every mistake of the settings and of the clients file that they name.
    Check(Check),
    /// Show the settings; secrets are hidden.
    Show(Show),
}

/// Arguments of `config check`.
#[derive(Args)]
pub(crate) struct Check {
    /// The file to check, instead of the one in force.
    file: Option<PathBuf>,
}

/// Arguments of `config show`.
#[derive(Args)]
pub(crate) struct Show {
    /// With every default filled in.
    #[arg(long)]
    effective: bool,
}

pub(crate) fn run(context: &Context, command: &Command) -> Result<Outcome, Failure> {
    match command {
        Command::Check(Check { file }) => check(context, file.as_ref().unwrap_or(&context.settings_file)),
        Command::Show(Show { effective: true }) => {
            let settings = context.settings()?;
            context.say(&Effective { text: settings.effective_text(), json: settings.effective_json() })?;
            Ok(Outcome::Done)
        }
        Command::Show(Show { effective: false }) => {
            let file = &context.settings_file;
            let text = fs::read_to_string(file).map_err(Failure::file("read", file))?;
            context.say(&AsWritten { file: file.clone(), text })?;
            Ok(Outcome::Done)
        }
    }
}

/// Says where the first password cannot be asked for: the doors would refuse to begin.
pub(super) fn warn_of_primary(context: &Context, settings: &Settings) {
    let Primary::Pam { service } = &settings.primary else { return };
    if let Err(why) = ServiceName::find(service) {
        context.warn(&why.to_string());
    }
}

fn check(context: &Context, file: &Path) -> Result<Outcome, Failure> {
    let colour = if io::stdout().is_terminal() { Colour::Terminal } else { Colour::Plain };
    let (findings, text, outcome) = match load(context, file) {
        Ok(loaded) => {
            let shown = loaded.warnings.iter().map(|warning| format!("{}\n\n", warning.render(colour)));
            let text = format!("{}{}: no mistakes.\n", shown.collect::<String>(), file.display());
            warn_of_primary(context, &loaded.settings);
            warn_of_services(context, &loaded.settings);
            warn_of_taken_name(context);
            warn_of_group(context, &loaded.settings.clients_file);
            (loaded.warnings, text, Outcome::Done)
        }
        // A file that is not there, or that others can write, has no findings: that is said as any failure is.
        Err(error) if error.findings().is_empty() => return Err(error.into()),
        Err(error) => (error.findings().to_vec(), error.render(colour), Outcome::Refused),
    };
    let sound = outcome == Outcome::Done;
    context.say(&Checked { file: file.to_owned(), sound, findings, text })?;
    Ok(outcome)
}

/// A copy that is tried out need not have its clients beside it.
fn load(context: &Context, file: &Path) -> Result<Loaded, ConfigError> {
    if file == context.settings_file { Settings::load(file) } else { Settings::load_copy(file) }
}

/// A rule or an opening for a misspelt service never decides anything, and nobody would notice.
fn warn_of_services(context: &Context, settings: &Settings) {
    let Policy { rules, registration, .. } = &settings.policy;
    let of_rules = rules.iter().map(|rule| ("rule", &rule.name, &rule.when.services));
    let openings = registration.openings.iter().map(|opening| ("opening", &opening.name, &opening.services));
    for (what, name, services) in of_rules.chain(openings) {
        let of_pam = services.iter().filter(|service| *service != SELF_SERVICE);
        for service in of_pam.filter(|service| !pam_services::is_there(service)) {
            context.warn(&format!("{what} {name:?}: {}", pam_services::absence(service)));
        }
    }
}

/// The module refuses everybody there.
fn warn_of_taken_name(context: &Context) {
    if pam_services::is_there(SELF_SERVICE) {
        context.warn(&format!(
            "there is a PAM service {SELF_SERVICE:?}: our module refuses everybody there, since the name stands for \
             a user's own shell; give the file another name"
        ));
    }
}

/// The running server reads the clients again as its own user, when it is told to.
fn warn_of_group(context: &Context, clients_file: &Path) {
    let (Ok(Some(user)), Ok(metadata)) = (User::from_name(SYSTEM_USER), fs::metadata(clients_file)) else {
        return;
    };
    let is_owner = metadata.uid() == user.uid.as_raw();
    let is_group = metadata.gid() == user.gid.as_raw() && metadata.mode() & 0o040 != 0;
    if !is_owner && !is_group {
        let file = clients_file.display();
        context.warn(&format!(
            "the RADIUS server cannot read {file} as its user {SYSTEM_USER}: \
             run 'chgrp {SYSTEM_USER} {file} && chmod 0640 {file}'"
        ));
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Checked {
    file: PathBuf,
    sound: bool,
    findings: Vec<Finding>,
    #[serde(skip)]
    text: String,
}

impl Report for Checked {
    fn text(&self) -> String {
        self.text.clone()
    }

    fn drawing(&self) -> Drawing {
        Drawing::Coloured
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Effective {
    #[serde(skip)]
    text: String,
    json: serde_json::Value,
}

impl Report for Effective {
    fn text(&self) -> String {
        self.text.clone()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct AsWritten {
    file: PathBuf,
    text: String,
}

impl Report for AsWritten {
    fn text(&self) -> String {
        self.text.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use assembly::config::Settings;
    use assembly::primary::{PrimaryError, ServiceName};

    /// Each crate has the rule for itself; settings that pass must not be refused when the password is asked for.
    #[test]
    fn settings_take_the_pam_services_that_can_be_asked() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("countersign.toml");
        for name in ["countersign-primary", "our_own2", "our.own", "Own", "own ", "../own", ""] {
            let text = format!(
                "default-state = \"enabled\"\n[primary]\nbackend = \"pam\"\npam-service = \"{name}\"\n"
            );
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
            let is_taken = Settings::load_without_clients(&file).is_ok();
            let can_be_asked =
                !matches!(ServiceName::find(name), Err(PrimaryError::ServiceNameInvalid { .. }));
            assert_eq!(is_taken, can_be_asked, "{name:?}");
        }
    }
}
