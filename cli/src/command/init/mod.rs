//! `countersign init`: everything that must be there before the first login. What is there already is left alone.

mod choices;
mod place;

use std::fs;
use std::path::{Path, PathBuf};

use assembly::config::initial;
use assembly::config::words::{Backend, Word as _};
use assembly::config::{Primary, Settings};
use assembly::places;
use assembly::store::Made;
use clap::Args;
use common::account::State;
use nix::unistd::geteuid;
use serde::Serialize;

use crate::command::settings::warn_of_primary;
use crate::command::{Outcome, break_glass};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::words::{one_of, state};

/// Arguments of `init`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// What a user is whom the primary knows and who has no account here. There is no default for it.
    #[arg(long, value_parser = state())]
    default_state: Option<State>,
    /// Who checks the first password; local, where nothing else is said.
    #[arg(long, value_parser = one_of(Backend::ALL, Backend::word))]
    backend: Option<Backend>,
    /// The name that authenticator apps show.
    #[arg(long)]
    issuer: Option<String>,
    /// Ask nothing.
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<Outcome, Failure> {
    if !geteuid().is_root() {
        return Err(Failure::NotRoot);
    }
    let mut steps = Vec::new();
    let settings = settings(&context.settings_file, arguments, &mut steps)?;
    let owner = place::system_user(&mut steps)?;
    steps.push(clients_file(&settings, owner.gid)?);
    place::state_directory(&settings, owner, &mut steps)?;
    steps.push(break_glass_file(context, &settings)?);
    warn_of_primary(context, &settings);
    let (key_file, backend) = (places::master_key(&settings), settings.primary.backend().word());
    context.say(&Initialised {
        key_file,
        backend,
        steps,
        next: next(&settings.primary, settings.policy.default_state),
    })?;
    Ok(Outcome::Done)
}

/// The settings as they are, or new ones as wished.
fn settings(file: &Path, arguments: &Arguments, steps: &mut Vec<Step>) -> Result<Settings, Failure> {
    let has_wishes =
        arguments.default_state.is_some() || arguments.backend.is_some() || arguments.issuer.is_some();
    let load = || Ok(Settings::load_without_clients(file)?.settings);
    if fs::symlink_metadata(file).is_ok() {
        if has_wishes {
            return Err(Failure::SettingsExist(file.to_owned()));
        }
        steps.push(Step::found("settings", file));
        return load();
    }
    let choices = choices::choices(arguments)?;
    if let Some(folder) = file.parent() {
        place::settings_folder(folder)?;
    }
    initial::write_settings(file, &choices)?;
    steps.push(Step::made("settings", file));
    load().inspect_err(|_| {
        // An issuer that cannot stand there: the next try must not find a file that is refused.
        let _ = fs::remove_file(file);
    })
}

fn clients_file(settings: &Settings, group: u32) -> Result<Step, Failure> {
    let file = &settings.clients_file;
    if fs::symlink_metadata(file).is_ok() {
        return Ok(Step::found("RADIUS clients", file));
    }
    initial::write_clients(file, Some(group))?;
    Ok(Step::made("RADIUS clients", file))
}

/// The file is made before there is need of it: on the day of need there may be no space. Those who are named get in.
fn break_glass_file(context: &Context, settings: &Settings) -> Result<Step, Failure> {
    let file = assembly::break_glass(settings)?;
    let step = match file.create()? {
        Made::New => Step::made("break-glass", file.path()),
        Made::Found => Step::found("break-glass", file.path()),
    };
    if !settings.policy.break_glass.is_empty() {
        break_glass::follow(context, &assembly::office(settings)?);
    }
    Ok(step)
}

/// One thing that must be there.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Step {
    what: &'static str,
    place: PathBuf,
    made: bool,
}

impl Step {
    fn made(what: &'static str, place: &Path) -> Self {
        Self { what, place: place.to_owned(), made: true }
    }

    fn found(what: &'static str, place: &Path) -> Self {
        Self { what, place: place.to_owned(), made: false }
    }
}

/// What to do next, which depends on who checks first passwords.
fn next(primary: &Primary, default_state: State) -> String {
    let (first, add, note) = match primary {
        Primary::Local => (
            "Countersign checks first passwords itself".to_owned(),
            "countersign user add NAME --password-prompt",
            "makes an account with a password of its own",
        ),
        Primary::Pam { service } => (
            format!("the PAM service {service:?} checks first passwords, those of this system"),
            "countersign user add NAME",
            "makes an account for a user of this system, without a password here",
        ),
        Primary::None => (
            "nobody checks a first password, a second proof alone lets in".to_owned(),
            "countersign user add NAME",
            "makes an account",
        ),
    };
    let commands = [
        (add, note),
        ("countersign enroll NAME totp", "registers an authenticator app, with the person beside you"),
        ("countersign user temporary-code NAME", "lets somebody register alone, at the next sign-in"),
        ("countersign recovery-codes NAME", "makes codes for the day when the phone is lost"),
    ];
    // Who is enabled becomes enforced by registering; who is disabled stays so.
    let enforce =
        ("countersign user enforce NAME", "asks for the second step from then on: a new account is disabled");
    let commands = commands
        .into_iter()
        .chain((default_state == State::Disabled).then_some(enforce))
        .chain([("countersign test NAME", "signs in here, to see that it works")]);
    let commands: Vec<_> = commands.collect();
    let width = commands.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    let lines = commands.iter().map(|(command, note)| format!("  {command:width$}   {note}\n"));
    format!("Next ({first}):\n{}", lines.collect::<String>())
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Initialised {
    key_file: PathBuf,
    backend: &'static str,
    steps: Vec<Step>,
    #[serde(skip)]
    next: String,
}

impl Report for Initialised {
    fn text(&self) -> String {
        let line = |step: &Step| {
            let done = if step.made { "made" } else { "there already, left as it is" };
            format!("{:15} {}: {done}\n", step.what, step.place.display())
        };
        let steps: String = self.steps.iter().map(line).collect();
        if !self.steps.iter().any(|step| step.made) {
            return format!("{steps}Nothing was left to do.\n");
        }
        format!(
            "{steps}\n\
             Keep a copy of {} offline: no backup of the store holds it, and without it nobody gets in.\n\n{}",
            self.key_file.display(),
            self.next
        )
    }
}

#[cfg(test)]
mod tests {
    use assembly::config::Primary;
    use common::account::State;

    use super::next;

    #[test]
    fn the_next_steps_are_those_of_the_backend() {
        let next = |primary: &Primary| next(primary, State::Enforced);
        let pam = next(&Primary::Pam { service: "countersign-primary".to_owned() });
        assert!(next(&Primary::Local).contains("user add NAME --password-prompt"));
        assert!(
            !pam.contains("--password") && pam.contains("\"countersign-primary\" checks first passwords")
        );
        assert!(!next(&Primary::None).contains("--password"));
    }

    #[test]
    fn where_new_accounts_are_disabled_the_steps_end_with_a_question_for_the_code() {
        let enforces = |state| next(&Primary::Local, state).contains("countersign user enforce NAME");
        assert!(enforces(State::Disabled));
        assert!(!enforces(State::Enabled) && !enforces(State::Enforced), "a factor is enough there");
    }
}
