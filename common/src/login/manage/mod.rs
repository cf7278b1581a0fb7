//! Looking after the own account at a prompt, after a fresh second proof: over SSH, in a VPN client, at a shell. Each answer is
//! one command, so that it fits every window that can show two lines.

mod command;
mod shown;

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::acts::{self, Act, ActError, OwnAct};
use crate::login::need::{Need, need};
use crate::login::proof::Proof;
use crate::login::setup::{self, Registered};
use crate::login::{Prompt, Step, View, notify, write};
use crate::random::Stream;
use crate::record::PrimaryResult;
use crate::session::{Asked, Session, Stage};
use crate::{Answer, Reason, UnixTime, limits, text};
use command::Command;
pub(super) use shown::NO_ROOM;
use shown::NO_TIME;

/// Whether a login is to end with looking after the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Wish {
    /// To sign in.
    #[default]
    SignIn,
    /// To look after the account first.
    Manage,
}

/// Looking after the account, as it is carried in the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manage {
    /// What is known of the first password.
    pub(crate) primary: PrimaryResult,
    last: Last,
    /// The version of the account that was shown: a command is about that one, and is carried out once.
    version: u64,
}

/// What became of the last command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Last {
    /// It was carried out, or there was none.
    Done,
    /// It was not.
    Refused,
}

impl Manage {
    /// What its question asks for.
    pub(crate) const fn asked(&self) -> Asked {
        match self.last {
            Last::Done => Asked::Command,
            Last::Refused => Asked::CommandAgain,
        }
    }
}

/// A sign-in of the user, as the user is shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// When.
    pub at: UnixTime,
    /// Into what.
    pub place: String,
    /// From where.
    pub source: Option<String>,
    /// With what.
    pub factor: Option<String>,
}

/// Begins, after a right proof, which is spent now. Few recovery codes that are left are told of.
pub(super) fn begin(
    view: &View<'_>,
    session: Session,
    primary: PrimaryResult,
    proof: Proof,
    few_codes: Option<usize>,
) -> Step {
    let said = few_codes
        .map(|left| format!("{} Type codes for new ones.\n", text::few_codes(left)))
        .unwrap_or_default();
    let manage = Manage { primary, last: Last::Done, version: view.version() };
    let session = Session { proof: Some(proof.name), ..session };
    let step = ask(view, session, manage, &said, Some(Reason::Managed));
    write::with_proof(view, step, proof, write::Spent::Now)
}

/// Asks for the next command, after what the last one came to.
fn menu(view: &View<'_>, session: Session, primary: PrimaryResult, said: &str) -> Step {
    ask(view, session, Manage { primary, last: Last::Done, version: view.version() }, said, None)
}

/// The same, where the last one was not carried out.
fn again(view: &View<'_>, session: Session, primary: PrimaryResult, said: &str) -> Step {
    ask(view, session, Manage { primary, last: Last::Refused, version: view.version() }, said, None)
}

fn ask(view: &View<'_>, mut session: Session, manage: Manage, said: &str, why: Option<Reason>) -> Step {
    session.stage = Stage::Manage(manage);
    if session.is_last_round() {
        return write::reject(view, &session, Reason::TooManyRounds);
    }
    let question = if session.rounds_left() == 1 { text::LAST_COMMAND } else { text::COMMAND };
    let prompt = Prompt::made(shown::with_question(said, question));
    write::ask_on(view, session, prompt, why)
}

/// A command has come.
pub(super) fn answered(view: &View<'_>, session: Session, manage: Manage, answer: &Answer) -> Step {
    let account = match standing(view) {
        Ok(account) => account,
        Err(reason) => return write::reject(view, &session, reason),
    };
    if manage.version != account.version {
        // Somebody has changed the account since, or the same command has come again.
        return write::reject(view, &session, Reason::RegistrationRefused);
    }
    let typed = answer.typed();
    let primary = manage.primary;
    if session.is_last_round() {
        // They were told: nothing is done any more whose end could not be shown.
        return write::accept_proven(view, &session, primary, typed);
    }
    match Command::parse(typed.expose_text().unwrap_or_default()) {
        Command::Leave => write::accept_proven(view, &session, primary, typed),
        Command::Help => menu(view, session, primary, shown::HELP),
        Command::Unknown => again(view, session, primary, "That is no command. ? lists them.\n"),
        Command::List(page) => {
            menu(view, session, primary, &shown::factors(account, &view.loaded.spent_codes, page))
        }
        Command::Passwords(page) => menu(view, session, primary, &shown::app_passwords(account, page)),
        Command::SignIns => match view.sign_ins {
            None => Step::Recall,
            Some(sign_ins) => menu(view, session, primary, &shown::sign_ins(sign_ins)),
        },
        Command::Add | Command::Change(_) if session.rounds_left() < limits::ROUNDS_OF_ADDING => {
            again(view, session, primary, NO_TIME)
        }
        Command::Add if account.factors.len() >= limits::FACTORS_MAX => {
            again(view, session, primary, NO_ROOM)
        }
        Command::Add => setup::add(view, session, primary, None),
        Command::Change(number) => match account.factors.get(number) {
            Some(factor) => setup::add(view, session, primary, Some(factor.id)),
            None => again(view, session, primary, shown::NO_SUCH_NUMBER),
        },
        Command::Remove(number) if account.factors.len() == 1 && number == 0 => {
            again(view, session, primary, "The last one stays: add another one first, or change it.\n")
        }
        command => match wished(view, account, &command) {
            Ok(act) => act_on(view, session, primary, account, &act),
            Err(said) => again(view, session, primary, said),
        },
    }
}

/// The account, where it still may be looked after.
fn standing<'a>(view: &'a View<'_>) -> Result<&'a Account, Reason> {
    let account = view.loaded.account.as_ref().ok_or(Reason::UnknownUser)?;
    match need(view) {
        Need::Refuse(reason) => Err(reason),
        Need::Second | Need::Skip(_) | Need::Register if account.must_register_again => {
            Err(Reason::RegistrationRequired)
        }
        Need::Second | Need::Skip(_) | Need::Register => Ok(account),
    }
}

/// The act that a command asks for.
fn wished(view: &View<'_>, account: &Account, command: &Command) -> Result<Act, &'static str> {
    let factor =
        |number: usize| account.factors.get(number).map(|factor| factor.id).ok_or(shown::NO_SUCH_NUMBER);
    Ok(match command {
        Command::Remove(number) => Act::RemoveFactor(factor(*number)?),
        Command::Default(number) => Act::SetDefault(factor(*number)?),
        Command::Label(number, label) => Act::SetLabel { factor: factor(*number)?, label: label.clone() },
        Command::RecoveryCodes => Act::RenewRecoveryCodes,
        Command::NewPassword(place, label) => {
            let scope = setup::places_for(view, account)
                .into_iter()
                .find(|allowed| allowed.name().eq_ignore_ascii_case(&place.0))
                .map(setup::scope_of)
                .ok_or("App passwords for that place are made by an administrator.\n")?;
            Act::CreateAppPassword { label: label.clone(), scope }
        }
        Command::Revoke(number) => {
            let password = account.app_passwords.get(*number).ok_or(shown::NO_SUCH_NUMBER)?;
            Act::RevokeAppPassword(password.id)
        }
        Command::Leave
        | Command::Help
        | Command::Unknown
        | Command::List(_)
        | Command::Passwords(_)
        | Command::SignIns
        | Command::Add
        | Command::Change(_) => return Err(shown::HELP),
    })
}

fn act_on(view: &View<'_>, session: Session, primary: PrimaryResult, account: &Account, act: &Act) -> Step {
    let random = Stream::new(view.entropy, "own act");
    let place = view.attempt.place.to_string();
    let circumstances = notify::circumstances(view, session.attempt(), &place);
    match acts::of_user(&view.desk(&random), account, act, &circumstances) {
        Ok(own) => {
            let said = shown::done(&own.issued);
            after(view, session, primary, &said, act.name(), own)
        }
        Err(ActError::Key(_)) => write::unavailable(view, &session, Reason::KeyUnavailable),
        Err(refusal) => again(view, session, primary, &shown::refused(&refusal)),
    }
}

/// A factor was proven that is to be added, or to take the place of another one.
pub(super) fn registered(view: &View<'_>, session: Session, primary: PrimaryResult, new: Registered) -> Step {
    let Registered { own, act } = new;
    after(view, session, primary, "It is registered.\n", act, own)
}

/// The next question, about the account as it is then.
fn after(
    view: &View<'_>,
    session: Session,
    primary: PrimaryResult,
    said: &str,
    act: &str,
    own: OwnAct,
) -> Step {
    let manage = Manage { primary, last: Last::Done, version: view.version().saturating_add(1) };
    write::with_own_act(view, ask(view, session, manage, said, None), act, own)
}

/// Back from adding one, with a word about it.
pub(super) fn back(view: &View<'_>, session: Session, primary: PrimaryResult, said: &str) -> Step {
    match standing(view) {
        Ok(_) => again(view, session, primary, said),
        Err(reason) => write::reject(view, &session, reason),
    }
}
