//! The cap over all sources, and those who are not under it.

use super::*;
use crate::limits::{CAP_IN_HOUR, CAP_IN_ROW, KNOWN_SECONDS};

fn from(source: u32) -> Attempt {
    Attempt { source: Some(format!("198.51.{}.{}", source / 250, source % 250 + 1)), ..at_vpn("alice") }
}

/// One guess at a code, after the right password.
fn guess(world: &World, attempt: &Attempt) -> Reason {
    let session = world.begin(attempt, "pw");
    let _ = world.engine.answer(attempt, &session, &text_answer("000000"));
    world
        .memory
        .0
        .lock()
        .unwrap()
        .records
        .iter()
        .rfind(|record| record.ending != Ending::Finding)
        .unwrap()
        .reason
}

fn guesses_looked_at(world: &World, sources: std::ops::Range<u32>) -> usize {
    sources.filter(|source| guess(world, &from(*source)) == Reason::WrongCode).count()
}

fn signs_in(world: &World, attempt: &Attempt) -> Result<Grounds, Reason> {
    world.wait(30);
    let code = world.code();
    short(&world.verdict(attempt, &["pw", &code, &code, &code]))
}

#[test]
fn over_all_sources_twenty_guesses_are_looked_at_in_an_hour_and_a_hundred_in_a_row() {
    let world = World::with_alice(policy());
    assert_eq!(guesses_looked_at(&world, 0..100), CAP_IN_HOUR as usize);
    assert_eq!(signs_in(&world, &from(200)), Err(Reason::Throttled));
    for hour in 1..24 {
        world.wait(3600);
        let left = CAP_IN_ROW.saturating_sub(hour * CAP_IN_HOUR).min(CAP_IN_HOUR);
        assert_eq!(guesses_looked_at(&world, hour * 100..hour * 100 + 30), left as usize, "hour {hour}");
    }
    assert_eq!(signs_in(&world, &from(200)), Err(Reason::Throttled));
}

#[test]
fn who_has_been_let_in_from_a_source_lately_is_not_stopped_by_strangers_elsewhere() {
    let world = World::with_alice(policy());
    let home = at_vpn("alice");
    assert_eq!(signs_in(&world, &home), accepted(Grounds::BothProofs));
    for hour in 0..8 {
        let _ = guesses_looked_at(&world, hour * 30..hour * 30 + 30);
        assert_eq!(signs_in(&world, &home), accepted(Grounds::BothProofs), "hour {hour}");
        world.wait(3600);
    }
    assert_eq!(signs_in(&world, &from(999)), Err(Reason::Throttled), "a new place waits");
    world.act("alice", &Act::Unlock);
    assert_eq!(signs_in(&world, &from(999)), accepted(Grounds::BothProofs));
}

#[test]
fn a_success_of_long_ago_is_not_recent() {
    let world = World::with_alice(policy());
    let home = at_vpn("alice");
    assert_eq!(signs_in(&world, &home), accepted(Grounds::BothProofs));
    world.wait(KNOWN_SECONDS + 1);
    let _ = guesses_looked_at(&world, 0..30);
    assert_eq!(signs_in(&world, &home), Err(Reason::Throttled));
}

#[test]
fn a_known_source_has_a_lane_of_its_own_with_its_own_waits() {
    let world = World::with_alice(policy());
    let home = at_vpn("alice");
    assert_eq!(signs_in(&world, &home), accepted(Grounds::BothProofs));
    let looked_at = (0..30).filter(|_| guess(&world, &home) == Reason::WrongCode).count();
    assert_eq!(looked_at, 5);
    assert_eq!(
        signs_in(&world, &from(1)),
        accepted(Grounds::BothProofs),
        "and another source is as free as before"
    );
}

#[test]
fn closing_the_cap_is_an_alert_each_time_and_nothing_else_is() {
    let world = World::with_alice(policy());
    let _ = guesses_looked_at(&world, 0..100);
    world.wait(3600);
    let _ = guesses_looked_at(&world, 100..200);
    let records = world.memory.0.lock().unwrap().records.clone();
    let alerts: Vec<_> = records.iter().filter(|record| record.severity == Severity::Alert).collect();
    assert_eq!(alerts.iter().map(|record| record.reason).collect::<Vec<_>>(), [Reason::GuessedAt; 2]);
    assert_eq!((alerts[0].ending, alerts[0].user.as_deref()), (Ending::Finding, Some("alice")));
}

#[test]
fn guesses_without_the_password_count_against_nobody() {
    let world = World::with_alice(policy());
    for source in 0..200 {
        let session = world.begin(&from(source), "wrong");
        let _ = world.engine.answer(&from(source), &session, &text_answer("000000"));
    }
    assert_eq!(signs_in(&world, &from(999)), accepted(Grounds::BothProofs));
}

#[test]
fn passwords_tried_at_once_are_counted_before_any_is_looked_at() {
    let world = World::with_alice(policy());
    for _ in 0..5 {
        let _ = world.engine.begin(&at_vpn("alice"), Some(&text_answer("wrong")));
    }
    let checks = || world.primary.checks.load(std::sync::atomic::Ordering::Relaxed);
    let before = checks();
    let _ = world.engine.begin(&at_vpn("alice"), Some(&text_answer("pw")));
    assert_eq!(checks(), before, "the lane is full");
    world.wait(900);
    // The right one is taken back, so that signing in does not fill a lane.
    for _ in 0..20 {
        let _ = world.begin(&at_vpn("alice"), "pw");
    }
    assert_eq!(signs_in(&world, &at_vpn("alice")), accepted(Grounds::BothProofs));
}

#[test]
fn why_a_first_password_was_not_looked_at_is_said_to_the_end() {
    let world = World::with_alice(policy());
    for _ in 0..5 {
        let _ = world.engine.begin(&at_vpn("alice"), Some(&text_answer("wrong")));
    }
    let reasons = |first: &str, seconds: u64| {
        let session = world.begin(&at_vpn("alice"), first);
        let asked = world.last_record().reason;
        world.wait(seconds);
        let _ = world.engine.answer(&at_vpn("alice"), &session, &text_answer(&world.code()));
        (asked, world.last_record().reason)
    };
    assert_eq!(
        reasons("pw", 30),
        (Reason::Throttled, Reason::Throttled),
        "the wait ended between the questions"
    );
    assert_eq!(reasons("", 0), (Reason::NotAnAnswer, Reason::NotAnAnswer));
}

#[test]
fn an_unlock_lets_the_user_in_at_once_from_wherever_it_is() {
    let world = World::with_alice(policy());
    let home = at_vpn("alice");
    assert_eq!(signs_in(&world, &home), accepted(Grounds::BothProofs));
    let _ = guesses_looked_at(&world, 0..100);
    let elsewhere = Attempt { source: Some("local".to_owned()), ..at_sshd("alice") };
    for place in [&home, &elsewhere] {
        for _ in 0..6 {
            let _ = world.verdict(place, &["wrong", "000001", "000002", "000003"]);
        }
        check(&world, place, &["pw", "000001", "000002", "000003"], Err(Reason::Throttled));
    }
    world.act("alice", &Act::Unlock);
    assert_eq!(world.last_record().act.unwrap().act, "user unlock");
    check(&world, &elsewhere, &["pw", "000001", "000002", "000003"], Err(Reason::WrongCode));
    // Which sources are known has not been forgotten: strangers elsewhere close the cap again, and home stays open.
    let _ = guesses_looked_at(&world, 0..100);
    assert_eq!(signs_in(&world, &home), accepted(Grounds::BothProofs));
    assert_eq!(signs_in(&world, &from(999)), Err(Reason::Throttled));
    world.act("alice", &Act::Unlock);
    assert_eq!(signs_in(&world, &elsewhere), accepted(Grounds::BothProofs));
}

#[test]
fn a_station_that_calls_itself_local_makes_nobody_at_the_machine_wait() {
    let world = World::with_alice(policy());
    let here = Attempt { source: Some("local".to_owned()), ..at_sshd("alice") };
    for name in ["local", "127.0.0.1", "::1", "service sshd"] {
        let station = Attempt { source: Some(name.to_owned()), ..at_vpn("alice") };
        for _ in 0..6 {
            let _ = world.verdict(&station, &["wrong", "000001", "000002", "000003"]);
        }
        check(&world, &station, &["pw", "000001", "000002", "000003"], Err(Reason::Throttled));
    }
    check(&world, &here, &["pw", &world.code()], accepted(Grounds::BothProofs));
}

/// As a client that sends one login many times at once. The place in the lane that the first password has got is that of
/// the code behind it too: others that are counted meanwhile do not take it away.
#[test]
fn a_code_behind_a_password_that_was_looked_at_is_looked_at_too() {
    let world = World::with_alice(policy());
    let vpn = profile(at_vpn("alice"), CANNOT_ASK);
    world.memory.0.lock().unwrap().others_after_next_count = 20;
    let both = format!("pw,{}", world.code());
    check(&world, &vpn, &[&both], accepted(Grounds::BothProofs));
}

#[test]
fn five_wrong_appended_codes_close_a_lane() {
    let world = World::with_alice(policy());
    let vpn = profile(at_vpn("alice"), CANNOT_ASK);
    let reasons: Vec<_> = (0..8).map(|_| short(&world.verdict(&vpn, &["pw,000000"]))).collect();
    assert_eq!(reasons[..5], [Err(Reason::WrongCode); 5]);
    assert_eq!(reasons[5..], [Err(Reason::Throttled); 3]);
}
