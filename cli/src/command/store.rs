//! `countersign store`: whether it is sound, copies of it, and putting one back so that nothing used since then works
//! again.

pub(in crate::command) mod check;
mod keeping;

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use assembly::audit::{CutOff, RESTORE};
use assembly::config::Settings;
use assembly::places;
use assembly::store::{RecoveryCodes, Restored, Rollback, Sqlite};
use clap::{Args, Subcommand};
use common::Place;
use serde::Serialize;

use crate::actor::actor;
use crate::command::{Outcome, break_glass};
use crate::context::{Context, refuse_strangers};
use crate::failure::Failure;
use crate::moment::rfc3339;
use crate::report::Report;
use crate::terminal::Consent;

/// What every SQLite database begins with (sqlite.org/fileformat.html, 1.3).
const DATABASE_HEADER: &[u8; 16] = b"SQLite format 3\0";

/// What is done with the store as a whole.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Look at the store and everything that it needs; exit code 1 where something is wrong.
    Check,
    /// Copy the store, as of one moment, into a new file. The key file is not in it.
    Backup(Backup),
    /// Put a backup in the place of the store, of which a copy is kept. Every code used until now is refused afterwards.
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
    /// Restore without asking; only a person at a terminal is asked.
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(context: &Context, command: &Command) -> Result<Outcome, Failure> {
    match command {
        Command::Check => return check::run(context),
        Command::Backup(Backup { file }) => {
            let office = context.office()?;
            office.store.backup_to(file)?;
            let key_file = places::master_key(&context.settings_without_clients()?);
            context.say(&BackedUp { file: file.clone(), key_file })?;
        }
        Command::Restore(arguments) => return put_back(context, arguments),
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
            office.engine.record_act(&actor(), Place::countersign(), RESTORE, report.in_words());
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

fn put_back(context: &Context, arguments: &Restore) -> Result<Outcome, Failure> {
    refuse_strangers()?;
    let Restore { file, yes } = arguments;
    let settings = context.settings_without_clients()?;
    refuse_other_files(file)?;
    if !yes && keeping::may_overwrite(&settings, file)? == Consent::Withheld {
        context.tell("Nothing was changed.\n")?;
        return Ok(Outcome::Refused);
    }
    let (kept, rollback) = keeping::keep(&settings)?;
    let mut restored = restore(&settings, file).inspect_err(|_| {
        // The store is as it was: nobody needs the copy.
        let _ = kept.as_ref().map(fs::remove_file);
    })?;
    if rollback.is_some() {
        // What an older copy of itself knows of used codes is not all.
        restored.recovery_codes = RecoveryCodes::Unknown;
        restored.rollback = restored.rollback.or(rollback);
    }
    let report = PutBack::new(file.clone(), &restored, kept);
    // It is done, whatever becomes of its record: where the store that was there went is said in any case.
    let said = context.say(&report);
    let recorded = record(context, &report, restored.rollback.as_ref());
    said?;
    Ok(recorded)
}

fn restore(settings: &Settings, file: &Path) -> Result<Restored, Failure> {
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
    /// Where the store that was there is kept; null where there was none that could be read.
    kept_store: Option<PathBuf>,
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
    fn new(file: PathBuf, restored: &Restored, kept_store: Option<PathBuf>) -> Self {
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
            kept_store,
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
        if let Some(kept) = &self.kept_store {
            text.push_str(&format!(
                "The store that was there is kept as {}: remove that file when nobody misses anything.\n",
                kept.display()
            ));
        }
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
            text.push_str(
                "If a collector got their lines, it still has them: 'audit verify --anchors' names this restore and \
                 what it cut off.\n",
            );
        }
        text
    }
}
