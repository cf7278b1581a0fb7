//! One user's program that asks for another user, or for itself.

use super::*;
use crate::attempt::{Parties, Word};

/// `su` to root by this caller: the caller's proof, behind root's password.
fn su_to_root(caller: &str) -> Attempt {
    Attempt {
        place: crate::Place::Service("su".to_owned()),
        source: Some("local".to_owned()),
        target: Target::Root,
        parties: Parties {
            caller: Some(caller.to_owned()),
            target: Some("root".to_owned()),
            word: Word::Believed,
        },
        primary: PrimaryMode::Stack,
        ..at_sshd(caller)
    }
}

#[test]
fn who_has_no_second_step_does_not_come_round_roots() {
    let world = World::new(Policy::new(State::Enabled));
    world.add("www", State::Disabled);
    world.add("new", State::Enabled);
    let ends = |caller: &str| short(&world.verdict(&su_to_root(caller), &["000001", "000002", "000003"]));
    assert_eq!(ends("www"), accepted(Grounds::PrimaryAlone), "root has none either");
    world.add("root", State::Enforced);
    world.act("root", &crate::world::add_totp());
    for caller in ["www", "new", "ghost"] {
        assert_eq!(ends(caller), Err(Reason::NoUsableFactor), "{caller}");
    }
}

#[test]
fn a_block_of_root_holds_by_su_too() {
    let world = World::with_alice(policy());
    let code = world.code();
    check(&world, &su_to_root("alice"), &[&code], accepted(Grounds::BothProofs));
    world.add("root", State::Enforced);
    world.act("root", &Act::Block(Block::Indefinitely));
    world.wait(30);
    let code = world.code();
    check(&world, &su_to_root("alice"), &[&code, &code, &code], Err(Reason::Blocked));
}

#[test]
fn whoever_tries_another_users_name_does_not_make_that_user_wait() {
    let world = World::with_alice(policy());
    let local = |caller: &str| Attempt {
        source: Some("local".to_owned()),
        parties: Parties { caller: Some(caller.to_owned()), ..Parties::default() },
        ..at_sshd("alice")
    };
    for _ in 0..10 {
        let _ = world.verdict(&local("mallory"), &["wrong", "000001", "000002", "000003"]);
    }
    check(&world, &local("mallory"), &["pw", "000001", "000002", &world.code()], Err(Reason::Throttled));
    check(&world, &local("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
}

/// A program of the user that says that an earlier module has taken the password.
fn of_user(name: &str) -> Attempt {
    Attempt {
        source: Some("local".to_owned()),
        parties: Parties { caller: Some(name.to_owned()), target: None, word: Word::OfUser },
        primary: PrimaryMode::Stack,
        ..at_sshd(name)
    }
}

#[test]
fn a_program_of_the_user_fills_no_records_and_closes_nothing_elsewhere() {
    let world = World::with_alice(policy());
    world.add("off", State::Disabled);
    check(&world, &of_user("off"), &[], accepted(Grounds::PrimaryAlone));
    assert_eq!(world.last_record().primary, PrimaryResult::Claimed);
    assert_eq!(world.memory.0.lock().unwrap().tallied, 1);
    for _ in 0..100 {
        let _ = world.verdict(&of_user("alice"), &["000001", "000002", "000003"]);
        world.wait(901);
    }
    check(&world, &at_vpn("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
}
