//! Whose turn it is to write, between real processes. Waits are counted in turns of others: a lane that everybody
//! counts in numbers them.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command};

use common::ports::Store as _;

use super::processes::{STORE, child};
use super::support::{Yard, integrity, open};
use crate::conformance::samples::{counting, load};
use crate::{Process, Sqlite, Trouble};

const LOGINS: usize = 40;
/// The lane that numbers the turns.
const EVERYBODY: &str = "everybody";

/// Takes a turn, and says how many others took one meanwhile.
fn wait_for_a_turn(store: &Sqlite) -> u32 {
    let before = load(store, EVERYBODY).lane.failures;
    store.count(&counting(EVERYBODY, 100)).unwrap().lane.failures - before - 1
}

fn store_from_the_environment() -> PathBuf {
    // The test harness has begun a line of its own.
    println!();
    PathBuf::from(env::var_os(STORE).unwrap())
}

#[test]
#[ignore = "a child of the tests below"]
fn writes_without_a_pause() {
    let server = open(&store_from_the_environment(), Process::LongLived);
    loop {
        wait_for_a_turn(&server);
        println!("busy");
    }
}

#[test]
#[ignore = "a child of the tests below"]
fn signs_in_now_and_then() {
    let path = store_from_the_environment();
    for _ in 0..LOGINS {
        println!("waited {}", wait_for_a_turn(&open(&path, Process::ShortLived)));
    }
}

/// A server in a tight loop.
struct Busy(Child);

impl Busy {
    fn start(yard: &Yard) -> Self {
        let mut server = child("tests::turns::writes_without_a_pause", &yard.path);
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        assert!(lines.by_ref().any(|line| line.unwrap() == "busy"), "it ended");
        // Read on, or it would stand still at a full pipe.
        std::thread::spawn(move || lines.count());
        Self(server)
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_in_a_loop_starves_no_login() {
    let yard = Yard::new(Process::ShortLived);
    let server = Busy::start(&yard);
    let mut logins: Vec<_> =
        (0..4).map(|_| child("tests::turns::signs_in_now_and_then", &yard.path)).collect();
    let mut waits: Vec<u32> = Vec::new();
    for login in &mut logins {
        let lines = BufReader::new(login.stdout.take().unwrap()).lines().map_while(Result::ok);
        waits.extend(lines.filter_map(|line| line.strip_prefix("waited ")?.parse::<u32>().ok()));
        assert!(login.wait().unwrap().success());
    }
    drop(server);
    waits.sort_unstable();
    println!("turns of others: {waits:?}");
    assert_eq!(waits.len(), 4 * LOGINS);
    // Five take turns. Whoever is not yet in the entrance, because the machine is busy, has no place in the order.
    assert!(waits[waits.len() / 2] <= 8, "{waits:?}");
    assert!(waits[waits.len() * 9 / 10] <= 30, "{waits:?}");
}

#[test]
fn a_holder_that_is_killed_leaves_nothing() {
    let yard = Yard::new(Process::ShortLived);
    for _ in 0..10 {
        let server = Busy::start(&yard);
        let counted = load(&yard.sqlite(), EVERYBODY).lane.failures;
        drop(server);
        assert!(
            load(&yard.sqlite(), EVERYBODY).lane.failures >= counted,
            "what was written without a sync is gone"
        );
        assert_eq!(wait_for_a_turn(&yard.sqlite()), 0);
    }
    assert_eq!(integrity(&yard.path), "ok");
}

#[test]
fn a_holder_that_is_stopped_makes_others_slow_and_no_more() {
    let yard = Yard::new(Process::ShortLived);
    let server = Busy::start(&yard);
    let stopped = (0..50).find_map(|_| {
        server.signal("-STOP");
        let refused = yard.sqlite().count(&counting(EVERYBODY, 100)).err();
        // It may have been stopped between two turns.
        if refused.is_none() {
            server.signal("-CONT");
        }
        refused
    });
    assert_eq!(stopped.map(|error| Trouble::of(&error)), Some(Trouble::Slow));
    assert!(
        yard.sqlite()
            .load(&crate::conformance::samples::name("alice"), &counting("alice", 1).lane, None)
            .is_ok()
    );
    server.signal("-CONT");
    wait_for_a_turn(&yard.sqlite());
    drop(server);
    assert_eq!((wait_for_a_turn(&yard.sqlite()), integrity(&yard.path).as_str()), (0, "ok"));
}
