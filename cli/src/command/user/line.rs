//! One account on one line of a list, for people, spreadsheets and programs.

use common::UnixTime;
use common::account::{Account, FactorKind};
use common::ports::Listed;
use serde::Serialize;

use crate::moment::rfc3339;
use crate::stored::Stored as _;
use crate::view::block;

/// The titles of the columns, those first that matter most: where a terminal is narrow, the last ones go first.
pub(super) const TITLES: [&str; 10] = [
    "user",
    "state",
    "factors",
    "last sign-in",
    "note",
    "role",
    "recovery codes",
    "app passwords",
    "contacts",
    "password",
];

/// One account.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct AccountLine {
    user: String,
    state: &'static str,
    role: &'static str,
    blocked: Option<String>,
    disabled_until: Option<String>,
    must_register_again: bool,
    /// Until when registration can be put off.
    deadline: Option<String>,
    sign_ins_left: Option<u32>,
    temporary_code_until: Option<String>,
    /// When the user was last let in, to the hour.
    signed_in_at: Option<String>,
    has_password: bool,
    factors: usize,
    factor_kinds: Vec<&'static str>,
    weak_secrets: usize,
    recovery_codes: usize,
    app_passwords: usize,
    contacts: usize,
}

impl AccountLine {
    pub(super) fn new(listed: &Listed, now: UnixTime) -> Self {
        let account = &listed.account;
        let deadline = account.deadline.unwrap_or_default();
        Self {
            user: account.name.to_string(),
            state: account.state.name(),
            role: account.role.name(),
            blocked: block(account.block, now),
            disabled_until: account.disabled_until.filter(|until| now < *until).map(rfc3339),
            must_register_again: account.must_register_again,
            deadline: deadline.by.map(rfc3339),
            sign_ins_left: deadline.sign_ins,
            temporary_code_until: listed.temporary_code_until(now).map(rfc3339),
            signed_in_at: listed.signed_in_at.map(rfc3339),
            has_password: account.password_hash.is_some(),
            factors: account.factors.len(),
            factor_kinds: kinds(account),
            weak_secrets: account.weak_factors(),
            recovery_codes: listed.recovery_codes_left(),
            app_passwords: account.app_passwords.len(),
            contacts: account.contacts.len(),
        }
    }

    /// A cell for each of [`TITLES`].
    pub(super) fn row(&self) -> Vec<String> {
        let kinds =
            if self.factor_kinds.is_empty() { "none".to_owned() } else { self.factor_kinds.join(" ") };
        let signed_in = self.signed_in_at.as_ref().map_or("never", |moment| day(moment));
        let password = if self.has_password { "set" } else { "-" };
        vec![
            self.user.clone(),
            self.state.to_owned(),
            kinds,
            signed_in.to_owned(),
            self.note(),
            self.role.to_owned(),
            self.recovery_codes.to_string(),
            self.app_passwords.to_string(),
            self.contacts.to_string(),
            password.to_owned(),
        ]
    }

    /// What is unusual, and decides what happens at the next sign-in.
    fn note(&self) -> String {
        let until = |word: &str, moment: &Option<String>| {
            moment.as_ref().map(|moment| format!("{word} {}", day(moment)))
        };
        let notes = [
            self.blocked.as_ref().map(|until| format!("blocked {until}")),
            until("disabled until", &self.disabled_until),
            self.must_register_again.then(|| "must register again".to_owned()),
            until("register by", &self.deadline),
            self.sign_ins_left.map(|left| format!("{left} sign-ins left")),
            until("temporary code until", &self.temporary_code_until),
            (self.weak_secrets > 0).then(|| "weak secret".to_owned()),
        ];
        let notes: Vec<String> = notes.into_iter().flatten().collect();
        if notes.is_empty() { "-".to_owned() } else { notes.join("; ") }
    }

    /// The titles of [`AccountLine::record`]: the names of the JSON form.
    pub(super) const CSV_TITLES: [&'static str; 16] = [
        "user",
        "state",
        "role",
        "blocked",
        "disabled-until",
        "must-register-again",
        "deadline",
        "sign-ins-left",
        "temporary-code-until",
        "signed-in-at",
        "has-password",
        "factor-kinds",
        "weak-secrets",
        "recovery-codes",
        "app-passwords",
        "contacts",
    ];

    /// A line for a spreadsheet; what there is not is empty.
    pub(super) fn record(&self) -> [String; 16] {
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        [
            self.user.clone(),
            self.state.to_owned(),
            self.role.to_owned(),
            or_empty(&self.blocked),
            or_empty(&self.disabled_until),
            self.must_register_again.to_string(),
            or_empty(&self.deadline),
            self.sign_ins_left.map(|left| left.to_string()).unwrap_or_default(),
            or_empty(&self.temporary_code_until),
            or_empty(&self.signed_in_at),
            self.has_password.to_string(),
            self.factor_kinds.join(" "),
            self.weak_secrets.to_string(),
            self.recovery_codes.to_string(),
            self.app_passwords.to_string(),
            self.contacts.to_string(),
        ]
    }
}

/// The kinds of the factors, each once.
fn kinds(account: &Account) -> Vec<&'static str> {
    let mut kinds: Vec<_> = account.factors.iter().map(|factor| kind(&factor.kind)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

const fn kind(kind: &FactorKind) -> &'static str {
    match kind {
        FactorKind::Totp { .. } => "totp",
        FactorKind::Hotp { .. } => "hotp",
        FactorKind::Sent { address } => address.kind(),
    }
}

/// The day and the hour of a moment: no more of it is kept of sign-ins.
fn day(moment: &str) -> &str {
    moment.get(..16).unwrap_or(moment)
}
