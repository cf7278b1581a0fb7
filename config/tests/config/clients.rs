//! Clients: their profiles, and how they are found by address.

use common::attempt::{Appended, FirstAnswer, SecondQuestion};
use config::{BackendFailure, Kind, MessageAuthenticator};

use crate::folder::{SMALLEST, VPN, findings, load, refuse};

fn client(name: &str, addresses: &str, rest: &str) -> String {
    format!(
        "[[client]]\nname = \"{name}\"\naddresses = [{addresses}]\nsecret = \"correct horse battery staple\"\n{rest}\n"
    )
}

#[test]
fn the_kind_decides_what_a_client_can_do() {
    let check = |rest: &str, kind, first_answer, second_question, appended| {
        let settings = load(SMALLEST, &client("a", "\"::1\"", rest)).settings;
        let client = settings.clients.by_name("a").unwrap();
        assert_eq!(client.kind, kind);
        let profile = client.profile;
        assert_eq!(profile.first_answer, first_answer);
        assert_eq!(profile.second_question, second_question);
        assert_eq!(profile.appended, appended);
    };
    let (asked, impossible) = (SecondQuestion::Asked, SecondQuestion::Impossible);
    check("", Kind::Challenge, FirstAnswer::Password, asked, Appended::AfterDelimiter);
    check("append = \"refused\"", Kind::Challenge, FirstAnswer::Password, asked, Appended::Refused);
    check("kind = \"append\"", Kind::Append, FirstAnswer::Password, impossible, Appended::AfterDelimiter);
    check("kind = \"code-only\"", Kind::CodeOnly, FirstAnswer::Code, impossible, Appended::Refused);
    check(
        "kind = \"app-password-only\"",
        Kind::AppPasswordOnly,
        FirstAnswer::AppPassword,
        impossible,
        Appended::Refused,
    );
}

#[test]
fn a_client_is_strict_unless_told_otherwise() {
    let settings = load(SMALLEST, VPN).settings;
    let vpn = settings.clients.by_name("vpn").unwrap();
    assert_eq!(vpn.message_authenticator, MessageAuthenticator::Required);
    assert_eq!(vpn.when_backend_fails, BackendFailure::Reject);
    assert!(vpn.secret == common::Secret::from("correct horse battery staple"));
    assert!(vpn.previous_secret.is_none());
}

#[test]
fn a_client_that_anybody_can_be_is_warned_of_and_has_to_sign() {
    for network in ["0.0.0.0/0", "::/0"] {
        let found = findings(SMALLEST, &client("all", &format!("\"{network}\""), ""));
        let [finding] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((finding.line, finding.key.as_str()), (3, "client[1].addresses"));
        assert_eq!(finding.severity, config::Severity::Warning);

        let unsigned = client("all", &format!("\"{network}\""), "require-message-authenticator = false");
        let error = refuse(SMALLEST, &unsigned);
        let refused: Vec<_> =
            error.findings().iter().filter(|finding| finding.severity == config::Severity::Error).collect();
        let [finding] = refused.as_slice() else { panic!("{refused:?}") };
        assert_eq!((finding.line, finding.key.as_str()), (5, "client[1].require-message-authenticator"));
    }
    assert!(findings(SMALLEST, &client("half", "\"0.0.0.0/1\"", "")).is_empty());
}

#[test]
fn the_longest_network_wins() {
    let clients = [
        client("all", "\"0.0.0.0/0\"", ""),
        client("campus", "\"192.0.2.0/24\", \"2001:db8::/32\"", ""),
        client("vpn", "\"192.0.2.10\", \"2001:db8::10\"", ""),
    ]
    .concat();
    let settings = load(SMALLEST, &clients).settings;
    let found = |address: &str| settings.clients.find(address.parse().unwrap()).map(|c| c.name.clone());
    assert_eq!(found("192.0.2.10").as_deref(), Some("vpn"));
    assert_eq!(found("::ffff:192.0.2.10").as_deref(), Some("vpn"), "IPv4 on a socket for both");
    assert_eq!(found("192.0.2.11").as_deref(), Some("campus"));
    assert_eq!(found("198.51.100.1").as_deref(), Some("all"));
    assert_eq!(found("2001:db8::10").as_deref(), Some("vpn"));
    assert_eq!(found("2001:db8:1::").as_deref(), Some("campus"));
    assert_eq!(found("2001:db9::"), None);
}

#[test]
fn weak_clients_are_warned_of() {
    let check = |clients: &str, line: usize, key: &str| {
        let found = findings(&listening("0.0.0.0:1812"), clients);
        let shown: Vec<_> = found.iter().map(|finding| (finding.line, finding.key.as_str())).collect();
        assert_eq!(shown, [(line, key)], "{found:?}");
        assert_eq!(found[0].severity, config::Severity::Warning);
    };
    check(&VPN.replace("correct horse battery staple", "fifteen octets!"), 4, "client[1].secret");
    check(&VPN.replace("staple", "staple "), 4, "client[1].secret");
    check(
        &client("a", "\"::1\"", "previous-secret = \"correct horse battery staple\""),
        5,
        "client[1].previous-secret",
    );
    check(
        &client("a", "\"::1\"", "require-message-authenticator = false"),
        5,
        "client[1].require-message-authenticator",
    );
    let nested =
        [client("a", "\"10.0.0.0/8\"", ""), client("b", "\"10.1.0.0/16\", \"10.2.0.1\"", "")].concat();
    check(&nested, 3, "client[1].addresses");
}

#[test]
fn clients_that_a_server_on_loopback_never_hears_are_warned_of() {
    let heard = client("here", "\"127.0.0.1\"", "");
    let elsewhere = [heard.as_str(), VPN, &client("wifi", "\"2001:db8::/64\"", "")].concat();
    let found = findings(&listening("127.0.0.1:1812"), &elsewhere);
    let [finding] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((finding.line, finding.key.as_str()), (3, "radius.listen"));
    assert!(finding.message.contains("no packet of client \"vpn\" and 1 more"), "{finding:?}");
    assert!(findings(&listening("127.0.0.1:1812"), &heard).is_empty());
    assert!(findings(&listening("192.0.2.1:1812"), &elsewhere).is_empty());
}

fn listening(address: &str) -> String {
    format!("{SMALLEST}[radius]\nlisten = [\"{address}\"]\n")
}

#[test]
fn ten_thousand_clients_are_found_at_once() {
    let clients: String = (0..10_000_u32)
        .map(|n| client(&format!("c{n}"), &format!("\"10.{}.{}.1\"", n / 256, n % 256), ""))
        .collect();
    let settings = load(SMALLEST, &clients).settings;
    assert_eq!(settings.clients.len(), 10_000);
    assert_eq!(settings.clients.find("10.39.15.1".parse().unwrap()).unwrap().name, "c9999");
    assert!(settings.clients.find("10.39.16.1".parse().unwrap()).is_none());
}
