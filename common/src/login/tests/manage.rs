//! Looking after the own account at a prompt: only after a fresh proof, and each change with its record and its notices.

use super::registration::{account, messages, open, sent_code};
use super::talk::Talk;
use super::*;
use crate::account::SetBy;
use crate::acts::{Issued, Label, NewSent};
use crate::address::{Address, MailAddress, PhoneNumber};
use crate::message::{Content, Event};
use crate::policy::{Action, Method, Rule};
use crate::session::{Asked, Session};
use crate::{Secret, Verdict};

/// Somebody with an app, at the commands.
fn managing(world: &World, attempt: Attempt) -> Talk<'_> {
    let mut talk = Talk::begin(world, attempt, "pw");
    talk.say("menu");
    let code = world.code();
    assert!(talk.say(&code).contains("Command"), "{}", talk.prompt);
    talk
}

fn events(world: &World) -> Vec<(Event, String)> {
    let open = |envelope: crate::message::Envelope| match envelope.open(&crate::world::keys()).unwrap() {
        crate::message::Message { content: Content::Notice(notice), to, .. } => {
            Some((notice.event, to.masked()))
        }
        crate::message::Message { content: Content::Code(_), .. } => None,
    };
    messages(world).into_iter().filter_map(open).collect()
}

fn with_mail(world: &World, address: &str) {
    let address = Address::Email(MailAddress::parse(address).unwrap());
    world.act("alice", &Act::AddContact { address, set_by: SetBy::Administrator });
}

#[test]
fn whoever_wants_to_look_after_the_account_proves_it_first() {
    for word in ["manage", "menu"] {
        let world = World::with_alice(open());
        let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
        talk.say(word);
        assert!(!talk.prompt.contains("Command"), "{}", talk.prompt);
        talk.say("000000");
        assert!(!talk.prompt.contains("Command"), "{}", talk.prompt);
        let code = world.code();
        assert!(talk.say(&code).contains("Command"), "{}", talk.prompt);
        talk.say("done");
        assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
        check(&world, &at_vpn("alice"), &["pw", &code, &code, &code], Err(Reason::CodeAlreadyUsed));
    }
}

#[test]
fn a_session_at_the_commands_lets_in_once() {
    let world = World::with_alice(open());
    let talk = managing(&world, at_vpn("alice"));
    let session = talk.session.unwrap();
    let leave = |text: &str| match world.engine.answer(&at_vpn("alice"), &session, &text_answer(text)) {
        Reply::Done(_, verdict) => short(&verdict),
        Reply::Ask(..) => panic!("asked"),
    };
    assert_eq!(leave("done"), Ok(Grounds::BothProofs));
    assert_eq!(leave("quit"), Err(Reason::SessionSpent));
    world.wait(31);
    assert_eq!(leave("done"), Err(Reason::SessionSpent));
}

#[test]
fn a_number_is_changed_by_proving_the_new_one_and_the_old_one_hears_of_it() {
    let world = World::with_alice(open());
    with_mail(&world, "old@example.org");
    let mut talk = managing(&world, at_sshd("alice"));
    talk.say("add");
    talk.say("3");
    talk.say("+4915112345678");
    let code = sent_code(&world);
    assert!(talk.say(&code).contains("registered"), "{}", talk.prompt);
    assert!(talk.say("list").contains("2 mobile ...5678"), "{}", talk.prompt);
    world.wait(60);
    assert!(talk.say("change 2").starts_with("Mobile number"), "{}", talk.prompt);
    assert!(talk.say("b").starts_with("Command"), "{}", talk.prompt);
    talk.say("change 2");
    talk.say("+4915187654321");
    let code = sent_code(&world);
    talk.say(&code);
    assert!(talk.say("list").contains("2 mobile ...4321"), "{}", talk.prompt);
    talk.say("");
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
    let heard = events(&world);
    assert!(heard.contains(&(Event::FactorRemoved, "...5678".to_owned())), "{heard:?}");
    assert!(heard.contains(&(Event::FactorRemoved, "o...@example.org".to_owned())), "{heard:?}");
    assert!(
        !heard.contains(&(Event::FactorAdded, "...4321".to_owned())),
        "the new one hears nothing: {heard:?}"
    );
}

#[test]
fn factors_are_labelled_chosen_and_removed_but_for_the_last() {
    let world = World::with_alice(open());
    let mut talk = managing(&world, at_sshd("alice"));
    assert!(talk.say("label 1 work phone").contains("Done"), "{}", talk.prompt);
    assert!(talk.say("default 1").contains("Done"), "{}", talk.prompt);
    assert!(talk.say("list").contains("1 *app work phone"), "{}", talk.prompt);
    assert!(talk.say("change 1").contains("1 authenticator app (QR"), "{}", talk.prompt);
    assert!(!talk.prompt.contains("text message"), "an app for an app: {}", talk.prompt);
    talk.say("b");
    assert!(talk.say("remove 1").contains("stays"), "{}", talk.prompt);
    assert!(talk.say("remove 2").contains("no such number"), "{}", talk.prompt);
    talk.say("add");
    talk.say("1");
    talk.say("ok");
    let code = talk.code_of_key();
    assert!(talk.say(&code).contains("registered"), "{}", talk.prompt);
    assert!(talk.say("remove 1").contains("Done"), "{}", talk.prompt);
    assert_eq!(account(&world, "alice").unwrap().factors.len(), 1);
    let acts: Vec<_> =
        world.memory.0.lock().unwrap().records.iter().filter_map(|it| it.act.clone()).collect();
    let last = acts.last().unwrap();
    assert_eq!((last.act.as_str(), last.actor.uid), ("factor remove", None), "the user's own act");
}

#[test]
fn a_factor_that_is_given_up_or_replaced_takes_the_remembered_devices_with_it() {
    let world = World::with_alice(open());
    let mut talk = managing(&world, at_sshd("alice"));
    for (word, channel) in [("add", "3"), ("change 2", "3")] {
        let device = world.remember("alice", "192.0.2.7");
        talk.say(word);
        world.wait(60);
        talk.say(channel);
        talk.say(if word == "add" { "+4915112345678" } else { "+4915187654321" });
        let code = sent_code(&world);
        talk.say(&code);
        let known = world.devices("alice");
        assert_eq!(known, if word == "add" { vec![device] } else { Vec::new() }, "{word}");
    }
    world.remember("alice", "192.0.2.7");
    assert!(talk.say("remove 2").contains("Done"), "{}", talk.prompt);
    assert_eq!(world.devices("alice"), []);
    assert!(world.last_record().act.unwrap().after.unwrap().ends_with(" devices-forgotten=1"));
}

#[test]
fn a_command_that_comes_again_is_carried_out_once() {
    let world = World::with_alice(open());
    let talk = managing(&world, at_vpn("alice"));
    let session = talk.session.unwrap();
    let codes = |text: &str| world.engine.answer(&at_vpn("alice"), &session, &text_answer(text));
    assert!(matches!(codes("codes"), Reply::Ask(..)));
    let made = account(&world, "alice").unwrap();
    for again in ["codes", "add", "label 1 mine", "done"] {
        assert!(matches!(codes(again), Reply::Done(_, Verdict::Reject(_))), "{again}");
    }
    assert_eq!(account(&world, "alice").unwrap(), made);
}

#[test]
fn few_recovery_codes_are_told_of_when_one_is_used() {
    let world = World::with_alice(open());
    let codes = world.recovery_codes("alice");
    for code in &codes[..6] {
        check(&world, &at_sshd("alice"), &["pw", code], accepted(Grounds::BothProofs));
    }
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    assert!(talk.say(&codes[6]).contains("3 recovery codes are left"), "{}", talk.prompt);
    talk.say("");
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
    let twice = ["pw", codes[6].as_str(), &codes[6], &codes[6]];
    check(&world, &at_vpn("alice"), &twice, Err(Reason::RecoveryCodeAlreadyUsed));
}

#[test]
fn new_recovery_codes_replace_the_old_ones() {
    let world = World::with_alice(open());
    let old = world.recovery_codes("alice");
    let mut talk = managing(&world, at_vpn("alice"));
    talk.say("codes");
    let new: Vec<String> = talk.prompt.lines().nth(1).unwrap().split(' ').map(str::to_owned).collect();
    talk.say("done");
    check(&world, &at_vpn("alice"), &["pw", &old[0], &old[1], &old[2]], Err(Reason::WrongCode));
    check(&world, &at_vpn("alice"), &["pw", &new[0]], accepted(Grounds::BothProofs));
}

#[test]
fn app_passwords_are_made_where_the_policy_allows_and_nowhere_else() {
    let mut policy = open();
    policy.registration.app_passwords.services = vec!["imap".to_owned()];
    let world = World::with_alice(policy);
    let mut talk = managing(&world, at_sshd("alice"));
    assert!(talk.say("password sshd backup").contains("administrator"), "{}", talk.prompt);
    talk.say("password imap Mail at home");
    let password = talk.prompt.lines().nth(1).unwrap().to_owned();
    assert!(talk.say("passwords").contains("1 Mail at home imap"), "{}", talk.prompt);
    let at_imap = Attempt { place: crate::Place::Service("imap".to_owned()), ..at_sshd("alice") };
    check(&world, &at_imap, &[&password], accepted(Grounds::AppPassword));
    assert!(talk.say("revoke 1").contains("Done"), "{}", talk.prompt);
    assert!(short(&world.verdict(&at_imap, &[&password, "x", "x", "x", "x", "x", "x", "x", "x"])).is_err());
}

#[test]
fn a_block_or_a_demand_for_registration_ends_it() {
    for (act, reason) in [
        (Act::Block(Block::Indefinitely), Reason::Blocked),
        (
            Act::Reset(crate::acts::Reset { require_registration: true, ..Default::default() }),
            Reason::RegistrationRequired,
        ),
    ] {
        for answer in ["done", "codes", "list"] {
            let world = World::with_alice(open());
            let mut talk = managing(&world, at_sshd("alice"));
            world.act("alice", &act);
            talk.say(answer);
            assert_eq!(talk.verdict(), Err(reason), "{answer}");
        }
    }
}

#[test]
fn at_a_shell_the_user_of_a_program_looks_after_the_own_account_and_gets_in_nowhere_by_it() {
    let world = World::with_alice(open());
    let parties = crate::Parties { word: crate::attempt::Word::OfUser, ..crate::Parties::default() };
    let place = crate::Place::Service(crate::attempt::SELF_SERVICE.to_owned());
    let at_shell = Attempt { parties, place, primary: PrimaryMode::None, ..at_sshd("alice") };
    let reply = world.engine.begin(&at_shell, None);
    let Reply::Ask(session, prompt) = reply else { panic!("not asked") };
    assert_eq!(prompt.text(), text::CODE);
    let Reply::Ask(session, prompt) = world.engine.answer(&at_shell, &session, &text_answer(&world.code()))
    else {
        panic!("not asked")
    };
    assert!(prompt.text().contains("Command"), "{}", prompt.text());
    let Reply::Done(_, verdict) = world.engine.answer(&at_shell, &session, &text_answer("done")) else {
        panic!("asked")
    };
    assert_eq!(short(&verdict), Ok(Grounds::SecondProof));
    // A program that says it is at another service, or that a password was right, is led nowhere.
    for (place, primary) in [("sudo", PrimaryMode::None), (crate::attempt::SELF_SERVICE, PrimaryMode::Stack)]
    {
        world.wait(30);
        let place = crate::Place::Service(place.to_owned());
        let attempt = Attempt { place, primary, ..at_shell.clone() };
        let Reply::Ask(session, _) = world.engine.begin(&attempt, None) else { panic!("not asked") };
        let Reply::Ask(session, _) =
            world.engine.answer(&attempt, &session, &Answer::Text(Secret::from("menu")))
        else {
            panic!("not asked")
        };
        let reply = world.engine.answer(&attempt, &session, &text_answer(&world.code()));
        assert!(matches!(reply, Reply::Done(_, Verdict::Accept(_))), "{primary:?}");
    }
}

/// What a program of the user asks for, about the own account.
fn at_shell(user: &str) -> Attempt {
    let parties = crate::Parties { word: crate::attempt::Word::OfUser, ..crate::Parties::default() };
    let place = crate::Place::Service(crate::attempt::SELF_SERVICE.to_owned());
    let attempt = Attempt { parties, place, primary: PrimaryMode::None, ..at_sshd(user) };
    let profile = crate::attempt::Profile { dialogue: crate::attempt::Dialogue::Plain, ..attempt.profile };
    Attempt { source: Some(crate::attempt::LOCAL_SOURCE.to_owned()), profile, ..attempt }
}

/// The first question, and a session to answer it with.
fn asked_at_shell(world: &World, user: &str) -> (Box<Session>, String) {
    match world.engine.begin(&at_shell(user), None) {
        Reply::Ask(session, prompt) => (session, prompt.text().to_owned()),
        Reply::Done(_, verdict) => panic!("{verdict:?}"),
    }
}

fn said_at_shell(world: &World, user: &str, session: &Session, text: &str) -> Reply {
    world.engine.answer(&at_shell(user), session, &text_answer(text))
}

#[test]
fn a_shell_says_who_may_not_register_what_it_takes() {
    for (state, words) in [(State::Enabled, "get a temporary code"), (State::Enforced, "temporary code")] {
        let world = World::new(open());
        world.add("alice", state);
        let (session, said) = asked_at_shell(&world, "alice");
        assert!(said.contains(words) && !said.contains("Set it up now"), "{said}");
        let Issued::TemporaryCode { code, .. } =
            world.act("alice", &Act::IssueTemporaryCode { life_seconds: 600 })
        else {
            panic!("no code")
        };
        let code = code.expose_text().unwrap().to_owned();
        let Reply::Ask(session, prompt) = said_at_shell(&world, "alice", &session, &code) else { panic!() };
        assert!(prompt.text().contains("1 authenticator app"), "{}", prompt.text());
        assert_eq!(session.asked(), Asked::Step);
        // Whoever leaves has changed nothing, and the code is still good.
        let Reply::Done(_, verdict) = said_at_shell(&world, "alice", &session, "n") else { panic!() };
        assert_eq!(short(&verdict), Err(Reason::Abandoned));
        let (session, _) = asked_at_shell(&world, "alice");
        let Reply::Ask(_, prompt) = said_at_shell(&world, "alice", &session, &code) else { panic!() };
        assert!(prompt.text().contains("1 authenticator app"), "{}", prompt.text());
    }
}

#[test]
fn putting_it_off_at_a_shell_uses_up_no_sign_in() {
    let mut policy = open();
    policy.registration.grace.sign_ins = Some(3);
    policy.registration.openings[0].services.push(crate::attempt::SELF_SERVICE.to_owned());
    policy.registration.openings[0].networks.clear();
    let world = World::new(policy);
    world.add("alice", State::Enabled);
    let before = account(&world, "alice");
    let (session, said) = asked_at_shell(&world, "alice");
    assert!(said.contains("Set it up now"), "{said}");
    let Reply::Done(_, verdict) = said_at_shell(&world, "alice", &session, "n") else { panic!() };
    assert_eq!(short(&verdict), Ok(Grounds::PolicyAlone), "nobody is let in by that");
    assert_eq!(account(&world, "alice"), before);
}

#[test]
fn an_opening_with_networks_opens_no_shell() {
    let mut policy = open();
    policy.registration.openings[0].services.push(crate::attempt::SELF_SERVICE.to_owned());
    let world = World::new(policy);
    world.add("alice", State::Enabled);
    let (_, said) = asked_at_shell(&world, "alice");
    assert!(said.contains("temporary code"), "{said}");
}

#[test]
fn a_question_says_whether_the_last_command_was_carried_out() {
    let world = World::with_alice(open());
    let mut talk = managing(&world, at_sshd("alice"));
    let asked = |talk: &Talk<'_>| talk.session.as_ref().unwrap().asked();
    assert_eq!(asked(&talk), Asked::Command);
    for (typed, expected) in [
        ("list", Asked::Command),
        ("remove 1", Asked::CommandAgain),
        ("dance", Asked::CommandAgain),
        ("default 7", Asked::CommandAgain),
        ("password nowhere", Asked::CommandAgain),
        ("default 1", Asked::Command),
        ("add", Asked::Step),
        ("n", Asked::CommandAgain),
    ] {
        talk.say(typed);
        assert_eq!(asked(&talk), expected, "{typed}: {}", talk.prompt);
    }
}

#[test]
fn looking_after_the_account_again_and_again_uses_up_no_guesses() {
    let world = World::with_alice(open());
    for _ in 0..crate::limits::FREE_FAILURES + 2 {
        world.wait(31);
        managing(&world, at_sshd("alice")).say("done");
    }
    world.wait(31);
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
}

#[test]
fn right_answers_on_the_way_are_not_counted_as_wrong_ones() {
    let world = World::with_alice(open());
    check(&world, &at_sshd("alice"), &["pw", "000000", "000001", "000002"], Err(Reason::WrongCode));
    let mut talk = managing(&world, at_sshd("alice"));
    for number in ["+4915112345671", "+4915112345672", "+4915112345673", "+4915112345674"] {
        talk.say("add");
        talk.say("3");
        talk.say(number);
        let code = sent_code(&world);
        assert!(talk.say("slip of the finger").contains("did not work"), "{}", talk.prompt);
        assert!(talk.say(&code).contains("registered"), "{}", talk.prompt);
    }
    talk.say("done");
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
}

#[test]
fn a_sign_in_after_the_menu_names_the_proof_that_opened_it() {
    let world = World::with_alice(open());
    let mut talk = managing(&world, at_sshd("alice"));
    talk.say("done");
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
    assert!(world.last_record().factor.unwrap().starts_with("totp "));
}

#[test]
fn a_list_says_how_to_see_more_and_where_it_ends() {
    let world = World::with_alice(open());
    for number in ["+4915112345671", "+4915112345672", "+4915112345673", "+4915112345674"] {
        let address = Address::Mobile(PhoneNumber::parse(number).unwrap());
        world.act("alice", &Act::AddSent(NewSent { label: Label::parse("phone").unwrap(), address }));
    }
    let mut talk = managing(&world, at_sshd("alice"));
    assert!(talk.say("list").contains("list 2 shows more"), "{}", talk.prompt);
    assert!(!talk.say("list 2").contains("shows more"), "{}", talk.prompt);
    assert!(talk.say("list 3").contains("There are no more."), "{}", talk.prompt);
    assert!(!talk.say("sign-ins").contains("more"), "{}", talk.prompt);
}

/// One rule, which allows these methods everywhere.
fn with_methods(methods: &[Method]) -> Policy {
    let methods = Some(methods.iter().copied().collect());
    let rule = Rule { methods, ..rule("some", Action::Require) };
    Policy { rules: vec![rule], ..open() }
}

#[test]
fn a_mobile_number_is_never_changed_into_an_office_number() {
    let world = World::with_alice(with_methods(&[Method::Totp, Method::Call]));
    let address = Address::Mobile(PhoneNumber::parse("+4915112345678").unwrap());
    world.act("alice", &Act::AddSent(NewSent { label: Label::parse("phone").unwrap(), address }));
    let mut talk = managing(&world, at_sshd("alice"));
    // What is typed for calls is an office number, and codes by text message are not good here.
    assert!(talk.say("change 2").ends_with(crate::text::COMMAND), "{}", talk.prompt);
    assert!(!talk.prompt.contains("Number to call"), "{}", talk.prompt);
}

#[test]
fn where_no_code_can_be_sent_a_change_asks_for_the_number_again() {
    let world = World::with_alice(Policy { codes_per_day: 1, ..open() });
    let mut talk = managing(&world, at_sshd("alice"));
    for typed in ["add", "3", "+4915112345678"] {
        talk.say(typed);
    }
    let code = sent_code(&world);
    talk.say(&code);
    world.wait(61);
    talk.say("change 2");
    let said = talk.say("+4915187654321");
    assert!(said.starts_with("No more codes are sent today.\nMobile number"), "{said}");
}

#[test]
fn a_registration_that_ends_with_its_code_is_answered_again_when_the_answer_was_lost() {
    let world = World::new(with_methods(&[Method::Totp]));
    world.add("alice", State::Enabled);
    let mut talk = Talk::begin(&world, at_sshd("alice"), "pw");
    for typed in ["y", "1", "ok"] {
        talk.say(typed);
    }
    let session = talk.session.clone().unwrap();
    let code = talk.code_of_key();
    talk.say(&code);
    assert_eq!(talk.verdict(), Ok(Grounds::BothProofs));
    let Reply::Done(_, again) = world.engine.answer(&at_sshd("alice"), &session, &text_answer(&code)) else {
        panic!("asked again")
    };
    assert_eq!(short(&again), Ok(Grounds::BothProofs));
    assert_eq!(world.last_record().reason, crate::Reason::Retransmission);
}

#[test]
fn a_program_of_the_user_does_not_use_up_the_codes_of_the_day() {
    let world = World::with_alice(Policy { codes_per_day: 9, ..open() });
    let address = Address::Mobile(PhoneNumber::parse("+4915112345678").unwrap());
    world.act("alice", &Act::AddSent(NewSent { label: Label::parse("phone").unwrap(), address }));
    for _ in 0..20 {
        world.wait(900);
        let (session, _) = asked_at_shell(&world, "alice");
        let _ = said_at_shell(&world, "alice", &session, "sms");
    }
    assert_eq!(super::sent::codes_sent(&world), 3, "a third of them");
}
