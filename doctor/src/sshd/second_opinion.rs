//! What sshd itself says it would do (`sshd -T`), held against what was read here.

use super::config::Config;
use crate::finding::{Finding, Kind};
use crate::place::Place;

/// What decides who gets in.
const COMPARED: [&str; 9] = [
    "usepam",
    "passwordauthentication",
    "kbdinteractiveauthentication",
    "pubkeyauthentication",
    "permitemptypasswords",
    "permitrootlogin",
    "hostbasedauthentication",
    "gssapiauthentication",
    "authenticationmethods",
];

/// A connection for which a block is meant, as `sshd -T -C` takes it. Where the criteria are no plain user and address,
/// sshd cannot be asked.
#[must_use]
pub fn connection(config: &Config, block: usize) -> Option<String> {
    let (mut user, mut address) = ("countersign-doctor", "192.0.2.1");
    let block = config.blocks.get(block).filter(|block| block.above.is_none())?;
    for pair in block.criteria.chunks(2) {
        match pair {
            [all] if all.eq_ignore_ascii_case("all") => {}
            [name, value] if name.eq_ignore_ascii_case("user") && is_plain(value) => user = value,
            [name, value] if name.eq_ignore_ascii_case("address") && is_plain(value) => {
                address = value.split('/').next()?;
            }
            _ => return None,
        }
    }
    Some(format!("user={user},host=localhost,addr={address}"))
}

/// Whether it is one name or address, and no pattern or list, nor anything that sshd would take for another part.
fn is_plain(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '_' | '/'))
}

/// The values in which sshd differs, for everybody or in a block; `said` is what `sshd -T` has printed. Of a block, only what
/// it says itself counts, and no block above it: several may be for one connection.
#[must_use]
pub fn differences(config: &Config, block: Option<usize>, said: &str) -> Vec<Finding> {
    let of = |keyword: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(keyword)?.strip_prefix(' '));
        line.map(|value| value.trim().to_ascii_lowercase())
    };
    let counts = |keyword: &str| {
        let first = config.settings.iter().find(|it| it.block.is_some() && it.keyword == keyword);
        block.is_none() || first.is_some_and(|setting| setting.block == block)
    };
    let compared = COMPARED.iter().copied().filter(|keyword| counts(keyword));
    let differing = compared.filter_map(|keyword| {
        let (ours, theirs) = (own(config, keyword, block), of(keyword)?);
        (!equal(&ours, &theirs)).then(|| finding(config, keyword, block, &ours, &theirs))
    });
    differing.collect()
}

fn own(config: &Config, keyword: &str, block: Option<usize>) -> String {
    match (keyword, config.value(keyword, block)) {
        ("authenticationmethods", Some(setting)) => setting.arguments.join(" ").to_ascii_lowercase(),
        (_, _) => config.word(keyword, block),
    }
}

/// `without-password` is the older name of `prohibit-password`.
fn equal(ours: &str, theirs: &str) -> bool {
    let today = |word: &str| {
        if word == "without-password" { "prohibit-password".to_owned() } else { word.to_owned() }
    };
    today(ours) == today(theirs)
}

fn finding(config: &Config, keyword: &str, block: Option<usize>, ours: &str, theirs: &str) -> Finding {
    let main = Place::new(super::config::MAIN_FILE.as_ref(), 1);
    let place = config.value(keyword, block).map_or(main, |setting| setting.place.clone());
    let found = format!("{keyword}: the files say {ours}, and 'sshd -T' says {theirs}");
    let instead =
        "Look at 'sshd -T' and at how sshd is started: options on its command line win over the files.";
    Finding::new(Kind::SshdDisagrees, place, found, instead)
}
