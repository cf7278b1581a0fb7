//! Numbers and mail addresses, which stand in contacts and in factors.

use common::address::{Address, Extension, MailAddress, PhoneNumber};

use super::because;
use crate::keys::Key;
use crate::report::Report;
use crate::section::Section;
use crate::values::{Wrong, text};

/// What an address is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mobile,
    Office,
    Email,
}

impl Kind {
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "mobile" => Ok(Self::Mobile),
            "office" => Ok(Self::Office),
            "email" => Ok(Self::Email),
            _ => Err(Wrong::NotAllowed),
        }
    }
}

/// Reads address and extension of a table; the kind is `None` where that was refused.
pub(super) fn read(
    section: &Section<'_>,
    kind: Option<Kind>,
    (address_key, extension_key): (&'static Key, &'static Key),
    report: &mut Report<'_>,
) -> Option<Address> {
    let extension = section
        .field(extension_key, report, |entry, report| {
            text(entry, report, |text| Extension::parse(text).map_err(because))
        })
        .optional();
    if section.has(extension_key) && matches!(kind, Some(Kind::Mobile | Kind::Email)) {
        report.error(section.remark(extension_key, "only an office number has an extension", None));
    }
    let extension = extension.flatten();
    let address = section.field(address_key, report, |entry, report| {
        text(entry, report, |text| address(kind, text, extension.clone()))
    });
    address.optional().flatten().flatten()
}

fn address(kind: Option<Kind>, text: &str, extension: Option<Extension>) -> Result<Option<Address>, Wrong> {
    // What is wrong with the kind has been told.
    let Some(kind) = kind else { return Ok(None) };
    let address = match kind {
        Kind::Mobile => PhoneNumber::parse(text).map(Address::Mobile),
        Kind::Office => PhoneNumber::parse(text).map(|number| Address::Office(number, extension)),
        Kind::Email => MailAddress::parse(text).map(Address::Email),
    };
    address.map(Some).map_err(because)
}
