//! Clients that append, that ask for codes alone, and app passwords.

use super::*;

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
    world.act("alice", &Act::SetState(State::Disabled.into()));
    check(&world, &vpn, &["anything"], Err(Reason::NothingProven));
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
    world.act("alice", &Act::SetState(State::Disabled.into()));
    check(&world, &plain, &[&app], Err(Reason::WrongPassword));
    world.act("alice", &Act::SetState(State::Enforced.into()));
    check(&world, &plain, &[&app], accepted(Grounds::AppPassword));
    let id =
        world.engine.parts.store.load(&Username::parse("alice").unwrap(), &crate::lane::LaneKey::NONE, None);
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
