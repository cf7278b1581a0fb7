//! `[sealed]`: how the key of the sealed values is made of the passphrase.

use std::ops::RangeInclusive;

use common::limits::{PASSPHRASE_LANES_MAX, PASSPHRASE_MEMORY_KIB_MAX, PASSPHRASE_PASSES_MAX};
use common::passphrase::{Cost, Lock, MEMORY_KIB_MIN};
use data_encoding::BASE64;

use crate::accounts::FORMAT;
use crate::accounts::keys::{CHECK, LANES, MEMORY, PASSES, SALT, VERSION};
use crate::keys::{Key, Part};
use crate::report::Report;
use crate::section::{Entry, Section};
use crate::values::{Wrong, number_between, number_in, text};

/// `None` where there is none, or it is wrong.
pub(super) fn read(top: &Section<'_>, report: &mut Report<'_>) -> Option<Lock> {
    let section = top.table("sealed", Part::Sealed, report);
    let version =
        section.required(&VERSION, report, |entry, report| number_between(entry, report, FORMAT, FORMAT));
    let salt = section.required(&SALT, report, |entry, report| {
        text(entry, report, |text| octets(text)?.try_into().map_err(|_| Wrong::NotAllowed))
    });
    let memory_kib = number(&section, &MEMORY, MEMORY_KIB_MIN..=PASSPHRASE_MEMORY_KIB_MAX, report);
    let passes = number(&section, &PASSES, 1..=PASSPHRASE_PASSES_MAX, report);
    let lanes = number(&section, &LANES, 1..=PASSPHRASE_LANES_MAX, report);
    let check = section.required(&CHECK, report, |entry, report| text(entry, report, octets));
    version?;
    Some(Lock { salt: salt?, cost: Cost::new(memory_kib?, passes?, lanes?)?, check: check? })
}

fn number(
    section: &Section<'_>,
    key: &'static Key,
    range: RangeInclusive<u32>,
    report: &mut Report<'_>,
) -> Option<u32> {
    let read = |entry: &Entry<'_>, report: &mut Report<'_>| number_in(entry, report, range);
    section.required(key, report, read)
}

/// Octets in base64.
pub(super) fn octets(text: &str) -> Result<Vec<u8>, Wrong> {
    BASE64.decode(text.as_bytes()).map_err(|_| Wrong::NotAllowed)
}
