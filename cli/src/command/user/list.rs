//! `user list`: all accounts that match, as a table, as CSV, or as JSON that is written while it is read.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write as _};

use assembly::Office;
use clap::Args;
use common::ports::Listed;
use common::{UnixTime, Username};
use csv::Writer;

use super::line::{AccountLine, TITLES};
use crate::context::Context;
use crate::failure::Failure;
use crate::number::counted;
use crate::report::json;
use crate::selection::all_members;
use crate::selection::filter::Filter;
use crate::stored::for_each_stored;
use crate::table::fitted;
use crate::terminal::columns_of_output;
use crate::warning::warn_of_missing_break_glass;

/// Members of a group without an account that are named; the others are counted.
const STRANGERS_NAMED_MAX: usize = 10;

/// Arguments of `user list`.
#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    filter: Filter,
    /// Only members of a group of this machine or of a directory, as `getent group` shows them; may be given again.
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// As CSV with a line of titles.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

pub(super) fn list(context: &Context, office: &Office, arguments: &List) -> Result<(), Failure> {
    warn_of_missing_break_glass(context, office)?;
    let wanted =
        Wanted { filter: &arguments.filter, members: all_members(context, office, &arguments.group)? };
    wanted.warn_of_strangers(context, office)?;
    if context.is_for_programs() {
        as_json(office, &wanted)
    } else if arguments.csv {
        as_csv(office, &wanted)
    } else {
        context.tell(&as_table(office, &wanted)?)
    }
}

/// Whose accounts are listed.
struct Wanted<'a> {
    filter: &'a Filter,
    /// The members of the groups; nobody asked for any where it is `None`.
    members: Option<BTreeSet<Username>>,
}

impl Wanted<'_> {
    fn takes(&self, listed: &Listed, now: UnixTime) -> bool {
        let is_member = |members: &BTreeSet<Username>| members.contains(&listed.account.name);
        self.members.as_ref().is_none_or(is_member) && self.filter.matches(listed, now)
    }

    /// Members without an account are on no list, and one of a group would be thought whole.
    fn warn_of_strangers(&self, context: &Context, office: &Office) -> Result<(), Failure> {
        let Some(members) = &self.members else { return Ok(()) };
        let mut missing = members.clone();
        for_each_stored(office, |listed| {
            missing.remove(&listed.account.name);
            Ok(())
        })?;
        if !missing.is_empty() {
            let some: Vec<&str> = missing.iter().take(STRANGERS_NAMED_MAX).map(Username::as_str).collect();
            let more = if missing.len() > some.len() { ", …" } else { "" };
            let (some, count) = (some.join(", "), counted(missing.len(), "member"));
            context.warn(&format!("{count} of the group without an account here: {some}{more}"));
        }
        Ok(())
    }
}

fn each(
    office: &Office,
    wanted: &Wanted<'_>,
    mut take: impl FnMut(AccountLine) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let now = office.engine.now();
    for_each_stored(office, |listed| {
        if wanted.takes(&listed, now) { take(AccountLine::new(&listed, now)) } else { Ok(()) }
    })
}

fn as_table(office: &Office, wanted: &Wanted<'_>) -> Result<String, Failure> {
    let mut rows = Vec::new();
    each(office, wanted, |line| {
        rows.push(line.row());
        Ok(())
    })?;
    if rows.is_empty() {
        return Ok(match wanted.filter.is_empty() && wanted.members.is_none() {
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
fn as_json(office: &Office, wanted: &Wanted<'_>) -> Result<(), Failure> {
    let mut output = BufWriter::new(io::stdout().lock());
    let mut separator = "[";
    each(office, wanted, |line| {
        let line = serde_json::to_string(&line).map_err(Failure::Json)?;
        let written = write!(output, "{separator}{}", json(&line));
        separator = ",";
        written.map_err(Failure::Write)
    })?;
    let end = if separator == "[" { "[]\n" } else { "]\n" };
    output.write_all(end.as_bytes()).and_then(|()| output.flush()).map_err(Failure::Write)
}

fn as_csv(office: &Office, wanted: &Wanted<'_>) -> Result<(), Failure> {
    let mut output = Writer::from_writer(io::stdout().lock());
    let written = |written: csv::Result<()>| written.map_err(|error| Failure::Write(error.into()));
    written(output.write_record(AccountLine::CSV_TITLES))?;
    each(office, wanted, |line| written(output.write_record(line.record())))?;
    output.flush().map_err(Failure::Write)
}
