//! `countersign store`: whether it is sound, copies of it, and putting one back so that nothing used since then works
//! again.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use assembly::audit::{CutOff, RESTORE};
use assembly::config::Settings;
use assembly::places;
use assembly::store::{Examination, Finding, RecoveryCodes, Restored, Rollback, Sqlite};
use clap::{Args, Subcommand};
use common::ports::Listing as _;
use common::{Place, Username};
use serde::Serialize;

use crate::actor::actor;
use crate::command::{Outcome, break_glass};
use crate::context::{Context, refuse_strangers};
use crate::failure::Failure;
use crate::moment::rfc3339;
use crate::report::Report;

/// So many names of accounts are said; whoever has more under attack looks at the alerts.
const CLOSED_NAMED_MAX: u32 = 20;

/// What every SQLite database begins with (sqlite.org/fileformat.html, 1.3).
const DATABASE_HEADER: &[u8; 16] = b"SQLite format 3\0";

/// What is done with the store as a whole.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Look at the store and everything that it needs; exit code 1 where something is wrong.
    Check,
    /// Copy the store, as of one moment, into a new file. The key file is not in it.
    Backup(Backup),
    /// Put a backup in the place of the store, which is set aside if it is damaged. Every code used until now is refused afterwards.
    Restore(Restore),
}

/// Arguments of `store backup`.
#[derive(Args)]
pub(crate) struct Backup {
    /// The new file; it gets mode 0600.
    file: PathBuf,
}

/// Arguments of `store restore`.
#[derive(Args)]
pub(crate) struct Restore {
    /// A file that `store backup` made.
    file: PathBuf,
}

pub(crate) fn run(context: &Context, command: &Command) -> Result<Outcome, Failure> {
    match command {
        Command::Check => return check(context),
        Command::Backup(Backup { file }) => {
            let office = context.office()?;
            office.store.backup_to(file)?;
            let key_file = places::master_key(&context.settings_without_clients()?);
            context.say(&BackedUp { file: file.clone(), key_file })?;
        }
        Command::Restore(Restore { file }) => {
            refuse_strangers()?;
            let settings = context.settings_without_clients()?;
            let restored = restore(&settings, file)?;
            let report = PutBack::new(file.clone(), &restored);
            // It is done, whatever becomes of its record: where the damaged store went is said in any case.
            let said = context.say(&report);
            let recorded = record(context, &report, restored.rollback.as_ref());
            said?;
            return Ok(recorded);
        }
    }
    Ok(Outcome::Done)
}

/// Records a restore that is done, and what it found. A backup that opened as a copy may still not open in its place.
fn record(context: &Context, report: &PutBack, rollback: Option<&Rollback>) -> Outcome {
    match context.office() {
        Ok(office) => {
            if let Some(rollback) = rollback {
                context.tell_of(&office, rollback);
            }
            let place = Place::Service("countersign".to_owned());
            office.engine.record_act(&actor(), place, RESTORE, report.in_words());
            break_glass::follow(context, &office);
            Outcome::Done
        }
        Err(failure) => {
            let why = context.advised(&failure);
            context.warn(&format!(
                "the restore is done, but the restored store does not open, so it is not recorded: {why}"
            ));
            Outcome::Refused
        }
    }
}

fn check(context: &Context) -> Result<Outcome, Failure> {
    refuse_strangers()?;
    let settings = context.settings_without_clients()?;
    // A store that went back is told of and recorded here. What else is wrong is found again below.
    let closed =
        context.office().and_then(|office| Ok(office.store.closed(office.engine.now(), CLOSED_NAMED_MAX)?));
    let examination = assembly::examination(&settings)?;
    let checked = Checked::new(places::store(&settings), &examination, &closed.unwrap_or_default());
    context.say(&checked)?;
    Ok(if checked.sound { Outcome::Done } else { Outcome::Refused })
}

fn restore(settings: &Settings, file: &Path) -> Result<Restored, Failure> {
    refuse_other_files(file)?;
    let restoring = assembly::restoring(settings)?;
    Sqlite::restore(file, &places::store(settings), &restoring)
        .map_err(|source| Failure::Restore { backup: file.to_owned(), source })
}

/// Looked at first: what SQLite says of a file that is no database would be taken for news of the store.
fn refuse_other_files(file: &Path) -> Result<(), Failure> {
    let opened = File::open(file).map_err(Failure::file("open", file))?;
    let mut header = Vec::new();
    let count = u64::try_from(DATABASE_HEADER.len()).unwrap_or(u64::MAX);
    opened.take(count).read_to_end(&mut header).map_err(Failure::file("read", file))?;
    if header == DATABASE_HEADER { Ok(()) } else { Err(Failure::NoBackup(file.to_owned())) }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Checked {
    store: PathBuf,
    sound: bool,
    findings: Vec<Found>,
    schema: Option<u32>,
    database_octets: u64,
    log_octets: u64,
    reserve_octets: u64,
    free_octets: Option<u64>,
    codes_refused_until: Option<String>,
    /// Whose codes from new places are refused: nothing that is wrong with the store.
    closed_accounts: Vec<String>,
}

/// One thing that is wrong.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Found {
    kind: &'static str,
    meaning: &'static str,
    file: PathBuf,
    what: String,
    advice: String,
}

impl Checked {
    fn new(store: PathBuf, examination: &Examination, closed: &[Username]) -> Self {
        let Examination { findings, figures } = examination;
        let found = |it: &Finding| Found {
            kind: it.trouble.name(),
            meaning: it.trouble.meaning(),
            file: it.file.clone(),
            what: it.what.clone(),
            advice: it.advice.clone(),
        };
        Self {
            store,
            sound: findings.is_empty(),
            findings: findings.iter().map(found).collect(),
            schema: figures.schema,
            database_octets: figures.database_octets,
            log_octets: figures.log_octets,
            reserve_octets: figures.reserve_octets,
            free_octets: figures.free_octets,
            codes_refused_until: figures.floor.map(rfc3339),
            closed_accounts: closed.iter().map(Username::to_string).collect(),
        }
    }
}

impl Report for Checked {
    fn text(&self) -> String {
        let mut text = String::new();
        for Found { kind, meaning, file, what, advice } in &self.findings {
            text.push_str(&format!(
                "{kind}: {meaning}\n  file: {}\n  found: {what}\n  do: {advice}\n",
                file.display()
            ));
        }
        if self.sound {
            text.push_str(&format!("{} is sound: logins can read and write it.\n", self.store.display()));
        }
        let kib = |octets: u64| octets / 1024;
        text.push_str(&format!(
            "It has {} KiB, and {} KiB of log; {} KiB are kept for logins on a full disk.\n",
            kib(self.database_octets),
            kib(self.log_octets),
            kib(self.reserve_octets)
        ));
        if !self.closed_accounts.is_empty() {
            text.push_str(&format!(
                "Too many wrong codes came for {}: codes from new places are refused. 'countersign user show NAME' says \
                 until when, 'countersign user unlock NAME' ends it.\n",
                self.closed_accounts.join(", ")
            ));
        }
        text
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct BackedUp {
    file: PathBuf,
    key_file: PathBuf,
}

impl Report for BackedUp {
    fn text(&self) -> String {
        format!(
            "The store is in {}.\nIt opens only with the key file {}: keep a copy of that elsewhere.\n",
            self.file.display(),
            self.key_file.display()
        )
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct PutBack {
    file: PathBuf,
    codes_refused_until: String,
    recovery_codes_stay_spent: bool,
    /// Where the store that was damaged is now.
    damaged_store: Option<PathBuf>,
    streams: Vec<Stream>,
    /// Whether the store said how far its streams went.
    #[serde(skip)]
    is_end_known: bool,
}

/// How far a stream of records went before and goes now.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Stream {
    stream: String,
    /// `null` where the store was damaged or gone.
    records_before: Option<u64>,
    records: u64,
}

impl PutBack {
    fn new(file: PathBuf, restored: &Restored) -> Self {
        let Restored { heads_before, heads, floor, recovery_codes, damaged, rollback: _ } = restored;
        let records =
            |stream: &str| heads.iter().find(|head| head.stream == stream).map_or(0, |head| head.sequence);
        // Of a store that is damaged or gone nobody knows how far it went.
        let streams = heads_before.as_ref().unwrap_or(heads).iter().map(|head| Stream {
            stream: head.stream.clone(),
            records_before: heads_before.as_ref().map(|_| head.sequence),
            records: records(&head.stream),
        });
        Self {
            file,
            codes_refused_until: rfc3339(*floor),
            recovery_codes_stay_spent: *recovery_codes == RecoveryCodes::StaySpent,
            damaged_store: damaged.clone(),
            streams: streams.collect(),
            is_end_known: heads_before.is_some(),
        }
    }
}

impl PutBack {
    /// For the record of the act.
    fn in_words(&self) -> String {
        let named = self.streams.iter().map(|it| CutOff {
            stream: it.stream.clone(),
            kept: it.records,
            before: it.records_before,
        });
        let others = (!self.is_end_known).then(CutOff::others);
        let cut_off: String = named.chain(others).map(|it| format!(" {it}")).collect();
        format!("file={} codes-refused-until={}{cut_off}", self.file.display(), self.codes_refused_until)
    }
}

impl Report for PutBack {
    fn text(&self) -> String {
        let mut text = format!(
            "{} is the store now.\n\
             Every code that was shown until {} is refused: users wait for the next one.\n\
             Blocks, revocations and enrolments made since the backup are lost: do them again.\n",
            self.file.display(),
            self.codes_refused_until
        );
        if let Some(damaged) = &self.damaged_store {
            text.push_str(&format!(
                "The store that was there is damaged and was set aside as {}: keep it until you know what happened, \
                 and look at the disk.\n",
                damaged.display()
            ));
        }
        if !self.recovery_codes_stay_spent {
            text.push_str(
                "Not all recovery codes that were used since the backup are known, and those would work again: make new sets with \
                 'countersign recovery-codes NAME'.\n",
            );
        }
        for stream in &self.streams {
            let from = stream.records.saturating_add(1);
            match stream.records_before {
                Some(before) if before < from => {}
                Some(before) => {
                    text.push_str(&format!(
                        "Stream {}: records {from} to {before} are gone.\n",
                        stream.stream
                    ));
                }
                None => {
                    text.push_str(&format!(
                        "Stream {}: records from {from} on are gone, if there were any.\n",
                        stream.stream
                    ));
                }
            }
        }
        if self.streams.iter().any(|stream| stream.records_before != Some(stream.records)) {
            text.push_str("The collector has their lines; 'audit verify --anchors' names this restore and what it cut off.\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use assembly::store::Trouble;

    const PAGE: &str = include_str!("../../../docs/command-line.md");

    #[test]
    fn every_kind_of_trouble_is_in_the_page() {
        for kind in Trouble::ALL {
            assert!(PAGE.contains(&format!("\n| `{}` | ", kind.name())), "{}", kind.name());
        }
    }
}
