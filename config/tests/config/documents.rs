//! The files that get installed and the reference, compared with the keys that the parser knows.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use common::account::State;
use config::initial::{
    CLIENTS_EXAMPLE, Choices, SETTINGS_EXAMPLE, settings_text, write_clients, write_settings,
};
use config::keys::{Absent, KEYS, Key, Part};
use config::words::{Backend, Word};

use crate::folder::{Folder, SMALLEST, VPN, findings, load};

fn file(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Turns `#key = value` and `#[table]` into what they show; other comments begin with `# `.
fn uncommented(example: &str) -> String {
    let shows = |rest: &str| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[');
    let lines = example.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if shows(rest) => rest,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The keys of a file as pairs of header and key.
fn keys_of(toml: &str) -> BTreeSet<(String, String)> {
    let mut header = String::new();
    let mut keys = BTreeSet::new();
    for line in toml.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with('[') {
            header = line.split(" #").next().unwrap().trim().to_owned();
            if header.starts_with("[pam.services.") {
                header = Part::Service.header().to_owned();
            }
        } else if let Some((key, _)) = line.split_once(" = ") {
            keys.insert((header.clone(), key.to_owned()));
        }
    }
    keys
}

fn known(in_clients_file: bool) -> BTreeSet<(String, String)> {
    let in_file = |key: &&&Key| (key.part == Part::Client) == in_clients_file;
    KEYS.iter().filter(in_file).map(|key| (key.part.header().to_owned(), key.name.to_owned())).collect()
}

#[test]
fn the_examples_show_every_key_and_no_other() {
    assert_eq!(keys_of(&uncommented(SETTINGS_EXAMPLE)), known(false));
    assert_eq!(keys_of(&uncommented(CLIENTS_EXAMPLE)), known(true));
}

#[test]
fn the_examples_are_right_also_without_their_comment_signs() {
    assert!(findings(SETTINGS_EXAMPLE, CLIENTS_EXAMPLE).is_empty());
    let loaded = load(&uncommented(SETTINGS_EXAMPLE), &uncommented(CLIENTS_EXAMPLE));
    // The example's client is another machine, and the example's server listens to none.
    let warnings: Vec<_> = loaded.warnings.iter().map(|finding| finding.key.as_str()).collect();
    assert_eq!(warnings, ["radius.listen"]);
    assert_eq!(loaded.settings.policy.rules.len(), 2);
    assert_eq!(loaded.settings.clients.len(), 1);
}

#[test]
fn what_the_example_calls_a_default_is_one() {
    let values = |settings: &str| {
        let text = load(settings, "").settings.effective_text();
        text.lines()
            .filter(|line| !line.starts_with("clients-file") && !line.starts_with("# "))
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(values(SETTINGS_EXAMPLE), values(SMALLEST));
}

fn row(key: &Key) -> String {
    let absent = match key.absent {
        Absent::Refused => "has to be there".to_owned(),
        Absent::Means(value) => value.to_owned(),
    };
    format!("| `{}` | {} | {absent} | {} |", key.name, key.allowed, key.meaning)
}

#[test]
fn the_reference_has_the_row_of_every_key_below_its_table_and_no_other() {
    let reference = file("../docs/configuration.md");
    let mut heading = "";
    let mut found = Vec::new();
    for line in reference.lines() {
        if line.starts_with('#') {
            heading = line.trim_start_matches('#').trim().trim_matches('`');
        } else if line.starts_with("| `") {
            found.push(format!("{heading}: {line}"));
        }
    }
    let heading_of = |key: &Key| match key.part {
        Part::Top => "Top of the file",
        other => other.header(),
    };
    let expected: Vec<String> = KEYS.iter().map(|key| format!("{}: {}", heading_of(key), row(key))).collect();
    assert_eq!(found, expected, "docs/configuration.md and config::keys differ");
}

#[test]
fn the_allowed_words_are_all_named() {
    fn check<T: Word>(part: Part, name: &str) {
        let key = part.keys().find(|key| key.name == name).unwrap();
        for word in T::ALL.iter().map(|variant| variant.word()) {
            let named = key.allowed.contains(&format!("\"{word}\""))
                || word.starts_with("local") && name == "facility";
            assert!(named, "{word} is not in {}", key.allowed);
        }
    }
    check::<State>(Part::Top, "default-state");
    check::<common::username::Folding>(Part::Names, "fold");
    check::<Backend>(Part::Primary, "backend");
    check::<common::policy::Action>(Part::Rule, "action");
    check::<common::policy::Method>(Part::Rule, "methods");
    check::<common::attempt::Dialogue>(Part::Service, "dialogue");
    check::<common::attempt::Appended>(Part::Client, "append");
    check::<config::words::FactorOf>(Part::Service, "factor-of");
    check::<config::words::SyslogFormat>(Part::Syslog, "format");
    check::<config::words::Facility>(Part::Syslog, "facility");
    check::<config::Kind>(Part::Client, "kind");
    check::<config::BackendFailure>(Part::Client, "when-backend-fails");
}

#[test]
fn the_first_file_holds_the_choices_and_the_explanations() {
    let choices = Choices {
        default_state: State::Enforced,
        backend: Backend::Pam,
        issuer: "Example \"Ltd\"".to_owned(),
    };
    let text = settings_text(&choices);
    let settings = load(&text, VPN).settings;
    assert_eq!(settings.policy.default_state, State::Enforced);
    assert_eq!(settings.policy.issuer, "Example \"Ltd\"");
    assert_eq!(settings.primary, config::Primary::Pam { service: "countersign-primary".to_owned() });
    let comments =
        |text: &str| text.lines().filter(|line| line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(comments(&text), comments(SETTINGS_EXAMPLE));
}

#[test]
fn the_first_files_can_be_read_and_are_never_overwritten() {
    let folder = Folder::new("", "");
    fs::remove_file(folder.settings()).unwrap();
    fs::remove_file(folder.clients()).unwrap();
    let choices = Choices { default_state: State::Disabled, backend: Backend::Local, issuer: "x".to_owned() };
    write_settings(&folder.settings(), &choices).unwrap();
    write_clients(&folder.clients(), None).unwrap();
    assert_eq!(folder.load().ok().unwrap().settings.policy.default_state, State::Disabled);
    let again = write_settings(&folder.settings(), &choices);
    assert!(matches!(again, Err(config::ConfigError::Exists { .. })));
}

/// Type, control, module and arguments of each line (pam.d(5)).
fn pam_lines(path: &str) -> Vec<(String, String, String, Vec<String>)> {
    let text = file(path);
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let (kind, rest) = line.split_once(char::is_whitespace).unwrap();
            let rest = rest.trim_start();
            let close = if rest.starts_with('[') { ']' } else { ' ' };
            let (control, rest) = rest.split_at(rest.find(close).unwrap());
            let control = format!("{control}{close}").trim().to_owned();
            let mut words = rest.trim_start_matches(close).split_whitespace().map(str::to_owned);
            let module = words.next().unwrap();
            (kind.to_owned(), control, module, words.collect())
        })
        .collect()
}

#[test]
fn the_pam_stacks_are_those_of_the_design() {
    let check = |stack: &str, expected: &[(&str, &str, &str)]| {
        let lines = pam_lines(&format!("etc/pam.d/{stack}"));
        let found: Vec<(&str, &str, String)> = lines
            .iter()
            .map(|(kind, control, module, arguments)| {
                assert_eq!(kind, "auth");
                (control.as_str(), module.as_str(), arguments.join(" "))
            })
            .collect();
        let expected: Vec<_> = expected.iter().map(|(c, m, a)| (*c, *m, (*a).to_owned())).collect();
        assert_eq!(found, expected, "{stack}");
    };
    check("sshd-stack-a", &[("required", "pam_countersign.so", "primary=own")]);
    check(
        "sshd-stack-b",
        &[
            ("[success=1 default=ignore]", "pam_unix.so", ""),
            ("[success=done default=die]", "pam_countersign.so", "primary=failed"),
            ("required", "pam_countersign.so", "primary=stack"),
        ],
    );
    check("sshd-stack-c", &[("required", "pam_countersign.so", "primary=none")]);
}

#[test]
fn the_primary_service_does_not_ask_ourselves() {
    let lines = pam_lines("etc/pam.d/countersign-primary");
    assert!(lines.iter().any(|(kind, ..)| kind == "auth"));
    assert!(lines.iter().all(|(_, control, module, _)| module == "pam_unix.so" && control == "required"));
}

#[test]
fn the_units_start_as_root_and_reload() {
    for name in ["countersign-radiusd", "countersign-local"] {
        starts_as_root_and_reloads(&file(&format!("etc/systemd/{name}.service")));
    }
}

#[test]
fn everybody_may_connect_to_the_socket_of_the_service() {
    let unit = file("etc/systemd/countersign-local.socket");
    let has = |line: &str| unit.lines().any(|one| one == line);
    assert!(has(&format!("ListenStream={}", config::paths::LOCAL_SOCKET)), "where the module looks");
    assert!(has("SocketMode=0666") && has("DirectoryMode=0755"));
}

fn starts_as_root_and_reloads(unit: &str) {
    let settings: Vec<(&str, &str)> = unit.lines().filter_map(|line| line.split_once('=')).collect();
    let has = |key: &str, value: &str| settings.contains(&(key, value));
    assert!(
        !settings.iter().any(|(key, _)| *key == "User"),
        "the helper needs root; the server drops its rights"
    );
    assert!(has("ExecReload", "/bin/kill -HUP $MAINPID") && has("NoNewPrivileges", "yes"));
    assert!(has("KillMode", "mixed"), "a stop must not end the process that asks PAM before the server");
    let writable = load(SETTINGS_EXAMPLE, "").settings.state_directory;
    assert!(has("ReadWritePaths", writable.to_str().unwrap()), "the store can be written");
}
