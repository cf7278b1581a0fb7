//! Lines as somebody else's parser reads them, with everything hostile that a stranger can type.

use crate::{Facility, Field, Format, Origin, Renderer};
use common::address::Channel;
use common::chain::{ChainMac, ChainPosition};
use common::record::{
    ActRecord, Actor, DeliveryRecord, Ending, Names, PrimaryResult, Record, Severity, Together, Told, Untold,
};
use common::{AttemptId, Door, Place, Reason, UnixTime};
use syslog_loose::{ProcId, Protocol, SyslogSeverity, Variant, parse_message};

const HOSTILE: &str =
    "a\"] [fake@1 user=\"root\"\\\n<86>1 - forged\r\n\u{2028}\u{85}\0 ending=\"accept\" \\\" \\u{a}";

fn record(text: &str) -> Record {
    Record {
        at: UnixTime::from_seconds(1_000_000_000),
        attempt: AttemptId::from_bytes([7; 16]),
        severity: Severity::Notice,
        door: Door::Pam,
        place: Place::Service(text.to_owned()),
        typed: text.to_owned(),
        user: Some(text.to_owned()),
        source: Some(text.to_owned()),
        rule: Some(text.to_owned()),
        primary: PrimaryResult::Right,
        factor: Some(text.to_owned()),
        ending: Ending::Reject,
        reason: Reason::WrongCode,
        caller: None,
        target: None,
        together: None,
        told: None,
        delivery: None,
        act: None,
    }
}

fn act(text: &str) -> Record {
    let text = || text.to_owned();
    let actor = Actor { login_uid: Some(1000), uid: Some(0), tty: Some(text()), host: text() };
    let act = ActRecord { act: text(), actor, before: Some(text()), after: Some(text()) };
    Record { act: Some(act), ending: Ending::Act, ..record(&text()) }
}

fn position() -> ChainPosition {
    ChainPosition { stream: "radius-1".to_owned(), sequence: 42, mac: ChainMac::from_bytes([0xab; 32]) }
}

fn line(format: Format, record: &Record) -> String {
    let renderer = Renderer::new(format, Origin::of_this_host(Facility::LOG_AUTHPRIV, "countersign-radiusd"));
    String::from_utf8(renderer.record(record, Some(&position())).unwrap()).unwrap()
}

fn parsed(line: &str) -> syslog_loose::Message<&str> {
    parse_message(line, Variant::Either)
}

/// The structured data as another implementation reads it, names in order.
fn parameters(line: &str) -> Vec<(String, String)> {
    let message = parsed(line);
    let [element] = message.structured_data.as_slice() else { panic!("not one element: {line}") };
    assert_eq!(element.id, "countersign@32473");
    element.params().map(|(name, value)| (name.to_string(), value.clone())).collect()
}

#[test]
fn a_line_of_rfc_5424_is_read_by_another_parser() {
    let line = line(Format::Rfc5424, &record("alice"));
    let message = parsed(&line);
    assert_eq!(message.protocol, Protocol::RFC5424(1));
    assert_eq!(message.severity, Some(SyslogSeverity::SEV_NOTICE));
    assert_eq!(message.appname, Some("countersign-radiusd"));
    assert_eq!(message.procid, Some(ProcId::PID(std::process::id().try_into().unwrap())));
    assert_eq!(message.msg, "reject wrong-code");
    let parameters = parameters(&line);
    for (name, value) in [
        ("event", "login"),
        ("time", "2001-09-09T01:46:40Z"),
        ("attempt", "07070707070707070707070707070707"),
        ("service", "alice"),
        ("primary", "right"),
        ("ending", "reject"),
        ("reason", "wrong-code"),
        ("stream", "radius-1"),
        ("seq", "42"),
        ("mac", &"ab".repeat(32)),
    ] {
        assert!(parameters.contains(&(name.to_owned(), value.to_owned())), "{name} in {parameters:?}");
    }
}

#[test]
fn a_line_of_rfc_3164_is_read_by_another_parser() {
    let line = line(Format::Rfc3164, &record("alice"));
    let message = parsed(&line);
    assert_eq!(message.protocol, Protocol::RFC3164);
    assert_eq!(message.appname, Some("countersign-radiusd"));
    assert!(message.msg.starts_with(r#"event="login" time="2001-09-09T01:46:40Z" attempt="0707"#), "{line}");
    assert!(message.msg.ends_with(&format!(r#"seq="42" mac="{}""#, "ab".repeat(32))), "{line}");
}

#[test]
fn hostile_text_forges_no_line() {
    for format in [Format::Rfc5424, Format::Rfc3164] {
        for record in [record(HOSTILE), act(HOSTILE)] {
            let line = line(format, &record);
            assert!(!line.contains(|c: char| c.is_control() || c == '\u{2028}'), "{line:?}");
        }
    }
}

#[test]
fn hostile_text_forges_no_field_in_structured_data() {
    let names = |record: &Record| -> Vec<String> {
        parameters(&line(Format::Rfc5424, record)).into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(names(&record(HOSTILE)), names(&record("alice")));
    assert_eq!(names(&act(HOSTILE)), names(&act("alice")));
}

/// Names of `key="value"` pairs, read with nothing but the rule that a backslash takes the next character along.
fn pair_names(line: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut text = line.split_once(": ").unwrap().1.chars();
    let mut quoted = false;
    while let Some(character) = text.next() {
        match character {
            '"' => quoted = !quoted,
            '\\' if quoted => drop(text.next()),
            ' ' if !quoted => names.push(String::new()),
            other if !quoted => names.last_mut().unwrap().push(other),
            _ => {}
        }
    }
    assert!(!quoted, "an open quotation in {line}");
    names
}

#[test]
fn hostile_text_forges_no_pair() {
    for (hostile, plain) in [(record(HOSTILE), record("alice")), (act(HOSTILE), act("alice"))] {
        assert_eq!(pair_names(&line(Format::Rfc3164, &hostile)), pair_names(&line(Format::Rfc3164, &plain)));
    }
}

#[test]
fn a_record_with_everything_has_every_field_but_the_client() {
    let since = UnixTime::from_seconds(999_999_999);
    let together = Some(Together { count: 7, since, names: Names::Several });
    let parties = || Some("alice".to_owned());
    let (gateway, trouble) = (Some("first".to_owned()), Some("no answer in time".to_owned()));
    let delivery = Some(DeliveryRecord { channel: Channel::Sms, gateway, trouble });
    let told = Some(Told { notices: 0, untold: Some(Untold::NoGateway) });
    let everything =
        Record { caller: parties(), target: parties(), together, delivery, told, ..act("alice") };
    let names = pair_names(&line(Format::Rfc3164, &everything));
    let expected: Vec<_> = Field::ALL
        .iter()
        .filter(|field| **field != Field::Client)
        .map(|field| format!("{}=", field.name()))
        .collect();
    assert_eq!(names, expected);
}

#[test]
fn the_longest_text_still_leaves_room_for_the_chain() {
    for text in ["\"".repeat(100_000), "\u{2028}".repeat(100_000), "]\n".repeat(100_000)] {
        for format in [Format::Rfc5424, Format::Rfc3164] {
            let line = line(format, &act(&text));
            assert!(line.contains(&"ab".repeat(32)), "{}", line.len());
            assert!(line.len() < 16 * 1024, "{}", line.len());
        }
    }
}

#[test]
fn a_record_outside_of_the_chain_has_no_position() {
    let renderer = Renderer::new(Format::Rfc3164, Origin::local(Facility::LOG_AUTHPRIV, "pam countersign"));
    let line = String::from_utf8(renderer.record(&record("alice"), None).unwrap()).unwrap();
    assert!(!line.contains("seq=") && !line.contains("mac="), "{line}");
    assert!(line.contains(" pam-countersign["), "a space in the program's name ends the tag: {line}");
}
