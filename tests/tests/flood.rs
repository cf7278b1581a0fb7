//! A flood of guesses from a thousand places: the user whom it is about signs in throughout, the store hardly grows, and
//! the records tell of it in a few lines.
#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "an overflow in a test is a failed test")]

#[expect(dead_code, reason = "this suite uses its part of it")]
mod collector;
mod contenders;
#[expect(dead_code, reason = "this suite uses its part of it")]
mod post;
mod storm;
#[expect(dead_code, reason = "this suite uses its part of it")]
mod transaction;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use collector::{Collector, Form};
use contenders::{Shift, add_crowd, name_of, recovery_codes};
use post::wire::ask_for_a_while;
use post::{DOORBELL, GATE, PASSWORD, Post, Request, TOTP_SECRET};
use radius_protocol::Code;
use serde_json::Value;
use storm::{Echoes, Gust, States, blow};
use test_ground::{Failure, Machine, Outcome, checked, measured, totp_code};

/// Wrong codes behind a right password.
const GUESSES: usize = 100_000;
/// From so many places.
const SOURCES: usize = 1_000;
/// Wrong first passwords: as many of each place as are looked at.
const WRONG_PASSWORDS: usize = 5_000;
/// Names that nobody has.
const UNKNOWN_NAMES: usize = 10_000;
/// Of them with a first password, which costs a hash that is worth its name each: before the flood, so that what the server
/// keeps for such hashes is there already.
const WARMING_UP: usize = 64;
/// From here the user has signed in lately.
const HOME: &str = "198.51.100.7";
/// How often the user signs in.
const EVERY: Duration = Duration::from_secs(4);
/// How long a gateway waits for an answer to the user.
const PATIENCE: Duration = Duration::from_secs(5);
/// What the store may grow by.
const GROWTH_OCTETS_MAX: u64 = 1 << 20;
/// What the server's memory may grow by: answers that are kept for requests that come again, and buffers.
const MEMORY_KIB_MAX: u64 = 32 << 10;
/// Records of a flood, of all kinds together and for each minute of it.
const RECORDS_OF_A_MINUTE_MAX: usize = 250;
/// Lines of the story that are shown.
const LINES_SHOWN: usize = 6;

/// Where it happens.
struct Place {
    collector: Collector,
    post: Post,
    /// Whom it is about.
    user: String,
}

/// What is there at a moment.
struct Footprint {
    store_octets: u64,
    memory_kib: u64,
    records: usize,
}

/// The user, who signs in all the while.
#[derive(Default)]
struct AllTheWhile {
    times: Vec<Duration>,
    refused: Vec<String>,
}

impl Place {
    fn open() -> Result<Self, Failure> {
        let collector = Collector::on_network(&Machine::here()?)?;
        let post = Post::open(&format!("tcp:127.0.0.1:{}", collector.port()), Form::Rfc5424)?;
        add_crowd(&post, "target", 1)?;
        Ok(Self { collector, post, user: name_of("target", 0) })
    }

    fn footprint(&self) -> Result<Footprint, Failure> {
        let store = self.post.store();
        checked(Command::new("sqlite3").arg(&store).arg("PRAGMA wal_checkpoint(TRUNCATE)"))?;
        let octets = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
        Ok(Footprint {
            store_octets: octets(&store) + octets(&store.with_extension("db-wal")),
            memory_kib: memory_kib(self.post.server_pid())?,
            records: self.post.records()?.len(),
        })
    }

    /// One login of the user at home: the password, then this.
    fn signs_in(&self, proof: &str) -> Option<Code> {
        let login = Request {
            name: self.user.as_bytes(),
            password: PASSWORD,
            station: HOME.as_bytes(),
            ..Request::default()
        };
        let ask = |request: &Request<'_>| ask_for_a_while(self.post.port(), request, PATIENCE).ok();
        let (_, state) = ask(&login)?;
        ask(&Request { password: proof, state: &state, ..login }).map(|(code, _)| code)
    }

    /// A State of each place, where somebody has typed the right password.
    fn states(&self) -> Vec<Vec<u8>> {
        let login = |number: usize| Gust {
            name: self.user.clone(),
            password: PASSWORD.to_owned(),
            state: Vec::new(),
            station: source(number),
        };
        let mut echoes = blow(self.post.port(), GATE, SOURCES, States::Kept, login);
        assert_eq!(echoes.states.len(), SOURCES, "{echoes:?}");
        echoes.states.sort_unstable();
        echoes.states.into_iter().map(|(_, state)| state).collect()
    }

    fn guesses(&self, states: &[Vec<u8>], wrong: &[String]) -> Echoes {
        let guess = |number: usize| Gust {
            name: self.user.clone(),
            password: wrong[number % wrong.len()].clone(),
            state: states[number % SOURCES].clone(),
            station: source(number),
        };
        blow(self.post.port(), GATE, GUESSES, States::Dropped, guess)
    }

    fn wrong_passwords(&self) -> Echoes {
        let guess = |number: usize| Gust {
            name: self.user.clone(),
            password: format!("wrong {number}"),
            state: Vec::new(),
            station: source(number),
        };
        blow(self.post.port(), GATE, WRONG_PASSWORDS, States::Dropped, guess)
    }

    fn unknown_names(&self, from: &str, count: usize) -> Echoes {
        let guess = |number: usize| Gust {
            name: format!("nobody{number}"),
            password: "000000".to_owned(),
            state: Vec::new(),
            station: source(number),
        };
        blow(self.post.port(), from, count, States::Dropped, guess)
    }

    /// The records, and the counts that go with them: none became a record in between.
    fn records_and_counts(&self) -> Result<(Vec<Value>, u64), Failure> {
        loop {
            let (before, listed) = (self.counted_so_far()?, self.post.records()?);
            if self.counted_so_far()? == before {
                return Ok((listed, before));
            }
        }
    }

    /// Refusals and questions that are counted already, and will be in a record when their minute is over.
    fn counted_so_far(&self) -> Result<u64, Failure> {
        let query = "SELECT coalesce(sum(withheld), 0) FROM tallies";
        let found = checked(Command::new("sqlite3").arg(self.post.store()).arg(query))?;
        found.trim().parse().map_err(|_| Failure::Unreadable { what: "a number", found })
    }
}

/// One of the places, none of them home.
fn source(number: usize) -> String {
    let number = number % SOURCES;
    format!("203.0.{}.{}", number / 250, number % 250)
}

fn memory_kib(pid: u32) -> Result<u64, Failure> {
    let file = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&file).map_err(Failure::file("read", Path::new(&file)))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let number = line.split_whitespace().next().and_then(|number| number.parse().ok());
    number.ok_or(Failure::Unreadable { what: "VmRSS", found: text })
}

/// Codes that are good at no moment of the next minutes.
fn wrong_codes() -> Result<Vec<String>, Failure> {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    let good: Vec<String> =
        (0..20).map(|step| totp_code(TOTP_SECRET, now - 60 + 30 * step)).collect::<Result<_, _>>()?;
    let all = (0..5000).map(|number| format!("{:06}", number * 199));
    Ok(all.filter(|code| !good.contains(code)).collect())
}

/// Signs in every few seconds, with a code where there is a new one and with a recovery code otherwise.
fn signs_in_all_the_while(place: &Place, recovery: Vec<String>, is_over: &AtomicBool) -> AllTheWhile {
    let mut shift = Shift::new("target", 0..1);
    let mut recovery = recovery.into_iter();
    let mut seen = AllTheWhile::default();
    while !is_over.load(Ordering::Relaxed) {
        let code = shift.next().ok().flatten().map(|(_, code)| code);
        let Some(proof) = code.or_else(|| recovery.next()) else {
            thread::sleep(EVERY);
            continue;
        };
        let begun = Instant::now();
        match place.signs_in(&proof) {
            Some(Code::AccessAccept) => seen.times.push(begun.elapsed()),
            other => seen.refused.push(format!("{other:?} after {:?}", begun.elapsed())),
        }
        thread::sleep(EVERY);
    }
    seen
}

#[test]
fn a_flood_of_guesses_stops_no_user_fills_no_store_and_is_told_in_a_few_lines() -> Outcome {
    let place = Place::open()?;
    let recovery = recovery_codes(&place.post, &place.user)?;
    let mut recovery = recovery.into_iter();
    assert_eq!(place.signs_in(&recovery.next().expect("ten codes")), Some(Code::AccessAccept));
    let wrong = wrong_codes()?;
    place.unknown_names(GATE, WARMING_UP);
    let before = place.footprint()?;
    let (begun, is_over) = (Instant::now(), AtomicBool::new(false));
    let (heard, seen) = thread::scope(|scope| {
        let seen = scope.spawn(|| signs_in_all_the_while(&place, recovery.collect(), &is_over));
        let states = place.states();
        let heard = [
            ("wrong codes behind a right password", GUESSES, place.guesses(&states, &wrong)),
            ("wrong first passwords", WRONG_PASSWORDS, place.wrong_passwords()),
            ("names that nobody has", UNKNOWN_NAMES, place.unknown_names(DOORBELL, UNKNOWN_NAMES)),
        ];
        is_over.store(true, Ordering::Relaxed);
        (heard, seen.join().expect("no panic"))
    });
    let took = begun.elapsed();
    let after = place.footprint()?;
    for (what, count, echoes) in &heard {
        measured(&format!(
            "{count} {what} from {SOURCES} sources in {} s: {} refused or asked again, {} let in, {} lost",
            echoes.took.as_secs(),
            echoes.rejects + echoes.challenges,
            echoes.accepts,
            echoes.lost
        ));
        assert_eq!(echoes.accepts, 0, "{what}");
    }
    the_user_was_in(&seen, took);
    it_stayed_small(&before, &after);
    the_records_tell_of_it(&place, &before, seen.times.len(), took)
}

fn the_user_was_in(seen: &AllTheWhile, took: Duration) {
    let longest = seen.times.iter().max().copied().unwrap_or_default();
    measured(&format!(
        "meanwhile ({} s) the user signed in {} times from home, at most in {longest:?}, and was refused {} times",
        took.as_secs(),
        seen.times.len(),
        seen.refused.len()
    ));
    assert!(seen.refused.is_empty(), "{:?}", seen.refused);
    assert!(seen.times.len() >= 3, "{:?}", seen.times);
}

fn it_stayed_small(before: &Footprint, after: &Footprint) {
    let store = after.store_octets.saturating_sub(before.store_octets);
    let memory = after.memory_kib.saturating_sub(before.memory_kib);
    measured(&format!(
        "the store grew by {} KiB (to {} KiB), the server's memory by {memory} KiB (to {} KiB)",
        store / 1024,
        after.store_octets / 1024,
        after.memory_kib
    ));
    assert!(store < GROWTH_OCTETS_MAX, "{store}");
    assert!(memory < MEMORY_KIB_MAX, "{memory}");
}

/// Few records, each refusal and question in one of them or in a count, and the same lines with the collector.
fn the_records_tell_of_it(place: &Place, before: &Footprint, logins: usize, took: Duration) -> Outcome {
    // On a fast machine all of it comes within one minute, whose count the server tells at its end.
    let begun = std::time::Instant::now();
    let (listed, later) = loop {
        let (listed, later) = place.records_and_counts()?;
        let is_told = listed.iter().any(|listed| standing_for(&listed["record"]).is_some());
        if is_told || begun.elapsed() > Duration::from_secs(150) {
            break (listed, later);
        }
        std::thread::sleep(Duration::from_secs(1));
    };
    let lines = place.collector.records(Form::Rfc5424, listed.len())?.len();
    let records: Vec<&Value> = listed.iter().skip(before.records).map(|listed| &listed["record"]).collect();
    let mut reasons = BTreeMap::new();
    for record in &records {
        *reasons.entry(record["reason"].as_str().unwrap_or_default()).or_insert(0_usize) += 1;
    }
    let counted: u64 = records.iter().filter_map(|record| standing_for(record)).sum();
    measured(&format!(
        "the records tell of it in {} lines ({} with the collector): {reasons:?}; {counted} refusals and questions are \
         counted in them, {later} will be in the next",
        records.len(),
        lines - before.records,
    ));
    let is_telling = |record: &&&Value| standing_for(record).is_some() || record["severity"] == "alert";
    for record in records.iter().filter(is_telling).take(LINES_SHOWN) {
        measured(&format!("  {record}"));
    }
    let is_one = |record: &&&Value| {
        let ending = record["ending"].as_str().unwrap_or_default();
        ["reject", "challenge"].contains(&ending) && standing_for(record).is_none()
    };
    let singly = records.iter().filter(is_one).count();
    let all = GUESSES + SOURCES + WRONG_PASSWORDS + UNKNOWN_NAMES + logins;
    let told = singly + usize::try_from(counted + later).unwrap_or(usize::MAX);
    // Those of the time before the flood may be in a count.
    assert!((all..=all + WARMING_UP).contains(&told), "{told} of {all}");
    assert!(reasons.contains_key("guessed-at") && reasons.contains_key("counted-together"), "{reasons:?}");
    let minutes = usize::try_from(took.as_secs() / 60 + 1).unwrap_or(usize::MAX);
    assert!(records.len() < RECORDS_OF_A_MINUTE_MAX * minutes, "{}", records.len());
    let (exit, verified) = place.post.verify(Some(&place.collector.file(Form::Rfc5424)))?;
    assert_eq!((exit, &verified["sound"]), (Some(0), &Value::Bool(true)), "{verified}");
    Ok(())
}

/// For how many refusals and questions a record stands, where not for one.
fn standing_for(record: &Value) -> Option<u64> {
    record["together"]["count"].as_u64()
}
