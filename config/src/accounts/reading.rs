//! Reads a file with accounts. Its secrets are opened once everything else is right, and before anything is changed.

mod address;
mod contact;
mod factor;
mod lock;

use std::collections::HashMap;
use std::path::Path;

use common::account::{Block, Deadline, Role, State};
use common::acts::Declaration;
use common::passphrase::{Lock, PassphraseKey};
use common::{UnixTime, Username};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::keys::{BLOCKED, DEADLINE, MUST_REGISTER_AGAIN, NAME, ROLE, SIGN_INS, STATE};
use super::{DeclaredAccount, INDEFINITELY, NONE};
use crate::error::ConfigError;
use crate::file::{Contents, SourceFile, text_of};
use crate::keys::Part;
use crate::report::Report;
use crate::section::Section;
use crate::values::{Wrong, boolean, number_in, text, word};

/// What is known of the passphrase while a file is read.
#[derive(Clone, Copy)]
enum Seal<'k> {
    /// No value of the file is sealed.
    None,
    /// Nobody has been asked for it yet: sealed values are passed over.
    Closed,
    /// This is the key.
    Open(&'k PassphraseKey),
}

/// Reads the octets of a file; `path` is what findings name. Whoever has the passphrase is asked for the key at most once, and
/// only where all that is not sealed can be read.
pub fn read<E: From<ConfigError>>(
    path: &Path,
    octets: &[u8],
    unlock: impl FnOnce(&Lock) -> Result<PassphraseKey, E>,
) -> Result<Vec<DeclaredAccount>, E> {
    let file = SourceFile::from_text(path, Contents::Settings, text_of(path, octets)?);
    let (lock, accounts) = all_of(&file, None)?;
    let Some(lock) = lock else { return Ok(accounts) };
    let key = unlock(&lock)?;
    Ok(all_of(&file, Some(&key))?.1)
}

/// Without a key to a file that is sealed, the accounts are not whole.
fn all_of(
    file: &SourceFile,
    key: Option<&PassphraseKey>,
) -> Result<(Option<Lock>, Vec<DeclaredAccount>), ConfigError> {
    let (mut report, root) = Report::parse(file);
    let top = Section::top(&root, Part::AccountsTop, &mut report);
    let lock = lock::read(&top, &mut report);
    let seal = match key {
        Some(key) => Seal::Open(key),
        None if top.holds("sealed") => Seal::Closed,
        None => Seal::None,
    };
    let mut names = HashMap::new();
    let mut accounts = Vec::new();
    for (number, section) in (1_usize..).zip(top.tables("account", Part::Account, &mut report)) {
        accounts.extend(account(&section, number, seal, &mut names, &mut report));
    }
    let errors = report.errors();
    let findings = report.into_findings();
    if errors == 0 { Ok((lock, accounts)) } else { Err(ConfigError::MistakesInAccounts { findings, errors }) }
}

fn account(
    section: &Section<'_>,
    number: usize,
    seal: Seal<'_>,
    names: &mut HashMap<Username, usize>,
    report: &mut Report<'_>,
) -> Option<DeclaredAccount> {
    let name = section.required(&NAME, report, |entry, report| text(entry, report, username));
    if let Some(before) = name.as_ref().and_then(|name| names.insert(name.clone(), number)) {
        let message = format!("this user stands in account[{before}] already");
        report.error(section.remark(&NAME, message, None));
    }
    let state = section.field(&STATE, report, word::<State>).optional();
    let role = section.field(&ROLE, report, |entry, report| text(entry, report, role)).optional();
    let deadline = deadline(section, state.flatten(), report);
    let block = section.field(&BLOCKED, report, |entry, report| text(entry, report, block)).optional();
    let must_register_again = section.field(&MUST_REGISTER_AGAIN, report, boolean).or(false);
    let contacts = contact::all(section, report);
    let factors = factor::all(section, name.as_ref(), seal, report);
    let declaration = Declaration {
        state: state?,
        role: role?,
        deadline: deadline?,
        contacts: contacts?,
        factors: factors?,
        must_register_again: must_register_again?,
        block: block?,
    };
    Some(DeclaredAccount { name: name?, declaration })
}

fn username(text: &str) -> Result<Username, Wrong> {
    Username::parse(text).map_err(because)
}

fn role(text: &str) -> Result<Role, Wrong> {
    Role::parse(text).ok_or(Wrong::NotAllowed)
}

fn because(error: impl std::error::Error) -> Wrong {
    Wrong::Because(error.to_string())
}

/// Only whoever is `enabled` has one.
fn deadline(
    section: &Section<'_>,
    state: Option<State>,
    report: &mut Report<'_>,
) -> Option<Option<Deadline>> {
    let by = section.field(&DEADLINE, report, |entry, report| text(entry, report, moment_or_none)).optional();
    let sign_ins =
        section.field(&SIGN_INS, report, |entry, report| number_in(entry, report, 0..=u32::MAX)).optional();
    for key in [&DEADLINE, &SIGN_INS] {
        if section.has(key) && matches!(state, Some(State::Disabled | State::Enforced)) {
            let message = format!("`{}` is for accounts that are \"enabled\"", key.name);
            report.error(section.remark(key, message, None));
        }
    }
    let (by, sign_ins) = (by?, sign_ins?);
    let is_given = by.is_some() || sign_ins.is_some();
    Some(is_given.then_some(Deadline { by: by.flatten(), sign_ins }))
}

/// A day is its beginning, as on the command line.
fn moment_or_none(text: &str) -> Result<Option<UnixTime>, Wrong> {
    if text == NONE {
        return Ok(None);
    }
    moment(text).or_else(|_| moment(&format!("{text}T00:00:00Z"))).map(Some)
}

fn block(text: &str) -> Result<Block, Wrong> {
    if text == INDEFINITELY { Ok(Block::Indefinitely) } else { moment(text).map(Block::Until) }
}

fn moment(text: &str) -> Result<UnixTime, Wrong> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok();
    let seconds = moment.and_then(|moment| u64::try_from(moment.unix_timestamp()).ok());
    seconds.map(UnixTime::from_seconds).ok_or(Wrong::NotAllowed)
}
