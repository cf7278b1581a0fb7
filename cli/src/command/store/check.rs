//! `countersign store check`: the store, its key file, and the break-glass file that stands in for it.

use std::path::PathBuf;

use assembly::config::Settings;
use assembly::store::{Examination, Figures, Finding, Trouble};
use assembly::{AssemblyError, places};
use common::ports::Listing as _;
use common::{UnixTime, Username};
use serde::Serialize;

use crate::command::Outcome;
use crate::command::break_glass::Standby;
use crate::context::{Context, refuse_strangers};
use crate::failure::Failure;
use crate::moment::rfc3339;
use crate::report::Report;

/// So many names of accounts are said; whoever has more under attack looks at the alerts.
const CLOSED_NAMED_MAX: u32 = 20;

/// Kinds that are about other files than the store's, with what they mean.
const KEY: (&str, &str) =
    ("key-unavailable", "The key file cannot be used: nobody can sign in, break-glass accounts neither.");
const BREAK_GLASS: (&str, &str) = (
    "break-glass",
    "The break-glass file would not let everybody in who is named for the day when the store is lost.",
);

pub(super) fn run(context: &Context) -> Result<Outcome, Failure> {
    refuse_strangers()?;
    let checked = survey(context, &context.settings_without_clients()?)?;
    context.say(&checked)?;
    Ok(if checked.sound { Outcome::Done } else { Outcome::Refused })
}

/// Looks at everything that logins need of the store.
pub(in crate::command) fn survey(context: &Context, settings: &Settings) -> Result<Checked, Failure> {
    // A store that went back is told of and recorded here. What else is wrong is found again below.
    let closed =
        context.office().and_then(|office| Ok(office.store.closed(office.engine.now(), CLOSED_NAMED_MAX)?));
    match assembly::examination(settings) {
        Ok(examination) => {
            let standby = Standby::look(settings, &assembly::break_glass(settings)?);
            let closed = closed.unwrap_or_default();
            Ok(Checked::new(places::store(settings), &examination, &standby, &closed))
        }
        Err(error) => Checked::without_key(settings, error),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::command) struct Checked {
    store: PathBuf,
    sound: bool,
    pub(in crate::command) findings: Vec<Found>,
    schema: Option<u32>,
    database_octets: u64,
    log_octets: u64,
    reserve_octets: u64,
    free_octets: Option<u64>,
    codes_refused_until: Option<String>,
    messages_waiting: Option<u64>,
    messages_expired: Option<u64>,
    messages_left_out: Option<u64>,
    /// Since when one of them waits for a server that does not come.
    untaken_since: Option<String>,
    #[serde(skip)]
    pub(in crate::command) untaken: Option<UnixTime>,
    /// Whose codes from new places are refused: nothing that is wrong with the store.
    closed_accounts: Vec<String>,
    /// Who gets in by the break-glass file, whatever is wrong with the store.
    break_glass_accounts: Vec<String>,
    #[serde(skip)]
    meanwhile: Option<String>,
}

/// One thing that is wrong.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::command) struct Found {
    pub(in crate::command) kind: &'static str,
    meaning: &'static str,
    pub(in crate::command) file: PathBuf,
    pub(in crate::command) what: String,
    pub(in crate::command) advice: String,
    /// Whether others than root and the owner can reach it.
    #[serde(skip)]
    pub(in crate::command) exposed: bool,
}

impl Checked {
    fn new(store: PathBuf, examination: &Examination, standby: &Standby, closed: &[Username]) -> Self {
        let causes = causes(&examination.findings);
        let is_told = |trouble| causes.iter().any(|cause| cause.trouble == trouble);
        let meanwhile =
            causes.iter().any(|cause| cause.trouble != Trouble::Full).then(|| standby.meanwhile());
        let mut findings: Vec<Found> = causes.iter().map(|cause| Found::of_store(cause)).collect();
        // One disk that is read-only keeps both from being written, and is one thing to mend.
        if !standby.trouble.is_some_and(|trouble| trouble == Trouble::ReadOnly && is_told(trouble)) {
            findings.extend(standby.findings.iter().map(|finding| Found::of_break_glass(standby, finding)));
        }
        let closed_accounts = closed.iter().map(Username::to_string).collect();
        let checked = Self::of(store, findings, &examination.figures);
        Self { closed_accounts, break_glass_accounts: standby.getting_in.clone(), meanwhile, ..checked }
    }

    /// Nothing else can be looked at without the key. What is not about the key is a failure of the command.
    fn without_key(settings: &Settings, error: AssemblyError) -> Result<Self, Failure> {
        let found = Found::of_key(&error).ok_or(error)?;
        Ok(Self::of(places::store(settings), vec![found], &Figures::default()))
    }

    fn of(store: PathBuf, findings: Vec<Found>, figures: &Figures) -> Self {
        Self {
            store,
            sound: findings.is_empty(),
            findings,
            schema: figures.schema,
            database_octets: figures.database_octets,
            log_octets: figures.log_octets,
            reserve_octets: figures.reserve_octets,
            free_octets: figures.free_octets,
            codes_refused_until: figures.floor.map(rfc3339),
            messages_waiting: figures.messages.map(|messages| messages.waiting),
            messages_expired: figures.messages.map(|messages| messages.expired),
            messages_left_out: figures.messages.map(|messages| messages.left_out),
            untaken_since: figures.untaken_since.map(rfc3339),
            untaken: figures.untaken_since,
            closed_accounts: Vec::new(),
            break_glass_accounts: Vec::new(),
            meanwhile: None,
        }
    }
}

/// What has one cause is met at several files, and told once.
fn causes(findings: &[Finding]) -> Vec<&Finding> {
    let mut causes: Vec<&Finding> = Vec::new();
    for finding in findings {
        let is_same = |told: &&Finding| match finding.trouble {
            Trouble::Exposed => told.trouble == Trouble::Exposed && told.file == finding.file,
            Trouble::Other => false,
            Trouble::Absent
            | Trouble::ReadOnly
            | Trouble::Full
            | Trouble::Damaged
            | Trouble::Slow
            | Trouble::WrongKey
            | Trouble::Newer => told.trouble == finding.trouble,
        };
        if !causes.iter().any(is_same) {
            causes.push(finding);
        }
    }
    causes
}

impl Found {
    fn of_store(finding: &Finding) -> Self {
        Self {
            kind: finding.trouble.name(),
            meaning: finding.trouble.meaning(),
            file: finding.file.clone(),
            what: finding.what.clone(),
            advice: finding.advice.clone(),
            exposed: finding.trouble == Trouble::Exposed,
        }
    }

    fn of_break_glass(standby: &Standby, (what, advice): &(String, String)) -> Self {
        let (kind, meaning) = BREAK_GLASS;
        let exposed = standby.trouble == Some(Trouble::Exposed);
        Self {
            kind,
            meaning,
            file: standby.file.clone(),
            what: what.clone(),
            advice: advice.clone(),
            exposed,
        }
    }

    fn of_key(error: &AssemblyError) -> Option<Self> {
        let (kind, meaning) = KEY;
        let back = "Put the key file back from your copy, with mode 0600 and the owner of its folder.";
        let (file, what, advice) = match error {
            AssemblyError::ReadKeys { path, source } => {
                (path, format!("it cannot be read: {source}"), back.to_owned())
            }
            AssemblyError::KeysUnreadable { path } => (
                path,
                "it is too long, or a line is no key, or an id stands twice".to_owned(),
                back.to_owned(),
            ),
            AssemblyError::KeysExposed { path } => {
                let named = path.display();
                let advice = format!(
                    "See who could have read it ('ls -ldn {named}'): whoever did has all secrets of the store. Then \
                     'chown countersign:countersign {named}' and 'chmod 0600 {named}'."
                );
                (path, "it is no plain file of the store's owner with mode 0600".to_owned(), advice)
            }
            AssemblyError::WriteKeys { .. }
            | AssemblyError::StateDirectory { .. }
            | AssemblyError::Key(_)
            | AssemblyError::Store(_)
            | AssemblyError::Primary(_)
            | AssemblyError::Audit(_)
            | AssemblyError::HelperMissing => return None,
        };
        let exposed = matches!(error, AssemblyError::KeysExposed { .. });
        Some(Self { kind, meaning, file: file.clone(), what, advice, exposed })
    }
}

impl Checked {
    /// What there is to say about messages: nothing, where none waits and none was lost.
    fn messages(&self) -> String {
        let mut text = String::new();
        let number = |number: Option<u64>| number.filter(|number| *number > 0);
        if let Some(waiting) = number(self.messages_waiting) {
            text.push_str(&format!("Messages that wait to be sent: {waiting}.\n"));
        }
        if let Some(since) = &self.untaken_since {
            text.push_str(&format!(
                "The oldest has waited for a server since {since}: countersign-local and countersign-radiusd send them. If that \
                 is long ago, see 'systemctl status countersign-local countersign-radiusd'.\n"
            ));
        }
        if let Some(expired) = number(self.messages_expired) {
            text.push_str(&format!("Messages that expired before they could be sent, ever: {expired}.\n"));
        }
        if let Some(left_out) = number(self.messages_left_out) {
            text.push_str(&format!("Notices left out because too many waited, ever: {left_out}.\n"));
        }
        text
    }
}

impl Report for Checked {
    fn text(&self) -> String {
        let mut text = String::new();
        for Found { kind, meaning, file, what, advice, exposed: _ } in &self.findings {
            text.push_str(&format!(
                "{kind}: {meaning}\n  file: {}\n  found: {what}\n  do: {advice}\n",
                file.display()
            ));
        }
        text.push_str(self.meanwhile.as_deref().unwrap_or_default());
        if self.sound {
            text.push_str(&format!("{} is sound: logins can read and write it.\n", self.store.display()));
        }
        let kib = |octets: u64| octets / 1024;
        if self.database_octets > 0 {
            text.push_str(&format!(
                "It has {} KiB, and {} KiB of log; {} KiB are kept for logins on a full disk.\n",
                kib(self.database_octets),
                kib(self.log_octets),
                kib(self.reserve_octets)
            ));
        }
        text.push_str(&self.messages());
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

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use assembly::store::{Examination, Figures, Finding, Trouble};

    use common::UnixTime;
    use common::ports::OutboxFigures;

    use super::{BREAK_GLASS, Checked, KEY};
    use crate::command::break_glass::Standby;
    use crate::report::Report as _;

    const PAGE: &str = include_str!("../../../../docs/command-line.md");

    #[test]
    fn every_kind_of_trouble_is_in_the_page() {
        let names = Trouble::ALL.iter().map(|kind| kind.name()).chain([KEY.0, BREAK_GLASS.0]);
        for name in names {
            assert!(PAGE.contains(&format!("\n| `{name}` | ")), "{name}");
        }
    }

    fn finding(trouble: Trouble, file: &str) -> Finding {
        let file = PathBuf::from(file);
        Finding { trouble, advice: trouble.advice_about(&file), file, what: "so it is".to_owned() }
    }

    fn standby(trouble: Option<Trouble>, getting_in: &[&str], named: usize) -> Standby {
        let findings = trouble.map(|_| ("the file cannot be written".to_owned(), "mend it".to_owned()));
        Standby {
            file: PathBuf::from("/state/break-glass"),
            findings: findings.into_iter().collect(),
            trouble,
            getting_in: getting_in.iter().map(ToString::to_string).collect(),
            named,
        }
    }

    fn checked(findings: &[Finding], standby: &Standby) -> Checked {
        let examination = Examination { findings: findings.to_vec(), figures: Figures::default() };
        Checked::new(Path::new("/state/store.db").to_owned(), &examination, standby, &[])
    }

    #[test]
    fn one_read_only_disk_is_one_finding_and_promises_nothing() {
        let disk =
            [finding(Trouble::ReadOnly, "/state"), finding(Trouble::ReadOnly, "/state/store.db-queue")];
        let both = checked(&disk, &standby(Some(Trouble::ReadOnly), &[], 1));
        assert_eq!(both.findings.len(), 1);
        let text = both.text();
        assert!(
            text.contains("No break-glass account gets in meanwhile: the file cannot be written."),
            "{text}"
        );
        assert!(!text.contains("get in meanwhile"), "{text}");
        let elsewhere = checked(&disk, &standby(None, &["rescue"], 1)).text();
        assert!(elsewhere.contains("rescue gets in by the break-glass file"), "{elsewhere}");
    }

    #[test]
    fn a_store_is_sound_only_with_its_break_glass_file() {
        assert!(checked(&[], &standby(None, &["rescue"], 1)).sound);
        let damaged = checked(&[], &standby(Some(Trouble::Damaged), &[], 1));
        assert!(!damaged.sound && !damaged.text().contains("is sound"));
        assert_eq!(damaged.findings.first().map(|found| found.kind), Some("break-glass"));
    }

    #[test]
    fn messages_that_wait_are_told_of_and_are_no_fault_of_the_store() {
        let told = |waiting, expired, left_out, since| {
            let messages = Some(OutboxFigures { waiting, expired, left_out });
            let figures = Figures { messages, untaken_since: since, ..Figures::default() };
            let checked = Checked::of(PathBuf::from("/state/store.db"), Vec::new(), &figures);
            assert!(checked.sound);
            checked.messages()
        };
        assert_eq!(told(0, 0, 0, None), "");
        assert_eq!(told(3, 0, 0, None), "Messages that wait to be sent: 3.\n");
        let text = told(3, 2, 1, Some(UnixTime::from_seconds(0)));
        for sentence in
            ["since 1970-01-01T00:00:00Z: ", "could be sent, ever: 2.", "too many waited, ever: 1."]
        {
            assert!(text.contains(sentence), "{text}");
        }
    }

    #[test]
    fn a_store_that_is_not_there_has_no_size() {
        let text = checked(&[finding(Trouble::Absent, "/state/store.db")], &standby(None, &[], 0)).text();
        assert!(!text.contains("KiB") && text.contains("[break-glass] names none"), "{text}");
    }
}
