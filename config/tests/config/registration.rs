//! `[registration]`: what is read of it, and each of its mistakes.

use common::account::Scope;
use common::registration::{APPS, Grace, Registration};
use config::Severity;

use crate::folder::{SMALLEST, VPN, findings, load};

const OPENING: &str = "[[registration.opening]]\nname = \"office\"\nservices = [\"sshd\"]\n";
const OFFICE: &str = "networks = [\"10.0.0.0/8\"]\n";

fn read(more: &str) -> Registration {
    load(&format!("{SMALLEST}{more}"), VPN).settings.policy.registration
}

#[test]
fn without_a_line_people_are_asked_and_no_password_alone_opens_anything() {
    let registration = read("");
    assert_eq!(registration, Registration::default());
    assert!(registration.at_sign_in && registration.openings.is_empty());
    assert_eq!(registration.app_passwords, Scope::default());
}

#[test]
fn what_is_written_holds() {
    let registration = read(
        "[registration]\nat-sign-in = true\ndeadline-days = 14\nsign-ins = 3\napps = \"Ask the help desk.\"\n\
         app-password-services = [\"imap\"]\napp-password-clients = [\"vpn\"]\n\
         [[registration.opening]]\nname = \"office\"\nservices = [\"sshd\", \"login\"]\nclients = [\"vpn\"]\n\
         networks = [\"192.0.2.7\", \"2001:db8::/32\"]\n\
         [[registration.opening]]\nname = \"lab\"\nclients = [\"vpn\"]\nnetworks = [\"10.0.0.0/8\"]\n",
    );
    assert_eq!(registration.grace, Grace { days: Some(14), sign_ins: Some(3) });
    assert_eq!(registration.apps, "Ask the help desk.");
    let places = Scope { services: vec!["imap".to_owned()], clients: vec!["vpn".to_owned()] };
    assert_eq!(registration.app_passwords, places);
    let [office, lab] = registration.openings.as_slice() else { panic!("two openings") };
    assert_eq!(
        (office.name.as_str(), office.services.len(), office.clients.as_slice()),
        ("office", 2, ["vpn".to_owned()].as_slice())
    );
    let networks: Vec<String> = office.networks.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["192.0.2.7/32", "2001:db8::/32"]);
    assert!(lab.services.is_empty());
}

#[test]
fn the_standard_sentence_about_apps_could_be_written_too() {
    assert_eq!(read(&format!("[registration]\napps = \"{APPS}\"\n")).apps, APPS);
    let longest = "x".repeat(common::limits::APPS_OCTETS_MAX);
    assert_eq!(read(&format!("[registration]\napps = \"{longest}\"\n")).apps, longest);
}

#[test]
fn what_is_shown_gives_the_same_registration_again() {
    let settings = load(
        &format!(
            "{SMALLEST}[registration]\nat-sign-in = false\nsign-ins = 5\napps = 'an \"app\"'\n\
             app-password-services = [\"imap\"]\n{OPENING}clients = [\"vpn\"]\nnetworks = [\"192.0.2.7\"]\n"
        ),
        VPN,
    )
    .settings;
    let text = settings.effective_text();
    let settings_part = text.split("[[client]]").next().unwrap();
    let again = config::Settings::from_texts(&settings.path, settings_part, VPN).ok().unwrap();
    assert_eq!(again.settings.policy.registration, settings.policy.registration, "{text}");
    assert!(text.contains("# deadline-days: no limit  # default"), "{text}");
    assert!(text.contains("networks = [\"192.0.2.7\"]\n"), "{text}");
}

fn found(text: &str) -> Vec<(Severity, String, String)> {
    let found = findings(&format!("{SMALLEST}[radius]\nlisten = [\"0.0.0.0:1812\"]\n{text}"), VPN);
    found.into_iter().map(|it| (it.severity, it.key, format!("{} {:?}", it.message, it.help))).collect()
}

fn check(text: &str, severity: Severity, key: &str, message: &str) {
    let all = found(text);
    let fits = all.iter().any(|it| it.0 == severity && it.1 == key && it.2.contains(message));
    assert!(fits && all.len() == 1, "{text}\n{all:?}");
}

#[test]
fn each_mistake_of_registration_is_found() {
    let wrong = |line: &str, message: &str| {
        let key = format!("registration.{}", line.split(' ').next().unwrap());
        check(&format!("[registration]\n{line}\n"), Severity::Error, &key, message);
    };
    wrong("at-sign-in = \"yes\"", "cannot be \"yes\"");
    wrong("deadline-days = 0", "cannot be the number 0");
    wrong("deadline-days = 3651", "cannot be the number 3651");
    wrong("sign-ins = 0", "cannot be the number 0");
    wrong("sign-ins = 1001", "cannot be the number 1001");
    wrong("apps = \"\"", "cannot be \"\"");
    wrong(&format!("apps = \"{}\"", "x".repeat(201)), "cannot be");
    wrong("apps = \"für alle\"", "cannot be");
    wrong("apps = \"one\\ntwo\"", "cannot be");
    wrong("apps = \"one \"", "remove the white space");
    wrong("app-password-services = [\"IMAP\"]", "lower case");
    wrong("app-password-clients = [\"vnp\"]", "did you mean \\\"vpn\\\"?");
    wrong("deadline = 3", "unknown key");
}

#[test]
fn each_mistake_of_an_opening_is_found() {
    let wrong = |text: &str, key: &str, message: &str| {
        check(text, Severity::Error, &format!("registration.opening[1].{key}"), message);
    };
    let head = "[[registration.opening]]\n";
    wrong(&format!("{head}services = [\"sshd\"]\n{OFFICE}"), "name", "is missing");
    wrong(&format!("{head}name = \"office\"\n{OFFICE}"), "services", "names no place");
    wrong(&format!("{OPENING}networks = [\"10.1.2.3/8\"]\n"), "networks", "for the whole network write");
    wrong(&format!("{OPENING}networks = [\"office\"]\n"), "networks", "cannot be \"office\"");
    wrong(&format!("{OPENING}{OFFICE}clients = [\"vnp\"]\n"), "clients", "did you mean \\\"vpn\\\"?");
    wrong(&format!("{OPENING}{OFFICE}users = [\"alice\"]\n"), "users", "unknown key");
    let twice = format!("{OPENING}{OFFICE}{OPENING}{OFFICE}");
    check(&twice, Severity::Error, "registration.opening[2].name", "two openings \"office\"");
    check("[registration.opening]\nname = \"x\"\n", Severity::Error, "registration.opening", "a table");
}

#[test]
fn an_opening_for_the_whole_internet_is_warned_of() {
    for open in ["", "networks = []\n", "networks = [\"10.0.0.0/8\", \"::/0\"]\n"] {
        let message = "from the whole Internet";
        let text = format!("{OPENING}{open}");
        check(&text, Severity::Warning, "registration.opening[1].networks", message);
    }
    assert_eq!(found(&format!("{OPENING}{OFFICE}")), []);
}

#[test]
fn an_opening_with_networks_for_people_at_the_machine_is_warned_of() {
    for service in ["countersign", "login", "sudo"] {
        let opening = format!("[[registration.opening]]\nname = \"own\"\nservices = [\"{service}\"]\n");
        let key = "registration.opening[1].services";
        check(&format!("{opening}{OFFICE}"), Severity::Warning, key, "the opening stays shut");
        assert_eq!(found(&opening), [], "without networks it is open, and to nobody elsewhere");
    }
    let mixed = "[[registration.opening]]\nname = \"own\"\nservices = [\"countersign\", \"sshd\"]\n";
    check(mixed, Severity::Warning, "registration.opening[1].networks", "from the whole Internet");
}

#[test]
fn what_has_no_effect_where_nobody_is_asked_is_warned_of() {
    let silent = "[registration]\nat-sign-in = false\n";
    assert_eq!(found(silent), []);
    let key = "registration.at-sign-in";
    check(&format!("{silent}{OPENING}{OFFICE}"), Severity::Warning, key, "no effect");
    check(&format!("{silent}sign-ins = 3\n"), Severity::Warning, key, "nobody is told");
}

#[test]
fn an_issuer_that_a_picture_may_cut_is_warned_of() {
    let issuer = |issuer: &str| findings(&format!("{SMALLEST}issuer = \"{issuer}\"\n"), "");
    assert!(issuer(&"x".repeat(24)).is_empty() && issuer("Example University").is_empty());
    let warned = issuer("The University of Somewhere");
    assert_eq!((warned.len(), warned[0].severity, warned[0].key.as_str()), (1, Severity::Warning, "issuer"));
    assert!(warned[0].message.contains("\"The University of \" of it"), "{}", warned[0].message);
}
