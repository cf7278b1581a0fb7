//! `user add` and `user passwd`: an account, and its local password.

use assembly::config::Primary;
use assembly::{Office, SystemRandom, primary};
use clap::Args;
use common::Username;
use common::account::{PasswordHash, Role, State};
use common::acts::Act;
use common::ports::Listing as _;
use common::username::Folding;
use nix::unistd::User;

use super::done;
use crate::command::Outcome;
use crate::command::break_glass::no_password;
use crate::context::Context;
use crate::failure::Failure;
use crate::terminal;
use crate::warning::warn_of_unused_passwords;
use crate::words::{role, state, username};

/// Arguments of `user add`.
#[derive(Args)]
pub(crate) struct Add {
    /// The user, as the primary knows the name.
    #[arg(value_parser = username)]
    name: Username,
    /// Whether a second proof is asked; without it, the default-state of the settings.
    #[arg(long, value_parser = state())]
    state: Option<State>,
    /// Administrators are privileged everywhere.
    #[arg(long, value_parser = role(), default_value = Role::User.name())]
    role: Role,
    #[command(flatten)]
    password: PasswordFrom,
}

/// Where a password comes from.
#[derive(Args)]
#[group(multiple = false)]
pub(crate) struct PasswordFrom {
    /// Read the local password from a line of standard input.
    #[arg(long)]
    password_stdin: bool,
    /// Ask for the local password at the terminal.
    #[arg(long)]
    password_prompt: bool,
}

/// Arguments of `user passwd`.
#[derive(Args)]
pub(crate) struct Passwd {
    /// The user.
    #[arg(value_parser = username)]
    name: Username,
    /// Read the password from a line of standard input.
    #[arg(long)]
    password_stdin: bool,
}

pub(super) fn add(context: &Context, office: &Office, arguments: &Add) -> Result<Outcome, Failure> {
    if arguments.password.password_stdin || arguments.password.password_prompt {
        warn_of_unused_passwords(context)?;
    }
    let password = match arguments.password {
        PasswordFrom { password_stdin: true, .. } => Some(terminal::password_line()?),
        PasswordFrom { password_prompt: true, .. } => Some(terminal::new_password()?),
        PasswordFrom { password_stdin: false, password_prompt: false } => None,
    };
    let act = Act::Add {
        state: arguments.state,
        role: arguments.role,
        password: password.as_ref().map(hash).transpose()?,
        totp: None,
    };
    done(context, office, &arguments.name, &act)?;
    hint_at_unknown_user(context, &arguments.name);
    hint_at_twin(context, office, &arguments.name)?;
    if password.is_none() && context.settings_without_clients()?.primary == Primary::Local {
        let name = &arguments.name;
        context.warn(&format!("{name} {}", no_password(name)));
    }
    Ok(Outcome::Done)
}

/// Users of RADIUS alone need not be known here, and names are mistyped.
fn hint_at_unknown_user(context: &Context, name: &Username) {
    if matches!(User::from_name(name.as_str()), Ok(None)) {
        context.warn(&format!(
            "this machine has no user {name}: that is right for who signs in by RADIUS only, and else a slip"
        ));
    }
}

/// Where names are taken as they are written, `Dan` is another user than `dan`, and hardly ever meant to be.
fn hint_at_twin(context: &Context, office: &Office, name: &Username) -> Result<(), Failure> {
    let twin = Folding::Lowercase.fold(name);
    if twin != office.engine.policy().folding.fold(name) && office.store.account(&twin)?.is_some() {
        context.warn(&format!(
            "there is an account {twin}, too, and {name} is another one: fold = \"lowercase\" in the settings makes them one"
        ));
    }
    Ok(())
}

/// Hashes a new local password.
pub(crate) fn hash(password: &common::Secret) -> Result<PasswordHash, Failure> {
    Ok(primary::hash_password(&SystemRandom, password)?)
}

pub(super) fn set_password(
    context: &Context,
    office: &Office,
    arguments: &Passwd,
) -> Result<Outcome, Failure> {
    warn_of_unused_passwords(context)?;
    let password =
        if arguments.password_stdin { terminal::password_line() } else { terminal::new_password() }?;
    let act = Act::SetPassword(hash(&password)?);
    done(context, office, &arguments.name, &act)?;
    Ok(Outcome::Done)
}
