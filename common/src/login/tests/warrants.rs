//! What opens a registration, what closes it again, and what of it is recorded.

use super::registration::{account, open, sent_code};
use super::sent::codes_sent;
use super::talk::Talk;
use super::*;
use crate::limits;

#[test]
fn an_app_password_at_the_second_prompt_opens_no_registration_and_lets_nobody_in_before_it() {
    let world = World::with_alice(open());
    let password = world.app_password("alice", &["sshd"]);
    for attempt in [at_sshd("alice"), at_vpn("alice")] {
        check(&world, &attempt, &["pw", &password], accepted(Grounds::BothProofs));
    }
    world.require_registration("alice");
    for attempt in [at_sshd("alice"), at_vpn("alice")] {
        let answers = ["pw", &password, &password, &password];
        check(&world, &attempt, &answers, Err(Reason::RegistrationRequired));
        world.wait(limits::LONGEST_WAIT_SECONDS);
        let appended = format!("pw,{password}");
        check(&world, &profile(at_vpn("alice"), CANNOT_ASK), &[&appended], Err(Reason::RegistrationRequired));
        world.wait(limits::LONGEST_WAIT_SECONDS);
    }
}

/// In a registration that a temporary code has opened, up to the last answer but one.
fn nearly_registered<'a>(world: &'a World, code: &str) -> Talk<'a> {
    let mut talk = Talk::begin(world, at_sshd("alice"), "pw");
    talk.say(code);
    talk.say("1");
    talk.say("ok");
    let code = talk.code_of_key();
    talk.say(&code);
    talk
}

#[test]
fn a_temporary_code_that_ends_on_the_way_ends_the_registration() {
    let unregistered = World::new(policy());
    unregistered.add("alice", State::Enforced);
    let registered_before = World::with_alice(policy());
    registered_before.require_registration("alice");
    let worlds =
        [(unregistered, Reason::RegistrationOverdue), (registered_before, Reason::TemporaryCodeExpired)];
    for (world, reason) in worlds {
        let code = world.temporary_code("alice", 60);
        let mut talk = nearly_registered(&world, &code);
        let before = account(&world, "alice");
        world.wait(60);
        talk.say("ok");
        assert_eq!(talk.verdict(), Err(reason));
        assert_eq!(account(&world, "alice"), before);
    }
}

#[test]
fn whatever_an_administrator_does_ends_a_registration_that_a_temporary_code_has_opened() {
    let acts = [
        (Act::Block(Block::Indefinitely), Reason::Blocked),
        (Act::RevokeTemporaryCode, Reason::RegistrationOverdue),
        (Act::IssueTemporaryCode { life_seconds: 600 }, Reason::RegistrationRefused),
        (crate::world::add_totp(), Reason::RegistrationRefused),
        (Act::SetRole(crate::account::Role::Administrator), Reason::RegistrationRefused),
    ];
    for (act, reason) in acts {
        let world = World::new(policy());
        world.add("alice", State::Enforced);
        let code = world.temporary_code("alice", 600);
        let mut talk = nearly_registered(&world, &code);
        world.act("alice", &act);
        let before = account(&world, "alice");
        talk.say("ok");
        assert_eq!(talk.verdict(), Err(reason), "{}", act.name());
        assert_eq!(account(&world, "alice"), before);
    }
}

#[test]
fn a_block_between_the_last_answer_and_what_it_writes_wins() {
    let world = World::new(policy());
    world.add("alice", State::Enforced);
    let code = world.temporary_code("alice", 600);
    let mut talk = nearly_registered(&world, &code);
    world.memory.0.lock().unwrap().block_before_next_spend = true;
    talk.say("ok");
    assert_eq!(talk.verdict(), Err(Reason::Blocked));
    assert!(account(&world, "alice").unwrap().factors.is_empty());
}

#[test]
fn questions_on_the_way_leave_room_for_the_records_of_refusals() {
    let world = World::new(open());
    world.add("alice", State::Enabled);
    world.memory.0.lock().unwrap().records.clear();
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    for answer in ["y", "9", "1", "b", "2", "ok", "b", "3", "no number", "b", "1", "ok"] {
        talk.say(answer);
    }
    let code = talk.code_of_key();
    talk.say(&code);
    talk.say("ok");
    world.wait(30);
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    assert_eq!(talk.prompt, text::CODE);
    for _ in 0..3 {
        talk.say("000000");
    }
    let told = |record: &crate::record::Record| (record.ending, record.reason);
    let records: Vec<_> = world.memory.0.lock().unwrap().records.iter().map(told).collect();
    let expected = [
        (Ending::Challenge, Reason::RegistrationOffered),
        (Ending::Challenge, Reason::RegistrationBegun),
        (Ending::Accept, Reason::Registered),
        (Ending::Challenge, Reason::Challenged),
        (Ending::Challenge, Reason::WrongCode),
        (Ending::Challenge, Reason::WrongCode),
        (Ending::Reject, Reason::WrongCode),
    ];
    assert_eq!(records, expected);
}

#[test]
fn in_the_last_round_nothing_is_done_at_the_commands_nothing_is_sent_and_the_user_is_in() {
    for last in ["codes", "label 1 mine", "add", "+4915187654321", "code"] {
        let world = World::with_alice(open());
        let _ = world.recovery_codes("alice");
        let mut talk = Talk::begin(&world, at_vpn("alice"), "pw");
        talk.say("menu");
        let code = world.code();
        talk.say(&code);
        let before = account(&world, "alice");
        let (idle, way): (&str, &[&str]) = match last {
            "code" => ("no number", &["2", "+4915187654321"]),
            "+4915187654321" => ("no number", &["2"]),
            _ => ("list", &[]),
        };
        let mut rest = usize::from(limits::SETUP_ROUNDS_MAX) - 3 - way.len();
        if !way.is_empty() {
            talk.say("add");
            rest -= 1;
        }
        std::iter::repeat_n(&idle, rest).chain(way).for_each(|command| drop(talk.say(command).to_owned()));
        let sent = codes_sent(&world);
        let last = if last == "code" { sent_code(&world) } else { last.to_owned() };
        talk.say(&last);
        assert_eq!(talk.verdict(), Ok(Grounds::BothProofs), "{last}");
        assert_eq!(account(&world, "alice"), before, "{last}");
        assert_eq!(codes_sent(&world), sent, "{last}");
    }
}

#[test]
fn the_last_command_is_called_so_and_nothing_is_begun_that_would_not_end() {
    let world = World::with_alice(open());
    let mut talk = Talk::begin(&world, at_vpn("alice"), "pw");
    talk.say("menu");
    let code = world.code();
    talk.say(&code);
    for _ in 0..usize::from(limits::SETUP_ROUNDS_MAX - limits::ROUNDS_OF_ADDING) {
        talk.say("list");
    }
    assert!(talk.say("add").contains("sign in again for that"), "{}", talk.prompt);
    assert!(talk.say("change 1").contains("sign in again for that"), "{}", talk.prompt);
    while talk.session.is_some() && !talk.prompt.is_empty() && !talk.prompt.contains("last command") {
        talk.say("list");
    }
    assert!(talk.prompt.ends_with(crate::text::LAST_COMMAND), "{}", talk.prompt);
    talk.say("");
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
}
