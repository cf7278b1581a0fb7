//! countersign: the command line. It renders what the engine does, asks for what is missing, and decides nothing.
#![forbid(unsafe_code)]

mod actor;
mod arguments;
mod asked;
mod bulk;
mod command;
mod context;
mod failure;
mod given_out;
mod guesses;
mod incoming;
mod moment;
mod number;
mod pam_services;
mod passphrase;
mod qr;
mod report;
mod selection;
mod silence;
mod stored;
mod table;
mod terminal;
mod view;
mod warning;
mod words;

use std::env;
use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::Arguments;
use crate::context::Context;

/// The exit code of a command line that was not understood; clap has the same.
const NOT_UNDERSTOOD: u8 = 2;

/// Exit codes: 0 done, 1 refused or failed, 2 not understood.
fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() && env::args_os().any(|word| word == "--json") => {
            eprintln!("{}", serde_json::json!({ "error": sentence(&error) }));
            return NOT_UNDERSTOOD.into();
        }
        Err(error) => error.exit(),
    };
    let context = Context::new(&arguments);
    match command::run(&context, arguments.command) {
        Ok(outcome) => outcome.into(),
        Err(failure) => {
            context.complain(&failure);
            ExitCode::FAILURE
        }
    }
}

/// What clap has to say on one line, without its usage.
fn sentence(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let said = text.split("\n\nUsage:").next().unwrap_or_default();
    let said = said.strip_prefix("error: ").unwrap_or(said);
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}
