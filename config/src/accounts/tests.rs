use std::path::Path;

use common::acts::{DeclaredFactor, DeclaredKind, Label};
use common::passphrase::{Lock, Passphrase, PassphraseKey};
use common::random::Stream;
use common::totp::TotpParameters;
use common::{Secret, Username};

use super::{DeclaredAccount, Sealing, read, written, written_lock};
use crate::error::ConfigError;
use crate::keys::Absent;

mod property;

const PASSPHRASE: &str = "correct horse battery staple";

const WHOLE: &str = r#"
[[account]]
name = "alice"
state = "enabled"
role = "administrator"
deadline = "2026-12-24T00:00:00Z"
sign-ins = 3
blocked = "2026-12-25T00:00:00Z"
must-register-again = true
[[account.contact]]
kind = "office"
address = "+49 30 1234567"
extension = "12#"
[[account.contact]]
kind = "email"
address = "alice@example.org"
set-by = "directory"
[[account.factor]]
kind = "mobile"
label = "my mobile"
address = "+49 151 12345678"

[[account]]
name = "Bob \"the\" B"
blocked = "indefinitely"
contact = []

[[account]]
name = "carol"
"#;

fn no_passphrase(_: &Lock) -> Result<PassphraseKey, ConfigError> {
    panic!("nothing is sealed");
}

fn accounts(text: &str) -> Vec<DeclaredAccount> {
    read(Path::new("accounts.toml"), text.as_bytes(), no_passphrase).unwrap()
}

/// The sealed form, and what it is sealed with.
struct Sealed {
    lock: Lock,
    sealing: Sealing<'static>,
}

impl Sealed {
    fn new(random: &'static Stream) -> Self {
        let (lock, key) = Lock::new(random, &Passphrase::parse(Secret::from(PASSPHRASE)).unwrap()).unwrap();
        Self { lock, sealing: Sealing { key, random } }
    }

    fn written(&self, accounts: &[DeclaredAccount]) -> String {
        let text = accounts.iter().map(|account| self.sealing.written(account).unwrap());
        text.fold(written_lock(&self.lock), |file, account| file + "\n" + &account)
    }

    /// Reads with the key at hand: making it of the passphrase is slow on purpose.
    fn read(&self, text: &str) -> Result<Vec<DeclaredAccount>, ConfigError> {
        read(Path::new("accounts.toml"), text.as_bytes(), |lock| {
            assert_eq!(lock, &self.lock);
            let Lock { check, .. } = lock;
            self.sealing.key.open(&["check"], check).unwrap();
            Ok(self.sealing.key.clone())
        })
    }
}

fn sealed() -> Sealed {
    Sealed::new(Box::leak(Box::new(Stream::new(b"0123456789abcdef", "test"))))
}

fn factor(label: &str, kind: DeclaredKind) -> DeclaredFactor {
    DeclaredFactor { label: Label::parse(label).unwrap(), is_default: false, kind }
}

fn app(secret: &str) -> DeclaredKind {
    DeclaredKind::Totp { parameters: TotpParameters::default(), drift: 0, secret: Secret::from(secret) }
}

fn with_factors(name: &str, factors: Vec<DeclaredFactor>) -> DeclaredAccount {
    let declaration = common::acts::Declaration { factors, ..Default::default() };
    DeclaredAccount { name: Username::parse(name).unwrap(), declaration }
}

/// Alice with an app and a token, and Bob with an app.
fn three_secrets() -> Vec<DeclaredAccount> {
    let token = DeclaredKind::Hotp { digits: 6, counter: 7, secret: Secret::from("a token that counts.") };
    vec![
        with_factors("alice", vec![factor("phone", app("12345678901234567890")), factor("key fob", token)]),
        with_factors("bob", vec![factor("phone", app("a secret of bob's own"))]),
    ]
}

/// The lines of all mistakes.
fn mistaken_lines(result: Result<Vec<DeclaredAccount>, ConfigError>) -> Vec<usize> {
    let Err(error) = result else { panic!("no mistake") };
    error.findings().iter().map(|finding| finding.line).collect()
}

fn line_of(text: &str, line: &str) -> usize {
    (1..).zip(text.lines()).find(|(_, found)| found.starts_with(line)).unwrap().0
}

#[test]
fn what_is_written_is_read_back_as_the_same() {
    let read = accounts(WHOLE);
    assert_eq!(read.len(), 3);
    assert_eq!(read[0].declaration.contacts.as_ref().map(Vec::len), Some(2));
    assert_eq!(read[1].declaration.contacts, Some(Vec::new()));
    assert_eq!(read[2].declaration.contacts, None, "what is left out stays as it is");
    let sealed = sealed();
    assert!(sealed.read(&sealed.written(&read)).unwrap() == read);
}

#[test]
fn without_a_passphrase_no_factor_is_written() {
    let text: String = three_secrets().iter().map(written).collect();
    assert!(!text.contains("factor") && !text.contains("secret"), "{text}");
    assert_eq!(accounts(&text).len(), 2);
}

#[test]
fn a_sealed_file_shows_no_secret_and_gives_all_of_them_back() {
    let sealed = sealed();
    let text = sealed.written(&three_secrets());
    assert!(sealed.read(&text).unwrap() == three_secrets());
    for secret in ["12345678901234567890", "GEZDGNBVGY3TQOJQ", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert_ne!(text, sealed.written(&three_secrets()), "no two sealed values are alike");
}

#[test]
fn the_passphrase_is_asked_for_once_everything_else_is_right() {
    let sealed = sealed();
    let text = sealed.written(&three_secrets()).replace("digits = 6", "digits = 9");
    let mistakes = read(Path::new("accounts.toml"), text.as_bytes(), no_passphrase);
    assert_eq!(mistaken_lines(mistakes).len(), 3);
}

#[test]
fn a_sealed_secret_opens_where_it_was_written_and_nowhere_else() {
    let sealed = sealed();
    let text = sealed.written(&three_secrets());
    let secrets: Vec<&str> = text.lines().filter(|line| line.starts_with("secret = ")).collect();
    let lines: Vec<usize> = secrets.iter().map(|secret| line_of(&text, secret)).collect();
    for (one, other) in [(0, 2), (0, 1)] {
        let swapped = text
            .replace(secrets[one], "secret = first")
            .replace(secrets[other], secrets[one])
            .replace("secret = first", secrets[other]);
        assert_eq!(mistaken_lines(sealed.read(&swapped)), [lines[one], lines[other]]);
    }
    for (was, is, broken) in [
        ("name = \"bob\"", "name = \"carol\"", &lines[2..]),
        ("counter = 7", "counter = 0", &lines[1..2]),
        ("label = \"key fob\"", "label = \"phone\"", &lines[1..2]),
        ("drift = 0", "drift = 1", &[lines[0], lines[2]]),
        ("period-seconds = 30", "period-seconds = 60", &[lines[0], lines[2]]),
        ("\"sha1\"", "\"sha256\"", &[lines[0], lines[2]]),
        ("digits = 6", "digits = 8", &lines),
    ] {
        assert_eq!(mistaken_lines(sealed.read(&text.replace(was, is))), broken, "{is}");
    }
    let own_words = text.replace(
        "[[account.factor]]\nkind = \"hotp\"",
        "[[account.factor]]\ndefault = true\nkind = \"hotp\"",
    );
    assert!(sealed.read(&own_words).is_ok(), "which one is the default is the administrator's to say");
}

#[test]
fn a_mistake_in_a_secret_names_file_line_and_key_and_shows_no_other_line() {
    let sealed = sealed();
    let text = sealed.written(&three_secrets()).replace("name = \"bob\"", "name = \"carol\"");
    let Err(error) = sealed.read(&text) else { panic!("no mistake") };
    let [finding] = error.findings() else { panic!("{:?}", error.findings()) };
    assert_eq!(finding.key, "account[2].factor[1].secret");
    assert!(error.render(crate::Colour::Plain).contains("does not open"));
}

#[test]
fn another_passphrase_is_refused_before_anything_is_read() {
    let sealed = sealed();
    let text = sealed.written(&three_secrets());
    let unlock = |lock: &Lock| lock.open(&Secret::from("another passphrase")).map_err(|_| wrong());
    let refused = read(Path::new("accounts.toml"), text.as_bytes(), unlock);
    assert!(matches!(refused, Err(ConfigError::NoPassword { .. })));
    let unlock = |lock: &Lock| lock.open(&Secret::from(PASSPHRASE)).map_err(|_| wrong());
    assert!(read(Path::new("accounts.toml"), text.as_bytes(), unlock).unwrap() == three_secrets());
}

fn wrong() -> ConfigError {
    ConfigError::NoPassword { path: "the passphrase".into() }
}

#[test]
fn a_hostile_head_is_refused_before_it_costs_anything() {
    let sealed = sealed();
    let text = sealed.written(&three_secrets());
    for (was, is) in [
        ("memory-kib = 65536", "memory-kib = 4194304"),
        ("memory-kib = 65536", "memory-kib = 0"),
        ("memory-kib = 65536", "memory-kib = -1"),
        ("memory-kib = 65536", "memory-kib = 340282366920938463463374607431768211456"),
        ("passes = 3", "passes = 4294967295"),
        ("lanes = 4", "lanes = 16777215"),
        ("version = 1", "version = 2"),
        ("salt = \"", "salt = \"AAAA"),
        ("check = \"", "check = \"!"),
    ] {
        let changed = text.replacen(was, is, 1);
        let mistakes = read(Path::new("accounts.toml"), changed.as_bytes(), no_passphrase);
        assert_eq!(mistaken_lines(mistakes), [line_of(&changed, is)], "{is}");
    }
}

#[test]
fn secrets_without_their_head_are_refused_and_so_are_open_ones() {
    let sealed = sealed();
    let text: String =
        three_secrets().iter().map(|account| sealed.sealing.written(account).unwrap()).collect();
    assert_eq!(mistaken_lines(read(Path::new("accounts.toml"), text.as_bytes(), no_passphrase)).len(), 3);
    let open = "[[account]]\nname = \"alice\"\n[[account.factor]]\nkind = \"totp\"\nlabel = \"x\"\n\
                secret = \"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\"\n";
    assert_eq!(mistaken_lines(read(Path::new("accounts.toml"), open.as_bytes(), no_passphrase)), [6]);
}

#[test]
fn the_page_has_each_key_as_it_is() {
    let page = include_str!("../../../docs/rolling-out.md");
    for key in super::KEYS {
        let absent = match key.absent {
            Absent::Refused => "refused",
            Absent::Means(value) => value,
        };
        let row = format!("| `{}` | `{}` | {} | {absent} |", key.part.header(), key.name, key.allowed);
        assert!(page.contains(&row), "docs/rolling-out.md should have: {row}");
    }
}

#[test]
fn every_mistake_is_told_at_once_with_its_line() {
    let wrong = r#"
[[account]]
name = "alice"
state = "on"
colour = "red"
[[account]]
state = "enforced"
sign-ins = 3
[[account]]
name = "alice"
[[account.contact]]
kind = "mobile"
address = "1234"
extension = "1"
[[account.contact]]
kind = "pager"
address = "x"
[[account]]
name = "bob"
[[account.factor]]
kind = "mobile"
label = " "
secret = "AAAA"
[[account.factor]]
kind = "mobile"
label = "first"
default = true
address = "+4915112345678"
[[account.factor]]
kind = "mobile"
address = "+4915112345678"
default = true
label = "second"
[[account.factor]]
kind = "totp"
label = "app"
counter = 1
"#;
    let Err(error) = read(Path::new("accounts.toml"), wrong.as_bytes(), no_passphrase) else {
        panic!("no mistake")
    };
    let lines: Vec<usize> = error.findings().iter().map(|finding| finding.line).collect();
    assert_eq!(lines, [4, 5, 6, 8, 10, 13, 14, 16, 20, 22, 23, 30, 32, 34, 37], "{error:?}");
    let shown = error.render(crate::Colour::Plain);
    assert!(shown.contains("account[3].name") || shown.contains("stands in account[1] already"), "{shown}");
    assert!(shown.contains('^'), "{shown}");
}
