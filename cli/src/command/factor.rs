//! `countersign factor`: what a user can prove a login with.

use clap::{Args, Subcommand};
use common::acts::Act;
use common::{FactorId, Username};
use serde::Serialize;

use crate::command::Outcome;
use crate::command::user::{ActDone, Name, account};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::view::{FactorView, factor_table};
use crate::warning::warn_of_lockout;
use crate::words::{factor_id, username};

/// What is done to factors.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the factors of a user.
    List(Name),
    /// Remove a factor, as when a phone is lost.
    Remove(Remove),
}

/// Arguments of `factor remove`.
#[derive(Args)]
pub(crate) struct Remove {
    /// The user.
    #[arg(value_parser = username)]
    name: Username,
    /// The factor, as `factor list` shows it.
    #[arg(value_parser = factor_id)]
    id: FactorId,
}

pub(crate) fn run(context: &Context, command: &Command) -> Result<Outcome, Failure> {
    let office = context.office()?;
    match command {
        Command::List(Name { name }) => {
            let account = account(&office, name)?;
            context.say(&FactorList(FactorView::all(&account)))?;
        }
        Command::Remove(Remove { name, id }) => {
            let act = Act::RemoveFactor(*id);
            context.act(&office, name, &act)?;
            context.say(&ActDone::new(name, &act, format!("{name}: factor {id} is gone.\n")))?;
            warn_of_lockout(context, &account(&office, name)?);
        }
    }
    Ok(Outcome::Done)
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
