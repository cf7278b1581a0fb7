//! One code, and twenty processes that come with it at the same moment, half of them by each door: one gets in.
#![cfg(test)]

#[expect(dead_code, reason = "this suite uses its part of it")]
mod collector;
mod contenders;
#[expect(dead_code, reason = "this suite uses its part of it")]
mod post;
#[expect(dead_code, reason = "this suite uses its part of it")]
mod transaction;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use collector::Form;
use contenders::{
    Gateway, Pamtester, Question, StartingLine, add_crowd, be_a_gateway, name_of, recovery_codes,
};
use post::{CODE, PASSWORD, Post, code, next_code};
use serde_json::Value;
use test_ground::{Failure, Outcome, in_short, measured};

/// Processes of each door.
const OF_EACH: usize = 10;
/// Rounds with a one-time code.
const ROUNDS: usize = 50;
/// Rounds with a recovery code, and with one State.
const MORE_ROUNDS: usize = 10;
/// A collector that nobody has started: what is written is what counts here.
const NO_COLLECTOR: &str = "unix:/run/no-collector";

/// Races take turns: beside another one, twenty processes would not be at once.
static COURSE: Mutex<()> = Mutex::new(());

#[test]
#[ignore = "a process of the tests below"]
fn gateway() {
    be_a_gateway();
}

/// Where all of them are when the line opens.
#[derive(Clone, Copy, Debug)]
enum Start {
    /// Everybody has been asked for the code.
    AtThePrompt,
    /// Nobody has begun.
    BeforeTheLogin,
}

/// One place for all rounds: a store, a PAM service, a server, and gateways that stay.
struct Course {
    post: Post,
    gateways: Vec<Gateway>,
    _turn: MutexGuard<'static, ()>,
}

/// What came of a round.
struct Finish {
    accepted: usize,
    /// From the last answer that went out to the first verdict that came back; nothing if a verdict came before.
    all_out_before_a_verdict: Option<Duration>,
}

/// What came of one contender.
struct Heard {
    sent: Instant,
    heard: Instant,
    is_let_in: bool,
}

impl Course {
    fn lay(accounts: usize) -> Result<Self, Failure> {
        let turn = COURSE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut post = Post::open(NO_COLLECTOR, Form::Rfc5424)?;
        post.start_local()?;
        add_crowd(&post, "runner", accounts)?;
        let gateways = (0..OF_EACH).map(|_| Gateway::start("gateway", post.port()));
        let gateways = gateways.collect::<Result<_, _>>()?;
        Ok(Self { post, gateways, _turn: turn })
    }

    /// One account, one proof, twenty processes.
    fn run(&mut self, user: &str, proof: &str, start: Start) -> Result<Finish, Failure> {
        let line = StartingLine::of(2 * OF_EACH);
        let (services, line) = ([self.post.service(), self.post.service_by_local()], &line);
        let heard = thread::scope(|scope| {
            let by_radius = self.gateways.iter_mut().enumerate().map(|(number, gateway)| {
                scope.spawn(move || by_radius(gateway, user, &source(20, number), proof, start, line))
            });
            let by_radius: Vec<_> = by_radius.collect();
            let by_pam: Vec<_> = (0..OF_EACH)
                .map(|number| {
                    let service = &services[usize::from(number.is_multiple_of(2))];
                    scope.spawn(move || by_pam(service, user, &source(30, number), proof, start, line))
                })
                .collect();
            let all = by_radius.into_iter().chain(by_pam);
            all.map(|contender| contender.join().expect("no panic")).collect::<Result<Vec<_>, _>>()
        })?;
        let last_sent = heard.iter().map(|heard| heard.sent).max().expect("twenty");
        let first_heard = heard.iter().map(|heard| heard.heard).min().expect("twenty");
        Ok(Finish {
            accepted: heard.iter().filter(|heard| heard.is_let_in).count(),
            all_out_before_a_verdict: first_heard.checked_duration_since(last_sent),
        })
    }

    /// How many logins of a user the records say were accepted.
    fn accepts_of(&self, user: &str) -> Result<usize, Failure> {
        let listed =
            self.post.countersign(&["--json", "audit", "list", "--limit", "1000000", "--user", user])?;
        let listed: Vec<Value> = serde_json::from_str(&listed)
            .map_err(|_| Failure::Unreadable { what: "records", found: listed })?;
        Ok(listed.iter().filter(|listed| listed["record"]["ending"] == "accept").count())
    }
}

/// Somebody of their own at each process: wrong answers of one are not held against the others.
fn source(network: u8, number: usize) -> String {
    format!("192.0.2.{}", usize::from(network).saturating_add(number))
}

/// A gateway whose user answers the challenge.
fn by_radius(
    gateway: &mut Gateway,
    user: &str,
    station: &str,
    proof: &str,
    start: Start,
    line: &StartingLine,
) -> Result<Heard, Failure> {
    let (name, station) = (user.to_owned(), station.to_owned());
    let login = Question { name, station, password: PASSWORD.to_owned(), state: Vec::new() };
    let challenged = |gateway: &mut Gateway| {
        let (code, state) = gateway.ask(&login)?;
        assert_eq!(code, "Access-Challenge", "{user}");
        Ok::<_, Failure>(state)
    };
    let (sent, state) = match start {
        Start::AtThePrompt => {
            let state = challenged(gateway)?;
            line.wait()?;
            (Instant::now(), state)
        }
        Start::BeforeTheLogin => {
            line.wait()?;
            (Instant::now(), challenged(gateway)?)
        }
    };
    let answer = Question { password: proof.to_owned(), state, ..login };
    let (code, _) = gateway.ask(&answer)?;
    Ok(Heard { sent, heard: Instant::now(), is_let_in: code == "Access-Accept" })
}

/// pamtester with somebody at it who types password and proof.
fn by_pam(
    service: &str,
    user: &str,
    source: &str,
    proof: &str,
    start: Start,
    line: &StartingLine,
) -> Result<Heard, Failure> {
    let mut pamtester = Pamtester::start(service, user, source)?;
    pamtester.expect(transaction::PASSWORD)?;
    let sent = match start {
        Start::AtThePrompt => {
            pamtester.send(PASSWORD)?.expect(CODE)?;
            line.wait()?;
            Instant::now()
        }
        Start::BeforeTheLogin => {
            line.wait()?;
            let sent = Instant::now();
            pamtester.send(PASSWORD)?.expect(CODE)?;
            sent
        }
    };
    let is_let_in = pamtester.send(proof)?.is_let_in(CODE)?;
    Ok(Heard { sent, heard: Instant::now(), is_let_in })
}

#[test]
fn of_twenty_processes_with_one_code_exactly_one_gets_in() -> Outcome {
    let mut course = Course::lay(ROUNDS)?;
    let begun = Instant::now();
    let (mut exactly_one, mut at_once, mut others) = (0, 0, Vec::new());
    for round in 0..ROUNDS {
        let start = if round % 2 == 0 { Start::AtThePrompt } else { Start::BeforeTheLogin };
        let user = name_of("runner", round);
        let proof = code()?;
        let finish = course.run(&user, &proof, start)?;
        at_once += usize::from(finish.all_out_before_a_verdict.is_some());
        let recorded = course.accepts_of(&user)?;
        match (finish.accepted, recorded) {
            (1, 1) => exactly_one += 1,
            (heard, recorded) => {
                others.push(format!("{user} ({start:?}): {heard} heard, {recorded} recorded"));
            }
        }
    }
    measured(&format!(
        "one code at {} processes, half by PAM (every other one by countersign-local) and half by RADIUS: exactly one accepted in {exactly_one} of {ROUNDS} \
         rounds ({} s); in {at_once} rounds all of them were under way before the first verdict",
        2 * OF_EACH,
        begun.elapsed().as_secs()
    ));
    in_short(&format!("{exactly_one} of {ROUNDS}"));
    assert_eq!(exactly_one, ROUNDS, "{others:#?}");
    Ok(())
}

#[test]
fn of_twenty_processes_with_one_recovery_code_exactly_one_gets_in() -> Outcome {
    let mut course = Course::lay(MORE_ROUNDS)?;
    let mut exactly_one = 0;
    for round in 0..MORE_ROUNDS {
        let start = if round % 2 == 0 { Start::AtThePrompt } else { Start::BeforeTheLogin };
        let user = name_of("runner", round);
        let codes = recovery_codes(&course.post, &user)?;
        let finish = course.run(&user, &codes[0], start)?;
        assert_eq!((finish.accepted, course.accepts_of(&user)?), (1, 1), "{user} ({start:?})");
        exactly_one += 1;
    }
    measured(&format!(
        "one recovery code at {} processes: exactly one accepted in {exactly_one} of {MORE_ROUNDS} rounds",
        2 * OF_EACH
    ));
    Ok(())
}

/// Each gateway has the State of one challenge, and a proof of its own that is right.
#[test]
fn of_many_right_answers_to_one_state_one_gets_in_and_one_is_spent() -> Outcome {
    let mut course = Course::lay(MORE_ROUNDS)?;
    for round in 0..MORE_ROUNDS {
        let user = name_of("runner", round);
        let mut proofs = recovery_codes(&course.post, &user)?;
        proofs.truncate(OF_EACH.saturating_sub(2));
        proofs.extend([code()?, next_code()?]);
        let state = challenge(&mut course, &user)?;
        let accepted = answer_at_once(&mut course, &user, &state, &proofs)?;
        assert_eq!((accepted, course.accepts_of(&user)?), (1, 1), "{user}");
    }
    measured(&format!(
        "one RADIUS State answered at once by {OF_EACH} gateways, each with another right proof: one accepted in each \
         of {MORE_ROUNDS} rounds"
    ));
    Ok(())
}

/// The same answer to the same State may be the same packet once more, from a client whose first one was lost: all hear
/// yes. But there is one login only.
#[test]
fn of_many_same_answers_to_one_state_all_are_the_same_login() -> Outcome {
    let mut course = Course::lay(MORE_ROUNDS)?;
    for round in 0..MORE_ROUNDS {
        let user = name_of("runner", round);
        let proofs = vec![code()?; OF_EACH];
        let state = challenge(&mut course, &user)?;
        let accepted = answer_at_once(&mut course, &user, &state, &proofs)?;
        assert_eq!(accepted, OF_EACH, "{user}");
        let listed = course.post.records()?;
        let records = listed.iter().map(|listed| &listed["record"]).filter(|record| record["typed"] == *user);
        let reasons: Vec<_> =
            records.filter(|record| record["ending"] == "accept").map(|record| &record["reason"]).collect();
        let of = |reason: &str| reasons.iter().filter(|found| ***found == *reason).count();
        assert_eq!((of("both-proofs"), of("retransmission")), (1, OF_EACH - 1), "{reasons:?}");
        let other = challenge(&mut course, &user)?;
        assert_eq!(answer_at_once(&mut course, &user, &other, &proofs[..1])?, 0, "{user}");
    }
    measured(&format!(
        "one RADIUS State with one answer from {OF_EACH} gateways at once: one login and its repetitions in each of \
         {MORE_ROUNDS} rounds"
    ));
    Ok(())
}

fn challenge(course: &mut Course, user: &str) -> Result<Vec<u8>, Failure> {
    let (name, station) = (user.to_owned(), source(20, 0));
    let login = Question { name, station, password: PASSWORD.to_owned(), state: Vec::new() };
    let (code, state) = course.gateways[0].ask(&login)?;
    assert_eq!(code, "Access-Challenge", "{user}");
    Ok(state)
}

/// How many of these proofs let in.
fn answer_at_once(
    course: &mut Course,
    user: &str,
    state: &[u8],
    proofs: &[String],
) -> Result<usize, Failure> {
    let line = &StartingLine::of(proofs.len());
    let codes = thread::scope(|scope| {
        let contenders: Vec<_> = course
            .gateways
            .iter_mut()
            .zip(proofs)
            .enumerate()
            .map(|(number, (gateway, proof))| {
                let (name, password, state) = (user.to_owned(), proof.clone(), state.to_vec());
                let question = Question { name, password, state, station: source(20, number) };
                scope.spawn(move || {
                    line.wait()?;
                    gateway.ask(&question)
                })
            })
            .collect();
        contenders
            .into_iter()
            .map(|contender| contender.join().expect("no panic"))
            .collect::<Result<Vec<_>, _>>()
    })?;
    Ok(codes.iter().filter(|(code, _)| code == "Access-Accept").count())
}
