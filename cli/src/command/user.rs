//! `countersign user`: accounts as a whole.

mod known;

use assembly::config::Primary;
use assembly::{AssemblyError, Office, SystemRandom, primary};
use clap::{Args, Subcommand};
use common::Username;
use common::account::{Account, Block, PasswordHash, Role, State};
use common::acts::Act;
use common::lane::LanesOf;
use common::ports::Listing as _;
use nix::unistd::User;
use serde::Serialize;

use crate::command::Outcome;
use crate::command::break_glass::no_password;
use crate::context::Context;
use crate::failure::Failure;
use crate::guesses::{CapView, WaitsView};
use crate::moment::{Span, rfc3339};
use crate::report::Report;
use crate::terminal::{self, Consent, Seat};
use crate::view::{AccountLine, AccountList, AccountView};
use crate::warning::{warn_of_lockout, warn_of_missing_break_glass, warn_of_unused_passwords};
use crate::words::{role, state, username};
use known::Known;

/// Accounts read from the store at once.
const PAGE_ACCOUNTS: u32 = 500;

/// What is done to accounts.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make an account.
    Add(Add),
    /// Set the local password of an account.
    Passwd(Passwd),
    /// Ask for a second proof once the user has registered one.
    Enable(Names),
    /// Ask for a second proof at every login.
    Enforce(Names),
    /// Ask for no second proof.
    Disable(Names),
    /// Refuse a user at every door.
    Block(BlockArguments),
    /// Lift a block.
    Unblock(Names),
    /// End every wait after wrong answers, so that the user can sign in now, from anywhere.
    Unlock(Names),
    /// Show one account with its factors and app passwords.
    Show(Name),
    /// Show all accounts.
    List(List),
    /// Give an account another name; all that hangs on it stays.
    Rename(Rename),
    /// Remove accounts with all that hangs on them; a removed name that returns is a new account.
    Remove(Remove),
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

/// Several users.
#[derive(Args)]
pub(crate) struct Names {
    /// The users.
    #[arg(value_name = "NAME", required = true, value_parser = username)]
    names: Vec<Username>,
}

/// Arguments of `user remove`.
#[derive(Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    names: Names,
    /// Remove without asking; only a person at a terminal is asked.
    #[arg(long)]
    yes: bool,
}

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

/// Arguments of `user block`.
#[derive(Args)]
pub(crate) struct BlockArguments {
    /// The user.
    #[arg(value_parser = username)]
    name: Username,
    /// For so long, such as 30m, 2h or 7d; without it, until `user unblock`.
    #[arg(long = "for", value_name = "SPAN", value_parser = Span::parse)]
    span: Option<Span>,
}

/// Arguments of `user list`.
#[derive(Args)]
pub(crate) struct List {
    /// Only accounts in this state.
    #[arg(long, value_parser = state())]
    state: Option<State>,
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
        Command::Add(arguments) => return add(context, &office, &arguments),
        Command::Passwd(arguments) => {
            warn_of_unused_passwords(context)?;
            let password =
                if arguments.password_stdin { terminal::password_line() } else { terminal::new_password() }?;
            let act = Act::SetPassword(hash(&password)?);
            done(context, &office, &arguments.name, &act)?;
        }
        Command::Enable(names) => {
            return each(context, &office, &names, &Act::SetState(State::Enabled.into()));
        }
        Command::Enforce(names) => {
            return each(context, &office, &names, &Act::SetState(State::Enforced.into()));
        }
        Command::Disable(names) => {
            return each(context, &office, &names, &Act::SetState(State::Disabled.into()));
        }
        Command::Unblock(names) => return each(context, &office, &names, &Act::Unblock),
        Command::Unlock(names) => return each(context, &office, &names, &Act::Unlock),
        Command::Remove(arguments) => return remove(context, &office, &arguments),
        Command::Block(arguments) => block(context, &office, &arguments)?,
        Command::Rename(Rename { old, new }) => done(context, &office, &old, &Act::Rename(new))?,
        Command::Role(RoleArguments { name, role }) => done(context, &office, &name, &Act::SetRole(role))?,
        Command::Show(Name { name }) => show(context, &office, &name)?,
        Command::List(arguments) => list(context, &office, &arguments)?,
    }
    Ok(Outcome::Done)
}

fn add(context: &Context, office: &Office, arguments: &Add) -> Result<Outcome, Failure> {
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

/// Hashes a new local password.
pub(crate) fn hash(password: &common::Secret) -> Result<PasswordHash, Failure> {
    Ok(primary::hash_password(&SystemRandom, password)?)
}

fn block(context: &Context, office: &Office, arguments: &BlockArguments) -> Result<(), Failure> {
    let end = arguments.span.map(|span| office.engine.now().plus_seconds(span.seconds));
    let block = end.map_or(Block::Indefinitely, Block::Until);
    context.act(office, &arguments.name, &Act::Block(block))?;
    let until = end.map_or_else(|| "it is unblocked".to_owned(), rfc3339);
    let name = &arguments.name;
    let policy = office.engine.policy();
    let is_break_glass = policy.break_glass.contains(&policy.folding.fold(name));
    let doors = if is_break_glass { "the RADIUS server" } else { "every door" };
    let text = format!("{name}: {doors} refuses this user until {until}.\n");
    context.say(&ActDone::new(name, &Act::Block(block), text))?;
    if is_break_glass {
        context.warn(&format!(
            "[break-glass] names {name}: no block keeps this user out of PAM services. Take the name out of {} to do that",
            context.settings_file.display()
        ));
    }
    Ok(())
}

/// What hangs on an account comes back with nothing but a backup.
fn remove(context: &Context, office: &Office, arguments: &Remove) -> Result<Outcome, Failure> {
    let names: Vec<&str> = arguments.names.names.iter().map(Username::as_str).collect();
    let question = format!("Remove {} with factors, recovery codes and app passwords?", names.join(", "));
    let is_asked = !arguments.yes && terminal::seat() == Seat::Terminal;
    if is_asked && terminal::consent(&question)? == Consent::Withheld {
        context.tell("Nothing was removed.\n")?;
        return Ok(Outcome::Refused);
    }
    let outcome = each(context, office, &arguments.names, &Act::Remove)?;
    warn_of_missing_break_glass(context, office)?;
    Ok(outcome)
}

/// The same act on several accounts; one that is refused does not stop the others.
fn each(context: &Context, office: &Office, names: &Names, act: &Act) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::Done;
    for name in &names.names {
        if let Err(failure) = done(context, office, name, act) {
            context.complain(&failure);
            outcome = Outcome::Refused;
        }
    }
    Ok(outcome)
}

/// Carries out an act that gives nothing out, says so, and warns of what it leads to.
fn done(context: &Context, office: &Office, name: &Username, act: &Act) -> Result<(), Failure> {
    let known = Known::before(office, name, act)?;
    context.act(office, name, act)?;
    let now_named = if let Act::Rename(new) = act { new } else { name };
    let account = office.store.account(now_named)?;
    let text = account
        .as_ref()
        .map_or_else(|| format!("{name}: removed.\n"), |account| known.state_of(account, act));
    context.say(&ActDone::new(name, act, text))?;
    if let Some(account) = account {
        warn_of_lockout(context, &account);
    }
    Ok(())
}

/// How guesses at an account stand now.
fn guesses(office: &Office, account: &Account) -> Result<(CapView, WaitsView), Failure> {
    let now = office.engine.now();
    let cap = CapView::new(&office.store.cap(account)?, now);
    let lanes = LanesOf::user(office.engine.keys(), account.name.as_str()).map_err(AssemblyError::from)?;
    Ok((cap, WaitsView::new(office.store.waits(&lanes, now)?)))
}

fn show(context: &Context, office: &Office, name: &Username) -> Result<(), Failure> {
    let account = account(office, name)?;
    let spent = office.store.spent_codes(&account)?;
    let now = office.engine.now();
    let (guesses, waits) = guesses(office, &account)?;
    context.say(&AccountView::new(&account, &spent, guesses, waits, now))?;
    warn_of_lockout(context, &account);
    Ok(())
}

/// The account of a name, folded as the settings say.
pub(crate) fn account(office: &Office, name: &Username) -> Result<Account, Failure> {
    let folded = office.engine.policy().folding.fold(name);
    office.store.account(&folded)?.ok_or(Failure::NoSuchAccount(folded))
}

fn list(context: &Context, office: &Office, arguments: &List) -> Result<(), Failure> {
    warn_of_missing_break_glass(context, office)?;
    let mut lines = Vec::new();
    let now = office.engine.now();
    for_each_account(office, |account| {
        if arguments.state.is_none_or(|state| state == account.state) {
            let spent = office.store.spent_codes(account)?;
            lines.push(AccountLine::new(account, &spent, now));
        }
        Ok(())
    })?;
    context.say(&AccountList(lines))
}

/// Reads all accounts, page by page, in order of name.
pub(crate) fn for_each_account(
    office: &Office,
    mut look: impl FnMut(&Account) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let page = office.store.accounts(after.as_ref(), PAGE_ACCOUNTS)?;
        page.iter().try_for_each(&mut look)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.name.clone());
    }
}

/// An act that was carried out.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ActDone {
    user: String,
    act: &'static str,
    #[serde(skip)]
    text: String,
}

impl ActDone {
    /// `text` is what people read; it ends with a line feed.
    pub(crate) fn new(user: &Username, act: &Act, text: String) -> Self {
        Self { user: user.to_string(), act: act.name(), text }
    }
}

impl Report for ActDone {
    fn text(&self) -> String {
        self.text.clone()
    }
}
