//! States, rules, blocks and roles: whether a second step is asked.

use super::*;
use crate::ports::Identity;

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
    world.act("new", &Act::SetState(State::Disabled.into()));
    check(&world, &at_sshd("new"), &["pw"], accepted(Grounds::PrimaryAlone));
    world.act("new", &Act::SetState(State::Enabled.into()));
    world.wait(30);
    check(&world, &at_sshd("new"), &["pw", &world.code()], accepted(Grounds::BothProofs));
}

#[test]
fn somebody_without_an_account_has_the_default_state() {
    for (state, expected) in [
        (State::Disabled, accepted(Grounds::PrimaryAlone)),
        (State::Enabled, accepted(Grounds::PrimaryAlone)),
        (State::Enforced, Err(Reason::RegistrationOverdue)),
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
fn with_a_key_instead_of_a_password_a_skip_leaves_the_decision_to_others() {
    let world = World::with_alice(policy());
    let keyed = Attempt { primary: PrimaryMode::None, ..at_sshd("alice") };
    check(&world, &keyed, &[&world.code()], accepted(Grounds::SecondProof));
    world.act("alice", &Act::SetState(State::Disabled.into()));
    check(&world, &keyed, &[], accepted(Grounds::PolicyAlone));
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
fn what_the_door_has_asked_of_a_name_is_not_asked_again() {
    let world = World::with_alice(policy());
    let told =
        |identity| Attempt { primary: PrimaryMode::None, identity: Some(identity), ..at_sshd("alice") };
    let right = &*world.code();
    check(&world, &told(Identity::Unknown), &[right, right, right], Err(Reason::UnknownUser));
    check(&world, &told(Identity::Unavailable), &[], Err(Reason::BackendUnavailable));
    let known = told(Identity::Known(Username::parse("alice").unwrap()));
    world.wait(30);
    check(&world, &known, &[&world.code()], accepted(Grounds::SecondProof));
}

#[test]
fn what_the_door_has_asked_of_a_name_says_nothing_of_the_folded_one() {
    let folding = crate::username::Folding::Lowercase;
    let world = World::with_alice(Policy { folding, ..policy() });
    let typed = at_sshd("ALICE");
    let told = Attempt { primary: PrimaryMode::None, identity: Some(Identity::Unknown), ..typed };
    check(&world, &told, &[&world.code()], accepted(Grounds::SecondProof));
}
