//! PAM transactions by pamtester, with somebody at the terminal.

use std::fs;
use std::process::Command;

use test_ground::{Failure, Terminal};

pub(crate) const PASSWORD: &str = "Password: ";

/// What pam_strerror(3) says of a code, and so pamtester, which has its own words (and letters) for success.
const SPOKEN: [(&str, &str); 14] = [
    ("successfully", "PAM_SUCCESS"),
    ("sucessfully", "PAM_SUCCESS"),
    ("account management done", "PAM_SUCCESS"),
    ("Authentication failure", "PAM_AUTH_ERR"),
    ("Authentication service cannot retrieve authentication info", "PAM_AUTHINFO_UNAVAIL"),
    ("Error in service module", "PAM_SERVICE_ERR"),
    ("Conversation error", "PAM_CONV_ERR"),
    ("Critical error - immediate abort", "PAM_ABORT"),
    ("Permission denied", "PAM_PERM_DENIED"),
    ("User not known to the underlying authentication module", "PAM_USER_UNKNOWN"),
    ("Have exhausted maximum number of retries for service", "PAM_MAXTRIES"),
    ("Failure setting user credentials", "PAM_CRED_ERR"),
    ("The return value should be ignored by PAM dispatch", "PAM_IGNORE"),
    ("Module is unknown", "PAM_MODULE_UNKNOWN"),
];

/// One PAM transaction.
pub(crate) struct Transaction<'a> {
    pub(crate) options: &'a [&'a str],
    pub(crate) service: &'a str,
    pub(crate) user: &'a str,
}

impl Transaction<'_> {
    pub(crate) fn command(&self, operation: &str) -> Command {
        let mut command = Command::new("pamtester");
        command.args(self.options).args([self.service, self.user, operation]);
        command
    }

    /// Authenticates with these answers to these questions; the return code, and what stood on the terminal.
    pub(crate) fn login(&self, dialogue: &[(&str, &str)]) -> Result<(&'static str, String), Failure> {
        converse(&self.command("authenticate"), dialogue)
    }
}

/// A login by nothing but service and user.
pub(crate) fn at<'a>(service: &'a str, user: &'a str) -> Transaction<'a> {
    Transaction { options: &[], service, user }
}

pub(crate) fn converse(
    command: &Command,
    dialogue: &[(&str, &str)],
) -> Result<(&'static str, String), Failure> {
    let mut terminal = Terminal::start(command)?;
    for (question, answer) in dialogue {
        terminal.expect(question)?.send(answer)?;
    }
    let transcript = terminal.end()?.transcript;
    Ok((code_of(&transcript)?, transcript))
}

/// What the last line of pamtester means.
pub(crate) fn code_of(output: &str) -> Result<&'static str, Failure> {
    let (_, last) = output.rsplit_once("pamtester: ").unwrap_or_default();
    let code = SPOKEN.iter().find(|(spoken, _)| last.contains(spoken)).map(|(_, code)| *code);
    code.ok_or_else(|| Failure::Unreadable { what: "pamtester's last line", found: output.to_owned() })
}

/// Runs an operation with nobody at the terminal: every read from it fails.
pub(crate) fn unattended(mut command: Command) -> Result<&'static str, Failure> {
    let start = |source| Failure::Start { command: "pamtester".to_owned(), source };
    let only_writable = fs::File::create("/dev/null").map_err(start)?;
    let output = command.stdin(only_writable).output().map_err(start)?;
    code_of(&format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}
