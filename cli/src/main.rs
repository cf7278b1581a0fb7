//! countersign: the command line. It renders what the engine does, asks for what is missing, and decides nothing.
#![forbid(unsafe_code)]

mod actor;
mod arguments;
mod command;
mod context;
mod failure;
mod given_out;
mod moment;
mod pam_services;
mod qr;
mod report;
mod silence;
mod table;
mod terminal;
mod view;
mod words;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::Arguments;
use crate::context::Context;

/// Exit codes: 0 done, 1 refused or failed, 2 (from clap) not understood.
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let context = Context::new(&arguments);
    match command::run(&context, arguments.command) {
        Ok(outcome) => outcome.into(),
        Err(failure) => {
            context.complain(&failure);
            ExitCode::FAILURE
        }
    }
}
