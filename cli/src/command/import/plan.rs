//! What an import will do and what it did, for people and programs.

use common::account::{PasswordHash, Role, State};
use common::acts::{Act, EnrolmentProof, Label, NewTotp};
use common::causes::with_causes;
use common::totp::TotpParameters;
use common::{Secret, Username};
use serde::Serialize;

use super::rows::{FirstPassword, Mistake, Row};
use crate::failure::Failure;
use crate::report::Report;
use crate::table::table;

/// Lines that people are shown before the rest is only counted.
const SHOWN_MAX: usize = 20;

/// The act that makes the account of one line.
pub(super) fn act(
    state: Option<State>,
    password: Option<PasswordHash>,
    totp_secret: Option<Secret>,
    label: Label,
) -> Act {
    let totp = totp_secret.map(|secret| NewTotp {
        label,
        parameters: TotpParameters::default(),
        secret,
        proof: EnrolmentProof::Imported,
    });
    Act::Add { state, role: Role::User, password, totp }
}

/// What an import will do.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Plan<'a> {
    ready: Vec<PlanLine>,
    mistakes: &'a [Mistake],
    #[serde(skip)]
    is_blocked: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct PlanLine {
    line: u64,
    user: String,
    password: &'static str,
    totp: bool,
}

impl<'a> Plan<'a> {
    pub(super) fn new(rows: &[Row], mistakes: &'a [Mistake], is_blocked: bool) -> Self {
        Self { ready: rows.iter().map(PlanLine::new).collect(), mistakes, is_blocked }
    }

    fn ready_text(&self) -> String {
        let rows = self.ready.iter().take(SHOWN_MAX).map(|line| {
            let totp = if line.totp { "totp" } else { "none" };
            vec![line.line.to_string(), line.user.clone(), line.password.to_owned(), totp.to_owned()]
        });
        let shown = table(&["line", "user", "password", "factor"], rows);
        match self.ready.len().saturating_sub(SHOWN_MAX) {
            0 => shown,
            more => format!("{shown}… and {more} more\n"),
        }
    }

    fn mistakes_text(&self) -> String {
        let line = |mistake: &Mistake| {
            let column = if mistake.column.is_empty() {
                String::new()
            } else {
                format!(", column {}", mistake.column)
            };
            format!("line {}{column}: {}\n", mistake.line, mistake.message)
        };
        self.mistakes.iter().map(line).collect()
    }
}

impl PlanLine {
    fn new(row: &Row) -> Self {
        let password = match &row.password {
            FirstPassword::None => "none",
            FirstPassword::Plain(_) => "plain",
            FirstPassword::Hash(_) => "hash",
        };
        Self { line: row.line, user: row.user.to_string(), password, totp: row.totp_secret.is_some() }
    }
}

impl Report for Plan<'_> {
    fn text(&self) -> String {
        let (ready, wrong) = (self.ready.len(), self.mistakes.len());
        let mut text = self.mistakes_text();
        if self.is_blocked {
            text.push_str(&format!(
                "Nothing was imported: {}. Correct the file, or add --skip-bad to leave those lines out.\n",
                count(wrong, "mistake")
            ));
            return text;
        }
        if ready > 0 {
            text.push_str(&self.ready_text());
        }
        text.push_str(&format!("{} to make, {}.\n", count(ready, "account"), count(wrong, "mistake")));
        text
    }
}

/// So many of these.
pub(super) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// What an import did.
#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Imported {
    #[serde(rename = "imported")]
    pub(super) users: Vec<String>,
    pub(super) refused: Vec<RefusedUser>,
}

/// A user who was not imported.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct RefusedUser {
    user: String,
    message: String,
}

impl Imported {
    pub(super) fn refuse(&mut self, user: &Username, failure: &Failure) {
        self.refused.push(RefusedUser { user: user.to_string(), message: with_causes(failure) });
    }
}

impl Report for Imported {
    fn text(&self) -> String {
        let refused = self.refused.iter().map(|refused| format!("{}: {}\n", refused.user, refused.message));
        format!("{}{} imported.\n", refused.collect::<String>(), count(self.users.len(), "account"))
    }
}
