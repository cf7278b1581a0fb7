//! Accounts as administrators see them: everything but secrets and hashes.

use common::UnixTime;
use common::account::{Account, AppPassword, Block, Contact, Deadline, Factor, FactorKind, TemporaryCode};
use common::address::Address;
use common::id::CodeId;
use serde::Serialize;

use crate::bulk::until;
use crate::moment::rfc3339;
use crate::table::table;

/// One factor.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct FactorView {
    id: String,
    kind: &'static str,
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digits: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period_seconds: Option<u32>,
    /// Where codes are sent, as far as its owner needs it to know it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// Steps by which the clock of a token is ahead of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    drift_steps: Option<i32>,
    weak_secret: bool,
    default: bool,
    added_at: String,
}

/// Whether numbers and addresses are shown whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contacts {
    /// Enough for their owner to know them again.
    Masked,
    /// As they are.
    Whole,
}

/// Where notices go.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ContactView {
    id: String,
    kind: &'static str,
    address: String,
    set_by: &'static str,
    added_at: String,
}

/// How long registration may be put off.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct DeadlineView {
    by: Option<String>,
    sign_ins: Option<u32>,
    #[serde(skip)]
    pub(crate) text: String,
}

/// The code that an administrator has made.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct TemporaryCodeView {
    expires_at: String,
    used: bool,
    good: bool,
}

/// One app password.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct AppPasswordView {
    id: String,
    label: String,
    services: Vec<String>,
    clients: Vec<String>,
    created_at: String,
}

impl DeadlineView {
    pub(crate) fn new(deadline: Deadline) -> Self {
        let Deadline { by, sign_ins } = deadline;
        Self { by: by.map(rfc3339), sign_ins, text: until(deadline) }
    }
}

impl TemporaryCodeView {
    pub(crate) fn new(code: &TemporaryCode, spent: &[CodeId], now: UnixTime) -> Self {
        let used = spent.contains(&code.id);
        Self { expires_at: rfc3339(code.expires_at), used, good: !used && now < code.expires_at }
    }

    pub(crate) fn text(&self) -> String {
        match (self.good, self.used) {
            (true, _) => format!("good until {}", self.expires_at),
            (false, true) => "used".to_owned(),
            (false, false) => format!("over since {}", self.expires_at),
        }
    }
}

/// Until when a block holds, `None` where there is none any more.
pub(crate) fn block(block: Option<Block>, now: UnixTime) -> Option<String> {
    match block.filter(|block| block.holds(now))? {
        Block::Until(end) => Some(format!("until {}", rfc3339(end))),
        Block::Indefinitely => Some("indefinitely".to_owned()),
    }
}

impl FactorView {
    pub(crate) fn all(account: &Account) -> Vec<Self> {
        let new = |factor: &Factor| Self::new(factor, account.default_factor == Some(factor.id));
        account.factors.iter().map(new).collect()
    }

    fn new(factor: &Factor, default: bool) -> Self {
        let bare = Self {
            id: factor.id.to_string(),
            kind: "",
            label: factor.label.clone(),
            algorithm: None,
            digits: None,
            period_seconds: None,
            address: None,
            drift_steps: None,
            weak_secret: factor.is_weak(),
            default,
            added_at: rfc3339(factor.added_at),
        };
        match &factor.kind {
            FactorKind::Totp { parameters, drift, .. } => Self {
                kind: "totp",
                algorithm: Some(parameters.algorithm.name()),
                digits: Some(parameters.digits),
                period_seconds: Some(parameters.period_seconds),
                drift_steps: Some(*drift),
                ..bare
            },
            FactorKind::Hotp { digits, .. } => Self { kind: "hotp", digits: Some(*digits), ..bare },
            FactorKind::Sent { address } => {
                Self { kind: address.kind(), address: Some(address.masked()), ..bare }
            }
        }
    }

    fn row(&self) -> Vec<String> {
        let drift = self.drift_steps.filter(|steps| *steps != 0);
        let parts = [
            self.digits.map(|digits| format!("{digits} digits")),
            self.period_seconds.map(|seconds| format!("{seconds} s")),
            self.algorithm.map(str::to_owned),
            self.address.clone(),
            drift.map(|steps| format!("clock {steps:+} steps")),
            self.weak_secret.then(|| "weak secret".to_owned()),
            self.default.then(|| "default".to_owned()),
        ];
        let about = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        vec![self.id.clone(), self.kind.to_owned(), self.label.clone(), about, self.added_at.clone()]
    }
}

impl ContactView {
    pub(crate) fn all(account: &Account, contacts: Contacts) -> Vec<Self> {
        account.contacts.iter().map(|contact| Self::new(contact, contacts)).collect()
    }

    fn new(contact: &Contact, contacts: Contacts) -> Self {
        Self {
            id: contact.id.to_string(),
            kind: contact.address.kind(),
            address: match contacts {
                Contacts::Masked => contact.address.masked(),
                Contacts::Whole => full(&contact.address),
            },
            set_by: contact.set_by.name(),
            added_at: rfc3339(contact.added_at),
        }
    }

    fn row(&self) -> Vec<String> {
        let [id, address, added_at] = [&self.id, &self.address, &self.added_at].map(Clone::clone);
        vec![id, self.kind.to_owned(), address, self.set_by.to_owned(), added_at]
    }
}

/// All of it: whoever may change it must be able to check it.
pub(crate) fn full(address: &Address) -> String {
    match address {
        Address::Mobile(number) | Address::Office(number, None) => number.to_string(),
        Address::Office(number, Some(extension)) => format!("{number} extension {extension}"),
        Address::Email(address) => address.to_string(),
    }
}

impl AppPasswordView {
    pub(crate) fn new(password: &AppPassword) -> Self {
        Self {
            id: password.id.to_string(),
            label: password.label.clone(),
            services: password.scope.services.clone(),
            clients: password.scope.clients.clone(),
            created_at: rfc3339(password.created_at),
        }
    }

    fn row(&self) -> Vec<String> {
        let (services, clients) = (self.services.join(" "), self.clients.join(" "));
        vec![self.id.clone(), self.label.clone(), services, clients, self.created_at.clone()]
    }
}

/// Factors for people.
pub(crate) fn factor_table(factors: &[FactorView]) -> String {
    table(&["factor", "kind", "label", "codes", "added"], factors.iter().map(FactorView::row))
}

/// Contacts for people.
pub(crate) fn contact_table(contacts: &[ContactView]) -> String {
    table(&["contact", "kind", "address", "set by", "added"], contacts.iter().map(ContactView::row))
}

/// App passwords for people.
pub(crate) fn app_password_table(passwords: &[AppPasswordView]) -> String {
    let titles = ["app password", "label", "services", "clients", "made"];
    table(&titles, passwords.iter().map(AppPasswordView::row))
}
