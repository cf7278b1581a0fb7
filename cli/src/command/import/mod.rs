//! `countersign import`: accounts from a CSV file. First it says what it will do; a line with a mistake stops all of it.

mod file;
mod plan;
mod rows;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use assembly::Office;
use clap::Args;
use common::account::State;
use common::acts::Label;
use common::ports::Listing as _;

use crate::command::Outcome;
use crate::command::user::hash;
use crate::context::Context;
use crate::failure::Failure;
use crate::terminal::{self, Consent, Seat};
use crate::warning::warn_of_unused_passwords;
use crate::words::{label, state};
use plan::{Imported, Plan};
use rows::{FirstPassword, Mistake, Row};
pub(crate) use rows::{LineNumbers, delimiter};

/// Arguments of `import`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A CSV file whose first line names its columns: user, password or password_hash, totp_secret (base32).
    file: PathBuf,
    /// The state of the new accounts; without it, the default-state of the settings.
    #[arg(long, value_parser = state())]
    state: Option<State>,
    /// The users' word for the factors.
    #[arg(long, value_parser = label, default_value = "imported")]
    label: Label,
    /// Leave lines with mistakes out and import the others.
    #[arg(long)]
    skip_bad: bool,
    /// Import without asking.
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<Outcome, Failure> {
    let office = context.office()?;
    let (rows, mut mistakes) = file::read(&arguments.file, office.engine.policy().folding)?;
    let rows = without_existing(&office, rows, &mut mistakes)?;
    let is_blocked = !mistakes.is_empty() && !arguments.skip_bad;
    context.say(&Plan::new(&rows, &mistakes, is_blocked))?;
    if is_blocked {
        return Ok(Outcome::Refused);
    }
    if rows.iter().any(|row| !matches!(row.password, FirstPassword::None)) {
        warn_of_unused_passwords(context)?;
    }
    if rows.is_empty() || consent(context, arguments, rows.len())? == Consent::Withheld {
        context.tell("Nothing was imported.\n")?;
        return Ok(Outcome::Done);
    }
    import(context, &office, arguments, rows)
}

/// An account that is there already is left as it is.
fn without_existing(
    office: &Office,
    rows: Vec<Row>,
    mistakes: &mut Vec<Mistake>,
) -> Result<Vec<Row>, Failure> {
    let mut new = Vec::with_capacity(rows.len());
    for row in rows {
        match office.store.account(&row.user)? {
            Some(_) => mistakes.push(Mistake::existing(&row)),
            None => new.push(row),
        }
    }
    mistakes.sort_by_key(Mistake::line);
    Ok(new)
}

fn consent(context: &Context, arguments: &Arguments, count: usize) -> Result<Consent, Failure> {
    if arguments.yes {
        return Ok(Consent::Given);
    }
    match terminal::seat() {
        Seat::Terminal => terminal::consent(&format!("Import {}?", plan::count(count, "account"))),
        Seat::Script => {
            context.warn("this was a rehearsal: add --yes to import");
            Ok(Consent::Withheld)
        }
    }
}

fn import(
    context: &Context,
    office: &Office,
    arguments: &Arguments,
    rows: Vec<Row>,
) -> Result<Outcome, Failure> {
    let total = rows.len();
    let state = arguments.state.unwrap_or(office.engine.policy().default_state);
    let without_factor = rows.iter().filter(|row| row.totp_secret.is_none()).count();
    let mut imported = Imported::default();
    for (done, row) in rows.into_iter().enumerate() {
        show_progress(done, total);
        let user = row.user.clone();
        match add(context, office, arguments, row) {
            Ok(()) => imported.users.push(user.to_string()),
            // A store that does not answer will not answer the next time either.
            Err(failure @ Failure::Act(common::acts::ActError::NameTaken(_))) => {
                imported.refuse(&user, &failure);
            }
            Err(failure) => {
                context.say(&imported)?;
                return Err(failure);
            }
        }
    }
    show_progress(total, total);
    context.say(&imported)?;
    if state == State::Enforced && without_factor > 0 {
        context.warn(&format!(
            "{without_factor} of them are enforced and have no factor, so that nobody gets in under these names: \
             run 'countersign enroll NAME totp' for each"
        ));
    }
    Ok(if imported.refused.is_empty() { Outcome::Done } else { Outcome::Refused })
}

fn add(context: &Context, office: &Office, arguments: &Arguments, row: Row) -> Result<(), Failure> {
    let password = match row.password {
        FirstPassword::None => None,
        FirstPassword::Plain(password) => Some(hash(&password)?),
        FirstPassword::Hash(hash) => Some(hash),
    };
    let act = plan::act(arguments.state, password, row.totp_secret, arguments.label.clone());
    context.act(office, &row.user, &act).map(drop)
}

/// Hashing takes its time on purpose, so that somebody who waits sees how far it is.
fn show_progress(done: usize, total: usize) {
    let mut output = std::io::stderr().lock();
    if output.is_terminal() {
        let end = if done == total { "\r\x1b[K" } else { "" };
        let _ = write!(output, "\r{done} of {total} imported{end}");
        let _ = output.flush();
    }
}
