//! What every command needs: the settings, the engine behind them, and a voice.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use assembly::Office;
use assembly::config::{Colour, ConfigError, Loaded, Settings};
use assembly::places::{self, SYSTEM_USER};
use assembly::store::Rollback;
use common::acts::{Act, ActError, Issued};
use common::causes::with_causes;
use common::ports::Listing as _;
use common::{Reason, Username};
use nix::unistd::{User, geteuid};

use crate::actor::actor;
use crate::arguments::Arguments;
use crate::command::break_glass::warn_of_stale_copy;
use crate::failure::Failure;
use crate::moment::rfc3339;
use crate::report::{Form, Report, harmless, json};

/// One run of the program.
pub(crate) struct Context {
    /// The settings file.
    pub(crate) settings_file: PathBuf,
    form: Form,
}

impl Context {
    pub(crate) fn new(arguments: &Arguments) -> Self {
        let form = if arguments.json { Form::Json } else { Form::Text };
        Self { settings_file: arguments.config.clone(), form }
    }

    /// The settings with the RADIUS clients, before a change that may make other warnings of them.
    pub(crate) fn settings_before_change(&self) -> Result<Settings, Failure> {
        Ok(self.initialised(Settings::load(&self.settings_file))?.settings)
    }

    /// The settings with the RADIUS clients; warnings are said at once.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let loaded = self.initialised(Settings::load(&self.settings_file))?;
        for warning in &loaded.warnings {
            self.warn(&warning.message);
        }
        Ok(loaded.settings)
    }

    /// The settings without the RADIUS clients, whose mistakes are no reason to leave an account as it is.
    pub(crate) fn settings_without_clients(&self) -> Result<Settings, Failure> {
        Ok(self.initialised(Settings::load_without_clients(&self.settings_file))?.settings)
    }

    /// Where the settings are missing or closed, there is one thing to do.
    fn initialised(&self, loaded: Result<Loaded, ConfigError>) -> Result<Loaded, Failure> {
        loaded.map_err(|error| match error {
            ConfigError::Read { path, source }
                if source.kind() == io::ErrorKind::NotFound && path == self.settings_file =>
            {
                Failure::NotInitialised(path)
            }
            ConfigError::Read { path, source } if source.kind() == io::ErrorKind::PermissionDenied => {
                Failure::ReadByRootOnly(path)
            }
            error => Failure::Settings(error),
        })
    }

    /// The engine and what stands around it.
    pub(crate) fn office(&self) -> Result<Office, Failure> {
        let office = self.untouched_office()?;
        self.tell_of_rollback(&office)?;
        Ok(office)
    }

    /// The same, for a look at the store before anything is written to it.
    pub(crate) fn untouched_office(&self) -> Result<Office, Failure> {
        refuse_strangers()?;
        Ok(assembly::office(&self.settings_without_clients()?)?)
    }

    /// A store that is an older copy of itself is told of once: here, and as an alert in the records.
    pub(crate) fn tell_of_rollback(&self, office: &Office) -> Result<(), Failure> {
        // Opens it, if nothing has.
        office.store.heads()?;
        if let Some(rollback) = office.store.take_rollback() {
            self.tell_of(office, &rollback);
        }
        Ok(())
    }

    /// The same, of one that was found elsewhere.
    pub(crate) fn tell_of(&self, office: &Office, rollback: &Rollback) {
        office.engine.record_finding(Reason::StoreWentBack);
        let Rollback { records_before, records_found, floor } = rollback;
        let floor = rfc3339(*floor);
        self.warn(&match records_before {
            Some(before) => format!(
                "the store went back from {before} records to {records_found}: somebody put an older copy in its place. \
                 Codes used until {floor} are refused; blocks, revocations and enrolments made since that copy are lost"
            ),
            None => format!(
                "the file beside the store whose name ends in '-mark' was lost or emptied, and it alone shows whether somebody \
                 put an older copy in the place of the store. Codes used until {floor} are refused; look whether blocks, \
                 revocations and enrolments are still there ('countersign user list'), and at the records \
                 ('countersign audit verify --anchors')"
            ),
        });
    }

    /// Carries out an act in the name of whoever sits here.
    pub(crate) fn act(&self, office: &Office, user: &Username, act: &Act) -> Result<Issued, Failure> {
        let issued = office.engine.act(&actor(), user, act).map_err(|error| match error {
            // A name is mistyped more often than it is new.
            ActError::NoSuchAccount(name) => Failure::NoSuchAccount(name),
            error => Failure::Act(error),
        })?;
        warn_of_stale_copy(self, office, user)?;
        Ok(issued)
    }

    /// Whether a program reads the answers; programs answer no questions.
    pub(crate) fn is_for_programs(&self) -> bool {
        self.form == Form::Json
    }

    /// Says something on standard output, in the form that was asked for.
    pub(crate) fn say(&self, report: &impl Report) -> Result<(), Failure> {
        print(&self.form.render(report).map_err(Failure::Json)?)
    }

    /// Says something to people only.
    pub(crate) fn tell(&self, text: &str) -> Result<(), Failure> {
        match self.form {
            Form::Text => print(&harmless(text)),
            Form::Json => Ok(()),
        }
    }

    /// Says on standard error what an administrator should think about.
    pub(crate) fn warn(&self, text: &str) {
        self.aside("warning", text);
    }

    /// Says on standard error why nothing more is done.
    pub(crate) fn complain(&self, failure: &Failure) {
        let colour = if io::stderr().is_terminal() { Colour::Terminal } else { Colour::Plain };
        match (self.form, failure) {
            // Whoever has closed the other end of the pipe has heard enough.
            (_, Failure::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
            (Form::Text, Failure::Settings(error)) if !error.findings().is_empty() => {
                let _ = write!(io::stderr(), "{}", error.render(colour));
            }
            (Form::Text, failure) => {
                let _ = writeln!(io::stderr(), "countersign: {}", harmless(&self.advised(failure)));
            }
            (Form::Json, Failure::Settings(error)) if !error.findings().is_empty() => {
                let line = serde_json::json!({ "error": with_causes(failure), "findings": error.findings() });
                let _ = writeln!(io::stderr(), "{}", json(&line.to_string()));
            }
            (Form::Json, failure) => self.aside("error", &self.advised(failure)),
        }
    }

    /// A failure in words, with what to do where the store is the trouble.
    pub(crate) fn advised(&self, failure: &Failure) -> String {
        match self.settings_without_clients() {
            Ok(settings) => failure.with_advice(&places::store(&settings)),
            Err(_) => with_causes(failure),
        }
    }

    /// Nobody is left to hear that standard error is closed, so its errors are dropped.
    fn aside(&self, kind: &str, text: &str) {
        let line = match self.form {
            Form::Text => harmless(&format!("{kind}: {text}")),
            Form::Json => json(&serde_json::json!({ kind: text }).to_string()),
        };
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// Only root and the owner of the store can open it; everybody else hears that at once.
pub(crate) fn refuse_strangers() -> Result<(), Failure> {
    let own = geteuid();
    let is_owner = || User::from_name(SYSTEM_USER).ok().flatten().is_some_and(|user| user.uid == own);
    if own.is_root() || is_owner() { Ok(()) } else { Err(Failure::NotRoot) }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(Failure::Write)
}
