//! A login that was loaded before an act returned does not get through after it. Each login here stops before and after
//! every call to the store and the primary, an act runs to its end in between, and only then it goes on: over the real
//! store, as processes with connections of their own and as a server that commits in groups.
#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "an overflow in a test is a failed test")]

mod people;
mod stops;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use common::Verdict;
use common::engine::Engine;
use common::ports::Listing as _;
use common::record::{Ending, Record};
use store::{Process, Sqlite};

use people::{Afterwards, Deed, Person, Way, afterwards};
use stops::{Login, StoppingPrimary, StoppingStore, Yes};
use world::{ClearText, Yard, engine, scattered};

/// More stops than any login has.
const STOPS_MAX: usize = 64;
/// Interleavings that the tests force, at least.
const INTERLEAVINGS_MIN: usize = 1000;
/// Rounds with several logins.
const ROUNDS: u64 = 150;

/// A store, its administrator, and whether logins share one connection, as in a server.
struct Scene {
    yard: Yard,
    process: Process,
    server: Arc<Sqlite>,
    /// The command line.
    office: Engine,
    /// An administrator in the server itself, whose acts and the logins are written in one group.
    inside: Engine,
    people: AtomicUsize,
}

impl Scene {
    fn new(process: Process) -> Self {
        let yard = Yard::new();
        let office = engine(Box::new(yard.open(Process::ShortLived)), Box::new(ClearText));
        let server = yard.open(Process::LongLived);
        let inside = engine(Box::new(Arc::clone(&server)), Box::new(ClearText));
        Self { yard, process, server, office, inside, people: AtomicUsize::new(0) }
    }

    /// What a login works on: a server has one store for all, and every other process one of its own.
    fn store(&self) -> Arc<Sqlite> {
        match self.process {
            Process::LongLived => Arc::clone(&self.server),
            Process::ShortLived => self.yard.open(Process::ShortLived),
        }
    }

    fn somebody(&self, way: Way) -> Person {
        let number = self.people.fetch_add(1, Ordering::Relaxed);
        Person::new(&self.office, format!("user{number}"), way)
    }

    /// Begins a login of this person, which stops at its first call.
    fn begin(&self, person: &Person, way: Way, number: usize, returned: &Arc<AtomicBool>) -> Login {
        let (store, person) = (self.store(), person.clone());
        let session = (way == Way::Retransmission).then(|| person.signed_in(&self.office));
        let stopping = move |stops: &Arc<stops::Stops>| {
            let store = StoppingStore { store, stops: Arc::clone(stops) };
            engine(Box::new(store), Box::new(StoppingPrimary(Arc::clone(stops))))
        };
        Login::begin(returned, stopping, move |engine| match &session {
            Some(session) => person.says_it_again(engine, session),
            None => person.signs_in(engine, way, number),
        })
    }
}

/// Holds a verdict against what the act was to the login.
fn judge(way: Way, deed: Deed, verdict: &Verdict, yes: Option<Yes>, at: &str) {
    let context = format!("{way:?} and {deed:?}, {at}: {verdict:?}, {yes:?}");
    assert_eq!(matches!(verdict, Verdict::Accept(_)), yes.is_some(), "said and written differ: {context}");
    match (yes, afterwards(way, deed)) {
        (Some(Yes { is_after_the_act: false, .. }), _) | (Some(_), Afterwards::AsBefore) => {}
        (Some(yes), Afterwards::AtMostBecause(reason)) => assert_eq!(yes.reason, reason, "{context}"),
        (Some(_), Afterwards::Never) => panic!("it got through: {context}"),
        (None, Afterwards::Never | Afterwards::AtMostBecause(_)) => {}
        (None, Afterwards::AsBefore) => panic!("it was lost: {context}"),
    }
}

/// One login, stopped at this call, and one act meanwhile. False: the login has no such stop.
fn is_interleaved(scene: &Scene, way: Way, deed: Deed, stop: usize) -> bool {
    let person = scene.somebody(way);
    let Some(act) = person.act(deed) else { return false };
    let returned = Arc::new(AtomicBool::new(false));
    let login = scene.begin(&person, way, 0, &returned);
    let is_there = login.goes_to_stop(stop);
    if is_there {
        person.suffers(&scene.office, &act);
        returned.store(true, Ordering::SeqCst);
    }
    let (verdict, yes) = login.end();
    if is_there {
        judge(way, deed, &verdict, yes, &format!("stop {stop}, {:?}", scene.process));
    } else {
        assert!(yes.is_some(), "{way:?} alone: {verdict:?}");
    }
    is_there
}

fn at_every_stop(process: Process) -> usize {
    let scene = Scene::new(process);
    let mut count = 0;
    for (way, deed) in Way::ALL.into_iter().flat_map(|way| Deed::ALL.map(|deed| (way, deed))) {
        count += (0..STOPS_MAX).take_while(|stop| is_interleaved(&scene, way, deed, *stop)).count();
    }
    in_the_order_of_the_chain(&scene);
    count
}

#[test]
fn a_login_stopped_at_any_call_does_not_get_through_after_an_act() {
    let processes = thread::spawn(|| at_every_stop(Process::ShortLived));
    let server = at_every_stop(Process::LongLived);
    let processes = processes.join().unwrap();
    println!("{processes} interleavings of processes, {server} in a server");
    assert!(processes.min(server) >= INTERLEAVINGS_MIN);
}

#[test]
fn of_several_logins_none_gets_through_after_an_act() {
    for process in [Process::ShortLived, Process::LongLived] {
        let scene = Scene::new(process);
        for round in 0..ROUNDS {
            several(&scene, round, Together::AfterTheAct);
        }
        in_the_order_of_the_chain(&scene);
    }
}

#[test]
fn logins_and_acts_that_are_written_at_once_stand_in_one_order() {
    for process in [Process::ShortLived, Process::LongLived] {
        let scene = Scene::new(process);
        for round in 0..ROUNDS {
            several(&scene, round, Together::WithTheAct);
        }
        in_the_order_of_the_chain(&scene);
    }
}

/// When stopped logins go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Together {
    /// All at once, when the act has returned.
    AfterTheAct,
    /// All at once, and the act too.
    WithTheAct,
}

/// Up to four logins of one person, each stopped somewhere; the seed says where.
fn several(scene: &Scene, seed: u64, together: Together) {
    let mut random = (1..).map(|draw: u64| scattered(seed << 8 | draw));
    let mut pick = |below: usize| {
        let below = u64::try_from(below).unwrap();
        usize::try_from(random.next().unwrap() % below).unwrap()
    };
    // Codes are spent by the first of them: what several can do at once is told by these.
    let ways = [Way::PasswordThenRecoveryCode, Way::PasswordThenAppPassword, Way::AppPassword];
    let way = ways[pick(ways.len())];
    let deed = Deed::ALL[pick(Deed::ALL.len())];
    let person = scene.somebody(way);
    let Some(act) = person.act(deed) else { return };
    let returned = Arc::new(AtomicBool::new(false));
    let count = 2 + pick(3);
    let administrator = if seed.is_multiple_of(2) { &scene.office } else { &scene.inside };
    let mut logins: Vec<_> = (0..count).map(|number| scene.begin(&person, way, number, &returned)).collect();
    for login in &logins {
        login.goes_to_stop(pick(16));
    }
    if together == Together::AfterTheAct {
        person.suffers(administrator, &act);
        returned.store(true, Ordering::SeqCst);
        logins.iter_mut().for_each(Login::let_go);
    } else {
        thread::scope(|scope| {
            scope.spawn(|| {
                person.suffers(administrator, &act);
                returned.store(true, Ordering::SeqCst);
            });
            logins.iter_mut().for_each(Login::let_go);
        });
    }
    for login in logins {
        let (verdict, yes) = login.end();
        // Whether one of several is lost to the others is not the question here.
        if yes.is_some() {
            judge(way, deed, &verdict, yes, &format!("round {seed}, {together:?}"));
        }
    }
}

/// The chain of records has one order: behind an act that takes something away stands no accept that needed it.
fn in_the_order_of_the_chain(scene: &Scene) {
    let stored = scene.server.records("main", 1, u32::MAX).unwrap();
    let records: Vec<Record> =
        stored.iter().map(|stored| serde_json::from_slice(&stored.body).unwrap()).collect();
    let taken = ["user block", "user remove", "user rename"];
    let mut out = std::collections::BTreeSet::new();
    for record in &records {
        let act = record.act.as_ref().map(|act| act.act.as_str());
        if act.is_some_and(|act| taken.contains(&act)) {
            out.insert(record.typed.clone());
        }
        assert!(record.ending != Ending::Accept || !out.contains(&record.typed), "{record:?}");
    }
    assert!(!out.is_empty() && records.len() > out.len());
}
