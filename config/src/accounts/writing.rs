//! Writes accounts in the form that `reading` takes. Without a passphrase no secret is written.

use std::fmt::Write as _;

use common::UnixTime;
use common::account::{Block, Deadline, SetBy};
use common::acts::{Declaration, DeclaredFactor, DeclaredKind};
use common::address::Address;
use common::passphrase::{Lock, PassphraseError, PassphraseKey};
use common::ports::Random;
use common::totp::TotpParameters;
use data_encoding::BASE64;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::keys::{
    ALGORITHM, BLOCKED, CHECK, CONTACT_ADDRESS, CONTACT_EXTENSION, CONTACT_KIND, COUNTER, DEADLINE, DEFAULT,
    DIGITS, DRIFT, FACTOR_ADDRESS, FACTOR_EXTENSION, FACTOR_KIND, LABEL, LANES, MEMORY, MUST_REGISTER_AGAIN,
    NAME, PASSES, PERIOD, ROLE, SALT, SECRET, SET_BY, SIGN_INS, STATE,
};
use super::token::Token;
use super::{DeclaredAccount, FORMAT, INDEFINITELY, NONE};
use crate::keys::{Key, Part};

/// What seals the secrets of a file.
pub struct Sealing<'r> {
    /// The key of its passphrase.
    pub key: PassphraseKey,
    /// Makes no two sealed values alike.
    pub random: &'r dyn Random,
}

/// One account without its factors; it ends with a line feed.
#[must_use]
pub fn written(account: &DeclaredAccount) -> String {
    let DeclaredAccount { name, declaration } = account;
    let Declaration { state, role, deadline, contacts, factors: _, must_register_again, block } = declaration;
    let mut table = Table::new(Part::Account);
    table.text(&NAME, name.as_str());
    if let Some(state) = state {
        table.text(&STATE, state.name());
    }
    if let Some(role) = role {
        table.text(&ROLE, role.name());
    }
    if let Some(Deadline { by, sign_ins }) = deadline {
        table.text(&DEADLINE, by.and_then(rfc3339).as_deref().unwrap_or(NONE));
        table.maybe(&SIGN_INS, sign_ins.as_ref());
    }
    if let Some(block) = block {
        let end = match block {
            Block::Indefinitely => None,
            Block::Until(end) => rfc3339(*end),
        };
        table.text(&BLOCKED, end.as_deref().unwrap_or(INDEFINITELY));
    }
    if *must_register_again {
        table.value(&MUST_REGISTER_AGAIN, true);
    }
    if contacts.as_ref().is_some_and(Vec::is_empty) {
        table.text.push_str("contact = []\n");
    }
    let contacts = contacts.iter().flatten().map(|(address, set_by)| contact(address, *set_by));
    contacts.fold(table.text, |text, contact| text + &contact)
}

impl Sealing<'_> {
    /// One account with its factors; it ends with a line feed.
    pub fn written(&self, account: &DeclaredAccount) -> Result<String, PassphraseError> {
        let mut text = written(account);
        for factor in &account.declaration.factors {
            text.push_str(&self.factor(account, factor)?);
        }
        Ok(text)
    }

    fn factor(&self, account: &DeclaredAccount, factor: &DeclaredFactor) -> Result<String, PassphraseError> {
        let DeclaredFactor { label, is_default, kind } = factor;
        let mut table = Table::new(Part::AccountFactor);
        let word = match kind {
            DeclaredKind::Totp { .. } => "totp",
            DeclaredKind::Hotp { .. } => "hotp",
            DeclaredKind::Sent(address) => address.kind(),
        };
        table.text(&FACTOR_KIND, word);
        table.text(&LABEL, label.as_str());
        if *is_default {
            table.value(&DEFAULT, true);
        }
        match kind {
            DeclaredKind::Totp {
                parameters: TotpParameters { algorithm, digits, period_seconds },
                drift,
                ..
            } => {
                table.text(&ALGORITHM, algorithm.word());
                table.value(&DIGITS, digits);
                table.value(&PERIOD, period_seconds);
                table.value(&DRIFT, drift);
            }
            DeclaredKind::Hotp { digits, counter, .. } => {
                table.value(&DIGITS, digits);
                table.value(&COUNTER, counter);
            }
            DeclaredKind::Sent(address) => table.address(address, &FACTOR_ADDRESS, &FACTOR_EXTENSION),
        }
        if let Some((token, secret)) = Token::of(kind) {
            let place = token.place(&account.name, label);
            let place: Vec<&str> = place.iter().map(String::as_str).collect();
            table.text(&SECRET, &BASE64.encode(&self.key.seal(self.random, &place, secret)?));
        }
        Ok(table.text)
    }
}

/// `[sealed]`, which stands once above all accounts.
#[must_use]
pub fn written_lock(lock: &Lock) -> String {
    let mut table = Table::new(Part::Sealed);
    table.value(&super::keys::VERSION, FORMAT);
    table.text(&SALT, &BASE64.encode(&lock.salt));
    table.value(&MEMORY, lock.cost.memory_kib());
    table.value(&PASSES, lock.cost.passes());
    table.value(&LANES, lock.cost.lanes());
    table.text(&CHECK, &BASE64.encode(&lock.check));
    table.text
}

fn contact(address: &Address, set_by: SetBy) -> String {
    let mut table = Table::new(Part::AccountContact);
    table.text(&CONTACT_KIND, address.kind());
    table.address(address, &CONTACT_ADDRESS, &CONTACT_EXTENSION);
    if set_by != SetBy::Administrator {
        table.text(&SET_BY, set_by.name());
    }
    table.text
}

/// A table as it grows, its header first.
struct Table {
    text: String,
}

impl Table {
    fn new(part: Part) -> Self {
        Self { text: format!("{}\n", part.header()) }
    }

    /// A text as TOML has it, however long it is.
    fn text(&mut self, key: &Key, value: &str) {
        self.value(key, toml_edit::Value::from(value));
    }

    fn value(&mut self, key: &Key, value: impl std::fmt::Display) {
        let _ = writeln!(self.text, "{} = {value}", key.name);
    }

    fn maybe(&mut self, key: &Key, value: Option<&impl std::fmt::Display>) {
        if let Some(value) = value {
            self.value(key, value);
        }
    }

    fn address(&mut self, address: &Address, place: &Key, behind: &Key) {
        let (reached, extension) = match address {
            Address::Mobile(number) => (number.as_str(), None),
            Address::Office(number, extension) => (number.as_str(), extension.as_ref()),
            Address::Email(address) => (address.as_str(), None),
        };
        self.text(place, reached);
        if let Some(extension) = extension {
            self.text(behind, extension.as_str());
        }
    }
}

/// Moments after the year 9999 have no such form: nobody will see their end.
fn rfc3339(moment: UnixTime) -> Option<String> {
    let moment = OffsetDateTime::from_unix_timestamp(i64::try_from(moment.seconds()).ok()?).ok()?;
    moment.format(&Rfc3339).ok()
}
