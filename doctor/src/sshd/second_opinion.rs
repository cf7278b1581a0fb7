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

/// The values in which sshd differs; `said` is what `sshd -T` has printed.
#[must_use]
pub fn differences(config: &Config, said: &str) -> Vec<Finding> {
    let of = |keyword: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(keyword)?.strip_prefix(' '));
        line.map(|value| value.trim().to_ascii_lowercase())
    };
    let differing = COMPARED.iter().filter_map(|keyword| {
        let theirs = of(keyword)?;
        let ours = own(config, keyword);
        (equal(&ours, &theirs)).then_some(()).map_or_else(|| Some((*keyword, ours, theirs)), |()| None)
    });
    differing.map(|(keyword, ours, theirs)| finding(config, keyword, &ours, &theirs)).collect()
}

fn own(config: &Config, keyword: &str) -> String {
    match (keyword, config.value(keyword, None)) {
        ("authenticationmethods", Some(setting)) => setting.arguments.join(" ").to_ascii_lowercase(),
        (_, _) => config.word(keyword, None),
    }
}

/// `without-password` is the older name of `prohibit-password`.
fn equal(ours: &str, theirs: &str) -> bool {
    let today = |word: &str| {
        if word == "without-password" { "prohibit-password".to_owned() } else { word.to_owned() }
    };
    today(ours) == today(theirs)
}

fn finding(config: &Config, keyword: &str, ours: &str, theirs: &str) -> Finding {
    let main = Place::new(super::config::MAIN_FILE.as_ref(), 1);
    let place = config.value(keyword, None).map_or(main, |setting| setting.place.clone());
    let found = format!("{keyword}: the files say {ours}, and 'sshd -T' says {theirs}");
    let instead =
        "Look at 'sshd -T' and at how sshd is started: options on its command line win over the files.";
    Finding::new(Kind::SshdDisagrees, place, found, instead)
}
