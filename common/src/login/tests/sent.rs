//! Codes that are sent: to prove a number, and to sign in with.

use super::registration::{account, messages, open, sent_code};
use super::talk::Talk;
use super::*;

/// How many codes were sent. Notices go out too.
pub(super) fn codes_sent(world: &World) -> usize {
    let is_code = |envelope: &crate::message::Envelope| envelope.urgency == crate::message::Urgency::Code;
    messages(world).iter().filter(|envelope| is_code(envelope)).count()
}

#[test]
fn a_number_is_proven_by_the_code_that_is_sent_there() {
    let world = World::new(open());
    world.add("alice", State::Enabled);
    let mut talk = Talk::begin(&world, at_vpn("alice"), "pw");
    talk.say("y");
    assert!(talk.prompt.contains("2 text message"), "{}", talk.prompt);
    assert!(talk.say("2").contains("Mobile number"), "{}", talk.prompt);
    assert!(talk.say("call me").contains("no telephone number"), "{}", talk.prompt);
    assert!(messages(&world).is_empty());
    assert!(talk.say("+49 151 12345678").contains("...5678"), "{}", talk.prompt);
    assert_eq!(messages(&world).len(), 1);
    talk.say("000000");
    let code = sent_code(&world);
    assert!(talk.say(&code).contains("Write them down"), "{}", talk.prompt);
    talk.say("ok");
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
    let registered = account(&world, "alice").unwrap();
    assert_eq!(registered.factors[0].kind.name(), "mobile");
    // And signs in by it: the code goes out with the question.
    world.wait(60);
    let mut talk = Talk::begin(&world, at_vpn("alice"), "pw");
    assert_eq!(talk.prompt, text::CODE);
    assert_eq!(messages(&world).len(), 2);
    let code = sent_code(&world);
    talk.say(&code);
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
}

#[test]
fn a_code_that_was_sent_is_tried_five_times_over_all_sessions() {
    let world = World::new(open());
    world.add("alice", State::Enabled);
    let mut talk = Talk::begin(&world, at_vpn("alice"), "pw");
    for answer in ["y", "2", "+4915112345678"] {
        talk.say(answer);
    }
    let asked = talk.session.clone().unwrap();
    let code = sent_code(&world);
    for number in 0..5 {
        // The same State again and again, from other places so that no lane waits.
        let attempt = Attempt { source: Some(format!("192.0.2.{number}")), ..at_vpn("alice") };
        let wrong = if code == "000000" { "000001" } else { "000000" };
        assert!(matches!(world.engine.answer(&attempt, &asked, &text_answer(wrong)), Reply::Ask(..)));
    }
    talk.say(&code);
    assert!(talk.prompt.contains("That did not work"), "{}", talk.prompt);
}

#[test]
fn a_login_begun_again_within_a_minute_waits_for_the_same_code() {
    let world = World::new(open());
    world.add("alice", State::Enabled);
    let mut talk = Talk::begin(&world, at_vpn("alice"), "pw");
    for answer in ["y", "2", "+4915112345678"] {
        talk.say(answer);
    }
    let code = sent_code(&world);
    for answer in [&code, "ok"] {
        talk.say(answer);
    }
    world.wait(60);
    let first = Talk::begin(&world, at_vpn("alice"), "pw");
    world.wait(30);
    let mut second = Talk::begin(&world, at_vpn("alice"), "pw");
    second.say("sms");
    assert_eq!(messages(&world).len(), 2, "one for the registration, one for both logins");
    let code = sent_code(&world);
    second.say(&code);
    assert_eq!(second.verdict(), Ok(Grounds::BothProofs));
    let mut first = first;
    for _ in 0..3 {
        first.say(&code);
    }
    assert_eq!(first.verdict(), Err(Reason::WrongCode), "a code is good once");
}
