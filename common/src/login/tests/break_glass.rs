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

#[test]
fn where_the_store_can_be_read_and_not_written_guesses_wait_and_the_waits_end() {
    let world = world();
    world.memory.0.lock().unwrap().is_read_only = true;
    let ends = |code: &str| short(&world.verdict(&at_sshd("alice"), &["pw", code, code, code]));
    let looked_at = (0..20).filter(|_| ends("000000") == Err(Reason::WrongCode)).count();
    assert!((1..=2).contains(&looked_at), "{looked_at}: five answers, three an attempt");
    world.wait(900);
    assert_eq!(ends(&world.code()), accepted(Grounds::BothProofs));
    for _ in 0..8 {
        let _ = world.verdict(&at_sshd("alice"), &["wrong", "1", "2", "3"]);
    }
    world.wait(900);
    assert_eq!(ends(&world.code()), accepted(Grounds::BothProofs));
}

#[test]
fn a_row_of_guesses_over_all_sources_does_not_keep_them_out() {
    let world = world();
    for source in 0..200 {
        let from = Attempt { source: Some(format!("198.51.100.{source}")), ..at_sshd("alice") };
        let _ = world.verdict(&from, &["pw", "000000", "000001", "000002"]);
        world.wait(300);
    }
    world.wait(3600);
    let elsewhere = Attempt { source: Some("203.0.113.9".to_owned()), ..at_sshd("alice") };
    check(&world, &elsewhere, &["pw", &world.code()], accepted(Grounds::BothProofs));
}

#[test]
fn an_unlock_ends_waits_that_the_file_has_counted_too() {
    let world = world();
    lose_the_store(&world, true);
    for _ in 0..3 {
        let _ = world.verdict(&at_sshd("alice"), &["pw", "000000", "000001", "000002"]);
    }
    lose_the_store(&world, false);
    check(&world, &at_sshd("alice"), &["pw", "1", "2", &world.code()], Err(Reason::Throttled));
    world.act("alice", &Act::Unlock);
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
}
