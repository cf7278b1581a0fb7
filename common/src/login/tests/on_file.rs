//! Numbers and addresses that somebody else has set for the user, and what a prompt says of them.

use super::registration::{open, sent_code};
use super::sent::codes_sent;
use super::talk::Talk;
use super::*;
use crate::account::SetBy;
use crate::address::{Address, MailAddress};

/// A world where `alice` may register by what an administrator has set: two mobiles and a mail address.
fn world() -> World {
    let world = World::new(policy());
    world.add("alice", State::Enabled);
    world.set_contact("alice", "+4915112345678");
    world.set_contact("alice", "+4915187654321");
    let mail = Address::Email(MailAddress::parse("alice@example.org").unwrap());
    world.act("alice", &Act::AddContact { address: mail, set_by: SetBy::Administrator });
    world
}

fn plain(attempt: Attempt) -> Attempt {
    Attempt { profile: Profile { dialogue: Dialogue::Plain, ..attempt.profile }, ..attempt }
}

/// Nothing of a number, and nothing of an address.
fn shows_nothing(prompt: &str) {
    for part in ["5678", "4321", "example", "a..."] {
        assert!(!prompt.contains(part), "{part} in {prompt}");
    }
}

#[test]
fn a_neutral_dialogue_shows_nothing_of_what_somebody_else_has_set() {
    let world = world();
    let mut talk = Talk::begin(&world, at_vpn("alice"), "pw");
    talk.say("y");
    let ways = "1 text message to number 1 on file\n2 call to number 1 on file\n3 text message to number 2 on file\n\
        4 call to number 2 on file\n5 email to the address on file\n";
    assert!(talk.prompt.contains(ways), "{}", talk.prompt);
    shows_nothing(&talk.prompt);
    assert!(talk.say("3").contains("on its way to number 2 on file."), "{}", talk.prompt);
    shows_nothing(&talk.prompt);
    world.wait(60);
    assert!(talk.say("r").contains("on its way to number 2 on file."), "{}", talk.prompt);
    shows_nothing(&talk.prompt);
    assert_eq!(codes_sent(&world), 2);
    let code = sent_code(&world);
    talk.say(&code);
    talk.say("ok");
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
}

#[test]
fn a_plain_dialogue_shows_the_end_of_it() {
    let world = world();
    let mut talk = Talk::begin(&world, plain(at_vpn("alice")), "pw");
    assert!(talk.say("y").contains("3 text message to ...4321"), "{}", talk.prompt);
    assert!(talk.say("3").contains("on its way to ...4321."), "{}", talk.prompt);
}

#[test]
fn a_number_that_was_just_typed_is_shown_to_whoever_typed_it_and_not_to_who_asks_for_the_code_again() {
    for (attempt, again) in
        [(at_vpn("alice"), "to the number that you gave."), (plain(at_vpn("alice")), "to ...5678.")]
    {
        let world = World::new(open());
        world.add("alice", State::Enabled);
        let mut owner = Talk::begin(&world, attempt.clone(), "pw");
        let mut other = Talk::begin(&world, attempt, "pw");
        for talk in [&mut owner, &mut other] {
            talk.say("y");
            talk.say("2");
        }
        assert!(owner.say("+4915112345678").contains("to ...5678."), "{}", owner.prompt);
        assert!(other.say("+4915100000000").contains("already"), "{}", other.prompt);
        world.wait(60);
        assert!(other.say("r").contains(again), "{}", other.prompt);
    }
}
