//! Everything that is imported or restored: the first octet says what the rest is. What is taken reads back as the same,
//! and text of a stranger that went out in a record never comes back as an anchor.

use std::collections::BTreeSet;
use std::path::Path;

use assembly::audit::{Anchors, Facility, Format, Origin, Renderer};
use assembly::config::{ConfigError, accounts};
use assembly::{key_file, primary};
use common::account::Account;
use common::acts::Label;
use common::passphrase::Lock;
use common::record::Record;
use common::totp::{TotpAlgorithm, TotpKey, TotpParameters};
use common::username::Folding;
use common::{Secret, TypedName, Username, limits, totp};

use crate::doors;
use crate::input::{Input, text};

pub(crate) fn run(octets: &[u8]) {
    let mut input = Input::new(octets);
    let kind = input.octet();
    match kind {
        b'c' => csv(input.rest()),
        b'b' => base32(&text(input.rest())),
        b'o' => otpauth(&mut input),
        b'h' => hash(&text(input.rest())),
        b'k' => keys(&text(input.rest())),
        b'a' => anchors(input.rest()),
        b'r' => record(input.rest()),
        b'd' => document(input.rest()),
        b'n' => name(input.rest()),
        b't' => accounts(input.rest()),
        _ => {}
    }
}

/// Every line is an account, or has a mistake.
fn csv(octets: &[u8]) {
    let Ok((rows, mistakes)) = doors::import(octets, Folding::Exact) else { return };
    let lines = octets.split(|octet| matches!(octet, b'\n' | b'\r')).count();
    assert!(rows < lines);
    let folded = doors::import(octets, Folding::Lowercase).unwrap();
    assert!(folded.0 <= rows && folded.1 >= mistakes);
}

fn base32(text: &str) {
    let Ok(secret) = totp::from_base32(text) else { return };
    // 80 bits, as some older apps have them, and no fewer.
    assert!(secret.expose().len() >= 10);
    let again = totp::to_base32(&secret);
    assert!(totp::from_base32(again.expose_text().unwrap()).unwrap() == secret);
    assert!(TotpKey::new(TotpParameters::default(), &secret).is_ok());
}

/// The URI that we make for an app: nothing in it ends it, and what was put in comes out. None is read here.
fn otpauth(input: &mut Input<'_>) {
    let (issuer, name) = (text(input.until(0)), text(input.until(0)));
    let parameters =
        TotpParameters { algorithm: TotpAlgorithm::Sha256, digits: input.octet(), period_seconds: 60 };
    let uri = totp::otpauth_uri(&issuer, &name, parameters, &Secret::new(input.rest().to_vec()));
    let uri = uri.expose_text().unwrap();
    assert!(uri.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._~:/?&=%".contains(&octet)));
    let (label, query) = uri.strip_prefix("otpauth://totp/").unwrap().split_once('?').unwrap();
    let (shown_issuer, shown_name) = label.split_once(':').unwrap();
    assert_eq!([decoded(shown_issuer), decoded(shown_name)], [issuer.as_str(), name.as_str()]);
    let keys: Vec<&str> = query.split('&').map(|pair| pair.split_once('=').unwrap().0).collect();
    assert_eq!(keys, ["secret", "issuer", "algorithm", "digits", "period"]);
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut octets = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        octets.push(u8::from_str_radix(&part[..2], 16).unwrap());
        octets.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(octets).unwrap()
}

/// A hash that is taken is of a scheme that still holds, and fits one line of a file.
fn hash(text: &str) {
    let Ok(taken) = primary::accept_import(text) else { return };
    assert_eq!(taken.expose(), text);
    let schemes = ["$argon2id$", "$y$", "$gy$", "$2b$", "$2y$", "$5$", "$6$"];
    assert!(schemes.iter().any(|scheme| text.starts_with(scheme)));
    assert!(text.bytes().all(|octet| octet.is_ascii_graphic() && octet != b':'));
}

fn keys(text: &str) {
    let Some(keys) = key_file::parse(text) else { return };
    let ids: Vec<_> = keys.ids().collect();
    assert_eq!(ids.first(), Some(&keys.newest()));
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    assert_eq!(lines.count(), ids.len());
}

fn anchors(octets: &[u8]) {
    assert!(Anchors::of(octets).count().is_ok());
}

/// A record as the store keeps it, out in a line of either format, and that line read for anchors.
fn record(octets: &[u8]) {
    let Ok(record) = serde_json::from_slice::<Record>(octets) else { return };
    let again: Record = serde_json::from_slice(&serde_json::to_vec(&record).unwrap()).unwrap();
    assert_eq!(again, record);
    for format in [Format::Rfc5424, Format::Rfc3164] {
        let renderer = Renderer::new(format, Origin::local(Facility::LOG_AUTHPRIV, "countersign"));
        // A record can be too long for a line, and is counted then.
        let Ok(line) = renderer.record(&record, None) else { continue };
        let shown = String::from_utf8(line).unwrap();
        assert!(!shown.contains(char::is_control), "{shown:?}");
        assert_eq!(Anchors::of(shown.as_bytes()).count().unwrap(), 0, "{shown}");
    }
}

/// An account as the store keeps it.
fn document(octets: &[u8]) {
    let Ok(account) = serde_json::from_slice::<Account>(octets) else { return };
    let again: Account = serde_json::from_slice(&serde_json::to_vec(&account).unwrap()).unwrap();
    assert_eq!(again, account);
}

/// Declared accounts: what is taken means the same when it is written out. A sealed file is read as far as its passphrase.
fn accounts(octets: &[u8]) {
    let path = Path::new("accounts.toml");
    let read = |octets: &[u8]| {
        accounts::read(path, octets, |lock: &Lock| {
            assert!(lock.cost.memory_kib() <= limits::PASSPHRASE_MEMORY_KIB_MAX);
            Err(ConfigError::NoPassword { path: path.to_owned() })
        })
    };
    let Ok(mut taken) = read(octets) else { return };
    for account in &mut taken {
        // Only a sealed file has them.
        account.declaration.factors.clear();
    }
    let text: String = taken.iter().map(accounts::written).collect();
    let again = read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert!(again == taken, "{text}");
}

/// Names and labels: what is taken is short, and cannot forge a line.
fn name(octets: &[u8]) {
    let typed = TypedName::new(octets);
    assert!(typed.as_str().len() <= limits::TYPED_NAME_OCTETS_MAX * 3 + 3);
    if let Ok(name) = Username::parse(typed.as_str()) {
        assert_eq!(name.as_str().as_bytes(), octets);
        assert!(!name.as_str().contains(|c: char| c.is_control() || matches!(c, ':' | '/')));
        let folded = Folding::Lowercase.fold(&name);
        assert_eq!(Username::parse(folded.as_str()).as_ref(), Ok(&folded));
        assert_eq!(Folding::Lowercase.fold(&folded), folded);
    }
    if let Some(label) = Label::parse(&text(octets)) {
        assert!(!format!("{label:?}").is_empty());
    }
}
