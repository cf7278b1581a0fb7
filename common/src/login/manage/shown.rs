//! What is shown while looking after the own account: each text with the question behind it fits one prompt.

use crate::account::{Account, FactorKind};
use crate::acts::{ActError, Issued};
use crate::causes::with_causes;
use crate::id::CodeId;
use crate::login::manage::SignIn;
use crate::login::setup;
use crate::{Secret, limits};

/// Lines of one page.
const PAGE_LINES: usize = 3;
/// Characters of one line.
const LINE_CHARACTERS: usize = 46;

pub(super) const HELP: &str = "list, add, change N, remove N, default N, label N NAME\n\
    codes: new recovery codes\n\
    passwords, password PLACE NAME, revoke N\n\
    sign-ins: your last ones\n";

pub(super) const NO_SUCH_NUMBER: &str = "There is no such number. list and passwords show them.\n";

/// Where too few questions are left to add one.
pub(super) const NO_TIME: &str = "Too much was asked already: sign in again for that.\n";

pub(in crate::login) const NO_ROOM: &str = "There is no room: remove one first.\n";

/// What was said, shortened if it must be, and the question.
pub(super) fn with_question(said: &str, question: &str) -> String {
    let room = limits::PROMPT_OCTETS_MAX.saturating_sub(question.len());
    let (said, _) = said.split_at(said.floor_char_boundary(room));
    format!("{said}{question}")
}

/// A page of lines with their numbers; `command` shows the others.
fn page(lines: &[String], page: usize, command: &str, nothing: &str) -> String {
    let first = page.saturating_mul(PAGE_LINES);
    if lines.is_empty() || first >= lines.len() {
        return if lines.is_empty() { nothing.to_owned() } else { "There are no more.\n".to_owned() };
    }
    let text: String = numbered(lines).skip(first).take(PAGE_LINES).collect();
    let next = page.saturating_add(2);
    let has_more = lines.len() > first.saturating_add(PAGE_LINES);
    let more = if has_more { format!("{command} {next} shows more\n") } else { String::new() };
    format!("{text}{more}")
}

fn numbered(lines: &[String]) -> impl Iterator<Item = String> {
    (1_usize..).zip(lines).map(|(number, line)| {
        let line: String = line.chars().filter(char::is_ascii).take(LINE_CHARACTERS).collect();
        format!("{number} {line}\n")
    })
}

/// The factors, and how many recovery codes are left.
pub(super) fn factors(account: &Account, spent: &[CodeId], number: usize) -> String {
    let lines: Vec<String> = account
        .factors
        .iter()
        .map(|factor| {
            let default = if account.default_factor == Some(factor.id) { "*" } else { "" };
            let what = match &factor.kind {
                FactorKind::Totp { .. } => "app".to_owned(),
                FactorKind::Hotp { .. } => "token".to_owned(),
                FactorKind::Sent { address } => format!("{} {}", address.kind(), address.masked()),
            };
            // A label that nobody has thought of says it once more.
            let is_own = setup::usual_label(&factor.kind) != factor.label;
            let label = if is_own { factor.label.as_str() } else { "" };
            format!("{default}{what} {label}").trim_end().to_owned()
        })
        .collect();
    let left = account.recovery_codes.iter().filter(|code| !spent.contains(&code.id)).count();
    format!("{}{left} recovery codes left\n", page(&lines, number, "list", "Nothing is registered.\n"))
}

/// The app passwords.
pub(super) fn app_passwords(account: &Account, number: usize) -> String {
    let lines: Vec<String> = account
        .app_passwords
        .iter()
        .map(|password| {
            let places = password.scope.services.iter().chain(&password.scope.clients);
            let places: Vec<&str> = places.map(String::as_str).collect();
            format!("{} {} {}", password.label, places.join(","), password.created_at.date())
        })
        .collect();
    page(&lines, number, "passwords", "There are no app passwords.\n")
}

/// The last sign-ins, the newest first.
pub(super) fn sign_ins(sign_ins: &[SignIn]) -> String {
    let lines: Vec<String> = sign_ins
        .iter()
        .map(|it| {
            let factor =
                it.factor.as_deref().and_then(|factor| factor.split(' ').next()).unwrap_or("no second step");
            format!("{} {} {} {factor}", it.at.minute(), it.place, it.source.as_deref().unwrap_or("-"))
        })
        .collect();
    if lines.is_empty() { "None is known.\n".to_owned() } else { numbered(&lines).collect() }
}

/// What an act came to.
pub(super) fn done(issued: &Issued) -> String {
    match issued {
        Issued::RecoveryCodes(codes) => {
            format!(
                "The old ones are void. Write down:\n{}\n",
                setup::in_pairs(codes.iter().filter_map(Secret::expose_text))
            )
        }
        Issued::AppPassword(_, password) => {
            format!("Shown this once:\n{}\n", password.expose_text().unwrap_or_default())
        }
        Issued::Nothing
        | Issued::Factor(_)
        | Issued::Contact(_)
        | Issued::DevicesForgotten(_)
        | Issued::TemporaryCode { .. } => "Done.\n".to_owned(),
    }
}

/// Why an act was refused, in one line.
pub(super) fn refused(refusal: &ActError) -> String {
    let why: String = with_causes(refusal).chars().filter(char::is_ascii).take(150).collect();
    format!("Not done: {why}\n")
}

#[cfg(test)]
mod tests {
    use super::{HELP, with_question};
    use crate::limits;
    use crate::text::{COMMAND as QUESTION, LAST_COMMAND};

    #[test]
    fn the_help_fits_one_prompt_with_the_question() {
        for question in [QUESTION, LAST_COMMAND] {
            assert!(HELP.len() + question.len() <= limits::PROMPT_OCTETS_MAX);
            assert!(with_question(&"x".repeat(1000), question).ends_with(question));
            assert!(with_question(&"ä".repeat(1000), question).len() <= limits::PROMPT_OCTETS_MAX);
        }
    }
}
