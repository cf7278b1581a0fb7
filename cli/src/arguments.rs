//! What may stand on the command line. Secrets never do: other users see the arguments of a process.

use std::path::PathBuf;

use assembly::config;
use clap::{Parser, Subcommand};

use crate::command::{
    app_password, audit, client, enroll, factor, import, init, recovery_codes, settings, store, trial, user,
};

/// Multi-factor authentication for Linux logins and the network.
#[derive(Parser)]
#[command(name = "countersign", version, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// The settings.
    #[arg(long, global = true, value_name = "FILE", default_value = config::paths::SETTINGS_FILE)]
    pub(crate) config: PathBuf,
    /// Answers as JSON, in the shapes of docs/command-line.md.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands, in the order in which an administrator meets them.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make the system user, the folder, the key, the store and the first settings.
    Init(init::Arguments),
    /// Add, show and change accounts.
    #[command(subcommand)]
    User(user::Command),
    /// Register an authenticator app or token for a user.
    Enroll(enroll::Arguments),
    /// List or remove the factors of a user.
    #[command(subcommand)]
    Factor(factor::Command),
    /// Make a new set of recovery codes; the old set is void.
    RecoveryCodes(recovery_codes::Arguments),
    /// Passwords for programs that cannot answer a second question.
    #[command(subcommand)]
    AppPassword(app_password::Command),
    /// Sign in as a user here at the terminal, and hear the reason of the verdict.
    Test(trial::Arguments),
    /// The RADIUS clients and their secrets.
    #[command(subcommand)]
    Client(client::Command),
    /// Make accounts from a CSV file.
    Import(import::Arguments),
    /// Check or show the settings.
    #[command(subcommand)]
    Config(settings::Command),
    /// Read the records, or prove that nobody has touched them.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Back the store up, or put a backup in its place.
    #[command(subcommand)]
    Store(store::Command),
    /// Every counter of the RADIUS server, and the figures of the store.
    Stats,
}
