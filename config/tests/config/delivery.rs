//! `[delivery]`: what is read of it, and each of its mistakes.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use common::address::{Channel, PhoneNumber};
use common::gateway::{Encryption, Plaintext, Way};
use common::message::Event;
use common::number_rules::NumberRefused;
use common::wording::Text;
use config::ConfigError;
use config::delivery::read_password;

use crate::folder::{Folder, SMALLEST, VPN, findings, load};

const HTTP: &str = "[[delivery.gateway]]\nname = \"g\"\nchannels = [\"sms\"]\nkind = \"http\"\n";
const SMTP: &str = "[[delivery.gateway]]\nname = \"g\"\nchannels = [\"email\"]\nkind = \"smtp\"\n";
const PROGRAM: &str = "[[delivery.gateway]]\nname = \"g\"\nchannels = [\"call\"]\nkind = \"program\"\n";
const URL: &str = "url = \"https://sms.example.org/?to={to}&text={text}\"\n";

fn read(more: &str) -> config::Settings {
    load(&format!("{SMALLEST}{more}"), VPN).settings
}

#[test]
fn without_a_line_there_is_no_gateway_every_number_is_good_and_ten_codes_a_day() {
    let settings = read("");
    assert!(settings.delivery.channels().is_empty());
    assert_eq!(settings.policy.codes_per_day, 10);
    assert_eq!(settings.policy.numbers.check(&PhoneNumber::parse("+4990012345").unwrap()), Ok(()));
    assert_eq!(settings.delivery.wording.text(Text::CodeSms), Text::CodeSms.standard());
}

#[test]
fn what_is_written_holds() {
    let text = format!(
        "[delivery]\ncodes-per-day = 3\ncountries = [\"+49\"]\nforbidden-numbers = [\"+4990*\"]\n\
         [delivery.texts]\ncode-sms = \"Ihr Code: {{code}}\"\n[delivery.events]\nregistered = \"fertig\"\n\
         {HTTP}{URL}timeout-seconds = 3\n{}server = \"[::1]:2525\"\nfrom = \"A B <a@example.org>\"\ntls = \"none\"\n",
        SMTP.replace("\"g\"", "\"h\"")
    );
    let settings = read(&text);
    let delivery = &settings.delivery;
    assert_eq!(settings.policy.codes_per_day, 3);
    let says = |number| settings.policy.numbers.check(&PhoneNumber::parse(number).unwrap());
    assert_eq!(says("+4315112345"), Err(NumberRefused::Country));
    assert_eq!(says("+4990012345"), Err(NumberRefused::Forbidden));
    assert_eq!(delivery.wording.text(Text::CodeSms), "Ihr Code: {code}");
    assert_eq!(delivery.wording.event(Event::Registered), "fertig");
    assert_eq!(delivery.channels(), [Channel::Sms, Channel::Email].into());
    let [http, smtp] = delivery.gateways.as_slice() else { panic!("two gateways") };
    assert_eq!((http.gateway.patience.as_secs(), http.gateway.plaintext), (3, Plaintext::Refused));
    let Way::Smtp(smtp) = &smtp.gateway.way else { panic!("a mail server") };
    assert_eq!((smtp.host.as_str(), smtp.port, smtp.encryption), ("::1", 2525, Encryption::None));
}

#[test]
fn users_hear_by_mail_else_by_text_message_as_far_as_gateways_say_texts() {
    let notices = |text: &str| {
        let notices = read(text).policy.notices;
        (notices.wanted, notices.delivered.into_iter().collect::<Vec<_>>())
    };
    let (email, sms) = (Channel::Email, Channel::Sms);
    assert_eq!(notices(""), (vec![email, sms], vec![]));
    assert_eq!(notices(&format!("[delivery]\nnotices = [\"sms\"]\n{HTTP}{URL}")), (vec![sms], vec![sms]));
    let codes_only = "url = \"https://sms.example.org/?to={to}&code={code}\"\n";
    assert_eq!(notices(&format!("{HTTP}{codes_only}")), (vec![email, sms], vec![]));
    check("[delivery]\nnotices = []", "delivery.notices", "empty");
    check("[delivery]\nnotices = [\"call\"]", "delivery.notices", "call");
    check("[delivery]\nnotices = [\"sms\", \"sms\"]", "delivery.notices", "twice");
}

#[test]
fn what_is_shown_gives_the_same_gateways_again() {
    let command = "command = [\"/bin/call\", \"--to={to}\"]\n";
    let files =
        "username = \"u\"\npassword-file = \"/etc/p\"\nca-file = \"/etc/ca\"\nallow-plaintext = true\n";
    let http = format!(
        "{HTTP}{URL}{files}method = \"PUT\"\nheaders = [\"A: {{basic}}\"]\nbody = '{{\"t\":\"{{text}}\"}}'\nbody-format = \"json\"\n\
         success-status = [\"200\", \"5xx\"]\nsuccess-pattern = 'a\"b'\nfailure-pattern = 'c'\n"
    );
    let program = format!("{}{command}", PROGRAM.replace("\"g\"", "\"p\""));
    let settings = read(&format!("[delivery]\ncountries = []\n{http}{program}"));
    let text = settings.effective_text();
    let settings_part = text.split("[[client]]").next().unwrap();
    let again = config::Settings::from_texts(&settings.path, settings_part, "");
    assert_eq!(again.ok().unwrap().settings.delivery.gateways, settings.delivery.gateways, "{text}");
    assert!(!text.contains("countries: every"), "an empty list is not the default: {text}");
}

fn check(text: &str, key: &str, message: &str) {
    let found = findings(&format!("{SMALLEST}{text}"), VPN);
    let fits =
        found.iter().any(|it| it.key == key && format!("{} {:?}", it.message, it.help).contains(message));
    let all: Vec<_> =
        found.iter().map(|it| (it.key.as_str(), it.message.as_str(), it.help.as_deref())).collect();
    assert!(fits && found.len() == 1, "{text}\n{all:?}");
}

#[test]
fn each_mistake_of_numbers_and_texts_is_found() {
    check("[delivery]\ncodes-per-day = 1001", "delivery.codes-per-day", "1001");
    check("[delivery]\ncountries = [\"49\"]", "delivery.countries", "\"49\"");
    check("[delivery]\nforbidden-numbers = [\"+49*1\"]", "delivery.forbidden-numbers", "+49*1");
    check("[delivery.texts]\ncode-sms = \"{cod}\"", "delivery.texts.code-sms", "did you mean {code}?");
    check("[delivery.texts]\ncode-sms = \"hello\"", "delivery.texts.code-sms", "{code} is missing");
    check(
        "[delivery.texts]\ncode-mail-subject = \"{code}\"",
        "delivery.texts.code-mail-subject",
        "cannot be shown",
    );
    check("[delivery.texts]\nnotice = \"{event}\\nX: y\"", "delivery.texts.notice", "cannot be");
    check("[delivery.events]\nregistered = \"{event}\"", "delivery.events.registered", "cannot be shown");
}

#[test]
fn each_mistake_of_a_gateway_is_found() {
    let url = |url: &str| format!("{HTTP}url = \"{url}\"\n");
    let key = "delivery.gateway[1].url";
    check(HTTP, key, "is missing");
    check(&url("https://{to}.example.org/{text}"), key, "without placeholders");
    check(&url("https://u:{password}@example.org/{to}{text}"), key, "without placeholders");
    check(&url("http://sms.example.org/{to}{text}"), key, "unencrypted");
    check(&url("https://sms.example.org/{to}"), key, "nothing would be said");
    check(&url("https://sms.example.org/{text}"), key, "nobody would get it");
    check(&url("https://sms.example.org/{too}{text}"), key, "no placeholder {too} here");
    let more = |line: &str| format!("{HTTP}{URL}{line}\n");
    check(&more("timeout-seconds = 0"), "delivery.gateway[1].timeout-seconds", "the number 0");
    check(&more("success-status = [\"302\"]"), "delivery.gateway[1].success-status", "302");
    check(&more("success-pattern = \"(\""), "delivery.gateway[1].success-pattern", "(");
    check(&more("headers = [\"Host: x\"]"), "delivery.gateway[1].headers", "by itself");
    check(&more("headers = [\"a b: x\"]"), "delivery.gateway[1].headers", "cannot be");
    check(&more("method = \"GET\"\nbody = \"{text}\""), "delivery.gateway[1].body", "no body");
    check(&more("server = \"mail\""), "delivery.gateway[1].server", "means nothing");
    check(&format!("{HTTP}{URL}{HTTP}{URL}"), "delivery.gateway[2].name", "two gateways");
    let from = "from = \"a@example.org\"\n";
    check(&format!("{SMTP}{from}"), "delivery.gateway[1].server", "is missing");
    check(&format!("{SMTP}server = \"mail.example.org\"\n"), "delivery.gateway[1].from", "is missing");
    let server = "server = \"mail.example.org\"\n";
    check(&format!("{SMTP}{from}{server}tls = \"none\"\n"), "delivery.gateway[1].tls", "unencrypted");
    check(&format!("{SMTP}{from}{server}username = \"u\"\n"), "delivery.gateway[1].username", "together");
    let sms = SMTP.replace("\"email\"", "\"sms\"");
    check(&format!("{sms}{from}{server}"), "delivery.gateway[1].channels", "mail only");
    let command = |command: &str| format!("{PROGRAM}command = {command}\n");
    let key = "delivery.gateway[1].command";
    check(PROGRAM, key, "is missing");
    check(&command("[\"call\"]"), key, "'/'");
    check(&command("[\"/bin/{to}\"]"), key, "'/'");
    check(&command("[\"/bin/call\", \"{text}\"]"), key, "standard input only");
    check(&command("[\"/bin/call\", \"{code}\"]"), key, "standard input only");
}

#[test]
fn a_password_file_is_as_closed_as_secrets_of_clients() {
    let folder = Folder::new(SMALLEST, VPN);
    let path = folder.settings().with_file_name("password");
    let read = |text: &str, mode| {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        read_password(&path)
    };
    assert!(read(" hunter2 two\n", 0o640).is_ok_and(|it| it.expose_text() == Some("hunter2 two")));
    assert!(matches!(read("x", 0o644), Err(ConfigError::Mode { .. })));
    assert!(matches!(read("x", 0o660), Err(ConfigError::Mode { .. })));
    assert!(matches!(read("\n", 0o640), Err(ConfigError::NoPassword { .. })));
    assert!(matches!(read("a\nb", 0o640), Err(ConfigError::NoPassword { .. })));
    assert!(matches!(read(&"x".repeat(5000), 0o640), Err(ConfigError::TooLarge { .. })));
}
