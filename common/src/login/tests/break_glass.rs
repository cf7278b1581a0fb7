//! Break-glass accounts, with the store and without.

use super::*;
use crate::Verdict;
use crate::record::Record;
use crate::session::Session;
use crate::throttle::Tracks;
use crate::world::MemoryStore;

/// A world where `alice` is a break-glass account and has signed in once, so that her file is up to date.
fn world() -> World {
    let names = [Username::parse("alice").unwrap()].into();
    let world = World::with_alice(Policy { break_glass: names, ..policy() });
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
    world.wait(30);
    world
}

impl World {
    /// Begins a login at PAM that stops at its second question.
    fn begin_asking(&self, attempt: &Attempt, password: &str) -> Box<Session> {
        let Reply::Ask(session, _) = self.engine.begin(attempt, None) else { panic!("asks for nothing") };
        match self.engine.answer(attempt, &session, &text_answer(password)) {
            Reply::Ask(session, _) => session,
            Reply::Done(_, verdict) => panic!("done: {verdict:?}"),
        }
    }

    fn lets_in(&self, session: &Session, code: &str) -> bool {
        let reply = self.engine.answer(&at_sshd("alice"), session, &text_answer(code));
        matches!(reply, Reply::Done(_, Verdict::Accept(_)))
    }

    fn told_of_file(&self) -> bool {
        let memory = self.memory.0.lock().unwrap();
        memory.records.iter().any(|record| record.reason == Reason::BreakGlassBroken)
    }
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
fn what_was_spent_at_one_door_without_the_store_is_spent_at_the_other_with_it_and_the_other_way_round() {
    let world = world();
    let recovery = world.recovery_codes("alice");
    let signs_in = |attempt: &Attempt, proof: &str| {
        world.wait(900);
        let proof = if proof.is_empty() { world.code() } else { proof.to_owned() };
        check(&world, attempt, &["pw", &proof], accepted(Grounds::BothProofs));
        proof
    };
    let stays_out = |attempt: &Attempt, proof: &str| {
        let ends = short(&world.verdict(attempt, &["pw", proof, proof, proof]));
        assert!(
            matches!(ends, Err(Reason::CodeAlreadyUsed | Reason::RecoveryCodeAlreadyUsed)),
            "{proof}: {ends:?}"
        );
    };
    signs_in(&at_sshd("alice"), "");
    lose_the_store(&world, true);
    signs_in(&at_sshd("alice"), &recovery[0]);
    let code = signs_in(&at_sshd("alice"), "");
    lose_the_store(&world, false);
    stays_out(&at_vpn("alice"), &code);
    signs_in(&at_vpn("alice"), "");
    stays_out(&at_vpn("alice"), &recovery[0]);
    signs_in(&at_vpn("alice"), &recovery[1]);
    let code = signs_in(&at_vpn("alice"), "");
    lose_the_store(&world, true);
    stays_out(&at_sshd("alice"), &code);
    signs_in(&at_sshd("alice"), "");
    stays_out(&at_sshd("alice"), &recovery[1]);
}

#[test]
fn what_was_spent_without_the_store_is_written_down_there_as_of_now() {
    let world = world();
    let recovery = world.recovery_codes("alice").remove(0);
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
    lose_the_store(&world, true);
    check(&world, &at_sshd("alice"), &["pw", &recovery], accepted(Grounds::BothProofs));
    lose_the_store(&world, false);
    world.wait(30);
    let spent = world.memory.0.lock().unwrap().spent().1;
    world.memory.0.lock().unwrap().earliest_commit = None;
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
    let memory = world.memory.0.lock().unwrap();
    assert_eq!((memory.spent().1, memory.earliest_commit), (spent + 1, Some(world.engine.now())));
}

#[test]
fn guesses_are_counted_without_the_store_too() {
    let world = world();
    lose_the_store(&world, true);
    for _ in 0..2 {
        let _ = world.verdict(&at_sshd("alice"), &["pw", "000000", "000001", "000002"]);
    }
    check(&world, &at_sshd("alice"), &["pw", "000001", "000002", &world.code()], Err(Reason::Throttled));
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
    check(&world, &at_sshd("alice"), &["pw", &recovery, "000001", "000002"], Err(Reason::WrongCode));
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
        let _ = world.verdict(&at_sshd("alice"), &["wrong", "000001", "000002", "000003"]);
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
    check(&world, &at_sshd("alice"), &["pw", "000001", "000002", &world.code()], Err(Reason::Throttled));
    world.act("alice", &Act::Unlock);
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
}

/// Everything in a place that reads as an accept.
fn accepts(store: &MemoryStore) -> usize {
    let memory = store.0.lock().unwrap();
    memory.records.iter().filter(|record| record.ending == Ending::Accept).count()
}

#[test]
fn an_accept_that_lost_its_race_at_the_store_is_none_in_the_file_either() {
    let world = world();
    assert_eq!((accepts(&world.memory), accepts(&world.file)), (1, 1));
    let code = world.code();
    let session = world.begin_asking(&at_sshd("alice"), "pw");
    world.memory.0.lock().unwrap().new_password_before_next_accept = true;
    let said = || world.engine.answer(&at_sshd("alice"), &session, &text_answer(&code));
    assert!(!matches!(said(), Reply::Done(_, Verdict::Accept(_))));
    assert_eq!((accepts(&world.memory), accepts(&world.file)), (1, 1));
    lose_the_store(&world, true);
    assert!(!matches!(said(), Reply::Done(_, Verdict::Accept(_))), "it was remembered as a success");
    check(&world, &at_sshd("alice"), &["new", &code, &code, &code], Err(Reason::CodeAlreadyUsed));
}

#[test]
fn a_race_that_is_lost_at_the_store_costs_no_right_code() {
    let world = world();
    let recovery = world.recovery_codes("alice").remove(0);
    for code in [world.code(), recovery] {
        let session = world.begin_asking(&at_sshd("alice"), "pw");
        world.memory.0.lock().unwrap().races_to_lose = 1;
        assert!(world.lets_in(&session, &code), "{:?}", world.last_record().reason);
        for is_down in [false, true] {
            lose_the_store(&world, is_down);
            assert!(!world.lets_in(&world.begin_asking(&at_sshd("alice"), "pw"), &code));
        }
        lose_the_store(&world, false);
        world.wait(900);
    }
}

#[test]
fn nor_does_it_cost_the_first_code_of_a_token_that_counts() {
    let names = [Username::parse("alice").unwrap()].into();
    let world = World::new(Policy { break_glass: names, ..policy() });
    world.add("alice", State::Enforced);
    let label = crate::acts::Label::parse("key fob").unwrap();
    let proof = crate::acts::HotpProof::Imported;
    let secret = crate::world::app_secret();
    world.act("alice", &Act::AddHotp(crate::acts::NewHotp { label, digits: 6, secret, counter: 0, proof }));
    for counter in 0..3 {
        let session = world.begin_asking(&at_sshd("alice"), "pw");
        world.memory.0.lock().unwrap().races_to_lose = 1;
        assert!(world.lets_in(&session, &code_at(counter * 30)), "{counter}");
        assert!(!world.lets_in(&world.begin_asking(&at_sshd("alice"), "pw"), &code_at(counter * 30)));
        world.act("alice", &Act::Unlock);
    }
}

/// An act between the load of a login and its commit, which also copies the account into the file.
fn change_alice_before_the_next_spend(world: &World, places: impl Fn(&World) -> Vec<MemoryStore>) {
    let places = places(world);
    world.file.0.lock().unwrap().before_next_spend =
        Some(Box::new(move || places.iter().for_each(MemoryStore::raise_versions)));
}

#[test]
fn an_act_between_load_and_commit_is_no_fault_of_the_file() {
    let world = world();
    let session = world.begin_asking(&at_sshd("alice"), "pw");
    change_alice_before_the_next_spend(&world, |world| vec![world.memory.clone(), world.file.clone()]);
    assert!(world.lets_in(&session, &world.code()));
    assert!(!world.told_of_file());
}

#[test]
fn a_file_that_is_ahead_of_a_store_which_went_back_is_told_and_keeps_nobody_out() {
    let world = world();
    let session = world.begin_asking(&at_sshd("alice"), "pw");
    change_alice_before_the_next_spend(&world, |world| vec![world.file.clone()]);
    assert!(world.lets_in(&session, &world.code()), "{:?}", world.last_record().reason);
    assert!(world.told_of_file());
}

#[test]
fn the_answer_that_let_in_without_the_store_may_come_again() {
    let world = world();
    lose_the_store(&world, true);
    let session = world.begin_asking(&at_sshd("alice"), "pw");
    let code = text_answer(&world.code());
    let said = || match world.engine.answer(&at_sshd("alice"), &session, &code) {
        Reply::Done(_, verdict) => short(&verdict),
        Reply::Ask(..) => panic!("asked again"),
    };
    assert_eq!(said(), accepted(Grounds::BothProofs));
    assert_eq!(said(), accepted(Grounds::BothProofs));
    world.wait(31);
    assert_eq!(said(), Err(Reason::SessionSpent));
}

#[test]
fn what_was_counted_in_the_file_is_not_taken_back_in_the_store() {
    let world = world();
    let at = at_sshd("alice");
    let lane = Tracks::new(world.engine.keys(), "alice", &at).unwrap().lane;
    let failures = |store: &MemoryStore| store.0.lock().unwrap().lane(&lane).failures;
    for _ in 0..3 {
        let _ = world.verdict(&at, &["wrong", "000001", "000002", "000003"]);
    }
    assert_eq!(failures(&world.memory), 3);
    world.memory.0.lock().unwrap().counts_to_fail = 1;
    let _ = world.begin_asking(&at, "pw");
    assert_eq!(failures(&world.memory), 3);
    assert_eq!(failures(&world.file), 0, "nor does it stay in the file");
}

#[test]
fn a_file_that_is_broken_is_told_once_a_minute_and_keeps_nobody_out() {
    let world = world();
    let told = || {
        let memory = world.memory.0.lock().unwrap();
        let of_file = |record: &&Record| record.reason == Reason::BreakGlassBroken;
        let found: Vec<_> = memory.records.iter().filter(of_file).cloned().collect();
        assert!(found.iter().all(|it| (it.ending, it.severity) == (Ending::Finding, Severity::Alert)));
        found.len()
    };
    assert_eq!(told(), 0);
    world.file.0.lock().unwrap().is_read_only = true;
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
    assert_eq!(told(), 1);
    world.file.0.lock().unwrap().is_down = true;
    world.wait(30);
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
    assert_eq!(told(), 1);
    world.wait(30);
    check(&world, &at_sshd("alice"), &["pw", &world.code()], accepted(Grounds::BothProofs));
    assert_eq!(told(), 2);
}
