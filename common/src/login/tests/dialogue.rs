//! What is asked, of whom, and what it gives away.

use super::*;

#[test]
fn a_neutral_dialogue_asks_everybody_the_same() {
    let world = World::with_alice(policy());
    world.add("blocked", State::Enforced);
    world.act("blocked", &Act::Block(Block::Indefinitely));
    world.add("off", State::Disabled);
    let cases = [
        ("alice", "pw"),
        ("alice", "wrong"),
        ("nobody", "pw"),
        ("blocked", "pw"),
        ("off", "wrong"),
        ("no\nname", "pw"),
    ];
    let ways = "What you choose is used if you have it.\n1 authenticator app or token\n2 text message\n3 call\n4 email\n\
        5 recovery or temporary code\n6 app password\n7 menu: your account\nNumber or code: ";
    for (name, password) in cases {
        let answers = [password, "000000", "?", "sms", "\u{8}\n\r", "6", "", "000001"];
        let prompts = world.login(&at_sshd(name), &answers).ok().unwrap().prompts;
        let expected =
            [text::PASSWORD, text::CODE, text::CODE_AGAIN, ways, ways, ways, ways, text::CODE_AGAIN];
        assert_eq!(prompts, expected, "{name:?}");
    }
}

#[test]
fn an_appended_code_tells_nothing_of_the_password() {
    let world = World::with_alice(policy());
    world.add("blocked", State::Enforced);
    world.act("blocked", &Act::Block(Block::Indefinitely));
    let told = |name: &str, first: &str| {
        let answers = [first, "000000", "000001", "000002"];
        world.login(&at_sshd(name), &answers).ok().unwrap().prompts
    };
    let expected = [text::PASSWORD, text::CODE, text::CODE_AGAIN, text::CODE_AGAIN];
    for (name, password) in [("alice", "pw"), ("alice", "wrong"), ("nobody", "pw"), ("blocked", "pw")] {
        world.wait(1000);
        assert_eq!(told(name, &format!("{password},000000")), expected, "{name} {password}");
    }
}

/// What a round costs: keys used, loads, counts and commits, and checks of a password.
fn work(world: &World) -> [u64; 4] {
    let memory = world.memory.0.lock().unwrap();
    let checks = &world.primary.checks;
    let checks = checks.load(std::sync::atomic::Ordering::Relaxed);
    [crate::keys::work::DERIVED.get(), memory.loads, memory.writes(), checks]
}

fn cost<T>(world: &World, round: impl FnOnce() -> T) -> ([u64; 4], T) {
    let before = work(world);
    let done = round();
    let after = work(world);
    (std::array::from_fn(|which| after[which] - before[which]), done)
}

/// What both rounds of a login with a wrong code cost at the VPN, from a source that nothing came from before.
fn costs(world: &World, name: &str, password: &str, source: &str) -> [[u64; 4]; 2] {
    costs_of(world, name, password, source, "000000")
}

fn costs_of(world: &World, name: &str, password: &str, source: &str, code: &str) -> [[u64; 4]; 2] {
    let attempt = Attempt { source: Some(source.to_owned()), ..at_vpn(name) };
    let (first, session) = cost(world, || match world.engine.begin(&attempt, Some(&text_answer(password))) {
        Reply::Ask(session, _) => session,
        Reply::Done(..) => panic!("not asked"),
    });
    let (second, ()) = cost(world, || match world.engine.answer(&attempt, &session, &text_answer(code)) {
        Reply::Ask(..) => {}
        Reply::Done(..) => panic!("not asked again"),
    });
    [first, second]
}

#[test]
fn both_rounds_cost_the_same_whatever_is_known_of_name_and_password() {
    let world = World::with_alice(policy());
    world.add("blocked", State::Enforced);
    world.act("blocked", &Act::Block(Block::Indefinitely));
    world.add("empty", State::Enforced);
    let usual = costs(&world, "alice", "pw", "192.0.2.1");
    assert!(usual.iter().all(|round| round[0] > 0 && round[1] > 0 && round[2] == 2), "{usual:?}");
    let cases = [("alice", "wrong"), ("nobody", "pw"), ("blocked", "pw"), ("blocked", "no"), ("empty", "pw")];
    for (number, (name, password)) in (2..).zip(cases) {
        assert_eq!(costs(&world, name, password, &format!("192.0.2.{number}")), usual, "{name} {password}");
    }
}

#[test]
fn a_code_costs_the_same_whatever_kind_of_token_there_is() {
    let world = World::with_alice(policy());
    for name in ["counting", "both", "empty"] {
        world.add(name, State::Enforced);
    }
    world.act("both", &crate::world::add_totp());
    world.act("counting", &counting("a secret of its own"));
    world.act("both", &counting("another secret of its own"));
    let names = ["alice", "counting", "both", "empty", "nobody"];
    for (of_code, code) in ["000000", "000000 000000", "aaaaa-bbbbb-ccccc", "x"].into_iter().enumerate() {
        let sources = (0..).map(|number| format!("192.0.{of_code}.{number}"));
        let costs: Vec<_> = names
            .iter()
            .zip(sources)
            .map(|(name, source)| costs_of(&world, name, "pw", &source, code))
            .collect();
        assert!(costs.iter().all(|cost| *cost == costs[0]), "{code}: {names:?} {costs:?}");
    }
}

fn counting(secret: &str) -> Act {
    let label = crate::acts::Label::parse("key fob").unwrap();
    let (secret, proof) = (crate::Secret::from(secret), crate::acts::HotpProof::Imported);
    Act::AddHotp(crate::acts::NewHotp { label, digits: 6, secret, counter: 0, proof })
}

#[test]
fn an_answer_before_its_time_costs_what_one_in_time_costs() {
    let world = World::with_alice(policy());
    let usual = costs(&world, "alice", "pw", "192.0.2.1");
    for number in 0..crate::limits::CAP_IN_HOUR {
        let _ = costs(&world, "alice", "pw", &format!("192.0.2.{}", 10 + number));
    }
    assert_eq!(costs(&world, "alice", "pw", "192.0.2.100"), usual);
    assert_eq!(world.last_record().reason, Reason::Throttled);
    assert_eq!(costs(&world, "alice", "wrong", "192.0.2.101"), usual);
}

#[test]
fn a_plain_dialogue_refuses_a_wrong_password_at_once() {
    let world = World::with_alice(policy());
    let plain = Profile { dialogue: Dialogue::Plain, ..Profile::default() };
    check(&world, &profile(at_sshd("alice"), plain), &["wrong"], Err(Reason::WrongPassword));
    check(&world, &profile(at_sshd("nobody"), plain), &["pw"], Err(Reason::UnknownUser));
    check(&world, &profile(at_sshd("alice"), plain), &["pw", &world.code()], accepted(Grounds::BothProofs));
}

#[test]
fn a_question_is_recorded_whoever_it_was_put_to() {
    let world = World::with_alice(policy());
    for (name, password, primary) in [
        ("alice", "pw", PrimaryResult::Right),
        ("alice", "no", PrimaryResult::Wrong),
        ("nobody", "pw", PrimaryResult::Unknown),
    ] {
        let _ = world.begin(&at_vpn(name), password);
        let record = world.last_record();
        assert_eq!((record.ending, record.primary), (Ending::Challenge, primary));
    }
}

#[test]
fn a_password_that_is_not_looked_at_costs_the_same_work() {
    let world = World::with_alice(policy());
    let work = || {
        let load =
            |counter: &std::sync::atomic::AtomicU64| counter.load(std::sync::atomic::Ordering::Relaxed);
        (load(&world.primary.checks), load(&world.primary.pretences))
    };
    let _ = world.engine.begin(&at_sshd("nobody"), Some(&Answer::Void));
    let _ = world.engine.begin(&at_sshd("a:b"), Some(&text_answer("pw")));
    assert_eq!(work(), (0, 2));
    for _ in 0..5 {
        let _ = world.engine.begin(&at_sshd("alice"), Some(&text_answer("wrong")));
    }
    assert_eq!(work(), (5, 2));
    // From here on the lane is full.
    let _ = world.engine.begin(&at_sshd("alice"), Some(&text_answer("pw")));
    assert_eq!(work(), (5, 3));
}

#[test]
fn junk_uses_up_rounds_and_counts_for_nothing() {
    let world = World::with_alice(policy());
    let mut reply = world.engine.begin(&at_vpn("alice"), Some(&text_answer("pw")));
    let mut rounds = 0;
    let verdict = loop {
        match reply {
            Reply::Done(_, verdict) => break verdict,
            Reply::Ask(session, _) => {
                rounds += 1;
                reply = world.engine.answer(&at_vpn("alice"), &session, &Answer::Void);
            }
        }
    };
    assert_eq!((rounds, short(&verdict)), (3, Err(Reason::NotAnAnswer)));
    check(&world, &at_vpn("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
}

#[test]
fn each_refusal_has_its_own_reason_in_the_record() {
    let world = World::with_alice(policy());
    world.add("blocked", State::Enforced);
    world.act("blocked", &Act::Block(Block::Indefinitely));
    world.add("bare", State::Enforced);
    let guesses = |name: &str, password| {
        world.wait(1000);
        let answers = [password, "000000", "000001", "000002"];
        short(&world.verdict(&at_sshd(name), &answers))
    };
    assert_eq!(guesses("alice", "wrong"), Err(Reason::WrongPassword));
    assert_eq!(guesses("alice", "pw"), Err(Reason::WrongCode));
    assert_eq!(guesses("nobody", "pw"), Err(Reason::UnknownUser));
    assert_eq!(guesses("blocked", "pw"), Err(Reason::Blocked));
    assert_eq!(guesses("bare", "pw"), Err(Reason::RegistrationOverdue));
    assert_eq!(guesses("a:b", "pw"), Err(Reason::NameInvalid));
}

#[test]
fn who_goes_away_after_a_right_password_is_named() {
    let world = World::with_alice(policy());
    for (password, user) in [("pw", Some("alice")), ("wrong", None)] {
        let session = world.begin(&at_vpn("alice"), password);
        world.engine.abandon(&at_vpn("alice"), &session);
        let record = world.last_record();
        assert_eq!((record.reason, record.user.as_deref()), (Reason::Abandoned, user));
    }
}
