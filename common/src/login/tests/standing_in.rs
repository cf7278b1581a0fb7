//! Break-glass accounts in the longer conversations while the store is away: nothing is half done there, and what the file
//! can decide alone it decides.

use super::registration::{open, sent_code};
use super::sent::codes_sent;
use super::talk::Talk;
use super::*;
use crate::Verdict;
use crate::acts::{Label, NewSent};
use crate::address::{Address, PhoneNumber};

/// `alice` with an app and a mobile, and a copy of her in the file.
fn world() -> World {
    let names = [Username::parse("alice").unwrap()].into();
    let world = World::with_alice(Policy { break_glass: names, ..open() });
    let address = Address::Mobile(PhoneNumber::parse("+4915112345678").unwrap());
    world.act("alice", &Act::AddSent(NewSent { label: Label::parse("mobile").unwrap(), address }));
    world.wait(30);
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
    world.wait(30);
    world
}

fn lose_the_store(world: &World, is_down: bool) {
    world.memory.0.lock().unwrap().is_down = is_down;
}

/// At the question for the second proof.
fn asked(world: &World) -> Talk<'_> {
    Talk::begin(world, at_sshd("alice"), "pw")
}

/// At the commands.
fn managing(world: &World) -> Talk<'_> {
    let mut talk = asked(world);
    talk.say("menu");
    let code = world.code();
    assert!(talk.say(&code).contains("Command"), "{}", talk.prompt);
    talk
}

fn could_not_tell(talk: &Talk<'_>) {
    assert!(matches!(talk.verdict, Some(Verdict::Unavailable(Reason::StoreDamaged))), "{:?}", talk.verdict);
}

/// The accounts in the store and in the file.
fn accounts(world: &World) -> [crate::account::Account; 2] {
    let name = Username::parse("alice").unwrap();
    [world.memory.account(&name), world.file.account(&name)]
}

#[test]
fn the_commands_that_change_nothing_work_and_let_in() {
    let world = world();
    lose_the_store(&world, true);
    let mut talk = managing(&world);
    assert!(talk.say("list").contains("1 app phone"), "{}", talk.prompt);
    talk.say("done");
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
    let code = world.code();
    check(&world, &at_sshd("alice"), &["pw", &code, &code, &code], Err(Reason::CodeAlreadyUsed));
}

#[test]
fn a_command_that_changes_the_account_does_nothing_by_halves() {
    for command in ["codes", "label 1 mine", "remove 2", "sign-ins"] {
        let world = world();
        let before = accounts(&world);
        lose_the_store(&world, true);
        let mut talk = managing(&world);
        talk.say(command);
        could_not_tell(&talk);
        assert_eq!(accounts(&world), before, "{command}");
    }
}

#[test]
fn a_store_that_goes_away_at_the_commands_and_comes_back_has_lost_nothing() {
    let world = world();
    let before = accounts(&world);
    let talk = managing(&world);
    let session = talk.session.unwrap();
    let codes = || world.engine.answer(&at_sshd("alice"), &session, &text_answer("codes"));
    lose_the_store(&world, true);
    assert!(matches!(codes(), Reply::Done(_, Verdict::Unavailable(Reason::StoreDamaged))));
    assert_eq!(accounts(&world), before);
    lose_the_store(&world, false);
    assert!(matches!(codes(), Reply::Ask(..)));
    assert_eq!(accounts(&world)[0].recovery_codes.len(), 10);
}

#[test]
fn a_registration_that_is_demanded_needs_the_store_and_changes_nothing_without() {
    let world = world();
    world.require_registration("alice");
    let before = accounts(&world);
    lose_the_store(&world, true);
    let mut talk = asked(&world);
    let code = world.code();
    assert!(talk.say(&code).contains("has to be set up anew"), "{}", talk.prompt);
    talk.register_an_app();
    could_not_tell(&talk);
    assert_eq!(accounts(&world), before);
    // Nor did a number get a code on the way.
    world.wait(30);
    let mut talk = asked(&world);
    let code = world.code();
    talk.say(&code);
    talk.say("3");
    assert!(talk.say("+4915187654321").contains("No code can be sent there now."), "{}", talk.prompt);
    assert!(codes_sent(&world) == 0);
    // With the store it goes on where it was.
    lose_the_store(&world, false);
    talk.register_an_app();
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
    assert!(
        accounts(&world).iter().all(|account| !account.must_register_again && account.factors.len() == 1)
    );
}

#[test]
fn a_wish_for_a_code_is_answered_as_always_and_the_app_lets_in() {
    let world = world();
    let mobile = world.account("alice").factors[1].id;
    world.act("alice", &Act::SetDefault(mobile));
    lose_the_store(&world, true);
    let mut talk = asked(&world);
    assert_eq!(talk.prompt, text::CODE);
    assert!(talk.say("sms").ends_with(text::WAYS_QUESTION), "{}", talk.prompt);
    assert!(codes_sent(&world) == 0);
    let code = world.code();
    talk.say(&code);
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
}

#[test]
fn a_code_that_was_sent_is_good_with_the_store_alone_and_once() {
    let world = world();
    let mut talk = asked(&world);
    talk.say("sms");
    let code = sent_code(&world);
    let session = talk.session.clone().unwrap();
    lose_the_store(&world, true);
    let said = |code: &str| world.engine.answer(&at_sshd("alice"), &session, &text_answer(code));
    assert!(matches!(said(&code), Reply::Ask(..)), "the file knows no codes that are sent");
    lose_the_store(&world, false);
    assert!(matches!(said(&code), Reply::Done(_, Verdict::Accept(_))));
    for is_down in [true, false] {
        lose_the_store(&world, is_down);
        let mut talk = asked(&world);
        assert!(talk.say(&code).contains("did not work"), "{}", talk.prompt);
    }
}
