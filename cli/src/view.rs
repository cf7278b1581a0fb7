//! Accounts as administrators see them: everything but secrets and hashes.

use common::UnixTime;
use common::account::{Account, AppPassword, Block, Contact, Deadline, Factor, FactorKind, TemporaryCode};
use common::id::CodeId;
use serde::Serialize;

use crate::bulk::until;
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
    disabled_until: Option<String>,
    deadline: Option<DeadlineView>,
    must_register_again: bool,
    blocked: Option<String>,
    guesses: CapView,
    waits: WaitsView,
    has_password: bool,
    factors: Vec<FactorView>,
    contacts: Vec<ContactView>,
    temporary_code: Option<TemporaryCodeView>,
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

/// How long registration may be put off.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct DeadlineView {
    by: Option<String>,
    sign_ins: Option<u32>,
    #[serde(skip)]
    text: String,
}

/// A contact, as far as its owner needs it to know it again.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ContactView {
    id: String,
    kind: &'static str,
    address: String,
}

/// The code that an administrator has made.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct TemporaryCodeView {
    expires_at: String,
    used: bool,
    good: bool,
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
            disabled_until: account.disabled_until.filter(|until| now < *until).map(rfc3339),
            deadline: account.deadline.map(DeadlineView::new),
            must_register_again: account.must_register_again,
            blocked: block(account.block, now),
            guesses,
            waits,
            has_password: account.password_hash.is_some(),
            factors: FactorView::all(account),
            contacts: account.contacts.iter().map(ContactView::new).collect(),
            temporary_code: account
                .temporary_code
                .as_ref()
                .map(|code| TemporaryCodeView::new(code, spent, now)),
            recovery_codes: RecoveryCodesView { left, made: account.recovery_codes.len() },
            app_passwords: account.app_passwords.iter().map(AppPasswordView::new).collect(),
            created_at: rfc3339(account.created_at),
            version: account.version,
        }
    }
}

impl DeadlineView {
    fn new(deadline: Deadline) -> Self {
        let Deadline { by, sign_ins } = deadline;
        Self { by: by.map(rfc3339), sign_ins, text: until(deadline) }
    }
}

impl ContactView {
    fn new(contact: &Contact) -> Self {
        let address = &contact.address;
        Self { id: contact.id.to_string(), kind: address.kind(), address: address.masked() }
    }
}

impl TemporaryCodeView {
    fn new(code: &TemporaryCode, spent: &[CodeId], now: UnixTime) -> Self {
        let used = spent.contains(&code.id);
        Self { expires_at: rfc3339(code.expires_at), used, good: !used && now < code.expires_at }
    }

    fn text(&self) -> String {
        match (self.good, self.used) {
            (true, _) => format!("good until {}", self.expires_at),
            (false, true) => "used".to_owned(),
            (false, false) => format!("over since {}", self.expires_at),
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
        let mut rows = vec![
            ("user", self.user.clone()),
            ("state", self.state.to_owned()),
            ("role", self.role.to_owned()),
            ("blocked", self.blocked.clone().unwrap_or_else(|| "no".to_owned())),
            ("wrong codes", self.guesses.text()),
            ("must wait", self.waits.text()),
            ("password", if self.has_password { "set" } else { "none here" }.to_owned()),
            ("recovery codes", format!("{} of {} left", codes.left, codes.made)),
        ];
        rows.extend(self.unusual());
        rows.extend([("account made", self.created_at.clone()), ("id", self.id.clone())]);
        let mut text = list(&rows);
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

impl AccountView {
    /// What most accounts have none of.
    fn unusual(&self) -> Vec<(&'static str, String)> {
        let again = "at the next sign-in: the old ways open that and nothing else".to_owned();
        let contact = |contact: &ContactView| format!("{} {}", contact.kind, contact.address);
        let contacts = self.contacts.iter().map(contact).collect::<Vec<_>>().join(", ");
        let weak = self.factors.iter().filter(|factor| factor.weak_secret).count();
        let rows = [
            (
                "disabled",
                self.disabled_until.as_ref().map(|until| format!("until {until}, then again as above")),
            ),
            ("registration", self.deadline.as_ref().map(|deadline| deadline.text.clone())),
            ("register again", self.must_register_again.then_some(again)),
            ("temporary code", self.temporary_code.as_ref().map(TemporaryCodeView::text)),
            ("contacts", (!contacts.is_empty()).then_some(contacts)),
            ("weak secrets", (weak > 0).then(|| format!("{weak}, under 128 bits: better register anew"))),
        ];
        rows.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
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
    weak_secrets: usize,
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
            weak_secrets: account.weak_factors(),
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
