//! `countersign.toml`, and behind a line that says so `clients.toml`. Settings that are taken mean the same when they are
//! written out whole; mistakes have file, line and key; and no secret of a client is ever shown.

use std::path::Path;

use assembly::config::{Colour, ConfigError, Finding, Loaded, Settings, Severity};

use crate::input::text;

const PATH: &str = "/etc/countersign/countersign.toml";
/// The line between the two texts.
const SEPARATOR: &str = "#### clients.toml ####\n";
/// The secret of the seeds.
const SECRET: &str = "Kn4x-secret-of-a-gateway";

pub(crate) fn run(octets: &[u8]) {
    let both = text(octets);
    let (settings, clients) = both.split_once(SEPARATOR).unwrap_or((&both, ""));
    let outcome = Settings::from_texts(Path::new(PATH), settings, clients);
    let shown = match &outcome {
        Ok(loaded) => of_settings(loaded),
        Err(error) => of_mistakes(error, settings, clients),
    };
    if is_a_secret_only(settings, clients) {
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

/// All that is ever shown of settings.
fn of_settings(loaded: &Loaded) -> String {
    let settings = &loaded.settings;
    assert!(loaded.warnings.iter().all(|finding| finding.severity == Severity::Warning));
    let mut shown = settings.effective_text();
    shown.push_str(&settings.effective_json().to_string());
    shown.extend(loaded.warnings.iter().map(|finding| finding.render(Colour::Plain)));
    without_clients_mean_the_same(settings);
    shown
}

/// As `effective_text` promises. Rules that name clients need these clients, whose secrets it hides.
fn without_clients_mean_the_same(settings: &Settings) {
    if !settings.clients.is_empty() {
        return;
    }
    let again = Settings::from_texts(Path::new(PATH), &settings.effective_text(), "");
    let Ok(again) = again.map(|loaded| loaded.settings) else { panic!("{}", settings.effective_text()) };
    assert_eq!(again.effective_text(), settings.effective_text());
    assert_eq!(again.policy, settings.policy);
    assert_eq!(again.primary, settings.primary);
    assert_eq!(again.services, settings.services);
    assert_eq!(again.radius, settings.radius);
    assert_eq!(again.audit, settings.audit);
    assert_eq!(again.state_directory, settings.state_directory);
    assert_eq!(again.clients_file, settings.clients_file);
}

/// All that is ever shown of mistakes.
fn of_mistakes(error: &ConfigError, settings: &str, clients: &str) -> String {
    let ConfigError::Mistakes { findings, errors } = error else { panic!("{error}") };
    assert!(*errors > 0 && findings.iter().any(|finding| finding.severity == Severity::Error));
    let lines = Lines::of(settings).or(&Lines::of(clients));
    findings.iter().for_each(|finding| has_its_place(finding, &lines));
    error.render(Colour::Terminal) + &error.render(Colour::Plain)
}

fn has_its_place(finding: &Finding, lines: &Lines) {
    assert!(finding.file.is_absolute() && !finding.message.is_empty());
    assert!((1..=lines.count).contains(&finding.line), "{finding:?}");
    assert!((1..=lines.longest + 1).contains(&finding.column), "{finding:?}");
    let is_syntax = finding.message.starts_with("this is not TOML");
    assert!(is_syntax || !finding.key.is_empty(), "{finding:?}");
    let is_one_line = |text: &str| !text.contains(char::is_control);
    assert!(is_one_line(&finding.key) && is_one_line(&finding.message), "{finding:?}");
}

/// How many lines there are, and how many characters the longest of them has.
struct Lines {
    count: usize,
    longest: usize,
}

impl Lines {
    fn of(text: &str) -> Self {
        let lines = text.split('\n').map(|line| line.chars().count());
        Self { count: lines.clone().count(), longest: lines.max().unwrap_or(0) }
    }

    fn or(&self, other: &Self) -> Self {
        Self { count: self.count.max(other.count), longest: self.longest.max(other.longest) }
    }
}

/// Whether the secret stands nowhere but behind the keys for secrets. Who writes it elsewhere shows it himself.
fn is_a_secret_only(settings: &str, clients: &str) -> bool {
    let is_of_secret = |line: &str| {
        let value = line.strip_prefix("secret = ").or_else(|| line.strip_prefix("previous-secret = "));
        value.is_some_and(|value| value.matches(SECRET).count() == line.matches(SECRET).count())
    };
    !settings.contains(SECRET) && clients.lines().filter(|line| line.contains(SECRET)).all(is_of_secret)
}
