//! `countersign break-glass`: the file that lets a few accounts in when the store cannot be written, before that day.

mod report;
mod standby;

use assembly::store::{Made, Trouble, is_copy_of};
use assembly::{Books, Office};
use clap::Subcommand;
use common::causes::with_causes;
use common::ports::{Listing as _, StoreError};
use common::{Place, Username};

use crate::actor::actor;
use crate::command::Outcome;
use crate::context::{Context, refuse_strangers};
use crate::failure::Failure;
use report::Status;
pub(crate) use report::{advice_of, no_password};
pub(crate) use standby::Standby;

/// How a running service takes the names over.
const RELOAD: &str = "A running service takes changes of [break-glass] over with: systemctl reload countersign-local (or SIGHUP)\n";

/// What is done with the file.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say for each break-glass account whether it would get in without the store; exit code 1 where not all would.
    Status,
    /// Make the file where it is missing, and copy all break-glass accounts into it as they are now.
    Prepare,
}

pub(crate) fn run(context: &Context, command: &Command) -> Result<Outcome, Failure> {
    refuse_strangers()?;
    match command {
        Command::Status => {}
        Command::Prepare => {
            let office = context.office()?;
            prepare(&office)?;
            let done = format!("file={}", office.break_glass.path().display());
            office.engine.record_act(&actor(), Place::countersign(), "break-glass prepare", done);
        }
    }
    let settings = context.settings_without_clients()?;
    let file = assembly::break_glass(&settings)?;
    let office = assembly::office(&settings);
    let status = Status::new(&settings, &file, office.as_ref());
    context.say(&status)?;
    if matches!(command, Command::Prepare) {
        context.tell(RELOAD)?;
    }
    Ok(if status.is_ready() { Outcome::Done } else { Outcome::Refused })
}

fn prepare(office: &Office) -> Result<Made, Failure> {
    let made = office.break_glass.create()?;
    office.break_glass.keep_only(&office.engine.policy().break_glass)?;
    copy_all(office)?;
    Ok(made)
}

/// Copies all break-glass accounts that there are.
fn copy_all(office: &Office) -> Result<(), StoreError> {
    let mut names = office.engine.policy().break_glass.iter();
    names.try_for_each(|name| office.engine.copy_for_break_glass(name).map(drop))
}

/// The copies after something was done to the store as a whole: what cannot follow is said, and is no failure of that.
pub(crate) fn follow(context: &Context, office: &Office) {
    if let Err(error) = copy_all(office) {
        context.warn(&behind(&with_causes(&Failure::from(error))));
    }
}

/// Says so where the copy of one break-glass account has not followed an act.
pub(crate) fn warn_of_stale_copy(context: &Context, office: &Office, name: &Username) -> Result<(), Failure> {
    let policy = office.engine.policy();
    let name = policy.folding.fold(name);
    if !policy.break_glass.contains(&name) {
        return Ok(());
    }
    match office.break_glass.survey() {
        Err(error) => context.warn(&behind(&with_causes(&Failure::from(error)))),
        Ok(survey) => {
            let kept = survey.kept.iter().find(|kept| kept.account.name == name);
            let is_current = match (office.store.account(&name)?, kept) {
                (Some(account), Some(kept)) => is_copy_of(&kept.account, &account),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            if !is_current {
                context.warn(&behind(&format!("{name} is not in it as in the store")));
            }
        }
    }
    Ok(())
}

fn behind(why: &str) -> String {
    format!(
        "the break-glass file is behind, so that without the store an older state would hold: {why}. \
         'countersign break-glass status' says more"
    )
}

/// All records of this machine. Where the file cannot be read, that is said: it may have had some.
pub(crate) fn books<'a>(context: &Context, office: &'a Office) -> Books<'a> {
    let file = office.break_glass.survey();
    let is_wanted = !office.engine.policy().break_glass.is_empty();
    if let Err(error) = &file
        && (is_wanted || Trouble::of(error) != Trouble::Absent)
    {
        context.warn("the break-glass file cannot be read: 'countersign break-glass status' says why");
    }
    Books { store: &office.store, file: file.ok() }
}
