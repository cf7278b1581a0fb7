//! Accounts as administrators see them: everything but secrets and hashes.

use common::UnixTime;
use common::account::{Account, AppPassword, Block, Factor, FactorKind};
use serde::Serialize;

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
    /// Used where the user names none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    default: bool,
    /// Its secret is shorter than it should be: it was imported.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    weak: bool,
    added_at: String,
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

/// Until when a block holds, `None` where there is none any more.
pub(crate) fn block(block: Option<Block>, now: UnixTime) -> Option<String> {
    match block.filter(|block| block.holds(now))? {
        Block::Until(end) => Some(format!("until {}", rfc3339(end))),
        Block::Indefinitely => Some("indefinitely".to_owned()),
    }
}

impl FactorView {
    pub(crate) fn new(factor: &Factor) -> Self {
        let (mut algorithm, mut digits, mut period_seconds, mut address) = (None, None, None, None);
        let kind = match &factor.kind {
            FactorKind::Totp { parameters, .. } => {
                algorithm = Some(parameters.algorithm.name());
                digits = Some(parameters.digits);
                period_seconds = Some(parameters.period_seconds);
                "totp"
            }
            FactorKind::Hotp { digits: of_code, .. } => {
                digits = Some(*of_code);
                "hotp"
            }
            FactorKind::Sent { address: to } => {
                address = Some(to.masked());
                to.kind()
            }
        };
        Self {
            id: factor.id.to_string(),
            kind,
            label: factor.label.clone(),
            algorithm,
            digits,
            period_seconds,
            address,
            default: false,
            weak: factor.is_weak(),
            added_at: rfc3339(factor.added_at),
        }
    }

    /// Those of an account, the one that is used first among them marked.
    pub(crate) fn all(account: &Account) -> Vec<Self> {
        let first = account.default_factor.or_else(|| account.factors.first().map(|factor| factor.id));
        let view = |factor: &Factor| Self { default: Some(factor.id) == first, ..Self::new(factor) };
        account.factors.iter().map(view).collect()
    }

    fn row(&self) -> Vec<String> {
        let digits = self.digits.map(|digits| format!("{digits} digits"));
        let period = self.period_seconds.map(|seconds| format!("{seconds} s"));
        let algorithm = self.algorithm.map(str::to_owned);
        let weak = self.weak.then(|| "weak: short secret".to_owned());
        let default = self.default.then(|| "default".to_owned());
        let parts = [digits, period, algorithm, self.address.clone(), weak, default];
        let code = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        vec![self.id.clone(), self.kind.to_owned(), self.label.clone(), code, self.added_at.clone()]
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

/// App passwords for people.
pub(crate) fn app_password_table(passwords: &[AppPasswordView]) -> String {
    let titles = ["app password", "label", "services", "clients", "made"];
    table(&titles, passwords.iter().map(AppPasswordView::row))
}
