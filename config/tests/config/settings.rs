//! What right files give.

use common::account::State;
use common::attempt::{Appended, Dialogue};
use common::policy::{Action, Method};
use common::username::Username;
use config::words::{Facility, SyslogFormat, Word as _};
use config::{Primary, Settings, SyslogTarget};

use crate::folder::{Folder, SMALLEST, VPN, findings, load};

#[test]
fn the_smallest_file_is_one_line() {
    let loaded = load(SMALLEST, "");
    let settings = loaded.settings;
    assert!(loaded.warnings.is_empty());
    assert_eq!(settings.policy.default_state, State::Enabled);
    assert_eq!(settings.policy.issuer, "Countersign");
    assert_eq!(settings.primary, Primary::Local);
    assert_eq!(settings.state_directory.to_str(), Some("/var/lib/countersign"));
    assert_eq!(settings.break_glass_file.to_str(), Some("/var/lib/countersign/break-glass"));
    assert!(settings.policy.privileged_services.contains("sudo"));
    assert_eq!(settings.radius.listen.len(), 2);
    assert_eq!(settings.audit.syslog.target, SyslogTarget::Unix("/dev/log".into()));
}

#[test]
fn a_whole_file_is_read() {
    let settings = load(
        r#"default-state = "enforced"
issuer = "Example"
[names]
fold = "lowercase"
[primary]
backend = "pam"
pam-service = "ours"
[break-glass]
users = ["Rescue"]
file = "/boot/countersign/break-glass"
[[rule]]
name = "backup job"
services = ["sshd"]
clients = ["vpn"]
users = ["Backup"]
action = "skip"
[[rule]]
name = "codes"
action = "require"
methods = ["totp"]
[audit.syslog]
target = "udp:[::1]:514"
format = "rfc3164"
facility = "local3"
"#,
        VPN,
    )
    .settings;
    let name = |text| Username::parse(text).unwrap();
    assert_eq!(settings.primary, Primary::Pam { service: "ours".to_owned() });
    assert!(settings.policy.break_glass.contains(&name("rescue")), "names are folded like those of logins");
    assert_eq!(settings.break_glass_file.to_str(), Some("/boot/countersign/break-glass"));
    let [backup, codes] = settings.policy.rules.as_slice() else { panic!("two rules") };
    assert_eq!((backup.name.as_str(), backup.action), ("backup job", Action::Skip));
    assert_eq!(backup.when.users, [name("backup")]);
    assert_eq!(backup.when.clients, ["vpn"]);
    assert_eq!(backup.methods, None);
    assert_eq!(codes.methods, Some([Method::Totp].into()));
    let syslog = &settings.audit.syslog;
    assert_eq!(syslog.target, SyslogTarget::Udp("[::1]:514".parse().unwrap()));
    assert_eq!((syslog.format, syslog.facility), (SyslogFormat::Rfc3164, Facility::Local3));
    assert_eq!(syslog.facility.code(), 19);
}

#[test]
fn a_service_takes_from_the_default_what_it_leaves_out() {
    let settings = load(
        "default-state = \"enabled\"\n[pam.services.default]\ndialogue = \"plain\"\n[pam.services.sshd]\nappend = \"shape\"\n",
        "",
    )
    .settings;
    let sshd = settings.services.profile("sshd");
    assert_eq!((sshd.dialogue, sshd.appended), (Dialogue::Plain, Appended::ByShape));
    let other = settings.services.profile("login");
    assert_eq!((other.dialogue, other.appended), (Dialogue::Plain, Appended::AfterDelimiter));
}

/// rsyslogd parses no RFC 5424 on its Unix socket, unless told to; over the network it takes both.
#[test]
fn records_have_the_form_that_a_collector_takes_where_it_is() {
    let check = |lines: &str, format: SyslogFormat| {
        let settings = load(&format!("{SMALLEST}[audit.syslog]\n{lines}\n"), "").settings;
        assert_eq!(settings.audit.syslog.format, format, "{lines}");
        let shown = settings.effective_text();
        let is_default = shown.contains(&format!("format = \"{}\"  # default\n", format.word()));
        assert_eq!(is_default, !lines.contains("format"), "{shown}");
    };
    check("", SyslogFormat::Rfc3164);
    check("target = \"unix:/run/collector\"", SyslogFormat::Rfc3164);
    check("target = \"udp:192.0.2.1:514\"", SyslogFormat::Rfc5424);
    check("target = \"tcp:192.0.2.1:601\"", SyslogFormat::Rfc5424);
    check("format = \"rfc5424\"", SyslogFormat::Rfc5424);
    check("target = \"udp:192.0.2.1:514\"\nformat = \"rfc3164\"", SyslogFormat::Rfc3164);
}

#[test]
fn what_is_only_doubtful_is_a_warning() {
    let rules = "default-state = \"enabled\"\n[[rule]]\nname = \"all\"\naction = \"skip\"\nmethods = [\"totp\"]\n[[rule]]\nname = \"never\"\naction = \"deny\"\n";
    let found = findings(rules, VPN);
    let shown: Vec<_> = found.iter().map(|finding| (finding.line, finding.key.as_str())).collect();
    assert_eq!(shown, [(1, "radius.listen"), (5, "rule[1].methods"), (7, "rule[2].name")]);
    assert!(found.iter().all(|finding| finding.severity == config::Severity::Warning));
}

#[test]
fn a_mistake_among_the_clients_does_not_lock_the_machine() {
    let rule =
        "default-state = \"enabled\"\n[[rule]]\nname = \"x\"\nclients = [\"vpn\"]\naction = \"deny\"\n";
    let folder = Folder::new(rule, "nonsense");
    assert!(folder.load().is_err());
    let settings = Settings::load_without_clients(&folder.settings()).ok().unwrap().settings;
    assert_eq!(settings.policy.rules.len(), 1);
    assert!(settings.clients.is_empty());
}

#[test]
fn a_caller_at_everybodys_own_shell_is_warned_of() {
    let text = format!(
        "{SMALLEST}[[local.callers]]\nuser = \"postgres\"\nservices = [\"postgresql\", \"countersign\"]\n"
    );
    let warned = findings(&text, "");
    assert_eq!((warned.len(), warned[0].key.as_str()), (1, "local.callers[1].services"), "{warned:?}");
    assert!(warned[0].message.contains("no effect"), "{warned:?}");
}
