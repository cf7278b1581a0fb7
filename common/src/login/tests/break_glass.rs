//! Break-glass accounts, with the store and without.

use super::*;

/// A world where `alice` is a break-glass account and has signed in once, so that her file is up to date.
fn world() -> World {
    let names = [Username::parse("alice").unwrap()].into();
    let world = World::with_alice(Policy { break_glass: names, ..policy() });
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
    world.wait(30);
    world
}

fn lose_the_store(world: &World, is_down: bool) {
    world.memory.0.lock().unwrap().is_down = is_down;
}

#[test]
fn without_the_store_they_get_in_once_a_code_and_nobody_else_does() {
    let world = world();
    world.add("bob", State::Disabled);
    lose_the_store(&world, true);
    let code = world.code();
    check(&world, &at_sshd("alice"), &["pw", &code], accepted(Grounds::BothProofs));
    check(&world, &at_sshd("alice"), &["pw", &code, &code, &code], Err(Reason::CodeAlreadyUsed));
    check(&world, &at_sshd("bob"), &[], Err(Reason::StoreDamaged));
    check(&world, &at_vpn("alice"), &["pw"], Err(Reason::StoreDamaged));
    let record = world.file.0.lock().unwrap().records.last().unwrap().clone();
    assert_eq!((record.ending, record.severity), (Ending::Accept, Severity::Alert));
}

#[test]
fn what_was_spent_without_the_store_is_spent_with_it_and_the_other_way_round() {
    let world = world();
    lose_the_store(&world, true);
    let code = world.code();
    check(&world, &at_sshd("alice"), &["pw", &code], accepted(Grounds::BothProofs));
    lose_the_store(&world, false);
    check(&world, &at_sshd("alice"), &["pw", &code, &code, &code], Err(Reason::CodeAlreadyUsed));
    world.wait(30);
    let next = world.code();
    check(&world, &at_sshd("alice"), &["pw", &next], accepted(Grounds::BothProofs));
    lose_the_store(&world, true);
    check(&world, &at_sshd("alice"), &["pw", &next, &next, &next], Err(Reason::CodeAlreadyUsed));
}

#[test]
fn guesses_are_counted_without_the_store_too() {
    let world = world();
    lose_the_store(&world, true);
    for _ in 0..2 {
        let _ = world.verdict(&at_sshd("alice"), &["pw", "000000", "000001", "000002"]);
    }
    check(&world, &at_sshd("alice"), &["pw", "1", "2", &world.code()], Err(Reason::Throttled));
    assert_eq!(world.file.0.lock().unwrap().records.len(), 1, "a stranger does not fill the file");
}

#[test]
fn with_both_gone_they_do_not_get_in_and_without_the_file_they_do() {
    let world = world();
    world.file.0.lock().unwrap().is_down = true;
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
    lose_the_store(&world, true);
    check(&world, &at_sshd("alice"), &[], Err(Reason::StoreDamaged));
}

#[test]
fn the_copy_follows_the_account() {
    let world = world();
    let recovery = world.recovery_codes("alice").remove(0);
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
    lose_the_store(&world, true);
    check(&world, &at_sshd("alice"), &["pw", &recovery], accepted(Grounds::BothProofs));
    check(&world, &at_sshd("alice"), &["pw", &recovery, "1", "2"], Err(Reason::WrongCode));
}
