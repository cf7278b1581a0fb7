//! `countersign factor`: what a user can prove a login with.

use assembly::Office;
use clap::{Args, Subcommand};
use common::acts::{self, Act};
use common::{FactorId, Secret, Username};
use serde::Serialize;

use crate::command::Outcome;
use crate::command::user::{ActDone, Name, account};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::terminal;
use crate::view::{FactorView, factor_table};
use crate::warning::warn_of_lockout;
use crate::words::{factor_id, label, username};

/// What is done to factors.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the factors of a user.
    List(Name),
    /// Remove a factor, as when a phone is lost.
    Remove(Chosen),
    /// Give a factor another label.
    Label(Label),
    /// Make a factor the one that is used where the user names none.
    Default(Chosen),
    /// Set the clock or counter of a token by two of its codes in a row.
    Resync(Chosen),
}

/// One factor of a user.
#[derive(Args)]
pub(crate) struct Chosen {
    /// The user.
    #[arg(value_parser = username)]
    name: Username,
    /// The factor, as `factor list` shows it.
    #[arg(value_parser = factor_id)]
    id: FactorId,
}

/// Arguments of `factor label`.
#[derive(Args)]
pub(crate) struct Label {
    #[command(flatten)]
    factor: Chosen,
    /// The user's word for it.
    #[arg(value_parser = label)]
    label: acts::Label,
}

pub(crate) fn run(context: &Context, command: &Command) -> Result<Outcome, Failure> {
    let office = context.office()?;
    match command {
        Command::List(Name { name }) => {
            let account = account(&office, name)?;
            context.say(&FactorList(FactorView::all(&account)))?;
        }
        Command::Remove(chosen) => {
            change(context, &office, chosen, &Act::RemoveFactor(chosen.id), "is gone")?;
            warn_of_lockout(context, &office, &account(&office, &chosen.name)?)?;
        }
        Command::Label(Label { factor, label }) => {
            let act = Act::SetLabel { factor: factor.id, label: label.clone() };
            change(context, &office, factor, &act, &format!("is called {} now", label.as_str()))?;
        }
        Command::Default(chosen) => {
            change(context, &office, chosen, &Act::SetDefault(chosen.id), "is the default now")?;
        }
        Command::Resync(chosen) => {
            account(&office, &chosen.name)?;
            let (first, second) = (code("Code that it shows: ")?, code("The next code: ")?);
            let act = Act::Resync { factor: chosen.id, first, second };
            change(context, &office, chosen, &act, "is set right; both codes are used up")?;
        }
    }
    Ok(Outcome::Done)
}

fn change(
    context: &Context,
    office: &Office,
    Chosen { name, id }: &Chosen,
    act: &Act,
    became: &str,
) -> Result<(), Failure> {
    context.act(office, name, act)?;
    context.say(&ActDone::new(name, act, format!("{name}: factor {id} {became}.\n")))
}

fn code(question: &str) -> Result<Secret, Failure> {
    Ok(Secret::from(terminal::answer(question, "code")?))
}

#[derive(Serialize)]
#[serde(transparent)]
struct FactorList(Vec<FactorView>);

impl Report for FactorList {
    fn text(&self) -> String {
        if self.0.is_empty() {
            return "No factor is registered. 'countersign enroll NAME totp' registers one.\n".to_owned();
        }
        factor_table(&self.0)
    }
}
