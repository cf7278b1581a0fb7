//! `[[account.factor]]`: what a user proves a sign-in with. Secrets are opened where the key is at hand.

use std::ops::Range;

use common::Username;
use common::acts::{DeclaredFactor, DeclaredKind, Label};
use common::totp::{TotpAlgorithm, TotpParameters};

use super::Seal;
use super::address::{self, Kind as AddressKind};
use super::lock::octets;
use crate::accounts::keys::{
    ALGORITHM, COUNTER, DEFAULT, DIGITS, DRIFT, FACTOR_ADDRESS, FACTOR_EXTENSION, FACTOR_KIND, LABEL, PERIOD,
    SECRET,
};
use crate::accounts::token::Token;
use crate::keys::{Key, Part};
use crate::report::{Place, Remark, Report};
use crate::section::Section;
use crate::values::{Wrong, boolean, number_in, text, word};

/// Seconds for which a code may be shown.
const PERIOD_SECONDS_MAX: u32 = 86_400;

/// What a factor is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Totp,
    Hotp,
    Sent(AddressKind),
}

/// All factors of an account; `None` where one of them is wrong, or closed.
pub(super) fn all(
    section: &Section<'_>,
    name: Option<&Username>,
    seal: Seal<'_>,
    report: &mut Report<'_>,
) -> Option<Vec<DeclaredFactor>> {
    let mut all_are_read = true;
    let mut factors: Vec<DeclaredFactor> = Vec::new();
    let mut has_default = false;
    for section in section.tables("factor", Part::AccountFactor, report) {
        let factor = factor(&section, name, seal, report);
        if factor.as_ref().is_some_and(|factor| factors.iter().any(|known| is_same(known, factor))) {
            report.error(section.remark(&FACTOR_KIND, "this factor stands here twice", None));
        }
        if factor.as_ref().is_some_and(|factor| factor.is_default) {
            if has_default {
                let message = "another factor of this account is the default already";
                report.error(section.remark(&DEFAULT, message, None));
            }
            has_default = true;
        }
        all_are_read &= factor.is_some();
        factors.extend(factor);
    }
    all_are_read.then_some(factors)
}

/// Whether two factors have one secret, or one address.
fn is_same(one: &DeclaredFactor, other: &DeclaredFactor) -> bool {
    match (&one.kind, &other.kind) {
        (DeclaredKind::Sent(one), DeclaredKind::Sent(other)) => one == other,
        (one, other) => match (Token::of(one), Token::of(other)) {
            (Some((_, one)), Some((_, other))) => one == other,
            (_, _) => false,
        },
    }
}

fn factor(
    section: &Section<'_>,
    name: Option<&Username>,
    seal: Seal<'_>,
    report: &mut Report<'_>,
) -> Option<DeclaredFactor> {
    let kind = section.required(&FACTOR_KIND, report, |entry, report| text(entry, report, kind));
    let label = section.required(&LABEL, report, |entry, report| text(entry, report, label));
    let is_default = section.field(&DEFAULT, report, boolean).or(false);
    if let Some(kind) = kind {
        refuse_keys_of_others(section, kind, report);
    }
    let kind = match kind? {
        Kind::Sent(kind) => sent(section, kind, report),
        Kind::Totp => {
            let token = totp(section, report);
            opened(section, token, name, label.as_ref(), seal, report)
        }
        Kind::Hotp => {
            let token = hotp(section, report);
            opened(section, token, name, label.as_ref(), seal, report)
        }
    };
    Some(DeclaredFactor { label: label?, is_default: is_default?, kind: kind? })
}

fn kind(text: &str) -> Result<Kind, Wrong> {
    match text {
        "totp" => Ok(Kind::Totp),
        "hotp" => Ok(Kind::Hotp),
        address => AddressKind::parse(address).map(Kind::Sent),
    }
}

/// White space at its ends would be dropped, and what is sealed beside it would not open.
fn label(text: &str) -> Result<Label, Wrong> {
    Label::parse(text).filter(|label| label.as_str() == text).ok_or(Wrong::NotAllowed)
}

/// A key that a kind has no use for says that something else was meant.
fn refuse_keys_of_others(section: &Section<'_>, kind: Kind, report: &mut Report<'_>) {
    let of_sent: &[&'static Key] = &[&FACTOR_ADDRESS, &FACTOR_EXTENSION];
    let of_totp: &[&'static Key] = &[&ALGORITHM, &PERIOD, &DRIFT];
    let of_both: &[&'static Key] = &[&DIGITS, &SECRET];
    let of_hotp: &[&'static Key] = &[&COUNTER];
    let strange = match kind {
        Kind::Totp => [of_sent, of_hotp].concat(),
        Kind::Hotp => [of_sent, of_totp].concat(),
        Kind::Sent(_) => [of_totp, of_both, of_hotp].concat(),
    };
    for key in strange.into_iter().filter(|key| section.has(key)) {
        let message = format!("`{}` does not belong to a factor of this kind", key.name);
        report.error(Remark { allowed: Some(key.allowed.to_owned()), ..section.remark(key, message, None) });
    }
}

fn sent(section: &Section<'_>, kind: AddressKind, report: &mut Report<'_>) -> Option<DeclaredKind> {
    if !section.has(&FACTOR_ADDRESS) {
        report.error(missing(section, &FACTOR_ADDRESS));
    }
    let address = address::read(section, Some(kind), (&FACTOR_ADDRESS, &FACTOR_EXTENSION), report);
    address.map(DeclaredKind::Sent)
}

fn totp(section: &Section<'_>, report: &mut Report<'_>) -> Option<Token> {
    let usual = TotpParameters::default();
    let algorithm = section.field(&ALGORITHM, report, word::<TotpAlgorithm>).or(usual.algorithm);
    let digits = digits(section, report);
    let period_seconds = section
        .field(&PERIOD, report, |entry, report| number_in(entry, report, 1..=PERIOD_SECONDS_MAX))
        .or(usual.period_seconds);
    let drift =
        section.field(&DRIFT, report, |entry, report| number_in(entry, report, i32::MIN..=i32::MAX)).or(0);
    let parameters =
        TotpParameters { algorithm: algorithm?, digits: digits?, period_seconds: period_seconds? };
    Some(Token::Totp { parameters, drift: drift? })
}

fn hotp(section: &Section<'_>, report: &mut Report<'_>) -> Option<Token> {
    let digits = digits(section, report);
    let counter =
        section.field(&COUNTER, report, |entry, report| number_in(entry, report, 0..=u64::MAX)).or(0);
    Some(Token::Hotp { digits: digits?, counter: counter? })
}

fn digits(section: &Section<'_>, report: &mut Report<'_>) -> Option<u8> {
    section.field(&DIGITS, report, |entry, report| number_in(entry, report, 6..=8)).or(6)
}

/// The factor with its secret; `None` where the key is not at hand, without a remark.
fn opened(
    section: &Section<'_>,
    token: Option<Token>,
    name: Option<&Username>,
    label: Option<&Label>,
    seal: Seal<'_>,
    report: &mut Report<'_>,
) -> Option<DeclaredKind> {
    if !section.has(&SECRET) {
        report.error(missing(section, &SECRET));
        return None;
    }
    section.required(&SECRET, report, |entry, report| {
        let sealed = text(entry, report, octets)?;
        let key = match seal {
            Seal::Open(key) => key,
            Seal::Closed => return None,
            Seal::None => {
                let message = "nothing says how this secret is sealed: the table [sealed] is missing, or this is no \
                               sealed value. 'countersign export --secrets' writes both";
                report.error(section.remark(&SECRET, message, None));
                return None;
            }
        };
        let (token, place) = (token?, token?.place(name?, label?));
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        let Ok(secret) = key.open(&place, &sealed) else {
            report.error(changed(section, entry.value.span()));
            return None;
        };
        Some(token.with(secret))
    })
}

fn changed(section: &Section<'_>, place: Range<usize>) -> Remark {
    let message = format!(
        "`{}` does not open: it, or what stands beside it, was changed, or it is another account's",
        section.path_of(SECRET.name)
    );
    let help = "take the table of this factor, and the name of its account, as they were written";
    Remark { place: Place::Value(place), ..section.remark(&SECRET, message, Some(help)) }
}

fn missing(section: &Section<'_>, key: &'static Key) -> Remark {
    let message = format!("`{}` is missing", section.path_of(key.name));
    let help = format!("add a line `{} = …` with {}", key.name, key.allowed);
    section.remark(key, message, Some(&help))
}
