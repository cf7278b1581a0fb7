//! One file for each group of commands: its arguments, what it does, and what it says.

pub(crate) mod app_password;
pub(crate) mod apply;
pub(crate) mod audit;
pub(crate) mod break_glass;
pub(crate) mod client;
pub(crate) mod contact;
pub(crate) mod delivery;
pub(crate) mod doctor;
pub(crate) mod enroll;
pub(crate) mod export;
pub(crate) mod factor;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod me;
pub(crate) mod recovery_codes;
pub(crate) mod settings;
pub(crate) mod statistics;
pub(crate) mod store;
pub(crate) mod trial;
pub(crate) mod user;

use std::process::ExitCode;

use crate::arguments::Command;
use crate::context::Context;
use crate::failure::Failure;

/// How a command that has said everything ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Outcome {
    /// It is done.
    Done,
    /// It found what was asked for to be wrong: a refused login, a broken chain, lines that cannot be imported.
    Refused,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Refused => Self::FAILURE,
        }
    }
}

/// Runs one command.
pub(crate) fn run(context: &Context, command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Init(arguments) => init::run(context, &arguments),
        Command::User(command) => user::run(context, command),
        Command::Enroll(arguments) => enroll::run(context, arguments),
        Command::Factor(command) => factor::run(context, &command),
        Command::Contact(command) => contact::run(context, &command),
        Command::RecoveryCodes(arguments) => recovery_codes::run(context, &arguments),
        Command::AppPassword(command) => app_password::run(context, command),
        Command::Test(arguments) => trial::run(context, &arguments),
        Command::Client(command) => client::run(context, command),
        Command::Import(arguments) => import::run(context, &arguments),
        Command::Apply(arguments) => apply::run(context, &arguments),
        Command::Export(arguments) => export::run(context, &arguments),
        Command::Config(command) => settings::run(context, &command),
        Command::Audit(command) => audit::run(context, &command),
        Command::Delivery(command) => delivery::run(context, &command),
        Command::Doctor => doctor::run(context),
        Command::BreakGlass(command) => break_glass::run(context, &command),
        Command::Store(command) => store::run(context, &command),
        Command::Register(place) => me::register(context, &place),
        Command::Me(arguments) => me::run(context, &arguments),
        Command::Stats(arguments) => statistics::run(context, &arguments),
    }
}
