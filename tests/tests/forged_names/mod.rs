//! Names that want to be more than a name, on their way to rsyslogd through both doors and in both forms.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde_json::Value;
use test_ground::{Machine, Outcome, RadiusRequest};

use crate::collector::{Collector, Fields, Form};
use crate::post::{GATE, Heard, Post, Request, SECRET, code, next_code};

/// Names with all that could end a line, a field, a quotation or an element, and with fields of their own behind it.
const NAMES: [&[u8]; 12] = [
    b"eve\" user=\"root\" ending=\"accept",
    b"eve\\\" user=\\\"root\\\" ending=\\\"accept\\",
    b"eve\"] accept both-proofs",
    b"eve\"][countersign@32473 user=\"root\" ending=\"accept\"] [x",
    b"eve\n<85>1 2026-11-22T11:50:37Z gate countersign-radiusd 812 1 [countersign@32473 ending=\"accept\" user=\"root\"] x",
    b"eve\r\n<85>Nov 22 11:50:37 gate countersign-radiusd[812]: event=\"login\" user=\"root\" ending=\"accept\"",
    b"eve\n<85>Nov 22 11:50:37 gate countersign-radiusd[812]: event=\"anchor\" stream=\"radiusd\" seq=\"999\" \
      mac=\"9999999999999999999999999999999999999999999999999999999999999999\"",
    b"user=\"root\" ending=\"accept\" ",
    b"\x01\x07\x08\t\x1b[2J\x1b]0;x\x07\x7f=\\]\"%s%n",
    "eve\u{85}\u{2028}\u{2029}\u{202e}\u{200b}\u{feff} user=\"root\"".as_bytes(),
    b"eve\xff\xfe\xc3\"] user=\"root\" \n",
    b"\\u{a}\\u{22}#012\\n&#10;\\",
];

#[test]
fn a_name_forges_nothing_in_structured_data_over_udp() -> Outcome {
    let collector = Collector::on_network(&Machine::here()?)?;
    names_forge_nothing(&collector, &format!("udp:127.0.0.1:{}", collector.port()), Form::Rfc5424)
}

#[test]
fn a_name_forges_nothing_in_structured_data_over_tcp() -> Outcome {
    let collector = Collector::on_network(&Machine::here()?)?;
    names_forge_nothing(&collector, &format!("tcp:127.0.0.1:{}", collector.port()), Form::Rfc5424)
}

#[test]
fn a_name_forges_nothing_in_pairs_on_the_socket_of_syslog() -> Outcome {
    let collector = Collector::start(&Machine::here()?, Path::new("/dev/log"))?;
    names_forge_nothing(&collector, "unix:/dev/log", Form::Rfc3164)
}

#[test]
fn a_name_forges_nothing_in_pairs_over_udp() -> Outcome {
    let collector = Collector::on_network(&Machine::here()?)?;
    names_forge_nothing(&collector, &format!("udp:127.0.0.1:{}", collector.port()), Form::Rfc3164)
}

/// Every name is tried at both doors, and so is one that has an account; then the collector has what the store has, a
/// line for each record, and in each the same fields.
fn names_forge_nothing(collector: &Collector, target: &str, form: Form) -> Outcome {
    let post = Post::open(target, form)?;
    let account = "o\"]\\=neil\" user=\"root";
    post.add_users(&[account])?;
    for name in NAMES {
        assert_eq!(post.pam(OsStr::from_bytes(name), "x", &[])?, "PAM_AUTH_ERR");
        // RADIUS takes NUL as well, and where a user sits is as much a stranger's text as who he is.
        let name = [name, b"\0"].concat();
        let request = Request { name: &name, password: "x", station: &name, ..Request::default() };
        assert_eq!(post.radius(&request)?.0, Heard::Refusal);
    }
    asks_by_radclient(&post)?;
    post.signs_in_by_pam(account, &code()?)?;
    post.signs_in_by_radius(account, &next_code()?)?;

    let stored = post.records()?;
    let lines = collector.records(form, stored.len())?;
    assert_eq!(lines.len(), stored.len(), "{lines:#?}");
    for record in &stored {
        let place = [("stream", record["stream"].as_str()), ("seq", Some(&*record["sequence"].to_string()))];
        let same =
            |line: &&Fields| place.iter().all(|(name, value)| line.get(*name).map(String::as_str) == *value);
        let found: Vec<&Fields> = lines.iter().filter(same).collect();
        let [line] = found.as_slice() else { panic!("{} lines of {record}", found.len()) };
        shows(line, &record["record"]);
    }
    collector.has_one_line_of_text_for_each(form)?;
    // An anchor that was forged would say that the chain had been longer.
    let (exit, verified) = post.verify(Some(&collector.file(form)))?;
    assert_eq!((exit, &verified["tail-proven"]), (Some(0), &Value::Bool(true)), "{verified}");
    let typed: Vec<&str> = stored.iter().filter_map(|stored| stored["record"]["typed"].as_str()).collect();
    let by_radius = NAMES.iter().map(|name| [name, b"\0".as_slice()].concat());
    let sent = NAMES.iter().map(|name| name.to_vec()).chain(by_radius).chain([RADCLIENT_NAME.1.into()]);
    for name in sent {
        assert!(typed.iter().any(|typed| is_what_was_typed(typed, &name)), "{name:?} in {typed:#?}");
    }
    Ok(())
}

/// As radclient is told it, and as it sends it.
const RADCLIENT_NAME: (&str, &str) =
    (r#""mallory\" user=\"root\"\n<85>1 - - -""#, "mallory\" user=\"root\"\n<85>1 - - -");

fn asks_by_radclient(post: &Post) -> Outcome {
    let attributes = [
        ("User-Name", RADCLIENT_NAME.0),
        ("User-Password", "\"x\""),
        ("Message-Authenticator", "0x00"),
        ("Packet-Src-IP-Address", GATE),
    ];
    let request = RadiusRequest {
        port: post.port(),
        secret: SECRET,
        kind: "auth",
        attributes: &attributes,
        seconds: 10,
    };
    assert_eq!(request.send()?.code(), "Access-Reject");
    Ok(())
}

/// What is not UTF-8 is shown as U+FFFD, and such a name ends in one.
fn is_what_was_typed(stored: &str, name: &[u8]) -> bool {
    match std::str::from_utf8(name) {
        Ok(name) => stored == name,
        Err(_) => stored == format!("{}\u{fffd}", String::from_utf8_lossy(name)),
    }
}

/// A line has the fields of its record with their values, and no others.
fn shows(line: &Fields, record: &Value) {
    let text = |name: &str| record[name].as_str();
    let act = &record["act"];
    let uid = act["actor"]["uid"].as_u64().map(|uid| uid.to_string());
    let login_uid = act["actor"]["login-uid"].as_u64().map(|uid| uid.to_string());
    let known = [
        ("event", Some(if act.is_null() { "login" } else { "act" })),
        ("attempt", text("attempt")),
        ("severity", text("severity")),
        ("door", text("door")),
        ("service", record["place"]["service"].as_str()),
        ("client", record["place"]["client"].as_str()),
        ("typed", text("typed")),
        ("user", text("user")),
        ("source", text("source")),
        ("rule", text("rule")),
        ("primary", text("primary")),
        ("factor", text("factor")),
        ("ending", text("ending")),
        ("reason", text("reason")),
        ("act", act["act"].as_str()),
        ("uid", uid.as_deref()),
        ("login-uid", login_uid.as_deref()),
        ("tty", act["actor"]["tty"].as_str()),
        ("host", act["actor"]["host"].as_str()),
        ("before", act["before"].as_str()),
        ("after", act["after"].as_str()),
    ];
    let known: Fields =
        known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    let mut shown: Fields = line.iter().map(|(name, value)| (name.clone(), typed_again(value))).collect();
    for name in ["time", "stream", "seq", "mac"] {
        assert!(shown.remove(name).is_some_and(|value| !value.is_empty()), "{name} in {line:#?}");
    }
    assert_eq!(shown, known);
}

/// Undoes `\u{..}` (docs/records.md); all that is left must be visible.
fn typed_again(shown: &str) -> String {
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
    let mut parts = shown.split("\\u{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once('}').expect("an end");
        let number = u32::from_str_radix(number, 16).expect("a number");
        text.push(char::from_u32(number).expect("a character"));
        text.push_str(rest);
    }
    text
}
