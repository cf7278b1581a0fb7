//! Registration at a prompt: who may, what is asked, and that nothing is written before it is proven.

use super::talk::Talk;
use super::*;
use crate::account::{Account, Deadline};
use crate::message::{Content, Envelope};
use crate::registration::{Grace, Opening, Registration};
use crate::world::code_of;
use crate::{Secret, Verdict};

/// A policy that lets people register at sshd and at the VPN with nothing but the password.
pub(super) fn open() -> Policy {
    let opening = Opening {
        name: "office".to_owned(),
        services: vec!["sshd".to_owned()],
        clients: vec!["vpn".to_owned()],
        networks: vec!["192.0.2.0/24".parse().unwrap()],
    };
    let registration = Registration { openings: vec![opening], ..Registration::default() };
    Policy { registration, ..policy() }
}

fn with_grace(days: Option<u32>, sign_ins: Option<u32>) -> Policy {
    let mut policy = open();
    policy.registration.grace = Grace { days, sign_ins };
    policy
}

pub(super) fn account(world: &World, name: &str) -> Option<Account> {
    let lane = crate::lane::LaneKey::NONE;
    use crate::ports::Store as _;
    world.memory.load(&Username::parse(name).unwrap(), &lane, None).unwrap().account
}

pub(super) fn messages(world: &World) -> Vec<Envelope> {
    world.memory.0.lock().unwrap().outbox.clone()
}

/// The last code that was sent.
pub(super) fn sent_code(world: &World) -> String {
    let last =
        messages(world).into_iter().rev().find_map(|envelope| match envelope.open(&crate::world::keys()) {
            Ok(crate::message::Message { content: Content::Code(code), .. }) => {
                Some(code.expose_text().unwrap().to_owned())
            }
            _ => None,
        });
    last.unwrap()
}

#[test]
fn whoever_registers_at_an_opening_leaves_no_temporary_code_behind() {
    let world = World::new(open());
    world.add("alice", State::Enabled);
    let code = world.temporary_code("alice", 86_400);
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    talk.say("y");
    talk.register_an_app();
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
    assert_eq!(account(&world, "alice").unwrap().temporary_code, None);
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    talk.say(&code);
    assert!(talk.prompt.contains(text::CODE_AGAIN), "{}", talk.prompt);
}

#[test]
fn somebody_enabled_registers_an_app_at_the_first_sign_in_and_is_enforced() {
    for attempt in [at_sshd("alice"), at_vpn("alice")] {
        let world = World::new(open());
        world.add("alice", State::Enabled);
        let mut talk = Talk::begin(&world, attempt.clone(), "pw");
        assert!(talk.prompt.contains("needs a second step"), "{}", talk.prompt);
        assert!(talk.say("y").contains("1 authenticator app"), "{}", talk.prompt);
        let key = talk.register_an_app();
        assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
        let registered = account(&world, "alice").unwrap();
        assert_eq!((registered.state, registered.factors.len()), (State::Enforced, 1));
        assert_eq!(registered.recovery_codes.len(), 10);
        let record = world.last_record();
        assert_eq!((record.reason, record.ending), (Reason::Registered, Ending::Accept));
        assert_eq!(record.rule.as_deref(), Some("opening office"));
        // The code that proved it is spent; the next one is good, at the other door too.
        let code = code_of(&key, world.now());
        check(&world, &at_vpn("alice"), &["pw", &code, &code, &code], Err(Reason::CodeAlreadyUsed));
        world.wait(30);
        check(&world, &at_sshd("alice"), &["pw", &code_of(&key, world.now())], accepted(Grounds::BothProofs));
    }
}

#[test]
fn the_picture_and_the_text_hold_the_same_key() {
    let world = World::new(open());
    world.add("alice", State::Enabled);
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    talk.say("y");
    talk.say("1");
    talk.say("");
    let uri = talk.qr.as_ref().and_then(Secret::expose_text).unwrap().to_owned();
    let (_, rest) = talk.prompt.split_once("Key: ").unwrap();
    let grouped: String = rest.lines().next().unwrap().split(' ').collect();
    assert!(uri.contains(&format!("secret={grouped}")), "{uri}");
}

#[test]
fn an_interrupted_registration_changes_nothing() {
    let world = World::new(open());
    world.add("alice", State::Enabled);
    let before = account(&world, "alice");
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    for step in 0.. {
        assert_eq!(account(&world, "alice"), before, "after {step} answers: {}", talk.prompt);
        let answer = match step {
            0 => "y".to_owned(),
            1 | 2 => "1".to_owned(),
            3 => talk.code_of_key(),
            _ => break,
        };
        talk.say(&answer);
    }
    assert!(talk.prompt.contains("Write them down"), "{}", talk.prompt);
}

#[test]
fn the_password_alone_registers_nobody_where_no_rule_opens_the_door() {
    let elsewhere = Attempt { source: Some("198.51.100.1".to_owned()), ..at_sshd("alice") };
    let at_sudo = Attempt { place: crate::Place::Service("sudo".to_owned()), ..at_sshd("alice") };
    for attempt in [elsewhere, at_sudo] {
        let world = World::new(with_grace(None, Some(3)));
        world.add("alice", State::Enabled);
        let mut talk = Talk::begin(&world, attempt, "pw");
        assert!(talk.prompt.contains("temporary code"), "{}", talk.prompt);
        assert!(talk.say("y").contains("temporary code"), "yes is no temporary code: {}", talk.prompt);
        talk.say("later");
        assert_eq!(talk.verdict(), Ok(Grounds::PrimaryAlone));
        assert!(account(&world, "alice").unwrap().factors.is_empty());
    }
}

#[test]
fn a_registration_goes_on_only_where_it_began() {
    let world = World::new(open());
    world.add("alice", State::Enabled);
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    talk.say("y");
    talk.attempt.source = Some("198.51.100.1".to_owned());
    talk.say("1");
    assert_eq!(talk.verdict(), Err(Reason::RegistrationRefused));
}

#[test]
fn an_administrators_act_stops_a_registration_that_has_begun() {
    for (act, reason) in [
        (Act::Block(Block::Indefinitely), Reason::Blocked),
        (crate::world::add_totp(), Reason::RegistrationRefused),
    ] {
        let world = World::new(open());
        world.add("alice", State::Enabled);
        let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
        for answer in ["y", "1", "ok"] {
            talk.say(answer);
        }
        let code = talk.code_of_key();
        talk.say(&code);
        world.act("alice", &act);
        talk.say("ok");
        assert_eq!(talk.verdict(), Err(reason));
    }
}

#[test]
fn putting_it_off_is_counted_and_ends() {
    let world = World::new(with_grace(None, Some(2)));
    world.add("alice", State::Enabled);
    for left in ["2 sign-ins left", "the last sign-in without it"] {
        let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
        assert!(talk.prompt.contains(left), "{left}: {}", talk.prompt);
        talk.say("");
        assert_eq!(talk.verdict(), Ok(Grounds::PrimaryAlone));
        assert_eq!(world.last_record().reason, Reason::SkippedNotRegistered);
    }
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    assert_eq!(talk.prompt, text::OVERDUE);
    for _ in 0..3 {
        talk.say("000000");
    }
    assert_eq!(talk.verdict(), Err(Reason::RegistrationOverdue));
    // Where no question can be asked it is over too.
    check(&world, &profile(at_vpn("alice"), CANNOT_ASK), &["pw"], Err(Reason::RegistrationOverdue));
}

#[test]
fn a_day_ends_it_too_and_begins_with_the_first_sign_in_that_hears_of_it() {
    let world = World::new(Policy { default_state: State::Enabled, ..with_grace(Some(2), None) });
    let mut talk = Talk::begin(&world, at_sshd("ghost"), "boo");
    assert!(talk.prompt.contains("before 2023-11-16"), "{}", talk.prompt);
    talk.say("n");
    assert_eq!(talk.verdict(), Ok(Grounds::PrimaryAlone));
    let by = account(&world, "ghost").unwrap().deadline.unwrap().by;
    world.wait(2 * 86_400 - 1);
    check(&world, &profile(at_vpn("ghost"), CANNOT_ASK), &["boo"], accepted(Grounds::PrimaryAlone));
    assert_eq!(account(&world, "ghost").unwrap().deadline, Some(Deadline { by, sign_ins: None }));
    world.wait(1);
    check(&world, &profile(at_vpn("ghost"), CANNOT_ASK), &["boo"], Err(Reason::RegistrationOverdue));
}

#[test]
fn the_same_question_answered_twice_is_one_sign_in() {
    let world = World::new(with_grace(None, Some(5)));
    world.add("alice", State::Enabled);
    let talk = Talk::begin(&world, at_vpn("alice"), "pw");
    let session = talk.session.unwrap();
    let answer = |text: &str| match world.engine.answer(&at_vpn("alice"), &session, &text_answer(text)) {
        Reply::Done(_, verdict) => short(&verdict),
        Reply::Ask(..) => panic!("asked"),
    };
    assert_eq!(answer("n"), Ok(Grounds::PrimaryAlone));
    assert_eq!(answer("n"), Ok(Grounds::PrimaryAlone), "a lost packet");
    assert_eq!(answer("later"), Err(Reason::SessionSpent));
    assert_eq!(account(&world, "alice").unwrap().deadline.unwrap().sign_ins, Some(4));
    world.wait(31);
    assert_eq!(answer("n"), Err(Reason::SessionSpent));
}

#[test]
fn a_contact_that_an_administrator_has_set_proves_the_first_registration() {
    let world = World::new(policy());
    world.add("alice", State::Enabled);
    world.set_contact("alice", "+4915112345678");
    let mut talk = Talk::begin(&world, at_vpn("alice"), "pw");
    assert!(talk.say("y").contains("1 text message to the number on file"), "{}", talk.prompt);
    assert!(!talk.prompt.contains("authenticator"), "only the contact counts: {}", talk.prompt);
    talk.say("1");
    let code = sent_code(&world);
    talk.say(&code);
    talk.say("ok");
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
}

#[test]
fn a_contact_that_was_taken_away_is_not_registered() {
    let world = World::new(policy());
    world.add("alice", State::Enabled);
    world.set_contact("alice", "+4915112345678");
    let mut talk = Talk::begin(&world, at_vpn("alice"), "pw");
    for answer in ["y", "1"] {
        talk.say(answer);
    }
    let code = sent_code(&world);
    talk.say(&code);
    let contact = account(&world, "alice").unwrap().contacts[0].id;
    world.act("alice", &Act::RemoveContact(contact));
    world.set_contact("alice", "+4915187654321");
    talk.say("ok");
    assert_eq!(talk.verdict(), Err(Reason::RegistrationRefused));
}

#[test]
fn after_a_demand_for_registration_the_password_alone_does_not_get_through() {
    let world = World::with_alice(open());
    let codes = world.recovery_codes("alice");
    world.require_registration("alice");
    let wrong = ["pw", "000000", "000001", "000002"];
    check(&world, &at_sshd("alice"), &wrong, Err(Reason::WrongCode));
    check(&world, &profile(at_vpn("alice"), CANNOT_ASK), &["pw"], Err(Reason::CodeMissing));
    let appended = format!("pw,{}", world.code());
    check(&world, &profile(at_vpn("alice"), CANNOT_ASK), &[&appended], Err(Reason::RegistrationRequired));
    // The old app opens the registration and nothing else.
    world.wait(30);
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    let code = world.code();
    assert!(talk.say(&code).contains("has to be set up anew"), "{}", talk.prompt);
    assert!(!talk.prompt.contains("not now"), "{}", talk.prompt);
    assert!(talk.say("n").contains("not one of the numbers"), "{}", talk.prompt);
    let key = talk.register_an_app();
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
    let renewed = account(&world, "alice").unwrap();
    assert_eq!((renewed.factors.len(), renewed.must_register_again), (1, false));
    // What was registered before is void.
    world.wait(60);
    let old = world.code();
    check(&world, &at_sshd("alice"), &["pw", &old, &codes[0], &codes[1]], Err(Reason::WrongCode));
    world.wait(60);
    check(&world, &at_sshd("alice"), &["pw", &code_of(&key, world.now())], accepted(Grounds::BothProofs));
}

#[test]
fn a_temporary_code_that_came_too_late_is_named_in_the_record_and_the_user_is_asked_for_another() {
    let world = World::new(policy());
    world.add("alice", State::Enforced);
    let code = world.temporary_code("alice", 60);
    world.wait(61);
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    assert_eq!(talk.say(&code), text::OVERDUE_AGAIN);
    assert_eq!(world.last_record().reason, Reason::TemporaryCodeExpired);
    assert_eq!(talk.say("000000"), text::OVERDUE_AGAIN);
    assert_eq!(world.last_record().reason, Reason::RegistrationOverdue);
}

#[test]
fn whoever_leaves_the_registration_is_in_by_the_proof_that_led_there_and_the_record_names_it() {
    let world = World::with_alice(policy());
    let codes = world.recovery_codes("alice");
    let factor = account(&world, "alice").unwrap().factors[0].id;
    world.act("alice", &Act::RemoveFactor(factor));
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    assert_eq!(talk.prompt, text::OVERDUE);
    assert!(talk.say(&codes[0]).contains("(n: not now, only sign in this once)"), "{}", talk.prompt);
    talk.say("n");
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
    let factor = world.last_record().factor.unwrap();
    assert!(factor.starts_with("recovery-code "), "{factor}");
}

#[test]
fn a_short_word_at_the_offer_is_no_guess() {
    let world = World::new(open());
    world.add("alice", State::Enabled);
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    for _ in 0..3 {
        assert!(talk.say("maybe").contains("Please type y or n."), "{}", talk.prompt);
        assert_eq!(world.last_record().reason, Reason::RegistrationOffered);
    }
    talk.say("n");
    assert_eq!(talk.verdict(), Ok(Grounds::PrimaryAlone));
}

#[test]
fn a_temporary_code_opens_a_registration_and_is_used_up_by_its_end() {
    let world = World::new(policy());
    world.add("alice", State::Enforced);
    let code = world.temporary_code("alice", 86_400);
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    assert_eq!(talk.prompt, text::OVERDUE);
    assert!(talk.say(&code).contains("Set up your second step"), "{}", talk.prompt);
    // The line breaks: the code is still good.
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    talk.say(&code);
    let abandoned = talk.session.clone().unwrap();
    talk.register_an_app();
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
    // Now it is not, nor is what it had opened.
    let twice = ["pw", code.as_str(), &code, &code];
    check(&world, &at_vpn("alice"), &twice, Err(Reason::WrongCode));
    let reply = world.engine.answer(&at_sshd("alice"), &abandoned, &text_answer("1"));
    assert!(matches!(reply, Reply::Done(_, Verdict::Reject(_))));
}

#[test]
fn a_temporary_code_lets_in_once_where_registering_is_put_off_or_impossible() {
    for can_ask in [true, false] {
        let world = World::new(policy());
        world.add("alice", State::Enforced);
        let code = world.temporary_code("alice", 86_400);
        if can_ask {
            let mut talk = Talk::begin(&world, at_vpn("alice"), "pw");
            talk.say(&code);
            talk.say("later");
            assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
        } else {
            let appended = format!("pw,{code}");
            let attempt = profile(at_vpn("alice"), CANNOT_ASK);
            check(&world, &attempt, &[&appended], accepted(Grounds::BothProofs));
        }
        let appended = format!("pw,{code}");
        let again = world.verdict(&profile(at_vpn("alice"), CANNOT_ASK), &[&appended]);
        assert!(short(&again).is_err(), "{again:?}");
    }
}

#[test]
fn an_app_password_is_made_where_the_policy_allows_and_shown_once() {
    let mut policy = open();
    policy.registration.app_passwords.services = vec!["imap".to_owned()];
    let world = World::new(policy);
    world.add("alice", State::Enabled);
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    talk.say("y");
    talk.register_an_app();
    assert!(talk.prompt.contains("imap"), "{}", talk.prompt);
    assert!(talk.say("smtp").contains("imap"), "no other place: {}", talk.prompt);
    talk.say("imap");
    let password = talk.prompt.lines().nth(1).unwrap().to_owned();
    talk.say("");
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
    let at_imap = Attempt { place: crate::Place::Service("imap".to_owned()), ..at_sshd("alice") };
    check(&world, &at_imap, &[&password], accepted(Grounds::AppPassword));
}

#[test]
fn a_place_for_an_app_password_is_named_in_either_case() {
    let mut policy = open();
    policy.registration.app_passwords.clients = vec!["Wi-Fi".to_owned()];
    let world = World::new(policy);
    world.add("alice", State::Enabled);
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    talk.say("y");
    talk.register_an_app();
    talk.say("wi-fi");
    assert!(talk.prompt.starts_with("Password for Wi-Fi, shown this once:"), "{}", talk.prompt);
}

/// The longest sentence about apps leaves room for the question.
#[test]
fn the_question_behind_the_apps_is_never_cut() {
    let mut policy = open();
    policy.registration.apps = "x".repeat(crate::limits::APPS_OCTETS_MAX);
    let world = World::new(policy);
    world.add("alice", State::Enabled);
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    talk.say("y");
    assert!(talk.say("1").ends_with("when you have one: "), "{}", talk.prompt);
}

#[test]
fn where_it_is_switched_off_nothing_tells_that_the_password_was_right() {
    let mut policy = open();
    policy.registration.at_sign_in = false;
    let world = World::new(policy);
    world.add("alice", State::Enabled);
    check(&world, &at_sshd("alice"), &["pw"], accepted(Grounds::PrimaryAlone));
    world.add("bob", State::Enforced);
    let talk = Talk::begin(&world, at_sshd("bob"), "pw");
    assert_eq!(talk.prompt, text::CODE);
}

#[test]
fn a_program_of_the_user_registers_nothing() {
    let world = World::new(open());
    world.add("alice", State::Enabled);
    let parties = crate::Parties { word: crate::attempt::Word::OfUser, ..crate::Parties::default() };
    check(&world, &Attempt { parties, ..at_sshd("alice") }, &["pw"], accepted(Grounds::PrimaryAlone));
}

#[test]
fn a_recovery_code_at_the_offer_opens_the_registration() {
    let world = World::with_alice(policy());
    let codes = world.recovery_codes("alice");
    let factor = account(&world, "alice").unwrap().factors[0].id;
    world.act("alice", &Act::RemoveFactor(factor));
    world.act("alice", &Act::SetState(State::Disabled.into()));
    let deadline = Deadline { by: None, sign_ins: Some(3) };
    world.memory.put(Account {
        state: State::Enabled,
        deadline: Some(deadline),
        ..account(&world, "alice").unwrap()
    });
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    assert!(talk.prompt.contains("n for later"), "{}", talk.prompt);
    talk.say(&codes[0]);
    talk.register_an_app();
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
    assert_eq!(account(&world, "alice").unwrap().factors.len(), 1);
}

#[test]
fn a_registration_by_password_alone_ends_where_the_account_has_changed_since() {
    let world = World::new(open());
    world.add("alice", State::Enabled);
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    talk.say("y");
    world.act("alice", &Act::SetRole(crate::account::Role::Administrator));
    talk.say("1");
    assert_eq!(talk.verdict(), Err(Reason::RegistrationRefused));
}

#[test]
fn the_last_answer_of_a_registration_that_made_the_account_is_answered_again_when_it_was_lost() {
    let world = World::new(Policy { default_state: State::Enabled, ..open() });
    let mut talk = Talk::begin(&world, at_sshd("ghost"), "boo");
    for typed in ["y", "1", "ok"] {
        talk.say(typed);
    }
    let code = talk.code_of_key();
    talk.say(&code);
    let session = talk.session.clone().unwrap();
    talk.say("ok");
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
    let Reply::Done(_, again) = world.engine.answer(&at_sshd("ghost"), &session, &text_answer("ok")) else {
        panic!("asked again")
    };
    assert_eq!(short(&again), Ok(Grounds::BothProofs));
    assert_eq!(world.last_record().reason, Reason::Retransmission);
}

#[test]
fn a_code_that_was_sent_and_used_on_the_way_stands_in_a_record() {
    let world = World::new(open());
    world.add("alice", State::Enabled);
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    for typed in ["y", "3", "+4915112345678"] {
        talk.say(typed);
    }
    let code = sent_code(&world);
    talk.say(&code);
    let record = world.last_record();
    assert_eq!((record.reason, record.factor.as_deref()), (Reason::RegistrationBegun, Some("mobile")));
}
