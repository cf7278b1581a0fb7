//! `countersign user`: accounts as a whole.

mod account_view;
mod add;
mod device;
mod known;
mod line;
mod list;
mod many;
mod outlook;
mod reset;
mod show;
mod temporary_code;

use assembly::Office;
use clap::{Args, Subcommand};
use common::Username;
use common::account::{Account, Role};
use common::acts::Act;
use common::ports::Listing as _;
use serde::Serialize;

use crate::bulk::Many;
use crate::command::Outcome;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::warning::{warn_of_lockout, warn_of_stranger};
use crate::words::{role, username};
pub(crate) use add::hash;
use add::{Add, Passwd};
pub(crate) use device::forgotten;
use known::Known;
use list::List;
use many::{BlockArguments, DisableArguments, EnableArguments, StateArguments};
use reset::ResetArguments;
use show::Show;
use temporary_code::TemporaryCode;

/// What is done to accounts.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make an account.
    Add(Add),
    /// Set the local password of an account.
    Passwd(Passwd),
    /// Ask for a second proof once the user has registered one.
    Enable(EnableArguments),
    /// Ask for a second proof at every login.
    Enforce(StateArguments),
    /// Ask for no second proof.
    Disable(DisableArguments),
    /// Refuse a user at every door.
    Block(BlockArguments),
    /// Lift a block.
    Unblock(Many),
    /// End every wait after wrong answers, so that the user can sign in now, from anywhere.
    Unlock(Many),
    /// Demand that everything be registered again, delete app passwords, forget devices; any of these together.
    Reset(ResetArguments),
    /// Make a code that is good once, for somebody whose phone is lost or who has nothing registered yet.
    TemporaryCode(TemporaryCode),
    /// Show one account with all that hangs on it, and say what happens at its next sign-in.
    Show(Show),
    /// Show all accounts, or those that match.
    List(List),
    /// Give an account another name; all that hangs on it stays.
    Rename(Rename),
    /// Remove accounts with all that hangs on them; a removed name that returns is a new account.
    Remove(Many),
    /// Make a user an administrator, or an ordinary user again.
    Role(RoleArguments),
}

/// One user.
#[derive(Args)]
pub(crate) struct Name {
    /// The user.
    #[arg(value_parser = username)]
    pub(crate) name: Username,
}

/// Arguments of `user rename`.
#[derive(Args)]
pub(crate) struct Rename {
    /// The user.
    #[arg(value_parser = username)]
    old: Username,
    /// The new name, which must be free.
    #[arg(value_parser = username)]
    new: Username,
}

/// Arguments of `user role`.
#[derive(Args)]
pub(crate) struct RoleArguments {
    /// The user.
    #[arg(value_parser = username)]
    name: Username,
    /// The role.
    #[arg(value_parser = role())]
    role: Role,
}

pub(crate) fn run(context: &Context, command: Command) -> Result<Outcome, Failure> {
    let office = context.office()?;
    match command {
        Command::Add(arguments) => return add::add(context, &office, &arguments),
        Command::Passwd(arguments) => return add::set_password(context, &office, &arguments),
        Command::Enable(arguments) => return many::enable(context, &office, &arguments),
        Command::Enforce(arguments) => return many::enforce(context, &office, &arguments),
        Command::Disable(arguments) => return many::disable(context, &office, &arguments),
        Command::Reset(arguments) => return reset::reset(context, &office, &arguments),
        Command::TemporaryCode(arguments) => return temporary_code::run(context, &office, &arguments),
        Command::Unblock(many) => return many::act(context, &office, &many, &Act::Unblock),
        Command::Unlock(many) => return many::act(context, &office, &many, &Act::Unlock),
        Command::Remove(many) => return many::remove(context, &office, &many),
        Command::Block(arguments) => return many::block(context, &office, &arguments),
        Command::Rename(Rename { old, new }) => done(context, &office, &old, &Act::Rename(new))?,
        Command::Role(RoleArguments { name, role }) => done(context, &office, &name, &Act::SetRole(role))?,
        Command::Show(arguments) => show::show(context, &office, &arguments)?,
        Command::List(arguments) => list::list(context, &office, &arguments)?,
    }
    Ok(Outcome::Done)
}

/// Carries out an act that gives nothing out, says so, and warns of what it leads to.
fn done(context: &Context, office: &Office, name: &Username, act: &Act) -> Result<(), Failure> {
    let known = Known::before(office, name, act)?;
    let issued = context.act(office, name, act)?;
    let now_named = if let Act::Rename(new) = act { new } else { name };
    let account = office.store.account(now_named)?;
    let text = account
        .as_ref()
        .map_or_else(|| format!("{name}: removed.\n"), |account| known.state_of(account, act, &issued));
    context
        .say(&ActDone { devices_forgotten: issued.devices_forgotten(), ..ActDone::new(name, act, text) })?;
    if let Some(account) = account {
        warn_of_lockout(context, office, &account)?;
        warn_of_stranger(context, office, &account);
    }
    Ok(())
}

/// The account of a name, folded as the settings say.
pub(crate) fn account(office: &Office, name: &Username) -> Result<Account, Failure> {
    let folded = office.engine.policy().folding.fold(name);
    office.store.account(&folded)?.ok_or(Failure::NoSuchAccount(folded))
}

/// An act that was carried out.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ActDone {
    user: String,
    act: &'static str,
    /// Of an act that asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    devices_forgotten: Option<usize>,
    #[serde(skip)]
    text: String,
}

impl ActDone {
    /// `text` is what people read; it ends with a line feed.
    pub(crate) fn new(user: &Username, act: &Act, text: String) -> Self {
        Self { user: user.to_string(), act: act.name(), devices_forgotten: None, text }
    }
}

impl Report for ActDone {
    fn text(&self) -> String {
        self.text.clone()
    }
}
