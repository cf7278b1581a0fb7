//! Processes killed in the middle of their work, and clients that hang up in the middle of a dialogue: nothing is lost,
//! nothing is good twice, and nobody else waits.
#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "an overflow in a test is a failed test")]

#[expect(dead_code, reason = "this suite uses its part of it")]
mod collector;
mod contenders;
mod hanging_up;
#[expect(dead_code, reason = "this suite uses its part of it")]
mod post;
#[expect(dead_code, reason = "this suite uses its part of it")]
mod transaction;

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use collector::{Collector, Form};
use contenders::{Dice, Pamtester, Shift, add_crowd, name_of};
use post::wire::ask_until_answered;
use post::{CODE, GATE, Heard, PASSWORD, Post, Request, code, next_code};
use radius_protocol::Code;
use serde_json::Value;
use test_ground::{Failure, Machine, Outcome, checked, measured};

/// Kills.
const ROUNDS: usize = 50;
/// Threads that sign in by each door without a break, and the people of each. By PAM, one of them asks
/// countersign-local, and goes on by itself when that is gone.
const BUSY_OF_EACH: usize = 2;
const PEOPLE_OF_EACH: usize = 400;
/// Longer than a login or an act takes here: somewhere in it the kill comes.
const WORK: Duration = Duration::from_millis(25);
/// How long a writer rests when everybody's codes are used, and an administrator between two acts.
const REST: Duration = Duration::from_millis(20);
/// Codes that were good, and are tried again after each kill.
const TRIED_AGAIN: usize = 3;

/// Whoever is killed in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Pam,
    Server,
    Local,
    CommandLine,
}

const VICTIMS: [Victim; 4] = [Victim::Pam, Victim::Server, Victim::Local, Victim::CommandLine];

/// What the busy writers have seen.
#[derive(Default)]
struct Seen {
    /// Users and codes that let in, the newest last.
    good: Mutex<Vec<(String, String)>>,
    pam: AtomicUsize,
    radius: AtomicUsize,
    acts: AtomicUsize,
    /// Right logins that were refused.
    refused: Mutex<Vec<String>>,
    is_over: AtomicBool,
}

impl Seen {
    fn is_good(&self, user: String, code: String) {
        self.good.lock().unwrap_or_else(PoisonError::into_inner).push((user, code));
    }

    fn is_refused(&self, what: String) {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    fn newest_good(&self) -> Vec<(String, String)> {
        let good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        good.iter().rev().take(TRIED_AGAIN).cloned().collect()
    }

    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }
}

#[test]
fn writers_killed_at_any_moment_lose_nothing_and_make_nothing_good_twice() -> Outcome {
    let collector = Collector::on_network(&Machine::here()?)?;
    let mut post = Post::open(&format!("udp:127.0.0.1:{}", collector.port()), Form::Rfc5424)?;
    post.start_local()?;
    add_crowd(&post, "busy", 2 * BUSY_OF_EACH * PEOPLE_OF_EACH)?;
    add_crowd(&post, "after", ROUNDS)?;
    add_crowd(&post, "victim", ROUNDS)?;
    add_crowd(&post, "desk", 1)?;
    let (post, seen, begun) = (RwLock::new(post), Seen::default(), Instant::now());
    let outcome = thread::scope(|scope| {
        for number in 0..2 * BUSY_OF_EACH {
            let first = number * PEOPLE_OF_EACH;
            let shift = Shift::new("busy", first..first + PEOPLE_OF_EACH);
            let (post, seen) = (&post, &seen);
            if number % 2 == 0 {
                let service = [read(post).service(), read(post).service_by_local()][number / 2].clone();
                scope.spawn(move || signs_in_by_pam(&service, seen, shift));
            } else {
                scope.spawn(|| signs_in_by_radius(post, seen, shift));
            }
        }
        scope.spawn(|| administers(&post, &seen));
        let outcome = kills(&post, &seen, &collector);
        seen.is_over.store(true, Ordering::Relaxed);
        outcome
    });
    let spent_twice = outcome?;
    let records = read(&post).records()?;
    let by_local = records.iter().filter(|listed| is_accept_by_local(listed)).count();
    let refused = seen.refused.lock().unwrap_or_else(PoisonError::into_inner);
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    measured(&format!(
        "{ROUNDS} kills of PAM processes, countersign-radiusd, countersign-local and the command line in {} s, beside {} logins by PAM \
         ({by_local} of them by countersign-local), {} by RADIUS and {} acts: {} right logins refused, {spent_twice} spent codes accepted, integrity ok and the records \
         sound after each",
        begun.elapsed().as_secs(),
        count(&seen.pam),
        count(&seen.radius),
        count(&seen.acts),
        refused.len()
    ));
    assert!(refused.is_empty(), "{refused:#?}");
    assert_eq!(spent_twice, 0);
    assert!(
        by_local > ROUNDS
            && count(&seen.pam) > ROUNDS
            && count(&seen.radius) > ROUNDS
            && count(&seen.acts) > ROUNDS
    );
    Ok(())
}

/// Each program has a chain of records of its own.
fn is_accept_by_local(listed: &Value) -> bool {
    listed["stream"] == "local" && listed["record"]["ending"] == "accept"
}

fn signs_in_by_pam(service: &str, seen: &Seen, mut shift: Shift) {
    while seen.goes_on() {
        let Ok(Some((user, code))) = shift.next() else {
            thread::sleep(REST);
            continue;
        };
        match pam(service, &user, &code) {
            Ok(true) => seen.is_good(user, code),
            other => seen.is_refused(format!("{user} by PAM: {other:?}")),
        }
        seen.pam.fetch_add(1, Ordering::Relaxed);
    }
}

/// The server may be killed in the middle of a login: the gateway asks again, and the login goes on.
fn signs_in_by_radius(post: &RwLock<Post>, seen: &Seen, mut shift: Shift) {
    let port = read(post).port();
    while seen.goes_on() {
        let Ok(Some((user, code))) = shift.next() else {
            thread::sleep(REST);
            continue;
        };
        match radius(port, &user, &code) {
            Heard::Accept => seen.is_good(user, code),
            other => seen.is_refused(format!("{user} by RADIUS: {other:?}")),
        }
        seen.radius.fetch_add(1, Ordering::Relaxed);
    }
}

/// Acts on somebody who signs in nowhere.
fn administers(post: &RwLock<Post>, seen: &Seen) {
    let acts = [["user", "block"], ["user", "unblock"], ["recovery-codes", ""]];
    for [first, second] in acts.into_iter().cycle().take_while(|_| seen.goes_on()) {
        let words: Vec<&str> = [first, second, "desk0"].into_iter().filter(|word| !word.is_empty()).collect();
        let mut command = read(post).command(&words);
        if let Err(failure) = checked(&mut command) {
            seen.is_refused(format!("{failure:?}"));
        }
        seen.acts.fetch_add(1, Ordering::Relaxed);
        // Each act is a record that every verification reads again.
        thread::sleep(REST);
    }
}

fn read(post: &RwLock<Post>) -> std::sync::RwLockReadGuard<'_, Post> {
    post.read().unwrap_or_else(PoisonError::into_inner)
}

/// One whole login by PAM.
fn pam(service: &str, user: &str, code: &str) -> Result<bool, Failure> {
    let mut pamtester = Pamtester::start(service, user, "192.0.2.3")?;
    pamtester.expect(transaction::PASSWORD)?.send(PASSWORD)?.expect(CODE)?;
    let is_let_in = pamtester.send(code)?.is_let_in(CODE)?;
    if !is_let_in && !pamtester.pending().is_empty() {
        eprintln!("{user}: {}", pamtester.pending());
    }
    Ok(is_let_in)
}

/// One whole login by RADIUS.
fn radius(port: u16, user: &str, code: &str) -> Heard {
    let login = Request { from: GATE, name: user.as_bytes(), password: PASSWORD, ..Request::default() };
    let ask = |request: &Request<'_>| ask_until_answered(port, request).expect("an answer");
    let (challenged, state) = ask(&login);
    if challenged != Code::AccessChallenge {
        return Heard::Refusal;
    }
    match ask(&Request { password: code, state: &state, ..login }).0 {
        Code::AccessAccept => Heard::Accept,
        Code::AccessChallenge => Heard::Question,
        _ => Heard::Refusal,
    }
}

/// Kills somebody fifty times and looks around after each. How many spent codes were accepted again.
fn kills(post: &RwLock<Post>, seen: &Seen, collector: &Collector) -> Result<usize, Failure> {
    let mut dice = Dice(3);
    let mut spent_twice = 0;
    for round in 0..ROUNDS {
        let victim = VICTIMS[round % VICTIMS.len()];
        let user = name_of("victim", round);
        let used = code()?;
        let was_let_in = kill(post, victim, &user, &used, dice.moment(WORK))?;
        let context = format!("round {round}, {victim:?}");
        let (port, service) = (read(post).port(), read(post).service_by_local());
        // Everybody gets in, by both doors.
        let after = name_of("after", round);
        assert!(pam(&service, &after, &code()?)?, "{after} by PAM, {context}");
        assert_eq!(radius(port, &after, &next_code()?), Heard::Accept, "{after} by RADIUS, {context}");
        // Nobody gets in twice; whether the one who was killed got in at all is not known.
        if victim == Victim::Pam {
            let again = [0; 2].map(|_| radius(port, &user, &used) == Heard::Accept);
            let accepted = again.into_iter().filter(|again| *again).count() + usize::from(was_let_in);
            spent_twice += accepted.saturating_sub(1);
        }
        for (user, code) in seen.newest_good() {
            spent_twice += usize::from(radius(port, &user, &code) == Heard::Accept);
        }
        is_whole(&read(post), collector, &context)?;
    }
    Ok(spent_twice)
}

/// Kills it in the middle of its work; whether a login was seen to succeed before.
fn kill(
    post: &RwLock<Post>,
    victim: Victim,
    user: &str,
    code: &str,
    moment: Duration,
) -> Result<bool, Failure> {
    match victim {
        Victim::Pam => {
            let mut pamtester = Pamtester::start(&read(post).service(), user, "192.0.2.4")?;
            pamtester.expect(transaction::PASSWORD)?.send(PASSWORD)?.expect(CODE)?.send(code)?;
            thread::sleep(moment);
            pamtester.kill_and_ask_what_it_said()
        }
        Victim::Server => {
            thread::sleep(moment);
            let mut post = post.write().unwrap_or_else(PoisonError::into_inner);
            post.kill_server();
            post.start_server().map(|()| false)
        }
        Victim::Local => {
            thread::sleep(moment);
            let mut post = post.write().unwrap_or_else(PoisonError::into_inner);
            post.kill_local();
            post.start_local().map(|()| false)
        }
        Victim::CommandLine => {
            let mut command = read(post).command(&["recovery-codes", user]);
            let started = quiet(&mut command).spawn();
            let mut child =
                started.map_err(|source| Failure::Start { command: "countersign".to_owned(), source })?;
            thread::sleep(moment);
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
            Ok(false)
        }
    }
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

/// The database is whole, to SQLite's own eyes and to ours, and the records are as they were written and as the collector got them.
fn is_whole(post: &Post, collector: &Collector, context: &str) -> Outcome {
    let store = format!("file:{}?mode=ro", post.store().display());
    let integrity = checked(Command::new("sqlite3").arg(store).arg("PRAGMA integrity_check"))?;
    assert_eq!(integrity.trim(), "ok", "{context}");
    let check = post.countersign(&["store", "check"]);
    assert!(check.is_ok(), "{context}: {check:?}");
    let (exit, verified) = post.verify(Some(&collector.file(Form::Rfc5424)))?;
    assert_eq!((exit, &verified["sound"]), (Some(0), &Value::Bool(true)), "{context}: {verified}");
    Ok(())
}
