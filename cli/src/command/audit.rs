//! `countersign audit`: the records of the store, newest last, and the proof that they are as they were written.

mod line;
mod order;

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::PathBuf;

use assembly::audit::{self, Anchors, RestoreName};
use assembly::store::BREAK_GLASS_STREAM;
use assembly::{Office, SystemClock};
use clap::{Args, Subcommand};
use common::chain::ChainPosition;
use common::ports::{Clock as _, Listing as _, StoredRecord};
use common::record::{Record, Severity};
use common::{UnixTime, Username};
use serde::Serialize;

use crate::command::{Outcome, break_glass};
use crate::context::Context;
use crate::failure::Failure;
use crate::moment::Since;
use crate::report::Report;
use crate::terminal::columns_of_output;
use crate::words::{one_of, username};

/// Records read from the store at once.
const PAGE_RECORDS: u64 = 500;

/// From the normal course to what somebody should look at at once.
const SEVERITIES: [Severity; 4] = [Severity::Info, Severity::Notice, Severity::Error, Severity::Alert];

/// As in records.
const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Notice => "notice",
        Severity::Error => "error",
        Severity::Alert => "alert",
    }
}

/// What is done with the records.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show the newest records; those of the break-glass file alone where the store cannot be read, with exit code 1.
    List(List),
    /// Look for changed, removed, reordered and cut-off records; exit code 1 where there are any.
    Verify(Verify),
}

/// Arguments of `audit list`.
#[derive(Args)]
pub(crate) struct List {
    /// Only records about this user.
    #[arg(long, value_parser = username)]
    user: Option<Username>,
    /// Only since then: a span such as 2h, a day such as 2026-11-22, or a moment such as 2026-11-22T12:00:00Z.
    #[arg(long, value_parser = Since::parse)]
    since: Option<Since>,
    /// Only records as loud as this, or louder.
    #[arg(long, value_parser = one_of(&SEVERITIES, word), default_value = "info")]
    severity: Severity,
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

/// Arguments of `audit verify`.
#[derive(Args)]
pub(crate) struct Verify {
    /// A file of a syslog collector; may be given again. Without one, a cut-off end cannot be seen.
    #[arg(long = "anchors", value_name = "FILE")]
    anchors: Vec<PathBuf>,
    /// A restore that was meant, as a verification with anchors has named it; may be given again.
    #[arg(long = "known-restore", value_name = "RECORD")]
    known_restores: Vec<String>,
}

pub(crate) fn run(context: &Context, command: &Command) -> Result<Outcome, Failure> {
    match command {
        Command::List(arguments) => list(context, arguments),
        Command::Verify(arguments) => verify(context, &context.untouched_office()?, arguments),
    }
}

fn list(context: &Context, arguments: &List) -> Result<Outcome, Failure> {
    let filter = Filter {
        user: arguments.user.as_ref().map(Username::as_str),
        since: arguments.since.map_or(UnixTime::default(), |since| since.moment(SystemClock.now())),
        severities: SEVERITIES.into_iter().skip_while(|severity| *severity != arguments.severity).collect(),
        limit: arguments.limit,
    };
    match context.office().and_then(|office| all_records(context, &office, &filter)) {
        Ok(records) => context.say(&RecordList(records)).map(|()| Outcome::Done),
        Err(failure) => list_of_file(context, failure, &filter),
    }
}

/// The records of the store, and those uses of break-glass accounts that the file alone knows.
fn all_records(context: &Context, office: &Office, filter: &Filter<'_>) -> Result<Vec<Listed>, Failure> {
    let mut records = Vec::new();
    for head in office.store.heads()? {
        records.extend(newest(office, &head, filter)?);
    }
    let file = break_glass::books(context, office).file;
    let kept = file.iter().flat_map(|survey| read_page(BREAK_GLASS_STREAM, &survey.records));
    let kept: Vec<_> =
        kept.filter(|listed| !records.iter().any(|stored| stored.is_of_same(listed))).collect();
    records.extend(kept);
    Ok(filter.newest(records))
}

/// What the break-glass file has, where the store cannot say anything.
fn list_of_file(context: &Context, failure: Failure, filter: &Filter<'_>) -> Result<Outcome, Failure> {
    if failure.store_trouble().is_none() {
        return Err(failure);
    }
    let file = assembly::break_glass(&context.settings_without_clients()?)?;
    let Ok(survey) = file.survey() else { return Err(failure) };
    context.warn(&context.advised(&failure));
    context.tell(&format!("Uses of break-glass accounts, from {} alone:\n", file.path().display()))?;
    context.say(&RecordList(filter.newest(read_page(BREAK_GLASS_STREAM, &survey.records))))?;
    Ok(Outcome::Refused)
}

/// Which records are asked for.
struct Filter<'a> {
    user: Option<&'a str>,
    since: UnixTime,
    severities: Vec<Severity>,
    limit: usize,
}

impl Filter<'_> {
    fn takes(&self, listed: &Listed) -> bool {
        let is_about = |user| listed.record.as_ref().is_some_and(|record| is_about(record, user));
        // A record that cannot be read may have been the loudest.
        let is_loud = listed.record.as_ref().is_none_or(|record| self.severities.contains(&record.severity));
        listed.at >= self.since && is_loud && self.user.is_none_or(is_about)
    }

    /// The newest of those asked for, in order.
    fn newest(&self, mut records: Vec<Listed>) -> Vec<Listed> {
        records.retain(|listed| self.takes(listed));
        let mut records = order::merged(records, |listed| (&listed.stream, listed.sequence, listed.at));
        let surplus = records.len().saturating_sub(self.limit);
        records.drain(..surplus);
        records
    }
}

fn is_about(record: &Record, user: &str) -> bool {
    record.user.as_deref() == Some(user) || record.typed == user
}

/// The newest records of one stream that are asked for. It reads backwards and no further than needed.
fn newest(office: &Office, head: &ChainPosition, filter: &Filter<'_>) -> Result<Vec<Listed>, Failure> {
    let mut found = Vec::new();
    let mut end = head.sequence;
    while end > 0 && found.len() < filter.limit {
        let start = end.saturating_sub(PAGE_RECORDS).saturating_add(1).max(1);
        let count = end.saturating_sub(start).saturating_add(1);
        let page = office.store.records(&head.stream, start, u32::try_from(count).unwrap_or(u32::MAX))?;
        let records = read_page(&head.stream, &page);
        // Clocks of two processes may differ a little, so that one late record does not end the search.
        let is_over = !records.is_empty() && records.iter().all(|listed| listed.at < filter.since);
        found.extend(records.into_iter().rev().filter(|listed| filter.takes(listed)));
        if is_over {
            break;
        }
        end = start.saturating_sub(1);
    }
    found.truncate(filter.limit);
    Ok(found)
}

/// A record that cannot be read stands beside its neighbours: it takes the time of the one before.
fn read_page(stream: &str, page: &[StoredRecord]) -> Vec<Listed> {
    let mut at = UnixTime::default();
    let read = page.iter().map(|stored| {
        let record: Option<Record> = serde_json::from_slice(&stored.body).ok();
        at = record.as_ref().map_or(at, |record| record.at);
        Listed { stream: stream.to_owned(), sequence: stored.sequence, at, record }
    });
    read.collect()
}

/// One record with its place. `record` is as it was chained, or null where it cannot be read.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Listed {
    stream: String,
    sequence: u64,
    #[serde(skip)]
    at: UnixTime,
    record: Option<Record>,
}

impl Listed {
    /// Whether both say the same of one attempt.
    fn is_of_same(&self, other: &Self) -> bool {
        self.record.is_some() && self.record == other.record
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct RecordList(Vec<Listed>);

impl Report for RecordList {
    fn text(&self) -> String {
        if self.0.is_empty() {
            return "There are no such records.\n".to_owned();
        }
        line::table(&self.0, columns_of_output())
    }
}

fn verify(context: &Context, office: &Office, arguments: &Verify) -> Result<Outcome, Failure> {
    let anchors = anchors_in(&arguments.anchors)?;
    let books = break_glass::books(context, office);
    let mut report = audit::verify(&books, office.engine.keys(), anchors)?;
    for restore in arguments.known_restores.iter().map(|name| RestoreName::new(name)) {
        if !report.know(&restore) {
            context.warn(&format!("no restore {restore} is seen to have cut anything off, or to be cut off"));
        }
    }
    let outcome = if report.is_sound() { Outcome::Done } else { Outcome::Refused };
    context.say(&Verified { sound: report.is_sound(), tail_proven: report.is_tail_proven(), report })?;
    context.tell_of_rollback(office)?;
    Ok(outcome)
}

/// All files, read as one.
fn anchors_in(files: &[PathBuf]) -> Result<Option<Anchors<'static>>, Failure> {
    if files.is_empty() {
        return Ok(None);
    }
    let mut all: Box<dyn BufRead> = Box::new(std::io::empty());
    for path in files {
        let file = File::open(path).map_err(Failure::file("open", path))?;
        all = Box::new(all.chain(BufReader::new(file)));
    }
    Ok(Some(Anchors::of(all)))
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Verified {
    sound: bool,
    tail_proven: bool,
    #[serde(flatten)]
    report: audit::Report,
}

impl Report for Verified {
    fn text(&self) -> String {
        self.report.to_string()
    }
}
