//! The process that asks PAM, with a checker in the place of PAM: right, wrong, crashing, hanging, busy.

use std::process::Command;
use std::time::{Duration, Instant};

use common::ports::{PasswordCheck, Primary as _};
use common::{Secret, Username};
use nix::sys::signal::{SigSet, Signal, kill};

use super::{HelperLimits, PamHelper};

const LIMITS: HelperLimits = HelperLimits { conversations_max: 4, answer_seconds: 2 };

/// What a stack does, by the password that it is given.
fn stack(name: &Username, password: &Secret) -> PasswordCheck {
    match password.expose() {
        b"crash" => std::process::abort(),
        b"panic" => panic!("a panic in a conversation"),
        b"hang" => loop {
            std::thread::sleep(Duration::from_secs(60));
        },
        b"slow" => {
            std::thread::sleep(Duration::from_millis(300));
            PasswordCheck::Right
        }
        b"broken" => PasswordCheck::Unavailable,
        b"is interruptible" if SigSet::thread_get_mask().unwrap() == SigSet::empty() => PasswordCheck::Right,
        password if password == name.as_str().as_bytes() => PasswordCheck::Right,
        _ => PasswordCheck::Wrong,
    }
}

fn helper() -> PamHelper {
    PamHelper::fork_with(stack, LIMITS).unwrap()
}

fn check(helper: &PamHelper, password: &str) -> PasswordCheck {
    helper.check(&Username::parse("alice").unwrap(), None, &Secret::from(password))
}

#[test]
fn every_answer_comes_through() {
    let helper = helper();
    assert_eq!(check(&helper, "alice"), PasswordCheck::Right);
    assert_eq!(check(&helper, "bob"), PasswordCheck::Wrong);
    assert_eq!(check(&helper, "broken"), PasswordCheck::Unavailable);
    assert_eq!(check(&helper, ""), PasswordCheck::Wrong);
}

#[test]
fn the_longest_request_comes_through_and_a_longer_one_does_not() {
    let helper = helper();
    let name = Username::parse(&"n".repeat(256)).unwrap();
    let ask = |length| helper.check(&name, None, &Secret::new(vec![b'p'; length]));
    assert_eq!(ask(512), PasswordCheck::Wrong);
    assert_eq!(ask(513), PasswordCheck::Unavailable);
    assert_eq!(check(&helper, "alice"), PasswordCheck::Right);
}

#[test]
fn a_conversation_that_crashes_is_no_answer_and_hurts_nobody() {
    let helper = helper();
    for password in ["crash", "panic"] {
        assert_eq!(check(&helper, password), PasswordCheck::Unavailable, "{password}");
        assert_eq!(check(&helper, "alice"), PasswordCheck::Right);
    }
}

#[test]
fn a_conversation_that_hangs_is_ended_and_blocks_nobody() {
    let helper = helper();
    std::thread::scope(|scope| {
        let hanging = scope.spawn(|| {
            let start = Instant::now();
            (check(&helper, "hang"), start.elapsed())
        });
        let start = Instant::now();
        assert_eq!(check(&helper, "alice"), PasswordCheck::Right);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        let (answer, took) = hanging.join().unwrap();
        assert_eq!(answer, PasswordCheck::Unavailable);
        assert!(took < Duration::from_secs(4), "{took:?}");
    });
}

#[test]
fn hanging_conversations_give_their_places_back() {
    let helper = helper();
    std::thread::scope(|scope| {
        for _ in 0..LIMITS.conversations_max {
            scope.spawn(|| assert_eq!(check(&helper, "hang"), PasswordCheck::Unavailable));
        }
    });
    let start = Instant::now();
    while check(&helper, "alice") != PasswordCheck::Right {
        assert!(start.elapsed() < Duration::from_secs(20), "no place came free");
    }
}

#[test]
fn many_threads_get_their_own_answers() {
    let helper = helper();
    std::thread::scope(|scope| {
        for number in 0..12 {
            let (helper, password) = (&helper, if number % 2 == 0 { "alice" } else { "bob" });
            let expected = if number % 2 == 0 { PasswordCheck::Right } else { PasswordCheck::Wrong };
            scope.spawn(move || (0..20).for_each(|_| assert_eq!(check(helper, password), expected)));
        }
    });
}

#[test]
fn more_requests_than_places_wait_for_their_turn() {
    let helper = helper();
    std::thread::scope(|scope| {
        for _ in 0..LIMITS.conversations_max * 2 {
            scope.spawn(|| assert_eq!(check(&helper, "slow"), PasswordCheck::Right));
        }
    });
}

/// Open descriptors that a process may have.
fn limit_descriptors(helper: &PamHelper, count: &str) {
    let (process, limit) = (helper.process.to_string(), format!("--nofile={count}:"));
    assert!(Command::new("prlimit").args(["--pid", &process, &limit]).status().unwrap().success());
}

#[test]
fn a_shortage_of_descriptors_passes() {
    let helper = helper();
    limit_descriptors(&helper, "3");
    for _ in 0..5 {
        assert_eq!(check(&helper, "alice"), PasswordCheck::Unavailable);
    }
    limit_descriptors(&helper, "64");
    assert_eq!(check(&helper, "alice"), PasswordCheck::Right);
}

/// A stop of the service is for its server, which lets the process go when the last login is decided.
#[test]
fn signals_to_stop_do_not_end_the_process_but_conversations() {
    let helper = helper();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        kill(helper.process, signal).unwrap();
        assert_eq!(check(&helper, "alice"), PasswordCheck::Right, "{signal}");
    }
    assert_eq!(check(&helper, "is interruptible"), PasswordCheck::Right);
}

#[test]
fn without_the_process_there_is_no_answer() {
    let helper = helper();
    kill(helper.process, Signal::SIGSTOP).unwrap();
    assert!(!helper.has_ended());
    kill(helper.process, Signal::SIGKILL).unwrap();
    let start = Instant::now();
    assert_eq!(check(&helper, "alice"), PasswordCheck::Unavailable);
    while !helper.has_ended() {
        assert!(start.elapsed() < Duration::from_secs(4));
    }
}

#[test]
fn the_process_ends_with_its_owner() {
    let helper = helper();
    let process = helper.process;
    assert_eq!(check(&helper, "alice"), PasswordCheck::Right);
    drop(helper);
    assert_eq!(kill(process, None), Err(nix::errno::Errno::ESRCH));
}

#[test]
fn a_process_with_threads_forks_no_helper() {
    let service = crate::pam::ServiceName::find("other").or_else(|_| crate::pam::ServiceName::find("login"));
    let Ok(service) = service else { return };
    assert!(matches!(
        PamHelper::fork(service, LIMITS),
        Err(crate::PrimaryError::ThreadsRunning { threads: 2.. })
    ));
}
