//! One account as administrators see it: everything but secrets and hashes, and what it means for its user.

use common::engine::Engine;
use common::ports::Listed;
use serde::Serialize;

use super::device::{DeviceView, device_table};
use super::outlook::{self, Ways};
use crate::guesses::{CapView, WaitsView, way_out};
use crate::moment::rfc3339;
use crate::report::Report;
use crate::stored::Stored as _;
use crate::table::list;
use crate::view::{
    AppPasswordView, ContactView, Contacts, DeadlineView, FactorView, TemporaryCodeView, app_password_table,
    block, contact_table, factor_table,
};

/// One account with all that hangs on it.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct AccountView {
    user: String,
    id: String,
    state: &'static str,
    role: &'static str,
    blocked: Option<String>,
    disabled_until: Option<String>,
    must_register_again: bool,
    /// Until when registration can be put off.
    deadline: Option<DeadlineView>,
    temporary_code: Option<TemporaryCodeView>,
    signed_in_at: Option<String>,
    /// What happens at the next sign-in, in words.
    next_sign_in: Vec<String>,
    guesses: CapView,
    waits: WaitsView,
    has_password: bool,
    contacts: Vec<ContactView>,
    factors: Vec<FactorView>,
    recovery_codes: RecoveryCodesView,
    app_passwords: Vec<AppPasswordView>,
    /// Why they are good or not, and whether the user may make one, in words.
    about_app_passwords: Vec<String>,
    remembered_devices: Vec<DeviceView>,
    created_at: String,
    version: u64,
}

/// What stands apart from an account, as of now.
pub(super) struct Beside {
    pub(super) guesses: CapView,
    pub(super) waits: WaitsView,
    pub(super) devices: Vec<DeviceView>,
}

/// How many recovery codes there are.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RecoveryCodesView {
    left: usize,
    made: usize,
}

impl AccountView {
    /// An account as of now.
    pub(super) fn new(listed: &Listed, engine: &Engine, contacts: Contacts, beside: Beside) -> Self {
        let (account, now) = (&listed.account, engine.now());
        let temporary_code = account.temporary_code.as_ref();
        Self {
            user: account.name.to_string(),
            id: account.id.to_string(),
            state: account.state.name(),
            role: account.role.name(),
            blocked: block(account.block, now),
            disabled_until: account.disabled_until.filter(|until| now < *until).map(rfc3339),
            must_register_again: account.must_register_again,
            deadline: account.deadline.map(DeadlineView::new),
            temporary_code: temporary_code.map(|code| TemporaryCodeView::new(code, &listed.spent_codes, now)),
            signed_in_at: listed.signed_in_at.map(rfc3339),
            next_sign_in: outlook::next_sign_in(listed, Ways::of(engine, account), engine.policy(), now),
            guesses: beside.guesses,
            waits: beside.waits,
            has_password: account.password_hash.is_some(),
            contacts: ContactView::all(account, contacts),
            factors: FactorView::all(account),
            recovery_codes: RecoveryCodesView {
                left: listed.recovery_codes_left(),
                made: account.recovery_codes.len(),
            },
            app_passwords: account.app_passwords.iter().map(AppPasswordView::new).collect(),
            about_app_passwords: outlook::app_passwords(account, engine.policy(), now),
            remembered_devices: beside.devices,
            created_at: rfc3339(account.created_at),
            version: account.version,
        }
    }

    fn facts(&self) -> String {
        let codes = &self.recovery_codes;
        let or = |text: &Option<String>, none: &str| text.clone().unwrap_or_else(|| none.to_owned());
        let register = match (self.must_register_again, &self.deadline) {
            (true, _) => "everything anew".to_owned(),
            (false, Some(deadline)) => deadline.text.clone(),
            (false, None) if !self.factors.is_empty() => "done".to_owned(),
            (false, None) => "no deadline".to_owned(),
        };
        let recovery_codes = match (codes.made, codes.left) {
            (0, _) => "none".to_owned(),
            (made, left) => format!("{left} of {made} left"),
        };
        // Not every sign-in is written down: see limits::SIGNED_IN_RENEWED_SECONDS.
        let signed_in = self.signed_in_at.as_ref();
        let signed_in = signed_in.map(|moment| format!("{moment}, or within the hour after"));
        let temporary_code = self.temporary_code.as_ref().map(TemporaryCodeView::text);
        list(&[
            ("user", self.user.clone()),
            ("state", self.state.to_owned()),
            ("role", self.role.to_owned()),
            ("last sign-in", or(&signed_in, "never")),
            ("registration", register),
            ("blocked", or(&self.blocked, "no")),
            ("disabled until", or(&self.disabled_until, "-")),
            ("temporary code", or(&temporary_code, "none")),
            ("wrong codes", self.guesses.text()),
            ("must wait", self.waits.text()),
            ("password", if self.has_password { "set" } else { "none here" }.to_owned()),
            ("recovery codes", recovery_codes),
            ("account made", self.created_at.clone()),
            ("id", self.id.clone()),
        ])
    }
}

impl Report for AccountView {
    fn text(&self) -> String {
        let mut text =
            format!("{}\n\nAt the next sign-in: {}\n", self.facts().trim_end(), self.next_sign_in.join(" "));
        let mut paragraph = |more: String| {
            text.push('\n');
            text.push_str(&more);
        };
        if let Some(way_out) = way_out(&self.user, &self.guesses, &self.waits) {
            paragraph(way_out);
        }
        if !self.factors.is_empty() {
            paragraph(factor_table(&self.factors));
        }
        if !self.contacts.is_empty() {
            paragraph(contact_table(&self.contacts));
        }
        if !self.remembered_devices.is_empty() {
            paragraph(device_table(&self.remembered_devices));
        }
        if !self.app_passwords.is_empty() {
            paragraph(app_password_table(&self.app_passwords));
        }
        paragraph(format!("App passwords: {}\n", self.about_app_passwords.join(" ")));
        text
    }
}
