//! countersign-local: the engine behind a Unix socket, for PAM callers.

use std::env;
use std::io::Write as _;
use std::process::ExitCode;

use assembly::daemon::with_causes;
use local_service::arguments::{self, Command};
use local_service::{LOG, ServiceError, service, world};

fn main() -> ExitCode {
    match arguments::parse(env::args_os().skip(1)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            LOG.error(&with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), ServiceError> {
    match command {
        Command::Serve(options) => service::serve(&options),
        Command::Check(options) => {
            let settings = world::load(&options.config)?;
            print(&format!("{} is sound\n", settings.path.display()));
            Ok(())
        }
        Command::Help => {
            print(arguments::HELP);
            Ok(())
        }
        Command::Version => {
            print(concat!("countersign-local ", env!("CARGO_PKG_VERSION"), "\n"));
            Ok(())
        }
    }
}

/// A reader that has gone away wants nothing more.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
