//! Logins as scripts: who types what where, and how it ends.

use crate::account::{Block, State};
use crate::acts::Act;
use crate::attempt::{Appended, Dialogue, FirstAnswer, Profile, SecondQuestion, Target};
use crate::engine::Reply;
use crate::policy::{Action, Conditions, Method, Policy, Rule};
use crate::record::{Ending, PrimaryResult, Severity};
use crate::world::{World, accepted, at_sshd, at_vpn, code_at, short, text_answer};
use crate::{Answer, Attempt, Grounds, PrimaryMode, Reason, Username, text};

fn policy() -> Policy {
    Policy::new(State::Enforced)
}

fn check(world: &World, attempt: &Attempt, answers: &[&str], expected: Result<Grounds, Reason>) {
    assert_eq!(short(&world.verdict(attempt, answers)), expected, "{answers:?}");
}

fn rule(name: &str, action: Action) -> Rule {
    Rule { name: name.to_owned(), when: Conditions::default(), action, methods: None }
}

fn profile(attempt: Attempt, profile: Profile) -> Attempt {
    Attempt { profile, ..attempt }
}

const CANNOT_ASK: Profile = Profile {
    dialogue: Dialogue::Neutral,
    first_answer: FirstAnswer::Password,
    appended: Appended::AfterDelimiter,
    second_question: SecondQuestion::Impossible,
};

#[test]
fn password_then_code_lets_in_through_both_doors() {
    let world = World::with_alice(policy());
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
    world.wait(30);
    check(&world, &at_vpn("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
    let record = world.last_record();
    assert_eq!((record.ending, record.reason), (Ending::Accept, Reason::BothProofs));
    assert_eq!(record.user.as_deref(), Some("alice"));
    assert!(record.factor.unwrap().starts_with("totp "));
}

#[test]
fn a_code_works_once_over_both_doors() {
    let world = World::with_alice(policy());
    let code = world.code();
    check(&world, &at_sshd("alice"), &["pw", &code], accepted(Grounds::BothProofs));
    let three = [code.as_str(); 3];
    check(&world, &at_vpn("alice"), &["pw", three[0], three[1], three[2]], Err(Reason::CodeAlreadyUsed));
    // Nor does an earlier one work after it.
    let before = code_at(world.now() - 30);
    check(&world, &at_sshd("alice"), &["pw", &before, &before, &before], Err(Reason::Throttled));
}

#[test]
fn three_wrong_guesses_end_an_attempt_and_cost_nothing_but_time() {
    let world = World::with_alice(policy());
    let ended = world.login(&at_sshd("alice"), &["pw", "000000", "000001", "000002"]).ok().unwrap();
    assert_eq!(short(&ended.verdict), Err(Reason::WrongCode));
    assert_eq!(ended.prompts, [text::PASSWORD, text::CODE, text::CODE_AGAIN, text::CODE_AGAIN]);
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
}

#[test]
fn after_five_wrong_answers_a_source_waits_and_no_other() {
    let world = World::with_alice(policy());
    for _ in 0..2 {
        let _ = world.verdict(&at_sshd("alice"), &["pw", "000000", "000001", "000002"]);
    }
    check(&world, &at_sshd("alice"), &["pw", "1", "2", &world.code()], Err(Reason::Throttled));
    let elsewhere = Attempt { source: Some("192.0.2.8".to_owned()), ..at_sshd("alice") };
    check(&world, &elsewhere, &["pw", &world.code()], accepted(Grounds::BothProofs));
    world.wait(900);
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
}

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
    for (name, password) in cases {
        let answers = [password, "000000", "?", "", "000001"];
        let prompts = world.login(&at_sshd(name), &answers).ok().unwrap().prompts;
        let expected = [text::PASSWORD, text::CODE, text::CODE_AGAIN, text::WAYS, text::CODE_AGAIN];
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

#[test]
fn every_second_answer_costs_one_count_and_one_commit_whatever_is_known_of_the_first() {
    let world = World::with_alice(policy());
    let costs = |name: &str, password: &str| {
        let session = world.begin(&at_vpn(name), password);
        let before = world.memory.0.lock().unwrap().writes();
        let Reply::Ask(..) = world.engine.answer(&at_vpn(name), &session, &text_answer("000000")) else {
            panic!("not asked again")
        };
        world.memory.0.lock().unwrap().writes() - before
    };
    for (name, password) in [("alice", "pw"), ("alice", "wrong"), ("nobody", "pw")] {
        assert_eq!(costs(name, password), 2, "{name} {password}");
    }
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
fn names_are_folded_also_as_a_directory_gives_them() {
    let folding = crate::username::Folding::Lowercase;
    let world = World::with_alice(Policy { folding, ..policy() });
    world.primary.shout();
    check(&world, &at_sshd("ALICE"), &["pw", &world.code()], accepted(Grounds::BothProofs));
    world.act("alice", &Act::Rename(Username::parse("Alicia").unwrap()));
    world.wait(30);
    check(&world, &at_sshd("alicia"), &["pw", &world.code()], accepted(Grounds::BothProofs));
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
    check(&world, &at_sshd("alice"), &["pw", "1", "2", &world.code()], Err(Reason::Throttled));
}

#[test]
fn a_household_of_ipv6_is_one_source() {
    let world = World::with_alice(policy());
    let from = |last: u32| Attempt { source: Some(format!("2001:db8::{last:x}")), ..at_sshd("alice") };
    for last in 1..=2 {
        let _ = world.verdict(&from(last), &["pw", "000000", "000001", "000002"]);
    }
    check(&world, &from(3), &["pw", "1", "2", &world.code()], Err(Reason::Throttled));
    let elsewhere = Attempt { source: Some("2001:db8:0:1::1".to_owned()), ..at_sshd("alice") };
    check(&world, &elsewhere, &["pw", &world.code()], accepted(Grounds::BothProofs));
}

#[test]
fn behind_radius_the_backend_knows_the_names_also_where_it_checks_nothing() {
    let world = World::with_alice(policy());
    let none = Attempt { primary: PrimaryMode::None, ..at_vpn("alice") };
    let code_only = Profile { first_answer: FirstAnswer::Code, ..CANNOT_ASK };
    check(&world, &profile(none.clone(), code_only), &[&world.code()], accepted(Grounds::SecondProof));
    let apps_only = Profile { first_answer: FirstAnswer::AppPassword, ..CANNOT_ASK };
    world.wait(30);
    check(&world, &profile(none, apps_only), &[&world.code()], Err(Reason::WrongPassword));
}

#[test]
fn a_factor_that_does_not_open_leaves_the_others_good() {
    let world = World::with_alice(policy());
    let recovery = world.recovery_codes("alice").remove(0);
    world.memory.0.lock().unwrap().spoil_factors();
    check(&world, &at_sshd("alice"), &["pw", &recovery], accepted(Grounds::BothProofs));
    check(&world, &at_sshd("alice"), &["pw", &world.code()], Err(Reason::KeyUnavailable));
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
    assert_eq!(guesses("bare", "pw"), Err(Reason::NoUsableFactor));
    assert_eq!(guesses("a:b", "pw"), Err(Reason::NameInvalid));
}

#[test]
fn a_right_code_after_a_wrong_password_is_neither_good_nor_spent() {
    let world = World::with_alice(policy());
    let code = world.code();
    check(&world, &at_sshd("alice"), &["wrong", &code, &code, &code], Err(Reason::WrongPassword));
    check(&world, &at_sshd("alice"), &["pw", &code], accepted(Grounds::BothProofs));
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
fn states_decide_whether_a_second_step_is_asked() {
    let world = World::new(policy());
    world.add("off", State::Disabled);
    world.add("new", State::Enabled);
    check(&world, &at_sshd("off"), &["pw"], accepted(Grounds::PrimaryAlone));
    let record = world.last_record();
    assert_eq!((record.reason, record.primary), (Reason::SkippedDisabled, PrimaryResult::Right));
    check(&world, &at_sshd("new"), &["pw"], accepted(Grounds::PrimaryAlone));
    let record = world.last_record();
    assert_eq!((record.reason, record.severity), (Reason::SkippedNotRegistered, Severity::Notice));
}

#[test]
fn registering_moves_enabled_to_enforced_and_enabling_the_registered_does_too() {
    let world = World::new(policy());
    world.add("new", State::Enabled);
    world.act("new", &crate::world::add_totp());
    check(&world, &at_sshd("new"), &["pw", &world.code()], accepted(Grounds::BothProofs));
    world.act("new", &Act::SetState(State::Disabled));
    check(&world, &at_sshd("new"), &["pw"], accepted(Grounds::PrimaryAlone));
    world.act("new", &Act::SetState(State::Enabled));
    world.wait(30);
    check(&world, &at_sshd("new"), &["pw", &world.code()], accepted(Grounds::BothProofs));
}

#[test]
fn somebody_without_an_account_has_the_default_state() {
    for (state, expected) in [
        (State::Disabled, accepted(Grounds::PrimaryAlone)),
        (State::Enabled, accepted(Grounds::PrimaryAlone)),
        (State::Enforced, Err(Reason::NoUsableFactor)),
    ] {
        let world = World::new(Policy::new(state));
        let cannot_ask = profile(at_vpn("ghost"), CANNOT_ASK);
        check(&world, &cannot_ask, &["boo"], expected);
    }
}

#[test]
fn the_first_matching_rule_decides() {
    let alice = Username::parse("alice").unwrap();
    let skip = Rule {
        when: Conditions { services: vec!["sshd".to_owned()], users: vec![alice], ..Conditions::default() },
        ..rule("alice at sshd", Action::Skip)
    };
    let deny = rule("nobody else", Action::Deny);
    let world = World::with_alice(Policy { rules: vec![skip, deny], ..policy() });
    check(&world, &at_sshd("alice"), &["pw"], accepted(Grounds::PrimaryAlone));
    assert_eq!(world.last_record().rule.as_deref(), Some("alice at sshd"));
    let code = world.code();
    check(&world, &at_vpn("alice"), &["pw", &code, &code, &code], Err(Reason::DeniedByRule));
}

#[test]
fn a_rule_can_narrow_the_methods() {
    let codes_only = Rule { methods: Some([Method::Totp].into()), ..rule("codes only", Action::Require) };
    let world = World::with_alice(Policy { rules: vec![codes_only], ..policy() });
    let recovery = world.recovery_codes("alice").remove(0);
    let answers = ["pw", &recovery, &recovery, &recovery];
    check(&world, &at_sshd("alice"), &answers, Err(Reason::MethodNotAllowed));
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
}

#[test]
fn an_appended_code_lets_in_without_a_second_question() {
    let world = World::with_alice(policy());
    let vpn = profile(at_vpn("alice"), CANNOT_ASK);
    check(&world, &vpn, &["pw"], Err(Reason::CodeMissing));
    check(&world, &vpn, &["pw,000000"], Err(Reason::WrongCode));
    let appended = format!("pw,{}", world.code());
    check(&world, &vpn, &[&appended], accepted(Grounds::BothProofs));
    check(&world, &vpn, &[&appended], Err(Reason::CodeAlreadyUsed));
    world.wait(60);
    let by_shape = profile(at_vpn("alice"), Profile { appended: Appended::ByShape, ..CANNOT_ASK });
    check(&world, &by_shape, &[&format!("pw{}", world.code())], accepted(Grounds::BothProofs));
}

#[test]
fn a_password_is_not_cut_for_somebody_without_a_second_step() {
    let world = World::new(policy());
    let password = Some(crate::account::PasswordHash::new("pw,123456".to_owned()));
    let add =
        Act::Add { state: Some(State::Disabled), role: crate::account::Role::User, password, totp: None };
    world.act("off", &add);
    check(&world, &at_sshd("off"), &["pw,123456"], accepted(Grounds::PrimaryAlone));
}

#[test]
fn a_wrong_appended_code_can_be_typed_again_where_the_client_can_ask() {
    let world = World::with_alice(policy());
    check(&world, &at_sshd("alice"), &["pw,000000", &world.code()], accepted(Grounds::BothProofs));
}

#[test]
fn a_client_for_codes_alone_is_asked_no_password() {
    let world = World::with_alice(policy());
    let code_only = Profile { first_answer: FirstAnswer::Code, ..CANNOT_ASK };
    let vpn = profile(at_vpn("alice"), code_only);
    check(&world, &vpn, &[&world.code()], accepted(Grounds::SecondProof));
    check(&world, &vpn, &["pw"], Err(Reason::WrongCode));
    world.act("alice", &Act::SetState(State::Disabled));
    check(&world, &vpn, &["anything"], Err(Reason::NothingProven));
}

#[test]
fn an_app_password_stands_for_both_in_its_scope_only() {
    let world = World::with_alice(policy());
    let app = world.app_password("alice", &["sshd"]);
    let loud = app.to_uppercase().replace('-', " ");
    check(&world, &at_sshd("alice"), &[&app], accepted(Grounds::AppPassword));
    check(&world, &at_vpn("alice"), &[&loud], accepted(Grounds::AppPassword));
    let imap = Attempt { place: crate::Place::Service("imap".to_owned()), ..at_sshd("alice") };
    assert!(world.login(&imap, &[&app]).is_err(), "asked on, as after any wrong password");
    assert_eq!(world.last_record().reason, Reason::AppPasswordOutOfScope);
    check(&world, &at_sshd("alice"), &["pw", &app], accepted(Grounds::BothProofs));
}

#[test]
fn an_app_password_is_no_good_for_privileged_use_unless_a_rule_names_it() {
    let sudo = |world: &World, expected| {
        let app = world.app_password("alice", &["sshd", "sudo"]);
        let sudo = Attempt { place: crate::Place::Service("sudo".to_owned()), ..at_sshd("alice") };
        let plain = profile(sudo, Profile { dialogue: Dialogue::Plain, ..Profile::default() });
        check(world, &plain, &[&app], expected);
        let root = profile(Attempt { target: Target::Root, ..at_sshd("alice") }, plain.profile);
        check(world, &root, &[&app], expected);
    };
    sudo(&World::with_alice(policy()), Err(Reason::AppPasswordPrivileged));
    let named = Rule { methods: Some(Method::ALL.into()), ..rule("scripts may", Action::Require) };
    sudo(&World::with_alice(Policy { rules: vec![named], ..policy() }), accepted(Grounds::AppPassword));
}

#[test]
fn app_passwords_end_with_revocation_and_rest_while_disabled() {
    let world = World::with_alice(policy());
    let app = world.app_password("alice", &["sshd"]);
    let plain = profile(at_sshd("alice"), Profile { dialogue: Dialogue::Plain, ..Profile::default() });
    world.act("alice", &Act::SetState(State::Disabled));
    check(&world, &plain, &[&app], Err(Reason::WrongPassword));
    world.act("alice", &Act::SetState(State::Enforced));
    check(&world, &plain, &[&app], accepted(Grounds::AppPassword));
    let id = world.engine.parts.store.load(
        &Username::parse("alice").unwrap(),
        &crate::lane::LaneKey::of_nobody(&crate::world::keys(), None).unwrap(),
        None,
    );
    let id = id.unwrap().account.unwrap().app_passwords[0].id;
    world.act("alice", &Act::RevokeAppPassword(id));
    check(&world, &plain, &[&app], Err(Reason::WrongPassword));
}

#[test]
fn a_client_for_app_passwords_alone_takes_nothing_else() {
    let world = World::with_alice(policy());
    let app = world.app_password("alice", &[]);
    let only = Profile { first_answer: FirstAnswer::AppPassword, ..CANNOT_ASK };
    check(&world, &profile(at_vpn("alice"), only), &["pw"], Err(Reason::WrongPassword));
    check(&world, &profile(at_vpn("alice"), only), &[&app], accepted(Grounds::AppPassword));
    assert_eq!(world.primary.checks.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[test]
fn a_recovery_code_works_once() {
    let world = World::with_alice(policy());
    let codes = world.recovery_codes("alice");
    check(&world, &at_sshd("alice"), &["pw", "recovery", &codes[0]], accepted(Grounds::BothProofs));
    let again = ["pw", codes[0].as_str(), codes[0].as_str(), codes[0].as_str()];
    check(&world, &at_sshd("alice"), &again, Err(Reason::RecoveryCodeAlreadyUsed));
    check(&world, &at_sshd("alice"), &["pw", &codes[1]], accepted(Grounds::BothProofs));
}

#[test]
fn after_another_modules_right_password_only_the_code_is_asked() {
    let world = World::with_alice(policy());
    let stack = Attempt { primary: PrimaryMode::Stack, ..at_sshd("alice") };
    check(&world, &stack, &[&world.code()], accepted(Grounds::BothProofs));
}

#[test]
fn after_another_modules_refusal_only_an_app_password_is_good() {
    let world = World::with_alice(policy());
    let app = world.app_password("alice", &["sshd"]);
    let failed = Attempt { primary: PrimaryMode::Failed, ..at_sshd("alice") };
    check(&world, &failed, &[&app], accepted(Grounds::AppPassword));
    let code = world.code();
    check(&world, &failed, &["pw", &code, &code, &code], Err(Reason::WrongPassword));
    assert_eq!(world.primary.checks.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[test]
fn with_a_key_instead_of_a_password_a_skip_leaves_the_decision_to_others() {
    let world = World::with_alice(policy());
    let keyed = Attempt { primary: PrimaryMode::None, ..at_sshd("alice") };
    check(&world, &keyed, &[&world.code()], accepted(Grounds::SecondProof));
    world.act("alice", &Act::SetState(State::Disabled));
    check(&world, &keyed, &[], accepted(Grounds::PolicyAlone));
}

#[test]
fn a_break_glass_account_is_beyond_rules_and_blocks_and_each_use_is_an_alert() {
    let rescue = Username::parse("alice").unwrap();
    let policy = Policy { rules: vec![rule("none", Action::Deny)], break_glass: [rescue].into(), ..policy() };
    let world = World::with_alice(policy);
    world.act("alice", &Act::Block(Block::Indefinitely));
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
    assert_eq!(world.last_record().severity, Severity::Alert);
    let code = code_at(world.now() + 30);
    check(&world, &at_vpn("alice"), &["pw", &code, &code, &code], Err(Reason::Blocked));
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
    check(&world, &at_sshd("alice"), &[], Err(Reason::StoreUnavailable));
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
fn who_goes_away_after_a_right_password_is_named() {
    let world = World::with_alice(policy());
    for (password, user) in [("pw", Some("alice")), ("wrong", None)] {
        let session = world.begin(&at_vpn("alice"), password);
        world.engine.abandon(&at_vpn("alice"), &session);
        let record = world.last_record();
        assert_eq!((record.reason, record.user.as_deref()), (Reason::Abandoned, user));
    }
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
