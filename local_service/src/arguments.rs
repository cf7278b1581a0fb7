//! The command line of countersign-local.

use std::ffi::OsString;
use std::path::PathBuf;

use assembly::config::paths::{LOCAL_SOCKET, SETTINGS_FILE};
use assembly::places::SYSTEM_USER;

use crate::error::ServiceError;

/// What `--help` prints.
pub const HELP: &str = "\
countersign-local: asks for the second proof of PAM callers that are not root, and of root's.

Usage: countersign-local [OPTIONS]

      --config PATH  The configuration [default: /etc/countersign/countersign.toml]
      --socket PATH  Where to listen, if systemd has not handed a socket over
                     [default: /run/countersign/local.sock]
      --user NAME    Started as root, become this user [default: countersign]
      --check        Read the configuration, say what is wrong with it, and end
      --help         Print this
      --version      Print the version

SIGHUP reads the configuration again; with a mistake in it, the old one stays in force.
SIGTERM and SIGINT end the service after the logins that it works on. SIGUSR1 writes the counters to the log.
";

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Serve.
    Serve(Options),
    /// Read the configuration only.
    Check(Options),
    /// Print [`HELP`].
    Help,
    /// Print the version.
    Version,
}

/// With what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The configuration.
    pub config: PathBuf,
    /// The socket.
    pub socket: PathBuf,
    /// The system user.
    pub user: String,
}

/// Reads the arguments behind the program's name.
///
/// # Errors
/// [`ServiceError::Arguments`].
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, ServiceError> {
    let mut options =
        Options { config: SETTINGS_FILE.into(), socket: LOCAL_SOCKET.into(), user: SYSTEM_USER.to_owned() };
    let mut command: fn(Options) -> Command = Command::Serve;
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--config") => options.config = value("--config", arguments.next())?.into(),
            Some("--socket") => options.socket = value("--socket", arguments.next())?.into(),
            Some("--user") => options.user = text("--user", value("--user", arguments.next())?)?,
            Some("--check") => command = Command::Check,
            Some("--help" | "-h") => return Ok(Command::Help),
            Some("--version" | "-V") => return Ok(Command::Version),
            Some(_) | None => {
                let problem = format!("{} is no option", argument.display());
                return Err(ServiceError::Arguments { problem });
            }
        }
    }
    Ok(command(options))
}

fn value(option: &str, value: Option<OsString>) -> Result<OsString, ServiceError> {
    value.ok_or_else(|| ServiceError::Arguments { problem: format!("{option} needs a value") })
}

fn text(option: &str, value: OsString) -> Result<String, ServiceError> {
    value.into_string().map_err(|value| ServiceError::Arguments {
        problem: format!("the value {} of {option} is not text", value.display()),
    })
}

#[cfg(test)]
mod tests {
    use super::{Command, HELP, LOCAL_SOCKET, Options, SETTINGS_FILE, SYSTEM_USER, parse};

    fn read(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(Into::into)).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_read_in_any_order() {
        let options = Options { config: "/a.toml".into(), socket: "/b".into(), user: "x".to_owned() };
        assert_eq!(read("--user x --socket /b --config /a.toml"), Ok(Command::Serve(options.clone())));
        assert_eq!(read("--check --config /a.toml --user x --socket /b"), Ok(Command::Check(options)));
        assert_eq!(read("--config /a.toml --help"), Ok(Command::Help));
    }

    #[test]
    fn the_help_tells_the_defaults() {
        assert!(HELP.contains(&format!("[default: {SETTINGS_FILE}]")));
        assert!(HELP.contains(&format!("[default: {LOCAL_SOCKET}]")));
        assert!(HELP.contains(&format!("[default: {SYSTEM_USER}]")));
    }

    #[test]
    fn mistakes_name_the_option() {
        assert!(read("--cofnig /a").is_err_and(|error| error.contains("--cofnig is no option")));
        assert!(read("--config").is_err_and(|error| error.contains("--config needs a value")));
    }
}
