//! Wishes for a code: who may have one sent, how often, and that nobody learns anything by them.

use super::registration::open;
use super::sent::codes_sent;
use super::talk::Talk;
use super::*;
use crate::acts::{Label, NewSent};
use crate::address::{Address, PhoneNumber};
use crate::limits;
use crate::number_rules::{CountryPrefix, NumberRules};

/// A gateway that asks for no first password.
fn at_gate(user: &str, source: &str) -> Attempt {
    let profile = Profile { first_answer: FirstAnswer::Code, ..Profile::default() };
    Attempt { profile, source: Some(source.to_owned()), ..at_vpn(user) }
}

/// `alice` with an app and a mobile.
fn world(policy: Policy) -> World {
    let world = World::with_alice(policy);
    let address = Address::Mobile(PhoneNumber::parse("+4915112345678").unwrap());
    world.act("alice", &Act::AddSent(NewSent { label: Label::parse("mobile").unwrap(), address }));
    world
}

#[test]
fn whoever_knows_a_name_alone_has_a_third_of_the_day_and_as_many_wishes_as_guesses_from_one_place() {
    let world = world(policy());
    for number in 0..40 {
        let _ = Talk::begin(&world, at_gate("alice", &format!("198.51.100.{number}")), "sms");
        world.wait(60);
    }
    assert_eq!(codes_sent(&world), 4, "of ten");
    // Whoever has the first password has the rest.
    for _ in 0..10 {
        let mut talk = Talk::begin(&world, at_vpn("alice"), "pw");
        talk.say("sms");
        world.wait(60);
    }
    assert_eq!(codes_sent(&world), 10);
}

#[test]
fn a_wish_by_name_alone_counts_as_a_wrong_answer_of_its_place_until_a_right_one_comes() {
    let world = world(Policy { codes_per_day: 100, ..policy() });
    let at = at_gate("alice", "198.51.100.1");
    for _ in 0..=limits::FREE_FAILURES {
        let _ = Talk::begin(&world, at.clone(), "sms");
        world.wait(60);
    }
    let sent = codes_sent(&world);
    assert!(sent >= 5, "{sent}");
    let _ = Talk::begin(&world, at.clone(), "sms");
    assert_eq!(codes_sent(&world), sent + 1, "its time has come");
    world.wait(limits::CODE_JOINED_SECONDS);
    let _ = Talk::begin(&world, at.clone(), "sms");
    assert_eq!(codes_sent(&world), sent + 1, "a wish before its time sends nothing");
    assert_eq!(world.last_record().reason, Reason::Throttled);
    let _ = Talk::begin(&world, at_gate("alice", "198.51.100.2"), "sms");
    assert_eq!(codes_sent(&world), sent + 2, "and stops no other place");
    check(&world, &at, &[&world.code(), "000000", "000000"], Err(Reason::Throttled));
    // Once the user was let in, the place is one of the usual ones.
    world.wait(limits::LONGEST_WAIT_SECONDS);
    check(&world, &at, &[&world.code()], accepted(Grounds::SecondProof));
    for _ in 0..limits::FREE_FAILURES + 2 {
        world.wait(60);
        let mut talk = Talk::begin(&world, at.clone(), "sms");
        let code = world.code();
        talk.say(&code);
        assert_eq!(talk.verdict(), Ok(Grounds::SecondProof));
    }
}

#[test]
fn a_wish_is_no_try_at_a_code_that_is_on_its_way() {
    let world = world(policy());
    let mut talk = Talk::begin(&world, at_gate("alice", "198.51.100.1"), "sms");
    for source in 2..10 {
        let _ = Talk::begin(&world, at_gate("alice", &format!("198.51.100.{source}")), "sms");
    }
    let code = super::registration::sent_code(&world);
    talk.say(&code);
    assert_eq!(talk.verdict(), Ok(Grounds::SecondProof));
}

#[test]
fn a_wish_by_name_alone_is_counted_for_names_that_nobody_has_too() {
    let world = world(policy());
    let writes = |name: &str| {
        let before = world.memory.0.lock().unwrap().counts;
        let _ = Talk::begin(&world, at_gate(name, "198.51.100.1"), "sms");
        world.memory.0.lock().unwrap().counts - before
    };
    assert_eq!((writes("alice"), writes("nobody")), (1, 1));
}

#[test]
fn an_outbox_that_is_full_tells_nobody_that_the_password_was_right() {
    let world = world(policy());
    world.memory.0.lock().unwrap().outbox_is_full = true;
    let said = |password: &str| {
        let mut talk = Talk::begin(&world, at_vpn("alice"), password);
        talk.say("sms").to_owned()
    };
    assert_eq!(said("pw"), said("wrong"));
    let mut talk = Talk::begin(&world, at_vpn("alice"), "pw");
    talk.say("sms");
    assert_eq!(
        (world.last_record().ending, world.last_record().reason),
        (Ending::Challenge, Reason::OutboxFull)
    );
    let code = world.code();
    talk.say(&code);
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs), "by the app it goes on");
}

#[test]
fn after_the_last_question_nothing_is_sent_any_more() {
    let world = world(policy());
    let mut talk = Talk::begin(&world, at_vpn("alice"), "pw");
    for _ in 1..limits::ROUNDS_MAX {
        talk.say("?");
    }
    talk.say("sms");
    assert!(talk.verdict().is_err());
    assert!(codes_sent(&world) == 0, "nobody could be asked for it");
}

#[test]
fn a_right_code_in_the_last_round_opens_the_menu_all_the_same() {
    let world = world(policy());
    let mut talk = Talk::begin(&world, at_vpn("alice"), "pw");
    for _ in 1..limits::ROUNDS_MAX {
        talk.say("menu");
    }
    let code = world.code();
    assert!(talk.say(&code).contains("Command"), "{}", talk.prompt);
}

#[test]
fn a_number_that_the_settings_forbid_can_be_typed_anew() {
    let numbers =
        NumberRules { countries: Some(vec![CountryPrefix::parse("+49").unwrap()]), ..NumberRules::default() };
    let world = World::new(Policy { numbers, ..open() });
    world.add("alice", State::Enabled);
    let mut talk = Talk::begin(&world, at_vpn("alice"), "pw");
    talk.say("y");
    talk.say("2");
    assert!(talk.say("+4415112345678").starts_with("No codes are sent to that number here. Type another"));
    assert_eq!(world.last_record().reason, Reason::NumberNotAllowed);
    assert!(talk.say("+4915112345678").contains("on its way"), "{}", talk.prompt);
}
