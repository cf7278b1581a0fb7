//! What `config show --effective` shows.

use crate::folder::{Folder, SMALLEST, VPN, load};

const FULL: &str = r#"default-state = "enforced"
issuer = "Example \"quoted\""
[names]
fold = "lowercase"
[primary]
backend = "pam"
[privileged]
services = ["sudo"]
[break-glass]
users = ["rescue"]
file = "/srv/break-glass"
[[rule]]
name = "codes"
services = ["sshd"]
action = "require"
methods = ["totp", "recovery-code"]
[[rule]]
name = "rest"
action = "deny"
[pam.services.default]
dialogue = "plain"
[pam.services."a.b"]
append = "shape"
factor-of = "caller-for-root"
[[local.callers]]
user = "postgres"
services = ["postgresql"]
[audit.syslog]
target = "tcp:192.0.2.1:601"
"#;

#[test]
fn defaults_are_marked_as_such() {
    let text = load(SMALLEST, "").settings.effective_text();
    let unmarked: Vec<&str> = text
        .lines()
        .filter(|line| line.contains('=') && !line.ends_with("# default") && !line.starts_with('#'))
        .collect();
    assert_eq!(unmarked, ["default-state = \"enabled\""], "{text}");
    assert!(load(FULL, "").settings.effective_text().contains("fold = \"lowercase\"\n"));
}

#[test]
fn the_text_gives_the_same_settings_again() {
    for file in [SMALLEST, FULL] {
        let first = load(file, "").settings;
        let folder = Folder::new(&first.effective_text(), "");
        std::fs::write(folder.clients(), "").unwrap();
        let second = config::Settings::load_without_clients(&folder.settings()).ok().unwrap().settings;
        assert_eq!(first.policy, second.policy);
        assert_eq!(first.primary, second.primary);
        assert_eq!(first.services, second.services);
        assert_eq!(first.callers, second.callers);
        assert_eq!(first.radius, second.radius);
        assert_eq!(first.audit, second.audit);
        assert_eq!(first.clients_file, second.clients_file);
        assert_eq!(first.break_glass_file, second.break_glass_file);
    }
}

#[test]
fn secrets_are_hidden() {
    let clients = format!("{VPN}previous-secret = \"the one before this one\"\n");
    let settings = load(SMALLEST, &clients).settings;
    let text = settings.effective_text();
    let json = settings.effective_json().to_string();
    assert!(text.contains("secret = \"(hidden)\"\nprevious-secret = \"(hidden)\""), "{text}");
    assert!(!format!("{text}{json}").contains("correct horse"));
    assert!(!format!("{text}{json}").contains("the one before"));
}

#[test]
fn json_tells_values_and_defaults() {
    let json = load(SMALLEST, VPN).settings.effective_json();
    let top = &json["settings"][0];
    assert_eq!(top["values"]["default-state"], "enabled");
    assert_eq!(top["defaults"], serde_json::json!(["issuer", "state-directory", "clients-file"]));
    assert_eq!(json["clients"][0]["values"]["addresses"], serde_json::json!(["192.0.2.10"]));
    assert_eq!(json["clients"][0]["values"]["previous-secret"], serde_json::Value::Null);
}
