//! Files that are each wrong in one way, and files that are wrong in many.

use config::{Colour, ConfigError, Severity};
use proptest::prelude::*;

use crate::folder::{Folder, SMALLEST, VPN, findings, refuse};

/// One mistake in `countersign.toml` below a right first line, and where and how it is reported.
fn check(mistake: &str, line: usize, key: &str, message: &str) {
    check_file(&format!("{SMALLEST}{mistake}\n"), VPN, "countersign.toml", line, key, message);
}

/// One mistake in `clients.toml`.
fn check_client(clients: &str, line: usize, key: &str, message: &str) {
    check_file(SMALLEST, clients, "clients.toml", line, key, message);
}

fn check_file(settings: &str, clients: &str, file: &str, line: usize, key: &str, message: &str) {
    let error = refuse(settings, clients);
    let shown = error.render(Colour::Plain);
    let errors: Vec<_> =
        error.findings().iter().filter(|finding| finding.severity == Severity::Error).collect();
    assert_eq!(errors.len(), 1, "one mistake, one finding:\n{shown}");
    let found = errors[0];
    assert_eq!((found.line, found.key.as_str()), (line, key), "{shown}");
    assert!(found.file.ends_with(file), "{shown}");
    assert!(found.message.contains(message), "{message:?} is not in\n{shown}");
    assert!(shown.contains('^'), "a caret is under the place:\n{shown}");
}

#[test]
fn a_key_that_is_no_word_is_named_in_quotes() {
    check("\"\" = 1", 2, "\"\"", "unknown key \"\"");
    check("\"a\\nb\" = 1", 2, "\"a\\nb\"", "unknown key \"a\\nb\"");
    check("[pam.services.\"a.b\"]\nappend = 1", 3, "pam.services.\"a.b\".append", "cannot be the number 1");
    check("[pam.services]\n\"a\\u001b\" = {}", 3, "pam.services.\"a\\u{1b}\"", "is no PAM service");
    let long = "k".repeat(61);
    check(&format!("{long} = 1"), 2, &format!("\"{}…\"", &long[1..]), "unknown key");
}

#[test]
fn each_mistake_of_the_settings_is_found_at_its_place() {
    check("issuer = 5", 2, "issuer", "cannot be the number 5");
    check("issuer = \"a:b\"", 2, "issuer", "cannot be \"a:b\"");
    check("issuer = \"\"", 2, "issuer", "cannot be \"\"");
    check("isuer = \"Example\"", 2, "isuer", "unknown key");
    check("issuer = \"a\"\nissuer = \"b\"", 3, "issuer", "duplicate key");
    check("issuer = ", 2, "issuer", "not TOML");
    check("state-directory = \"state\"", 2, "state-directory", "cannot be \"state\"");
    check("state-directory = \"/var/../etc\"", 2, "state-directory", "cannot be");
    check("clients-file = true", 2, "clients-file", "cannot be true");
    check("names = \"exact\"", 2, "names", "cannot be \"exact\"");
    check("[names]\nfold = \"lower\"", 3, "names.fold", "cannot be \"lower\"");
    check("[primary]\nbackend = \"ldap\"", 3, "primary.backend", "cannot be \"ldap\"");
    check("[primary]\npam-service = \"../x\"", 3, "primary.pam-service", "cannot be");
    check("[primary]\npam-service = \"our.primary\"", 3, "primary.pam-service", "cannot be \"our.primary\"");
    check("[primary]\npam-service = \"Primary\"", 3, "primary.pam-service", "cannot be \"Primary\"");
    check("[privileged]\nservices = \"sudo\"", 3, "privileged.services", "cannot be \"sudo\"");
    check("[privileged]\nservices = [\"SU\"]", 3, "privileged.services", "cannot be \"SU\"");
    check("[privileged]\nservices = [\"su\",\n\"su\"]", 4, "privileged.services", "\"su\" twice");
    check("[break-glass]\nusers = [\"-rf\"]", 3, "break-glass.users", "cannot be \"-rf\"");
    check("[break-glass]\nfile = \"glass\"", 3, "break-glass.file", "cannot be \"glass\"");
    check("[radius]\nlisten = []", 3, "radius.listen", "empty list");
    check("[radius]\nlisten = [\"127.0.0.1\"]", 3, "radius.listen", "cannot be \"127.0.0.1\"");
    check("[radius]\nport = 1812", 3, "radius.port", "unknown key");
    check("[audit.syslog]\ntarget = \"tcp:logs:514\"", 3, "audit.syslog.target", "cannot be");
    check("[audit.syslog]\ntarget = \"unix:log\"", 3, "audit.syslog.target", "cannot be");
    check("[audit.syslog]\nfacility = \"kern\"", 3, "audit.syslog.facility", "cannot be \"kern\"");
    check("[pam.services.SSHD]\nappend = \"shape\"", 2, "pam.services.SSHD", "no PAM service");
    check("[pam.services.sshd]\nappend = false", 3, "pam.services.sshd.append", "cannot be false");
    check("[pam]\nsshd = {}", 3, "pam.sshd", "unknown key");
    check("[rule]\nname = \"x\"", 2, "rule", "cannot be a table");
}

#[test]
fn each_mistake_of_a_rule_is_found_at_its_place() {
    check("[[rule]]\naction = \"skip\"", 2, "rule[1].name", "is missing");
    check("[[rule]]\nname = \"x\"", 2, "rule[1].action", "is missing");
    check("[[rule]]\nname = \"x\"\naction = \"skp\"", 4, "rule[1].action", "cannot be \"skp\"");
    check("[[rule]]\nname = \"x\"\naction = \"skip\"\nmethods = []", 5, "rule[1].methods", "empty list");
    check(
        "[[rule]]\nname = \"x\"\naction = \"require\"\nmethods = [\"totp\", \"fax\"]",
        5,
        "rule[1].methods",
        "cannot be \"fax\"",
    );
    check(
        "[[rule]]\nname = \"x\"\nusers=[\"a\"]\naction = \"deny\"\n[[rule]]\nname = \"x\"\naction = \"skip\"",
        7,
        "rule[2].name",
        "two rules",
    );
    check(
        "[[rule]]\nname = \"x\"\naction = \"deny\"\nclients = [\"vnp\"]",
        5,
        "rule[1].clients",
        "no client \"vnp\"",
    );
    check("[[rule]]\nname = \"x\"\naction = \"deny\"\nuser = [\"a\"]", 5, "rule[1].user", "unknown key");
}

#[test]
fn the_state_of_users_without_an_account_has_no_default() {
    check_file("issuer = \"x\"\n", VPN, "countersign.toml", 1, "default-state", "is missing");
}

#[test]
fn each_mistake_of_a_client_is_found_at_its_place() {
    let with = |line: &str| format!("{VPN}{line}\n");
    check_client(&with("kind = \"chalenge\""), 5, "client[1].kind", "cannot be \"chalenge\"");
    check_client(&with("dialogue = 1"), 5, "client[1].dialogue", "cannot be the number 1");
    check_client(&with("kind = \"code-only\"\nappend = \"shape\""), 6, "client[1].append", "does not fit");
    check_client(&with("kind = \"append\"\nappend = \"refused\""), 6, "client[1].append", "does not fit");
    check_client(
        &with("require-message-authenticator = \"no\""),
        5,
        "client[1].require-message-authenticator",
        "cannot be \"no\"",
    );
    check_client(&with("when-backend-fails = \"accept\""), 5, "client[1].when-backend-fails", "cannot be");
    check_client(&with("port = 1"), 5, "client[1].port", "unknown key");
    check_client(&with("previous-secret = \"\""), 5, "client[1].previous-secret", "has to be a text");
    check_client(&format!("{VPN}[[clients]]\n"), 5, "clients", "unknown key");
    let second = |text: &str| format!("{VPN}[[client]]\n{text}\nsecret = \"correct horse battery staple\"\n");
    check_client(&second("name = \"vpn\"\naddresses = [\"::1\"]"), 6, "client[2].name", "two clients");
    check_client(&second("name = \"b\""), 5, "client[2].addresses", "is missing");
    check_client(&second("name = \"b\"\naddresses = []"), 7, "client[2].addresses", "empty list");
    check_client(&second("name = \"b\"\naddresses = [\"host\"]"), 7, "client[2].addresses", "cannot be");
    check_client(
        &second("name = \"b\"\naddresses = [\"192.0.2.10/32\"]"),
        7,
        "client[2].addresses",
        "is also an address of client \"vpn\"",
    );
    check_client(
        &second("name = \"b\"\naddresses = [\"192.0.2.10/24\"]"),
        7,
        "client[2].addresses",
        "cannot be",
    );
    check_client(
        &second("name = \"b\"\naddresses = [\"::ffff:192.0.2.1\"]"),
        7,
        "client[2].addresses",
        "cannot be",
    );
}

#[test]
fn ten_mistakes_are_ten_findings() {
    let settings = r#"default-state = "on"
issuer = 5
state-directory = "here"
colour = "green"
[names]
fold = "upper"
[primary]
backend = "ldap"
[radius]
listen = ["localhost:1812"]
[[rule]]
name = "x"
action = "pass"
methods = ["fax"]
"#;
    let clients = "[[client]]\nname = \"vpn\"\naddresses = [\"192.0.2.300\"]\nsecret = \"\"\n";
    let error = refuse(settings, clients);
    let ConfigError::Mistakes { findings, errors } = &error else { panic!("{error}") };
    let found: Vec<(usize, &str)> =
        findings.iter().map(|finding| (finding.line, finding.key.as_str())).collect();
    let expected = [
        (1, "default-state"),
        (2, "issuer"),
        (3, "state-directory"),
        (4, "colour"),
        (6, "names.fold"),
        (8, "primary.backend"),
        (10, "radius.listen"),
        (13, "rule[1].action"),
        (14, "rule[1].methods"),
        (3, "client[1].addresses"),
        (4, "client[1].secret"),
    ];
    assert_eq!(found, expected, "{}", error.render(Colour::Plain));
    assert_eq!(*errors, 11);
}

#[test]
fn syntax_and_sense_are_reported_together_and_once() {
    let found = findings("default-state = \"enabled\"\nissuer = \n[names]\nfold = \"upper\"\n", VPN);
    let places: Vec<(usize, &str)> =
        found.iter().map(|finding| (finding.line, finding.key.as_str())).collect();
    assert_eq!(places, [(2, "issuer"), (4, "names.fold")]);
    let found = findings("default-state = \nissuer = \n[[rule]]\nname = \"x\"\n", VPN);
    let places: Vec<(usize, &str)> =
        found.iter().map(|finding| (finding.line, finding.key.as_str())).collect();
    assert_eq!(places, [(1, "default-state"), (2, "issuer"), (3, "rule[1].action")]);
}

#[test]
fn a_near_miss_is_met_with_a_question() {
    let help = |settings: &str| findings(settings, VPN).first().unwrap().help.clone().unwrap();
    assert_eq!(
        help("default_state = \"enabled\"\ndefault-state = \"enabled\"\n"),
        "did you mean `default-state`?"
    );
    assert_eq!(help("default-state = \"enforce\"\n"), "did you mean \"enforced\"?");
    assert!(help("default-state = \"enabled\"\nzzz = 1\n").starts_with("known here: default-state, issuer"));
}

#[test]
fn a_finding_reads_like_this() {
    let folder = Folder::new("# ours\ndefault-state = \"enforce\"\n", VPN);
    let shown = folder.load().err().unwrap().render(Colour::Plain);
    let shown = shown.replace(&folder.settings().display().to_string(), "/etc/countersign/countersign.toml");
    let expected = r#"error: `default-state` cannot be "enforce"
 --> /etc/countersign/countersign.toml:2:17
  |
2 | default-state = "enforce"
  |                 ^^^^^^^^^ allowed: "disabled", "enabled" or "enforced"
  |
  = help: did you mean "enforced"?

1 mistake in the configuration
"#;
    assert_eq!(shown, expected);
    assert!(!shown.contains('\x1b'), "no colour unless asked for");
}

/// Every way in which a secret comes close to a mistake.
#[test]
fn no_finding_shows_a_secret() {
    let name = "[[client]]\nname = \"vpn\"\naddresses = [\"::1\"]\n";
    let files = [
        format!("{name}secret = [\"hunter2hunter2\"]\n"),
        format!("{name}secret = \"hunter2\"\n"),
        format!("{name}secret = \"hunter2\nkind = \"append\"\n"),
        format!("{name}secret = hunter2\n"),
        format!("{name}secret = \"\"\"\nhunter2\n"),
        format!("{name}secret = 'x' hunter2\n"),
        format!("{name}secert = \"hunter2\"\n"),
        format!("{name}secret = \"hunter2\"\nsecret = \"hunter2\"\n"),
        format!("{name}secret = {{ hunter2 = \"hunter2\" }}\n"),
        "client = [{ name = \"x\", secret = \"hunter2\", kind = 1 }]\n".to_owned(),
        "[[client]]\nname = 1 secret = \"hunter2\"\n".to_owned(),
        format!("{name}secret = \"x\nhunter2 = \"y\"\n"),
        format!("{name}secret = \"x\n hunter2\n"),
    ];
    for file in files {
        let found = findings(SMALLEST, &file);
        assert!(!found.is_empty(), "{file}");
        let json = serde_json::to_string(&found).unwrap();
        let plain: String = found.iter().map(|finding| finding.render(Colour::Plain)).collect();
        let shown = format!("{json}{plain}{found:?}");
        let key_of_a_table = file.contains("{ hunter2");
        assert!(key_of_a_table || !shown.contains("hunter2"), "{file}\n{plain}");
    }
}

#[test]
fn thousands_of_mistakes_are_counted_and_not_all_kept() {
    let settings = format!("{SMALLEST}{}", (0..5000).map(|n| format!("key{n} = 1\n")).collect::<String>());
    let ConfigError::Mistakes { findings, errors } = refuse(&settings, VPN) else { panic!("mistakes") };
    assert_eq!((findings.len(), errors), (config::limits::FINDINGS_MAX, 5000));
}

#[test]
fn deep_nesting_is_refused_without_a_crash() {
    let error = refuse(&format!("{SMALLEST}x = {}", "[".repeat(500_000)), VPN);
    assert!(error.render(Colour::Plain).len() < 200_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn arbitrary_bytes_never_panic(settings in proptest::collection::vec(any::<u8>(), 0..300)) {
        let folder = Folder::new("", "");
        std::fs::write(folder.settings(), &settings).unwrap();
        std::fs::write(folder.clients(), &settings).unwrap();
        if let Err(error) = folder.load() {
            let _ = error.render(Colour::Terminal);
        }
    }

    /// Pieces of real files in any order come further than bytes do.
    #[test]
    fn shuffled_pieces_never_panic(pieces in proptest::collection::vec(piece(), 0..40)) {
        let text = pieces.concat();
        let folder = Folder::new(&text, &text);
        if let Err(error) = folder.load() {
            let _ = error.render(Colour::Plain);
        }
    }
}

fn piece() -> impl Strategy<Value = String> {
    let keys = config::keys::KEYS.iter().flat_map(|key| [key.name.to_owned(), key.part.header().to_owned()]);
    let rest = [
        "=",
        "\"",
        "'",
        "[",
        "]",
        "{",
        "}",
        "\n",
        ".",
        ",",
        "1",
        "é",
        "\u{1b}",
        "true",
        "192.0.2.0/24",
        "\"\"\"",
    ];
    let pieces: Vec<String> = keys.chain(rest.map(str::to_owned)).collect();
    prop_oneof![proptest::sample::select(pieces), Just("\n".to_owned()), Just(" = ".to_owned())]
}
