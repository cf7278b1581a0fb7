//! `[[account.contact]]`: where a user hears of changes.

use common::account::SetBy;
use common::address::Address;

use super::address::{self, Kind};
use crate::accounts::keys::{CONTACT_ADDRESS, CONTACT_EXTENSION, CONTACT_KIND, SET_BY};
use crate::keys::Part;
use crate::report::Report;
use crate::section::Section;
use crate::values::{Wrong, text};

/// All contacts of an account, if it names any; `None` where one of them is wrong.
pub(super) fn all(section: &Section<'_>, report: &mut Report<'_>) -> Option<Option<Vec<(Address, SetBy)>>> {
    if !section.holds("contact") {
        return Some(None);
    }
    let mut contacts: Vec<(Address, SetBy)> = Vec::new();
    let mut all_are_read = true;
    for section in section.tables("contact", Part::AccountContact, report) {
        match contact(&section, report) {
            Some((address, _)) if contacts.iter().any(|(known, _)| *known == address) => {
                report.error(section.remark(&CONTACT_ADDRESS, "this contact stands here twice", None));
            }
            Some(contact) => contacts.push(contact),
            None => all_are_read = false,
        }
    }
    all_are_read.then_some(Some(contacts))
}

fn contact(section: &Section<'_>, report: &mut Report<'_>) -> Option<(Address, SetBy)> {
    let kind = section.required(&CONTACT_KIND, report, |entry, report| text(entry, report, Kind::parse));
    let address = address::read(section, kind, (&CONTACT_ADDRESS, &CONTACT_EXTENSION), report);
    let set_by = section.field(&SET_BY, report, |entry, report| text(entry, report, set_by));
    Some((address?, set_by.or(SetBy::Administrator)?))
}

fn set_by(text: &str) -> Result<SetBy, Wrong> {
    SetBy::ALL.into_iter().find(|set_by| set_by.name() == text).ok_or(Wrong::NotAllowed)
}
