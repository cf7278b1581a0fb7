//! Replays, races, guesses, clocks and things that are down.

use super::*;

#[test]
fn after_five_wrong_answers_a_source_waits_and_no_other() {
    let world = World::with_alice(policy());
    for _ in 0..2 {
        let _ = world.verdict(&at_sshd("alice"), &["pw", "000000", "000001", "000002"]);
    }
    check(&world, &at_sshd("alice"), &["pw", "000001", "000002", &world.code()], Err(Reason::Throttled));
    let elsewhere = Attempt { source: Some("192.0.2.8".to_owned()), ..at_sshd("alice") };
    check(&world, &elsewhere, &["pw", &world.code()], accepted(Grounds::BothProofs));
    world.wait(900);
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
}

#[test]
fn an_app_password_makes_no_room_for_guesses() {
    let world = World::with_alice(policy());
    let app = world.app_password("alice", &["sshd"]);
    for _ in 0..2 {
        let _ = world.verdict(&at_sshd("alice"), &["pw", "000000", "000001", "000002"]);
        world.wait(30);
        check(&world, &at_sshd("alice"), &[&app], accepted(Grounds::AppPassword));
    }
    check(&world, &at_sshd("alice"), &["pw", "000001", "000002", &world.code()], Err(Reason::Throttled));
}

#[test]
fn a_household_of_ipv6_is_one_source() {
    let world = World::with_alice(policy());
    let from = |last: u32| Attempt { source: Some(format!("2001:db8::{last:x}")), ..at_sshd("alice") };
    for last in 1..=2 {
        let _ = world.verdict(&from(last), &["pw", "000000", "000001", "000002"]);
    }
    check(&world, &from(3), &["pw", "000001", "000002", &world.code()], Err(Reason::Throttled));
    let elsewhere = Attempt { source: Some("2001:db8:0:1::1".to_owned()), ..at_sshd("alice") };
    check(&world, &elsewhere, &["pw", &world.code()], accepted(Grounds::BothProofs));
}

#[test]
fn an_old_password_is_nothing_once_there_is_a_new_one() {
    let world = World::with_alice(policy());
    let vpn = at_vpn("alice");
    let session = world.begin(&vpn, "pw");
    world.act("alice", &Act::SetPassword(crate::account::PasswordHash::new("new".to_owned())));
    let Reply::Ask(..) = world.engine.answer(&vpn, &session, &text_answer(&world.code())) else {
        panic!("not asked again")
    };
    assert_eq!(world.last_record().reason, Reason::WrongPassword);
    check(&world, &vpn, &["new", &world.code()], accepted(Grounds::BothProofs));
}

#[test]
fn a_password_checked_while_it_was_changed_is_checked_again() {
    let world = World::new(policy());
    world.add("off", State::Disabled);
    world.memory.0.lock().unwrap().new_password_before_next_accept = true;
    let plain = Profile { dialogue: Dialogue::Plain, ..Profile::default() };
    check(&world, &profile(at_sshd("off"), plain), &["pw"], Err(Reason::WrongPassword));
}

#[test]
fn the_same_answer_to_the_same_state_gets_the_same_verdict_for_half_a_minute() {
    let world = World::with_alice(policy());
    let vpn = at_vpn("alice");
    let session = world.begin(&vpn, "pw");
    let code = world.code();
    let answer = |text: &str| match world.engine.answer(&vpn, &session, &text_answer(text)) {
        Reply::Done(_, verdict) => short(&verdict),
        Reply::Ask(..) => panic!("asked again"),
    };
    assert_eq!(answer(&code), accepted(Grounds::BothProofs));
    assert_eq!(answer(&code), accepted(Grounds::BothProofs));
    assert_eq!(world.last_record().reason, Reason::Retransmission);
    assert_eq!(answer("000000"), Err(Reason::SessionSpent));
    world.wait(31);
    assert_eq!(answer(&code), Err(Reason::SessionSpent));
}

#[test]
fn a_login_loaded_before_a_block_does_not_get_through_after_it() {
    let world = World::with_alice(policy());
    world.memory.0.lock().unwrap().block_before_next_spend = true;
    let code = world.code();
    check(&world, &at_sshd("alice"), &["pw", &code, &code, &code], Err(Reason::Blocked));
    assert_eq!(world.memory.0.lock().unwrap().spent().0, []);
}

#[test]
fn a_lost_race_is_decided_again_and_never_for_ever() {
    let world = World::with_alice(policy());
    world.memory.0.lock().unwrap().races_to_lose = 1;
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
    world.memory.0.lock().unwrap().races_to_lose = 1000;
    let vpn = profile(at_vpn("alice"), CANNOT_ASK);
    check(&world, &vpn, &["pw"], Err(Reason::TooManyRaces));
    assert_eq!(world.primary.checks.load(std::sync::atomic::Ordering::Relaxed), 2, "one check an attempt");
}

#[test]
fn nobody_gets_in_while_the_store_or_the_backend_is_down() {
    let world = World::with_alice(policy());
    *world.primary.is_down.lock().unwrap() = true;
    check(&world, &at_sshd("alice"), &["pw"], Err(Reason::BackendUnavailable));
    *world.primary.is_down.lock().unwrap() = false;
    world.memory.0.lock().unwrap().is_down = true;
    check(&world, &at_sshd("alice"), &[], Err(Reason::StoreDamaged));
}

#[test]
fn a_clock_before_the_floor_decides_nothing() {
    let world = World::with_alice(policy());
    let session = world.begin(&at_vpn("alice"), "pw");
    world.memory.0.lock().unwrap().floor = crate::UnixTime::from_seconds(world.now() + 1);
    check(&world, &at_sshd("alice"), &[], Err(Reason::ClockBehind));
    assert_eq!(world.last_record().severity, Severity::Alert);
    world.memory.0.lock().unwrap().floor = crate::UnixTime::default();
    world.set_clock(world.now() - 31);
    let Reply::Done(_, verdict) = world.engine.answer(&at_vpn("alice"), &session, &text_answer("000000"))
    else {
        panic!("asked again")
    };
    assert_eq!(short(&verdict), Err(Reason::ClockBehind));
}

#[test]
fn no_code_from_before_the_floor_is_good() {
    let world = World::with_alice(policy());
    let code = world.code();
    world.memory.0.lock().unwrap().floor = crate::UnixTime::from_seconds(world.now());
    check(&world, &at_sshd("alice"), &["pw", &code, &code, &code], Err(Reason::CodeAlreadyUsed));
    world.wait(30);
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
}

#[test]
fn a_store_that_went_back_is_told_of_once() {
    let world = World::with_alice(policy());
    world.memory.0.lock().unwrap().has_gone_back = true;
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
    let records = world.memory.0.lock().unwrap().records.clone();
    let found: Vec<_> = records.iter().filter(|record| record.ending == Ending::Finding).collect();
    assert_eq!(
        (found.len(), found[0].reason, found[0].severity),
        (1, Reason::StoreWentBack, Severity::Alert)
    );
}

#[test]
fn a_session_ends_after_five_minutes() {
    let world = World::with_alice(policy());
    let vpn = at_vpn("alice");
    let session = world.begin(&vpn, "pw");
    world.wait(301);
    let Reply::Done(_, verdict) = world.engine.answer(&vpn, &session, &text_answer(&world.code())) else {
        panic!("asked again")
    };
    assert_eq!(short(&verdict), Err(Reason::SessionExpired));
}

#[test]
fn a_factor_that_does_not_open_leaves_the_others_good() {
    let world = World::with_alice(policy());
    let recovery = world.recovery_codes("alice").remove(0);
    world.memory.0.lock().unwrap().spoil_factors();
    check(&world, &at_sshd("alice"), &["pw", &recovery], accepted(Grounds::BothProofs));
    check(&world, &at_sshd("alice"), &["pw", &world.code()], Err(Reason::KeyUnavailable));
}
