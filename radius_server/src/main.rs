//! countersign-radiusd: the RADIUS door.

use std::env;
use std::io::Write as _;
use std::process::ExitCode;

use assembly::daemon::with_causes;
use radius_server::arguments::{self, Command};
use radius_server::{LOG, ServerError, service, world};

fn main() -> ExitCode {
    match arguments::parse(env::args_os().skip(1)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            LOG.error(&with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), ServerError> {
    match command {
        Command::Serve(options) => service::serve(&options),
        Command::Check(options) => {
            let settings = world::load(&options.config)?;
            print(&format!("{} is sound; clients: {}\n", settings.path.display(), settings.clients.len()));
            Ok(())
        }
        Command::Help => {
            print(arguments::HELP);
            Ok(())
        }
        Command::Version => {
            print(concat!("countersign-radiusd ", env!("CARGO_PKG_VERSION"), "\n"));
            Ok(())
        }
    }
}

/// A reader that has gone away wants nothing more.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
