//! One account as administrators see it: everything but secrets and hashes, and what it means for its user.

use common::UnixTime;
use common::account::{Account, Contact, SetBy};
use common::address::Address;
use common::policy::Policy;
use common::ports::Listed;
use serde::Serialize;

use super::outlook;
use crate::guesses::{CapView, WaitsView, way_out};
use crate::moment::rfc3339;
use crate::report::Report;
use crate::stored::Stored as _;
use crate::table::{list, table};
use crate::view::{AppPasswordView, FactorView, app_password_table, block, factor_table};

/// Whether numbers and addresses are shown whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contacts {
    /// Enough for their owner to know them again.
    Masked,
    /// As they are.
    Whole,
}

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
    deadline: Option<String>,
    sign_ins_left: Option<u32>,
    temporary_code_until: Option<String>,
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
    created_at: String,
    version: u64,
}

/// Where notices go.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ContactView {
    id: String,
    kind: &'static str,
    address: String,
    set_by: &'static str,
    added_at: String,
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
    pub(super) fn new(
        listed: &Listed,
        policy: &Policy,
        contacts: Contacts,
        (guesses, waits): (CapView, WaitsView),
        now: UnixTime,
    ) -> Self {
        let account = &listed.account;
        let deadline = account.deadline.unwrap_or_default();
        Self {
            user: account.name.to_string(),
            id: account.id.to_string(),
            state: account.state.name(),
            role: account.role.name(),
            blocked: block(account.block, now),
            disabled_until: account.disabled_until.filter(|until| now < *until).map(rfc3339),
            must_register_again: account.must_register_again,
            deadline: deadline.by.map(rfc3339),
            sign_ins_left: deadline.sign_ins,
            temporary_code_until: listed.temporary_code_until(now).map(rfc3339),
            signed_in_at: listed.signed_in_at.map(rfc3339),
            next_sign_in: outlook::next_sign_in(listed, policy, now),
            guesses,
            waits,
            has_password: account.password_hash.is_some(),
            contacts: contact_views(account, contacts),
            factors: FactorView::all(account),
            recovery_codes: RecoveryCodesView {
                left: listed.recovery_codes_left(),
                made: account.recovery_codes.len(),
            },
            app_passwords: account.app_passwords.iter().map(AppPasswordView::new).collect(),
            about_app_passwords: outlook::app_passwords(account, policy, now),
            created_at: rfc3339(account.created_at),
            version: account.version,
        }
    }

    fn deadline_text(&self) -> String {
        let by = self.deadline.as_ref().map(|by| format!("by {by}"));
        let left = self.sign_ins_left.map(|left| format!("{left} sign-ins left"));
        let words: Vec<String> = [by, left].into_iter().flatten().collect();
        if words.is_empty() { "no deadline".to_owned() } else { words.join(", ") }
    }

    fn facts(&self) -> String {
        let codes = &self.recovery_codes;
        let or = |text: &Option<String>, none: &str| text.clone().unwrap_or_else(|| none.to_owned());
        let again = if self.must_register_again { "everything anew" } else { "as usual" };
        list(&[
            ("user", self.user.clone()),
            ("state", self.state.to_owned()),
            ("role", self.role.to_owned()),
            ("last sign-in", or(&self.signed_in_at, "never")),
            ("register", format!("{again}, {}", self.deadline_text())),
            ("blocked", or(&self.blocked, "no")),
            ("disabled until", or(&self.disabled_until, "-")),
            (
                "temporary code",
                self.temporary_code_until
                    .as_ref()
                    .map_or("none".to_owned(), |end| format!("good until {end}")),
            ),
            ("wrong codes", self.guesses.text()),
            ("must wait", self.waits.text()),
            ("password", if self.has_password { "set" } else { "none here" }.to_owned()),
            ("recovery codes", format!("{} of {} left", codes.left, codes.made)),
            ("account made", self.created_at.clone()),
            ("id", self.id.clone()),
        ])
    }
}

fn contact_views(account: &Account, contacts: Contacts) -> Vec<ContactView> {
    let view = |contact: &Contact| ContactView {
        id: contact.id.to_string(),
        kind: contact.address.kind(),
        address: match contacts {
            Contacts::Masked => contact.address.masked(),
            Contacts::Whole => whole(&contact.address),
        },
        set_by: match contact.set_by {
            SetBy::User => "user",
            SetBy::Administrator => "administrator",
            SetBy::Directory => "directory",
        },
        added_at: rfc3339(contact.added_at),
    };
    account.contacts.iter().map(view).collect()
}

/// A number with its extension, or a mail address.
fn whole(address: &Address) -> String {
    match address {
        Address::Mobile(number) | Address::Office(number, None) => number.to_string(),
        Address::Office(number, Some(extension)) => format!("{number} extension {extension}"),
        Address::Email(address) => address.to_string(),
    }
}

impl ContactView {
    fn row(&self) -> Vec<String> {
        let [id, address, added_at] = [&self.id, &self.address, &self.added_at].map(Clone::clone);
        vec![id, self.kind.to_owned(), address, self.set_by.to_owned(), added_at]
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
            let titles = ["contact", "kind", "address", "set by", "added"];
            paragraph(table(&titles, self.contacts.iter().map(ContactView::row)));
        }
        if !self.app_passwords.is_empty() {
            paragraph(app_password_table(&self.app_passwords));
        }
        paragraph(format!("App passwords: {}\n", self.about_app_passwords.join(" ")));
        text
    }
}
