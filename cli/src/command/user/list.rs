//! `user list`: all accounts that match, as a table, as CSV, or as JSON that is written while it is read.

use std::io::{self, BufWriter, Write as _};

use assembly::Office;
use clap::Args;
use csv::Writer;

use super::line::{AccountLine, TITLES};
use crate::context::Context;
use crate::failure::Failure;
use crate::number::counted;
use crate::report::json;
use crate::selection::filter::Filter;
use crate::stored::for_each_stored;
use crate::table::fitted;
use crate::terminal::columns_of_output;
use crate::warning::warn_of_missing_break_glass;

/// Arguments of `user list`.
#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    filter: Filter,
    /// As CSV with a line of titles.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

pub(super) fn list(context: &Context, office: &Office, arguments: &List) -> Result<(), Failure> {
    warn_of_missing_break_glass(context, office)?;
    if context.is_for_programs() {
        as_json(office, arguments)
    } else if arguments.csv {
        as_csv(office, arguments)
    } else {
        context.tell(&as_table(office, arguments)?)
    }
}

fn each(
    office: &Office,
    arguments: &List,
    mut take: impl FnMut(AccountLine) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let now = office.engine.now();
    for_each_stored(office, |listed| {
        if arguments.filter.matches(&listed, now) { take(AccountLine::new(&listed, now)) } else { Ok(()) }
    })
}

fn as_table(office: &Office, arguments: &List) -> Result<String, Failure> {
    let mut rows = Vec::new();
    each(office, arguments, |line| {
        rows.push(line.row());
        Ok(())
    })?;
    if rows.is_empty() {
        return Ok(match arguments.filter.is_empty() {
            true => "There are no accounts. 'countersign user add NAME' makes one.\n".to_owned(),
            false => "No account matches.\n".to_owned(),
        });
    }
    let total = counted(rows.len(), "account");
    let fitted = fitted(&TITLES, &rows, columns_of_output());
    let note =
        fitted.note.map_or_else(String::new, |note| format!("{note} --csv and --json have all of it.\n"));
    Ok(format!("{}{total}.\n{note}", fitted.text))
}

/// One array, an account at a time: it may be longer than the memory.
fn as_json(office: &Office, arguments: &List) -> Result<(), Failure> {
    let mut output = BufWriter::new(io::stdout().lock());
    let mut separator = "[";
    each(office, arguments, |line| {
        let line = serde_json::to_string(&line).map_err(Failure::Json)?;
        let written = write!(output, "{separator}{}", json(&line));
        separator = ",";
        written.map_err(Failure::Write)
    })?;
    let end = if separator == "[" { "[]\n" } else { "]\n" };
    output.write_all(end.as_bytes()).and_then(|()| output.flush()).map_err(Failure::Write)
}

fn as_csv(office: &Office, arguments: &List) -> Result<(), Failure> {
    let mut output = Writer::from_writer(io::stdout().lock());
    let written = |written: csv::Result<()>| written.map_err(|error| Failure::Write(error.into()));
    written(output.write_record(AccountLine::CSV_TITLES))?;
    each(office, arguments, |line| written(output.write_record(line.record())))?;
    output.flush().map_err(Failure::Write)
}
