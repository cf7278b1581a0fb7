//! Accounts as administrators see them: everything but secrets and hashes.

use common::UnixTime;
use common::account::{Account, AppPassword, Block, Factor, FactorKind};
use common::id::CodeId;
use serde::Serialize;

use crate::guesses::{CapView, WaitsView, way_out};
use crate::moment::rfc3339;
use crate::report::Report;
use crate::table::{list, table};

/// One account with all that hangs on it.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct AccountView {
    user: String,
    id: String,
    state: &'static str,
    role: &'static str,
    blocked: Option<String>,
    guesses: CapView,
    waits: WaitsView,
    has_password: bool,
    factors: Vec<FactorView>,
    recovery_codes: RecoveryCodesView,
    app_passwords: Vec<AppPasswordView>,
    created_at: String,
    version: u64,
}

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

/// How many recovery codes there are.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct RecoveryCodesView {
    left: usize,
    made: usize,
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

impl AccountView {
    /// An account and those of its recovery codes that are spent, as of now.
    pub(crate) fn new(
        account: &Account,
        spent: &[CodeId],
        guesses: CapView,
        waits: WaitsView,
        now: UnixTime,
    ) -> Self {
        let left = codes_left(account, spent);
        Self {
            user: account.name.to_string(),
            id: account.id.to_string(),
            state: account.state.name(),
            role: account.role.name(),
            blocked: block(account.block, now),
            guesses,
            waits,
            has_password: account.password_hash.is_some(),
            factors: FactorView::all(account),
            recovery_codes: RecoveryCodesView { left, made: account.recovery_codes.len() },
            app_passwords: account.app_passwords.iter().map(AppPasswordView::new).collect(),
            created_at: rfc3339(account.created_at),
            version: account.version,
        }
    }
}

/// Recovery codes that are still good.
fn codes_left(account: &Account, spent: &[CodeId]) -> usize {
    account.recovery_codes.iter().filter(|code| !spent.contains(&code.id)).count()
}

/// Until when a block holds, `None` where there is none any more.
fn block(block: Option<Block>, now: UnixTime) -> Option<String> {
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

impl Report for AccountView {
    fn text(&self) -> String {
        let codes = &self.recovery_codes;
        let mut text = list(&[
            ("user", self.user.clone()),
            ("state", self.state.to_owned()),
            ("role", self.role.to_owned()),
            ("blocked", self.blocked.clone().unwrap_or_else(|| "no".to_owned())),
            ("wrong codes", self.guesses.text()),
            ("must wait", self.waits.text()),
            ("password", if self.has_password { "set" } else { "none here" }.to_owned()),
            ("recovery codes", format!("{} of {} left", codes.left, codes.made)),
            ("account made", self.created_at.clone()),
            ("id", self.id.clone()),
        ]);
        if let Some(way_out) = way_out(&self.user, &self.guesses, &self.waits) {
            text.push_str(&format!("\n{way_out}"));
        }
        if !self.factors.is_empty() {
            text.push_str(&format!("\n{}", factor_table(&self.factors)));
        }
        if !self.app_passwords.is_empty() {
            text.push_str(&format!("\n{}", app_password_table(&self.app_passwords)));
        }
        text
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

/// One account on one line of a list.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct AccountLine {
    user: String,
    pub(crate) state: &'static str,
    role: &'static str,
    blocked: Option<String>,
    has_password: bool,
    factors: usize,
    recovery_codes: usize,
    app_passwords: usize,
}

impl AccountLine {
    /// As [`AccountView::new`].
    pub(crate) fn new(account: &Account, spent: &[CodeId], now: UnixTime) -> Self {
        Self {
            user: account.name.to_string(),
            state: account.state.name(),
            role: account.role.name(),
            blocked: block(account.block, now),
            has_password: account.password_hash.is_some(),
            factors: account.factors.len(),
            recovery_codes: codes_left(account, spent),
            app_passwords: account.app_passwords.len(),
        }
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.user.clone(),
            self.state.to_owned(),
            self.role.to_owned(),
            self.blocked.clone().unwrap_or_else(|| "no".to_owned()),
            if self.has_password { "set" } else { "-" }.to_owned(),
            self.factors.to_string(),
            self.recovery_codes.to_string(),
            self.app_passwords.to_string(),
        ]
    }
}

/// All accounts, in order of name.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct AccountList(pub(crate) Vec<AccountLine>);

impl Report for AccountList {
    fn text(&self) -> String {
        if self.0.is_empty() {
            return "There are no accounts. 'countersign user add NAME' makes one.\n".to_owned();
        }
        let titles =
            ["user", "state", "role", "blocked", "password", "factors", "recovery codes", "app passwords"];
        table(&titles, self.0.iter().map(AccountLine::row))
    }
}
