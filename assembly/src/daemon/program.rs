//! A server's command line, and all that comes before it opens anything.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use common::causes::with_causes;
use config::paths::SETTINGS_FILE;
use config::{Colour, ConfigError, Loaded, Settings};
use nix::sys::stat::{Mode, umask};
use primary::PamHelper;

use super::{DaemonError, Log, Signals, Start, world};
use crate::places::SYSTEM_USER;

/// What makes one server another than the next.
#[derive(Debug)]
pub struct Program {
    /// As it is started, and as it stands before its lines, in syslog too.
    pub name: &'static str,
    /// The chain that it writes its records to.
    pub stream: &'static str,
    /// What `--help` prints.
    pub help: &'static str,
    /// Whether it has the option `--socket`.
    pub takes_socket: bool,
    /// Whether break-glass accounts get in by it: for them it starts without the store too.
    pub serves_break_glass: bool,
    /// How it reads its configuration.
    pub load: fn(&Path) -> Result<Loaded, ConfigError>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Serve.
    Serve(Options),
    /// Read the configuration only.
    Check(Options),
    /// Print the help.
    Help,
    /// Print the version.
    Version,
}

/// With what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The configuration.
    pub config: PathBuf,
    /// The system user.
    pub user: String,
    /// The socket, where one is named.
    pub socket: Option<PathBuf>,
}

/// What a server has before it opens anything.
pub struct Prepared {
    /// The rights that are still to be given up.
    pub start: Start,
    /// The configuration.
    pub settings: Settings,
    /// The signals, which are blocked.
    pub signals: Signals,
    /// The process that asks PAM.
    pub helper: Option<Arc<PamHelper>>,
}

impl Program {
    /// The program's own log.
    #[must_use]
    pub const fn log(&self) -> Log {
        Log::of(self.name)
    }

    /// All that `main` does. `serve` goes on until the end; `praise` says what a sound configuration is worth saying of.
    pub fn main<E: Error + From<DaemonError>>(
        &self,
        serve: fn(&Options) -> Result<(), E>,
        praise: fn(&Settings) -> String,
    ) -> ExitCode {
        let command = self.command(env::args_os().skip(1)).map_err(E::from);
        let done = command.and_then(|command| match command {
            Command::Serve(options) => serve(&options).map(|()| String::new()),
            Command::Check(options) => Ok(praise(&self.settings(&options.config)?)),
            Command::Help => Ok(self.help.to_owned()),
            Command::Version => Ok(format!("{} {}\n", self.name, env!("CARGO_PKG_VERSION"))),
        });
        match done {
            Ok(text) => {
                // A reader that has gone away wants nothing more.
                let _ = std::io::stdout().write_all(text.as_bytes());
                ExitCode::SUCCESS
            }
            Err(error) => {
                self.log().error(&with_causes(&error));
                ExitCode::FAILURE
            }
        }
    }

    /// Reads the arguments behind the program's name.
    ///
    /// # Errors
    /// [`DaemonError::Arguments`].
    pub fn command(&self, arguments: impl IntoIterator<Item = OsString>) -> Result<Command, DaemonError> {
        let mut options =
            Options { config: SETTINGS_FILE.into(), user: SYSTEM_USER.to_owned(), socket: None };
        let mut command: fn(Options) -> Command = Command::Serve;
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--config") => options.config = self.value("--config", arguments.next())?.into(),
                Some("--socket") if self.takes_socket => {
                    options.socket = Some(self.value("--socket", arguments.next())?.into());
                }
                Some("--user") => {
                    let value = self.value("--user", arguments.next())?.into_string();
                    let mistake =
                        |value: OsString| format!("the value {} of --user is no text", value.display());
                    options.user = value.map_err(|value| self.mistake(mistake(value)))?;
                }
                Some("--check") => command = Command::Check,
                Some("--help" | "-h") => return Ok(Command::Help),
                Some("--version" | "-V") => return Ok(Command::Version),
                Some(_) | None => return Err(self.mistake(format!("{} is no option", argument.display()))),
            }
        }
        Ok(command(options))
    }

    fn value(&self, option: &str, value: Option<OsString>) -> Result<OsString, DaemonError> {
        value.ok_or_else(|| self.mistake(format!("{option} needs a value")))
    }

    fn mistake(&self, problem: String) -> DaemonError {
        DaemonError::Arguments { problem, program: self.name }
    }

    /// Reads the configuration; warnings go to the log.
    ///
    /// # Errors
    /// [`DaemonError::Configuration`], with all mistakes.
    pub fn settings(&self, path: &Path) -> Result<Settings, DaemonError> {
        let shown = |error: ConfigError| DaemonError::Configuration { shown: error.render(Colour::Plain) };
        let loaded = (self.load)(path).map_err(shown)?;
        for warning in &loaded.warnings {
            self.log().warning(&warning.render(Colour::Plain));
        }
        Ok(loaded.settings)
    }

    /// Reads the configuration, and as root forks the process that asks PAM, first of all: it inherits no socket, and
    /// there is no thread yet.
    ///
    /// # Errors
    /// What is missing.
    pub fn prepare(&self, options: &Options) -> Result<Prepared, DaemonError> {
        umask(Mode::from_bits_truncate(0o077));
        let start = Start::here(&options.user)?;
        let settings = self.settings(&options.config)?;
        let signals = Signals::block()?;
        let helper = world::helper(&settings, &start)?;
        Ok(Prepared { start, settings, signals, helper })
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, Options, Program, SETTINGS_FILE, SYSTEM_USER, Settings};

    fn read(takes_socket: bool, line: &str) -> Result<Command, String> {
        let load = Settings::load;
        let program =
            Program { name: "server", stream: "", help: "", takes_socket, serves_break_glass: false, load };
        program.command(line.split_whitespace().map(Into::into)).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_read_in_any_order() {
        let options = Options { config: "/a.toml".into(), socket: Some("/b".into()), user: "x".to_owned() };
        let serve = Ok(Command::Serve(options.clone()));
        assert_eq!(read(true, "--user x --socket /b --config /a.toml"), serve);
        assert_eq!(read(true, "--check --config /a.toml --user x --socket /b"), Ok(Command::Check(options)));
        assert_eq!(read(true, "--config /a.toml --help"), Ok(Command::Help));
    }

    #[test]
    fn without_options_the_usual_places_count() {
        let usual = Options { config: SETTINGS_FILE.into(), socket: None, user: SYSTEM_USER.to_owned() };
        assert_eq!(read(false, ""), Ok(Command::Serve(usual)));
    }

    #[test]
    fn mistakes_name_the_option() {
        let says =
            |line, text| read(false, line).is_err_and(|error| error == format!("{text}; see server --help"));
        assert!(says("--cofnig /a", "--cofnig is no option"));
        assert!(says("--socket /a", "--socket is no option"));
        assert!(says("--config", "--config needs a value"));
    }
}
