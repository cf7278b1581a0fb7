//! What `break-glass status` finds, and what to do about each finding.

use std::path::PathBuf;

use assembly::config::{Primary, Settings};
use assembly::store::{BreakGlassFile, Kept, Survey, Trouble, is_copy_of};
use assembly::{AssemblyError, Office};
use common::Username;
use common::account::Account;
use common::causes::with_causes;
use common::ports::{Listing as _, StoreError, StoredRecord};
use common::record::{Ending, Record};
use serde::Serialize;

use crate::failure::{Failure, shell_word};
use crate::moment::rfc3339;
use crate::report::Report;
use crate::table::table;

/// Uses that are shown.
const USES_SHOWN: usize = 10;

/// Whether the break-glass accounts would get in without the store.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Status {
    file: PathBuf,
    ready: bool,
    writable: bool,
    findings: Vec<Finding>,
    /// What may keep an account out, depending on what the stacks ask for.
    notes: Vec<String>,
    accounts: Vec<Line>,
    records: u64,
    uses: Vec<Use>,
}

/// One thing that is wrong.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Finding {
    what: String,
    advice: String,
}

/// One account of the settings.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Line {
    user: String,
    kept: bool,
    /// `null` where the store does not answer.
    current: Option<bool>,
    factors: usize,
    recovery_codes_left: usize,
}

/// One accept.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Use {
    sequence: u64,
    time: String,
    user: String,
    place: String,
    source: Option<String>,
    factor: Option<String>,
}

impl Status {
    pub(super) fn new(
        settings: &Settings,
        file: &BreakGlassFile,
        office: Result<&Office, &AssemblyError>,
    ) -> Self {
        let survey = file.survey();
        let probed = survey.as_ref().ok().map(|_| file.probe());
        let mut findings = Findings::default();
        findings.of_file(&survey, probed.as_ref());
        let empty = Vec::new();
        let kept = survey.as_ref().map_or(&empty, |survey| &survey.kept);
        let accounts = settings.policy.break_glass.iter();
        let accounts = accounts.map(|name| findings.of_account(name, kept, office)).collect();
        findings.of_others(settings, kept);
        let records = survey.as_ref().map_or(&[][..], |survey| &survey.records);
        Self {
            file: file.path().to_owned(),
            ready: findings.0.is_empty(),
            writable: matches!(probed, Some(Ok(()))),
            findings: findings.0,
            notes: notes(settings, kept),
            accounts,
            records: survey.as_ref().map_or(0, |survey| survey.head.sequence),
            uses: records.iter().rev().filter_map(Use::read).take(USES_SHOWN).collect(),
        }
    }

    /// Whether nothing was found.
    pub(super) const fn is_ready(&self) -> bool {
        self.ready
    }
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn into_pairs(self) -> Vec<(String, String)> {
        self.0.into_iter().map(|finding| (finding.what, finding.advice)).collect()
    }

    pub(super) fn add(&mut self, what: impl Into<String>, advice: impl Into<String>) {
        self.0.push(Finding { what: what.into(), advice: advice.into() });
    }

    pub(super) fn of_file(
        &mut self,
        survey: &Result<Survey, StoreError>,
        probed: Option<&Result<(), StoreError>>,
    ) {
        match survey {
            Err(error) => self.add(with_causes(error), advice(error)),
            Ok(survey) if survey.damaged_slots > 0 => self.add(
                format!("{} places of the file cannot be read", survey.damaged_slots),
                "run 'countersign break-glass prepare', make new recovery codes for the accounts, and look at the disk",
            ),
            Ok(_) => {}
        }
        if let Some(Err(error)) = probed {
            self.add(with_causes(error), advice(error));
        }
    }

    /// What is in the way of one account.
    fn of_account(
        &mut self,
        name: &Username,
        kept: &[Kept],
        office: Result<&Office, &AssemblyError>,
    ) -> Line {
        let kept = kept.iter().find(|kept| kept.account.name == *name);
        let stored = self.stored(name, office);
        let current = stored.as_ref().map(|stored| match (stored, kept) {
            (Some(account), Some(kept)) => is_copy_of(&kept.account, account),
            (Some(_), None) | (None, _) => false,
        });
        match (&stored, kept) {
            (Some(None), _) => self.add(
                format!("there is no account {name} in the store"),
                format!("run 'countersign user add {name}' and 'countersign enroll {name} totp', or take the name out of [break-glass]"),
            ),
            (_, None) => self.add(format!("{name} is not in the file"), "run 'countersign break-glass prepare'"),
            (_, Some(_)) if current == Some(false) => self.add(
                format!("the copy of {name} is not as in the store"),
                "run 'countersign break-glass prepare'",
            ),
            (_, Some(_)) => {}
        }
        let left = kept.map_or(0, codes_left);
        let factors = kept.map_or(0, |kept| kept.account.factors.len());
        if let Some(kept) = kept {
            self.of_proofs(&kept.account, left);
        }
        Line { user: name.to_string(), kept: kept.is_some(), current, factors, recovery_codes_left: left }
    }

    /// `None` where the store does not answer, which is said once.
    fn stored(
        &mut self,
        name: &Username,
        office: Result<&Office, &AssemblyError>,
    ) -> Option<Option<Account>> {
        let said = match office {
            Ok(office) => match office.store.account(name) {
                Ok(found) => return Some(found),
                Err(error) => with_causes(&Failure::from(error)),
            },
            Err(error) => error.to_string(),
        };
        if !self.0.iter().any(|finding| finding.what == said) {
            self.add(
                said,
                "run 'countersign store check', which says what to do; until then the file stands in",
            );
        }
        None
    }

    fn of_proofs(&mut self, account: &Account, codes_left: usize) {
        let name = &account.name;
        if account.factors.is_empty() {
            self.add(format!("{name} has no factor"), format!("run 'countersign enroll {name} totp'"));
        }
        if codes_left == 0 {
            self.add(
                format!("{name} has no recovery code left"),
                format!("run 'countersign recovery-codes {name}' and put the sheet into the safe"),
            );
        }
    }

    fn of_others(&mut self, settings: &Settings, kept: &[Kept]) {
        let users = &settings.policy.break_glass;
        for kept in kept.iter().filter(|kept| !users.contains(&kept.account.name)) {
            self.add(
                format!("{} is in the file and not in [break-glass]", kept.account.name),
                "nobody gets in by that; 'countersign break-glass prepare' takes it out",
            );
        }
    }
}

fn notes(settings: &Settings, kept: &[Kept]) -> Vec<String> {
    let is_ours = |kept: &&Kept| {
        settings.primary == Primary::Local
            && settings.policy.break_glass.contains(&kept.account.name)
            && kept.account.password_hash.is_none()
    };
    let names = kept.iter().filter(is_ours).map(|kept| &kept.account.name);
    let said = names.map(|name| format!("{name} {}", no_password(name)));
    said.collect()
}

/// Stacks that check the password themselves, or ask for none, need none of ours.
pub(crate) fn no_password(name: &Username) -> String {
    format!(
        "has no password here. Only where a service asks us for the password ('primary=own' in its PAM line, or \
         RADIUS) does that keep {name} out: then run 'countersign user passwd {}'",
        shell_word(name)
    )
}

pub(super) fn codes_left(kept: &Kept) -> usize {
    let codes = kept.account.recovery_codes.iter();
    codes.filter(|code| !kept.spent_codes.contains(&code.id)).count()
}

/// What to do about the file.
pub(crate) const fn advice_of(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Absent => "run 'countersign break-glass prepare'",
        Trouble::ReadOnly => "mount its disk for writing, or name a file on another disk in [break-glass]",
        Trouble::Full => {
            "its file system needs space for writing in place: name a file on another one in [break-glass]"
        }
        Trouble::Damaged | Trouble::WrongKey => {
            "move the file away and run 'countersign break-glass prepare'"
        }
        Trouble::Slow => {
            "see which program holds it and whether it is stopped ('ps'); ending that program is safe"
        }
        Trouble::Exposed => {
            "look at who could have changed it, then give it back to its owner with the commands above"
        }
        Trouble::Newer | Trouble::Other => "see what the system says about the file named",
    }
}

fn advice(error: &StoreError) -> &'static str {
    advice_of(Trouble::of(error))
}

impl Use {
    fn read(stored: &StoredRecord) -> Option<Self> {
        let record: Record = serde_json::from_slice(&stored.body).ok()?;
        (record.ending == Ending::Accept).then(|| Self {
            sequence: stored.sequence,
            time: rfc3339(record.at),
            user: record.user.unwrap_or(record.typed),
            place: record.place.to_string(),
            source: record.source,
            factor: record.factor,
        })
    }

    fn row(&self) -> Vec<String> {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let Self { time, user, place, source, factor, .. } = self;
        vec![time.clone(), user.clone(), place.clone(), or_dash(source), or_dash(factor)]
    }
}

impl Line {
    fn row(&self) -> Vec<String> {
        let copy = match (self.kept, self.current) {
            (false, _) => "none",
            (true, Some(true)) => "current",
            (true, Some(false)) => "old",
            (true, None) => "kept",
        };
        let (factors, codes) = (self.factors.to_string(), self.recovery_codes_left.to_string());
        vec![self.user.clone(), copy.to_owned(), factors, codes]
    }
}

impl Report for Status {
    fn text(&self) -> String {
        let mut text = String::new();
        for Finding { what, advice } in &self.findings {
            text.push_str(&format!("found: {what}\n  do: {advice}\n"));
        }
        for note in &self.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        if self.accounts.is_empty() {
            text.push_str("[break-glass] names no account.\n");
        } else {
            text.push_str(&table(
                &["user", "copy", "factors", "codes left"],
                self.accounts.iter().map(Line::row),
            ));
        }
        if self.ready && !self.accounts.is_empty() {
            text.push_str(&format!("{} is ready.\n", self.file.display()));
        }
        if !self.uses.is_empty() {
            text.push_str("\nUsed last:\n");
            text.push_str(&table(
                &["time", "user", "place", "from", "factor"],
                self.uses.iter().map(Use::row),
            ));
        }
        text
    }
}
