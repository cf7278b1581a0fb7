//! What may stand on the command line. Secrets never do: other users see the arguments of a process.

use std::path::PathBuf;

use assembly::config;
use clap::{Parser, Subcommand};

use crate::command::{
    app_password, apply, audit, break_glass, client, contact, delivery, enroll, export, factor, import, init,
    me, recovery_codes, settings, statistics, store, trial, user,
};

/// Multi-factor authentication for Linux logins and the network.
#[derive(Parser)]
#[command(name = "countersign", version, max_term_width = 100)]
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
    /// Register an authenticator app, token, telephone or mail address for a user.
    Enroll(enroll::Arguments),
    /// List, label, set right or remove the factors of a user.
    #[command(subcommand)]
    Factor(factor::Command),
    /// Where a user hears of changes.
    #[command(subcommand)]
    Contact(contact::Command),
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
    /// Make accounts what a file says: state, role, deadline, contacts, factors. Those that are not in it stay.
    Apply(apply::Apply),
    /// Write accounts in the form that `apply` takes, with their secrets sealed to a passphrase if that is asked for.
    Export(export::Export),
    /// Check or show the settings.
    #[command(subcommand)]
    Config(settings::Command),
    /// Read the records, or prove that nobody has touched them.
    #[command(subcommand)]
    Audit(audit::Command),
    /// The gateways that send codes and notices.
    #[command(subcommand)]
    Delivery(delivery::Command),
    /// Look at PAM, sshd, rights, clock, store and servers, and say who could get in with what; exit code 1 where something is
    /// wrong.
    Doctor,
    /// The file that lets break-glass accounts in when the store cannot be written.
    #[command(subcommand)]
    BreakGlass(break_glass::Command),
    /// Look whether the store is sound, back it up, or put a backup in its place.
    #[command(subcommand)]
    Store(store::Command),
    /// Every counter of the RADIUS server, and the figures of the store.
    Stats(statistics::Arguments),
    /// For users, without root: set up a second step of your own, here at a shell.
    Register(me::ServicePlace),
    /// For users, without root: look after your own second step, after a code of it.
    Me(me::Arguments),
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _};

    use super::Arguments;

    const PAGE: &str = include_str!("../../docs/command-line.md");

    /// The options of every act on many, which the page has in a table of their own.
    const OF_MANY: [&str; 10] = [
        "from-file",
        "group",
        "all-matching",
        "state",
        "role",
        "registered",
        "factor",
        "last-login-before",
        "yes",
        "dry-run",
    ];

    #[test]
    fn clap_finds_no_contradiction() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_table_in_the_documentation_is_that_of_the_program() {
        let mut rows = Vec::new();
        let mut program = Arguments::command();
        program.build();
        for command in program.get_subcommands().filter(is_ours) {
            add_rows("", command, &mut rows);
        }
        let expected =
            format!("| command | options | what it does |\n| --- | --- | --- |\n{}", rows.concat());
        assert!(PAGE.contains(&expected), "docs/command-line.md should have this table:\n\n{expected}");
    }

    #[test]
    fn the_page_explains_each_option_of_acts_on_many() {
        for long in OF_MANY {
            assert!(PAGE.contains(&format!("| `--{long}")), "--{long}");
        }
    }

    /// `help`, which clap adds at each level, shows what `--help` shows.
    fn is_ours(command: &&Command) -> bool {
        command.get_name() != "help"
    }

    #[test]
    fn help_is_a_command_too() {
        for line in
            [&["help"][..], &["help", "user", "add"], &["user", "help", "add"], &["user", "add", "--help"]]
        {
            let words = std::iter::once("countersign").chain(line.iter().copied());
            let shown = Arguments::command().try_get_matches_from(words).unwrap_err();
            assert_eq!(shown.kind(), clap::error::ErrorKind::DisplayHelp, "{line:?}");
            let names = if line.contains(&"add") { "--password-prompt" } else { "recovery-codes" };
            assert!(shown.to_string().contains(names), "{line:?} {shown}");
        }
    }

    /// One row for each command that does something.
    fn add_rows(above: &str, command: &Command, rows: &mut Vec<String>) {
        let positionals = command.get_positionals().map(|argument| {
            let name = argument.get_id().as_str().to_uppercase();
            let name = if name == "NAMES" { "NAME…".to_owned() } else { name };
            if argument.is_required_set() { format!(" {name}") } else { format!(" [{name}]") }
        });
        let path = format!("{above}{}{}", command.get_name(), positionals.collect::<String>());
        if command.has_subcommands() {
            for below in command.get_subcommands().filter(is_ours) {
                add_rows(&format!("{path} "), below, rows);
            }
            return;
        }
        let own = command.get_arguments().filter(|option| !option.is_positional() && !option.is_global_set());
        let options =
            own.filter_map(|option| option.get_long()).filter(|long| !["help", "version"].contains(long));
        let options: Vec<&str> = options.collect();
        let is_for_many = options.contains(&"from-file");
        let of_many = is_for_many.then(|| "[whom](#whom-it-is-for)".to_owned());
        let options = options.iter().filter(|long| !is_for_many || !OF_MANY.contains(*long));
        let options: Vec<String> =
            of_many.into_iter().chain(options.map(|long| format!("`--{long}`"))).collect();
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        rows.push(format!("| `{path}` | {} | {about} |\n", options.join(" ")));
    }
}
