//! Records as a collector and an auditor get them: by the real rsyslogd, from logins through both doors at once.
#![cfg(test)]

mod collector;
mod forged_names;
#[expect(dead_code, reason = "this suite uses its part of it")]
mod post;
mod stalled;
#[expect(dead_code, reason = "this suite uses its part of it")]
mod transaction;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use collector::{Collector, Fields, Form};
use post::{CODE, Heard, PASSWORD, Post, Request, STATION, code, next_code};
use serde_json::Value;
use stalled::{Deaf, Full, NOBODY, frames_as_on_a_cable};
use test_ground::{Failure, Machine, Outcome, Terminal};

// Collectors that do not take what they are sent.

/// Who signs in, once by each door: nobody has to wait for another code.
const USERS: [&str; 7] = ["u1", "u2", "u3", "u4", "u5", "u6", "u7"];

/// What the middle one of the logins beside a stalled collector may take longer than the one beside a healthy collector:
/// the 40 ms that the module waits once (docs/records.md), and 160 ms for a machine that is busy with other suites.
/// Whoever waits for a collector takes far longer: the kernel sends a SYN again after a second (RFC 6298 §2), and the
/// server gives a line up after two.
const LONGER_MAX: Duration = Duration::from_millis(200);

/// And each single one, which may meet with anything on a busy machine, but with no timer of those.
const SINGLE_LONGER_MAX: Duration = Duration::from_millis(900);

/// One post and how long each login there took.
struct Timed {
    what: &'static str,
    post: Post,
    pam: Vec<Duration>,
    radius: Vec<Duration>,
}

impl Timed {
    fn at(what: &'static str, address: SocketAddr) -> Result<Self, Failure> {
        let post = Post::open(&format!("tcp:{address}"), Form::Rfc5424)?;
        post.add_users(&USERS)?;
        Ok(Self { what, post, pam: Vec::new(), radius: Vec::new() })
    }

    fn signs_in(&mut self, user: &str) -> Outcome {
        let (first, second) = (code()?, next_code()?);
        let begun = Instant::now();
        self.post.signs_in_by_pam(user, &first)?;
        self.pam.push(begun.elapsed());
        let begun = Instant::now();
        self.post.signs_in_by_radius(user, &second)?;
        self.radius.push(begun.elapsed());
        Ok(())
    }

    /// Both questions and both verdicts of everybody are in the store, and the store is sound.
    fn has_every_record(&self) -> Outcome {
        let stored = self.post.records()?;
        for (user, door) in USERS.iter().flat_map(|user| [(user, "pam"), (user, "radius")]) {
            let of_login = stored.iter().map(|stored| &stored["record"]);
            let of_login = of_login.filter(|record| record["typed"] == *user && record["door"] == door);
            let reasons: Vec<&str> = of_login.filter_map(|record| record["reason"].as_str()).collect();
            assert_eq!(reasons, ["challenged", "both-proofs"], "{user} by {door} with {}", self.what);
        }
        let (exit, verified) = self.post.verify(None)?;
        assert_eq!((exit, &verified["sound"]), (Some(0), &Value::Bool(true)), "{verified}");
        Ok(())
    }
}

#[test]
fn a_stalled_collector_delays_no_login_and_loses_no_record_of_the_store() -> Outcome {
    frames_as_on_a_cable()?;
    let collector = Collector::on_network(&Machine::here()?)?;
    let mut healthy = Timed::at("a healthy collector", ([127, 0, 0, 1], collector.port()).into())?;
    let full = Full::listen();
    let mut deaf = Deaf::listen();
    let mut stalled = [
        Timed::at("a listener with a full backlog", full.address())?,
        Timed::at("a collector that stopped reading", deaf.address())?,
        Timed::at("nobody listening", NOBODY)?,
    ];
    stops_reading(&mut deaf, &stalled[1].post)?;
    // By turns, so that all have the same machine.
    for user in USERS {
        healthy.signs_in(user)?;
        for timed in &mut stalled {
            timed.signs_in(user)?;
        }
    }
    assert!(full.is_full() && deaf.is_stuck()?);
    for timed in &stalled {
        is_no_slower(timed.what, &timed.pam, &healthy.pam);
        is_no_slower(timed.what, &timed.radius, &healthy.radius);
        timed.has_every_record()?;
    }
    healthy.has_every_record()?;
    let stored = healthy.post.records()?.len();
    assert_eq!(collector.records(Form::Rfc5424, stored)?.len(), stored);
    Ok(())
}

/// The server has connected, and sends lines of logins until not an octet more goes out. Refusals would not do: many of
/// them are one line.
fn stops_reading(deaf: &mut Deaf, post: &Post) -> Outcome {
    let name = "x".repeat(200);
    post.add_bare_user(&name, "enforced")?;
    let app_password = post.app_password(&name, "gate")?;
    let logins = |count: u32| -> Outcome {
        for _ in 0..count {
            let request = Request { name: name.as_bytes(), password: &app_password, ..Request::default() };
            assert_eq!(post.radius(&request)?.0, Heard::Accept);
        }
        Ok(())
    };
    logins(1)?;
    deaf.accept_and_fill_the_backlog()?;
    deaf.fill(|| logins(100))
}

fn is_no_slower(what: &str, stalled: &[Duration], healthy: &[Duration]) {
    let (median, longest) = (median(stalled), stalled.iter().max().copied().unwrap_or_default());
    let (healthy_median, healthy_longest) =
        (self::median(healthy), healthy.iter().max().copied().unwrap_or_default());
    println!(
        "{what}: median {median:?}, longest {longest:?}; healthy: {healthy_median:?}, {healthy_longest:?}"
    );
    assert!(median <= healthy_median.saturating_add(LONGER_MAX), "{what}: {stalled:?} beside {healthy:?}");
    assert!(
        longest <= healthy_longest.saturating_add(SINGLE_LONGER_MAX),
        "{what}: {stalled:?} beside {healthy:?}"
    );
}

fn median(durations: &[Duration]) -> Duration {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().expect("logins")
}

// One login, and the chain that it stands in.

#[test]
fn a_login_has_one_attempt_id_and_the_same_fields_through_either_door() -> Outcome {
    let collector = Collector::on_network(&Machine::here()?)?;
    let post = Post::open(&format!("udp:127.0.0.1:{}", collector.port()), Form::Rfc5424)?;
    post.add_users(&["alice", "bert"])?;
    for user in ["alice", "bert"] {
        post.signs_in_by_pam(user, &code()?)?;
        post.signs_in_by_radius(user, &next_code()?)?;
    }
    let stored = post.records()?;
    let lines = collector.records(Form::Rfc5424, stored.len())?;
    let mut attempts = Vec::new();
    for user in ["alice", "bert"] {
        let [by_pam, by_radius] = ["pam", "radius"].map(|door| records_of(&lines, user, door));
        for records in [&by_pam, &by_radius] {
            let reasons: Vec<&str> = records.iter().map(|record| &*record["reason"]).collect();
            assert_eq!(reasons, ["challenged", "both-proofs"]);
            assert_eq!(records[0]["attempt"], records[1]["attempt"]);
            let same = stored.iter().filter(|stored| stored["record"]["attempt"] == *records[0]["attempt"]);
            assert_eq!(same.count(), 2);
            attempts.push(records[0]["attempt"].clone());
        }
        for (pam, radius) in by_pam.iter().zip(&by_radius) {
            are_alike(pam, radius);
        }
    }
    attempts.sort_unstable();
    attempts.dedup();
    assert_eq!(attempts.len(), 4);
    Ok(())
}

fn records_of<'a>(lines: &'a [Fields], user: &str, door: &str) -> Vec<&'a Fields> {
    let is_wanted =
        |line: &&Fields| line["typed"] == user && line["door"] == door && line["event"] == "login";
    lines.iter().filter(is_wanted).collect()
}

/// The same fields, but that one came to a service and the other to a client; the same values of what was decided.
fn are_alike(pam: &Fields, radius: &Fields) {
    let place = |name: &String| {
        if ["service", "client"].contains(&&**name) { "place".to_owned() } else { name.clone() }
    };
    let names = |fields: &Fields| fields.keys().map(place).collect::<BTreeSet<_>>();
    assert_eq!(names(pam), names(radius));
    assert_eq!((&*pam["source"], &*radius["source"]), ("local", STATION));
    assert!(pam.contains_key("service") && radius.contains_key("client"));
    for name in ["severity", "user", "primary", "factor", "ending", "reason"] {
        assert_eq!(pam.get(name), radius.get(name), "{name}");
    }
}

#[test]
fn lines_of_rfc_5424_in_the_collectors_file_prove_the_tail() -> Outcome {
    let collector = Collector::on_network(&Machine::here()?)?;
    lines_prove_the_tail(&collector, &format!("tcp:127.0.0.1:{}", collector.port()), Form::Rfc5424)
}

#[test]
fn lines_of_rfc_3164_in_the_collectors_file_prove_the_tail() -> Outcome {
    let collector = Collector::on_network(&Machine::here()?)?;
    lines_prove_the_tail(&collector, &format!("udp:127.0.0.1:{}", collector.port()), Form::Rfc3164)
}

/// Whoever cuts off the end of a stream and sets its head back leaves a whole chain; only what left the machine tells.
fn lines_prove_the_tail(collector: &Collector, target: &str, form: Form) -> Outcome {
    let mut post = Post::open(target, form)?;
    post.add_users(&["alice"])?;
    post.signs_in_by_pam("alice", &code()?)?;
    post.signs_in_by_radius("alice", &next_code()?)?;
    let stored = post.records()?.len();
    let lines = collector.records(form, stored)?;
    post.stop_server()?;
    let anchors = collector.file(form);
    let (exit, proven) = post.verify(Some(&anchors))?;
    assert_eq!((exit, &proven["tail-proven"]), (Some(0), &Value::Bool(true)), "{proven}");
    let streams = proven["streams"].as_array().expect("streams");
    let sound: u64 = streams.iter().filter_map(|stream| stream["sound-records"].as_u64()).sum();
    assert_eq!(usize::try_from(sound), Ok(stored));
    for stream in streams {
        assert_eq!(stream["tail"]["proven-up-to"]["sequence"], stream["sound-records"], "{proven}");
    }
    for line in records_of(&lines, "alice", "pam").iter().chain(&records_of(&lines, "alice", "radius")) {
        assert!(line["mac"].len() == 64 && line["seq"] != "0", "{line:#?}");
    }
    let stream = records_of(&lines, "alice", "radius")[1]["stream"].clone();
    let last = format!("(SELECT max(sequence) FROM records WHERE stream = '{stream}')");
    post.sql(&format!(
        "DELETE FROM records WHERE stream = '{stream}' AND sequence = {last};
         UPDATE heads SET (sequence, mac) = (SELECT sequence, mac FROM records
             WHERE stream = '{stream}' AND sequence = {last}) WHERE stream = '{stream}'"
    ))?;
    assert_eq!(post.verify(None)?.1["sound"], true);
    let (exit, cut) = post.verify(Some(&anchors))?;
    let findings = cut["streams"].as_array().expect("streams").iter().find(|it| it["stream"] == *stream);
    let kind = &findings.expect("the stream")["findings"][0]["flaw"]["kind"];
    assert_eq!((exit, kind.as_str()), (Some(1), Some("cut-off-before-anchor")), "{cut}");
    Ok(())
}

// Why there was no second step.

#[test]
fn every_skipped_second_step_has_its_reason() -> Outcome {
    let collector = Collector::on_network(&Machine::here()?)?;
    let post = Post::open(&format!("udp:127.0.0.1:{}", collector.port()), Form::Rfc5424)?;
    post.add_bare_user("dora", "disabled")?;
    post.add_bare_user("nina", "enabled")?;
    post.add_users(&["ruth"])?;
    for name in ["dora", "nina", "ruth"] {
        assert_eq!(post.pam(name, PASSWORD, &[])?, "PAM_SUCCESS", "{name}");
        let request = Request { name: name.as_bytes(), password: PASSWORD, ..Request::default() };
        assert_eq!(post.radius(&request)?.0, Heard::Accept, "{name}");
    }
    let stored = post.records()?.len();
    let lines = collector.records(Form::Rfc5424, stored)?;
    for (name, reason, rule) in [
        ("dora", "skipped-disabled", None),
        ("nina", "skipped-not-registered", None),
        ("ruth", "skipped-by-rule", Some("no code for ruth")),
    ] {
        for door in ["pam", "radius"] {
            let records = records_of(&lines, name, door);
            let [record] = records.as_slice() else { panic!("{records:#?}") };
            let ended = ["ending", "reason", "primary", "severity"].map(|field| &*record[field]);
            assert_eq!(ended, ["accept", reason, "right", "notice"]);
            assert_eq!(record.get("rule").map(String::as_str), rule);
            assert_eq!(record.get("factor"), None);
        }
    }
    Ok(())
}

#[test]
fn a_right_password_whose_second_step_never_came_is_challenged() -> Outcome {
    let collector = Collector::on_network(&Machine::here()?)?;
    let post = Post::open(&format!("udp:127.0.0.1:{}", collector.port()), Form::Rfc5424)?;
    post.add_users(&["carl"])?;
    let mut terminal = Terminal::start(&post.pamtester("carl"))?;
    terminal.expect(transaction::PASSWORD)?.send(PASSWORD)?.expect(CODE)?;
    terminal.vanish()?;
    let request = Request { name: b"carl", password: PASSWORD, ..Request::default() };
    assert_eq!(post.radius(&request)?.0, Heard::Question);
    let stored = post.records()?.len();
    let lines = collector.records(Form::Rfc5424, stored)?;
    for door in ["pam", "radius"] {
        let records = records_of(&lines, "carl", door);
        let [record] = records.as_slice() else { panic!("{records:#?}") };
        let ended = ["ending", "reason", "primary"].map(|field| &*record[field]);
        assert_eq!(ended, ["challenge", "challenged", "right"]);
    }
    Ok(())
}
