//! Accounts as a file declares them: read with all mistakes at once, and written in the same form. No secret is in it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use common::account::{Deadline, Role, SetBy, State};
use common::acts::Declaration;
use common::address::{Address, Extension, MailAddress, PhoneNumber};
use common::{UnixTime, Username};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

use crate::error::ConfigError;
use crate::file::{Contents, SourceFile};
use crate::keys::{Key, Part};
use crate::report::{Remark, Report};
use crate::section::{Entry, Section};
use crate::values::{Wrong, text, whole_number, word};

/// The word for "no end", where a moment could stand.
const NONE: &str = "none";
/// More than that is no deadline.
const SIGN_INS_MAX: u16 = 1000;

const NAME: Key = Key::new(Part::Account, "name", "a user name", "The user, as the primary knows the name.");
const STATE: Key = Key::new(
    Part::Account,
    "state",
    "\"disabled\", \"enabled\" or \"enforced\"",
    "Whether a second proof is asked. Left out, it stays; of a new account it is the default-state of the settings.",
)
.or("as it is");
const ROLE: Key = Key::new(
    Part::Account,
    "role",
    "\"user\" or \"administrator\"",
    "Administrators are privileged everywhere.",
)
.or("as it is");
const DEADLINE: Key = Key::new(
    Part::Account,
    "deadline",
    "a moment such as \"2026-12-24T00:00:00Z\", or \"none\"",
    "Until when registration may be put off while `enabled`.",
)
.or("as it is; of a new account that of the settings");
const SIGN_INS: Key = Key::new(
    Part::Account,
    "sign-ins",
    "a whole number from 0 to 1000",
    "How many more times registration may be put off while `enabled`.",
)
.or("as it is; of a new account that of the settings");
const KIND: Key = Key::new(
    Part::AccountContact,
    "kind",
    "\"mobile\", \"office\" or \"email\"",
    "What it is: text messages go to a mobile only.",
);
const ADDRESS: Key = Key::new(
    Part::AccountContact,
    "address",
    "a telephone number with its country, such as \"+4915112345678\", or a mail address",
    "Where.",
);
const EXTENSION: Key = Key::new(
    Part::AccountContact,
    "extension",
    "1 to 10 of the digits 0 to 9, '*' and '#'",
    "What is dialled after an office number has answered.",
)
.or("none");
const SET_BY: Key = Key::new(
    Part::AccountContact,
    "set-by",
    "\"user\", \"administrator\" or \"directory\"",
    "Who says so: whoever merely knows the password may not register by one that is the user's own word.",
)
.or("\"administrator\"");

/// Every key of the file, for its table in docs/rolling-out.md.
pub const KEYS: [&Key; 9] =
    [&NAME, &STATE, &ROLE, &DEADLINE, &SIGN_INS, &KIND, &ADDRESS, &EXTENSION, &SET_BY];

/// One account of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredAccount {
    /// Whose.
    pub name: Username,
    /// What it shall be like.
    pub declaration: Declaration,
}

/// Reads the text of a file; `path` is what findings name.
pub fn read(path: &Path, octets: &str) -> Result<Vec<DeclaredAccount>, ConfigError> {
    let file = SourceFile::from_text(path, Contents::Settings, Zeroizing::new(octets.to_owned()));
    let (mut report, root) = Report::parse(&file);
    let top = Section::top(&root, Part::AccountsTop, &mut report);
    let mut names = HashMap::new();
    let mut accounts = Vec::new();
    for (number, section) in (1_usize..).zip(top.tables("account", Part::Account, &mut report)) {
        accounts.extend(account(&section, number, &mut names, &mut report));
    }
    let errors = report.errors();
    let findings = report.into_findings();
    if errors == 0 { Ok(accounts) } else { Err(ConfigError::Mistakes { findings, errors }) }
}

fn account(
    section: &Section<'_>,
    number: usize,
    names: &mut HashMap<Username, usize>,
    report: &mut Report<'_>,
) -> Option<DeclaredAccount> {
    let name = section.required(&NAME, report, |entry, report| text(entry, report, username));
    if let Some(before) = name.as_ref().and_then(|name| names.insert(name.clone(), number)) {
        let message = format!("this user stands in account[{before}] already");
        report.error(about(section, &NAME, message));
    }
    let state = section.field(&STATE, report, word::<State>).optional();
    let role = section.field(&ROLE, report, |entry, report| text(entry, report, role)).optional();
    let deadline = deadline(section, state.flatten(), report);
    let contacts = contacts(section, report);
    let declaration = Declaration { state: state?, role: role?, deadline: deadline?, contacts: contacts? };
    Some(DeclaredAccount { name: name?, declaration })
}

fn username(text: &str) -> Result<Username, Wrong> {
    Username::parse(text).map_err(|error| Wrong::Because(error.to_string()))
}

fn role(text: &str) -> Result<Role, Wrong> {
    Role::parse(text).ok_or(Wrong::NotAllowed)
}

/// Only whoever is `enabled` has one.
fn deadline(
    section: &Section<'_>,
    state: Option<State>,
    report: &mut Report<'_>,
) -> Option<Option<Deadline>> {
    let by = section.field(&DEADLINE, report, |entry, report| text(entry, report, moment)).optional();
    let sign_ins = section
        .field(&SIGN_INS, report, |entry, report| whole_number(entry, report, SIGN_INS_MAX))
        .optional();
    for key in [&DEADLINE, &SIGN_INS] {
        if section.has(key) && matches!(state, Some(State::Disabled | State::Enforced)) {
            let message = format!("`{}` is for accounts that are \"enabled\"", key.name);
            report.error(about(section, key, message));
        }
    }
    let (by, sign_ins) = (by?, sign_ins?);
    let is_given = by.is_some() || sign_ins.is_some();
    let sign_ins = sign_ins.map(u32::from);
    Some(is_given.then_some(Deadline { by: by.flatten(), sign_ins }))
}

fn moment(text: &str) -> Result<Option<UnixTime>, Wrong> {
    if text == NONE {
        return Ok(None);
    }
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok();
    let seconds = moment.and_then(|moment| u64::try_from(moment.unix_timestamp()).ok());
    seconds.map(|seconds| Some(UnixTime::from_seconds(seconds))).ok_or(Wrong::NotAllowed)
}

/// `None` where one of them is wrong.
fn contacts(section: &Section<'_>, report: &mut Report<'_>) -> Option<Option<Vec<(Address, SetBy)>>> {
    if !section.holds("contact") {
        return Some(None);
    }
    let mut contacts: Vec<(Address, SetBy)> = Vec::new();
    let mut all_are_read = true;
    for section in section.tables("contact", Part::AccountContact, report) {
        match contact(&section, report) {
            Some((address, _)) if contacts.iter().any(|(known, _)| *known == address) => {
                report.error(about(&section, &ADDRESS, "this contact stands here twice".to_owned()));
            }
            Some(contact) => contacts.push(contact),
            None => all_are_read = false,
        }
    }
    all_are_read.then_some(Some(contacts))
}

fn contact(section: &Section<'_>, report: &mut Report<'_>) -> Option<(Address, SetBy)> {
    let kind = section.required(&KIND, report, |entry, report| text(entry, report, kind));
    let extension = section
        .field(&EXTENSION, report, |entry, report| {
            text(entry, report, |text| {
                Extension::parse(text).map_err(|error| Wrong::Because(error.to_string()))
            })
        })
        .optional();
    let read = |entry: &Entry<'_>, report: &mut Report<'_>| {
        text(entry, report, |text| address(kind, text, extension.clone().flatten()))
    };
    let address = section.required(&ADDRESS, report, read).flatten();
    if section.has(&EXTENSION) && matches!(kind, Some(Kind::Mobile | Kind::Email)) {
        report.error(about(section, &EXTENSION, "only an office number has an extension".to_owned()));
    }
    let set_by = section.field(&SET_BY, report, |entry, report| text(entry, report, set_by));
    Some((address?, set_by.or(SetBy::Administrator)?))
}

/// What a contact is.
#[derive(Clone, Copy)]
enum Kind {
    Mobile,
    Office,
    Email,
}

fn kind(text: &str) -> Result<Kind, Wrong> {
    match text {
        "mobile" => Ok(Kind::Mobile),
        "office" => Ok(Kind::Office),
        "email" => Ok(Kind::Email),
        _ => Err(Wrong::NotAllowed),
    }
}

fn address(kind: Option<Kind>, text: &str, extension: Option<Extension>) -> Result<Option<Address>, Wrong> {
    // What is wrong with the kind has been told.
    let Some(kind) = kind else { return Ok(None) };
    let address = match kind {
        Kind::Mobile => PhoneNumber::parse(text).map(Address::Mobile),
        Kind::Office => PhoneNumber::parse(text).map(|number| Address::Office(number, extension)),
        Kind::Email => MailAddress::parse(text).map(Address::Email),
    };
    address.map(Some).map_err(|error| Wrong::Because(error.to_string()))
}

fn set_by(text: &str) -> Result<SetBy, Wrong> {
    let all = [SetBy::User, SetBy::Administrator, SetBy::Directory];
    all.into_iter().find(|set_by| set_by.name() == text).ok_or(Wrong::NotAllowed)
}

fn about(section: &Section<'_>, key: &'static Key, message: String) -> Remark {
    Remark {
        place: section.place_of(key),
        key: section.path_of(key.name),
        message,
        allowed: None,
        help: None,
    }
}

/// One account in the form that [`read`] takes; it ends with an empty line.
#[must_use]
pub fn written(account: &DeclaredAccount) -> String {
    let DeclaredAccount { name, declaration } = account;
    let Declaration { state, role, deadline, contacts } = declaration;
    let mut text = "[[account]]\n".to_owned();
    let mut line = |key: &Key, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "{} = {value}", key.name);
        }
    };
    line(&NAME, Some(quoted_whole(name.as_str())));
    line(&STATE, state.map(|state| quoted_whole(state.name())));
    line(&ROLE, role.map(|role| quoted_whole(role.name())));
    if let Some(Deadline { by, sign_ins }) = deadline {
        line(&DEADLINE, Some(quoted_whole(&by.map_or_else(|| NONE.to_owned(), rfc3339))));
        line(&SIGN_INS, sign_ins.map(|count| count.to_string()));
    }
    for (address, set_by) in contacts.iter().flatten() {
        text.push_str(&written_contact(address, *set_by));
    }
    text.push('\n');
    text
}

fn written_contact(address: &Address, set_by: SetBy) -> String {
    let (reached, extension) = match address {
        Address::Mobile(number) => (number.as_str(), None),
        Address::Office(number, extension) => (number.as_str(), extension.as_ref()),
        Address::Email(address) => (address.as_str(), None),
    };
    let mut text = format!(
        "[[account.contact]]\n{} = {}\n{} = {}\n",
        KIND.name,
        quoted_whole(address.kind()),
        ADDRESS.name,
        quoted_whole(reached)
    );
    if let Some(extension) = extension {
        let _ = writeln!(text, "{} = {}", EXTENSION.name, quoted_whole(extension.as_str()));
    }
    if set_by != SetBy::Administrator {
        let _ = writeln!(text, "{} = {}", SET_BY.name, quoted_whole(set_by.name()));
    }
    text
}

/// A text as TOML has it, however long it is.
fn quoted_whole(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

/// Moments after the year 9999 have no such form and are no deadline of anybody.
fn rfc3339(moment: UnixTime) -> String {
    let seconds = i64::try_from(moment.seconds()).ok();
    let moment = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    moment.and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_else(|| NONE.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{DeclaredAccount, read, written};
    use crate::keys::Absent;

    const WHOLE: &str = r#"
[[account]]
name = "alice"
state = "enabled"
role = "administrator"
deadline = "2026-12-24T00:00:00Z"
sign-ins = 3
[[account.contact]]
kind = "office"
address = "+49 30 1234567"
extension = "12#"
[[account.contact]]
kind = "email"
address = "alice@example.org"
set-by = "directory"

[[account]]
name = "Bob \"the\" B"
contact = []

[[account]]
name = "carol"
"#;

    fn accounts(text: &str) -> Vec<DeclaredAccount> {
        read(Path::new("accounts.toml"), text).unwrap()
    }

    #[test]
    fn what_is_written_is_read_back_as_the_same() {
        let read = accounts(WHOLE);
        assert_eq!(read.len(), 3);
        assert_eq!(read[0].declaration.contacts.as_ref().map(Vec::len), Some(2));
        assert_eq!(read[2].declaration.contacts, None, "what is left out stays as it is");
        let text: String = read.iter().map(written).collect();
        let again = accounts(&text);
        assert_eq!(again[0], read[0]);
        assert_eq!(again.iter().map(written).collect::<String>(), text);
    }

    #[test]
    fn the_page_has_each_key_as_it_is() {
        let page = include_str!("../../docs/rolling-out.md");
        for key in super::KEYS {
            let absent = match key.absent {
                Absent::Refused => "refused",
                Absent::Means(value) => value,
            };
            let row = format!("| `{}` | `{}` | {} | {absent} |", key.part.header(), key.name, key.allowed);
            assert!(page.contains(&row), "docs/rolling-out.md should have: {row}");
        }
    }

    #[test]
    fn every_mistake_is_told_at_once_with_its_line() {
        let wrong = r#"
[[account]]
name = "alice"
state = "on"
colour = "red"
[[account]]
state = "enforced"
sign-ins = 3
[[account]]
name = "alice"
[[account.contact]]
kind = "mobile"
address = "1234"
extension = "1"
[[account.contact]]
kind = "pager"
address = "x"
"#;
        let error = read(Path::new("accounts.toml"), wrong).unwrap_err();
        let lines: Vec<usize> = error.findings().iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [4, 5, 6, 8, 10, 13, 14, 16], "{error:?}");
        let shown = error.render(crate::Colour::Plain);
        assert!(
            shown.contains("account[3].name") || shown.contains("stands in account[1] already"),
            "{shown}"
        );
        assert!(shown.contains('^'), "{shown}");
    }
}
