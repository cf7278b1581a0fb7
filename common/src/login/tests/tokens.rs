//! Codes of tokens that count, of clocks that go wrong, and those that an administrator hands out.

use super::*;
use crate::acts::{HotpProof, Issued, Label, NewHotp};
use crate::bundle::Spend;
use crate::world::app_secret;
use crate::{FactorId, Secret, UnixTime, limits};

/// The code of a counter: a clock that is at its step.
fn hotp_code(counter: u64) -> String {
    code_at(counter * 30)
}

fn token(counter: u64) -> Act {
    Act::AddHotp(NewHotp {
        label: Label::parse("key fob").unwrap(),
        digits: 6,
        secret: app_secret(),
        counter,
        proof: HotpProof::Imported,
    })
}

/// A world where `bob` has nothing but a token that counts, at this counter.
fn with_bob(counter: u64) -> (World, FactorId) {
    let world = World::with_alice(policy());
    world.add("bob", State::Enforced);
    let Issued::Factor(factor) = world.act("bob", &token(counter)) else { panic!("no factor") };
    (world, factor)
}

/// Password and this, with no wrong answer remembered from before.
fn only(world: &World, name: &str, code: &str, expected: Result<Grounds, Reason>) {
    world.act(name, &Act::Unlock);
    check(world, &at_sshd(name), &["pw", code, code, code][..if expected.is_ok() { 2 } else { 4 }], expected);
}

const IN: Result<Grounds, Reason> = Ok(Grounds::BothProofs);

#[test]
fn each_code_of_a_token_that_counts_works_once_and_none_before_it() {
    let (world, _) = with_bob(0);
    // RFC 4226, appendix D.
    only(&world, "bob", "755224", IN);
    assert!(world.last_record().factor.unwrap().starts_with("hotp "));
    only(&world, "bob", "755224", Err(Reason::CodeAlreadyUsed));
    only(&world, "bob", "359152", IN);
    only(&world, "bob", "287082", Err(Reason::WrongCode));
    only(&world, "bob", "969 429", IN);
}

#[test]
fn a_code_is_good_a_little_ahead_and_two_in_a_row_much_further() {
    let (world, _) = with_bob(0);
    only(&world, "bob", &hotp_code(limits::HOTP_LOOK_AHEAD), IN);
    let from = limits::HOTP_LOOK_AHEAD + 1;
    world.wait(1000);
    only(&world, "bob", &hotp_code(from + limits::HOTP_LOOK_AHEAD + 1), Err(Reason::WrongCode));
    let far = from + limits::RESYNC_WINDOW;
    let pair = |first, second| format!("{} {}", hotp_code(first), hotp_code(second));
    for wrong in [pair(far, far + 2), pair(far + 1, far), pair(far, far), pair(far + 1, far + 2)] {
        world.wait(1000);
        only(&world, "bob", &wrong, Err(Reason::WrongCode));
    }
    world.wait(1000);
    only(&world, "bob", &pair(far, far + 1), IN);
    only(&world, "bob", &pair(far, far + 1), Err(Reason::WrongCode));
    only(&world, "bob", &hotp_code(far + 1), Err(Reason::CodeAlreadyUsed));
    only(&world, "bob", &hotp_code(far + 2), IN);
}

#[test]
fn a_rule_may_allow_clocks_and_no_counters() {
    let methods = Some([Method::Totp].into());
    let rules = vec![Rule { methods, ..rule("clocks", Action::Require) }];
    let world = World::with_alice(Policy { rules, ..policy() });
    world.add("bob", State::Enforced);
    world.act("bob", &token(0));
    only(&world, "bob", &hotp_code(0), Err(Reason::NoUsableFactor));
    only(&world, "alice", &world.code(), IN);
}

/// Resynchronises the only factor of somebody whose token shows the codes of this moment now.
fn resync(world: &World, name: &str, shown: u64) -> Result<Issued, crate::acts::ActError> {
    let factor = world.account(name).factors[0].id;
    let (first, second) = (Secret::from(code_at(shown - 30)), Secret::from(code_at(shown)));
    let actor = crate::record::Actor { login_uid: None, uid: Some(0), tty: None, host: "test".to_owned() };
    let act = Act::Resync { factor, first, second };
    world.engine.act(&actor, &Username::parse(name).unwrap(), &act)
}

#[test]
fn two_codes_set_the_clock_of_a_token_and_are_spent_by_that() {
    for ahead in [-3000_i64, -90, 90, 3000] {
        let world = World::with_alice(policy());
        let its_time = |world: &World| world.now().checked_add_signed(ahead).unwrap();
        only(&world, "alice", &code_at(its_time(&world)), Err(Reason::WrongCode));
        assert!(resync(&world, "alice", its_time(&world)).is_ok(), "{ahead}");
        for used in [its_time(&world) - 30, its_time(&world)] {
            world.wait(1);
            only(&world, "alice", &code_at(used), Err(Reason::CodeAlreadyUsed));
        }
        world.wait(1000);
        only(&world, "alice", &world.code(), Err(Reason::WrongCode));
        only(&world, "alice", &code_at(its_time(&world)), IN);
        world.wait(30);
        only(&world, "alice", &code_at(its_time(&world)), IN);
    }
}

#[test]
fn a_spend_says_in_our_time_when_a_code_of_a_wrong_clock_was_good() {
    let world = World::with_alice(policy());
    assert!(resync(&world, "alice", world.now() + 900).is_ok());
    world.wait(600);
    only(&world, "alice", &code_at(world.now() + 900), IN);
    let begins = UnixTime::from_seconds(world.now() / 30 * 30);
    let spends = world.memory.0.lock().unwrap().last_spends.clone();
    let [Spend::TotpStep { step, begins_at, expires_at, .. }] = spends.as_slice() else {
        panic!("{spends:?}")
    };
    assert_eq!((*step, *begins_at), ((world.now() + 900) / 30, begins));
    assert_eq!(*expires_at, begins.plus_seconds(60));
}

#[test]
fn codes_that_were_used_do_not_set_a_clock() {
    let world = World::with_alice(policy());
    let (first, second) = (world.now(), world.now() + 30);
    only(&world, "alice", &code_at(first), IN);
    world.wait(30);
    only(&world, "alice", &code_at(second), IN);
    world.wait(600);
    assert!(resync(&world, "alice", second).is_err(), "both are known to be spent");
    // Nor after that is forgotten, for which the floor is raised.
    world.memory.forget_spent_steps();
    world.memory.0.lock().unwrap().floor = UnixTime::from_seconds(second + 60);
    assert!(resync(&world, "alice", second).is_err(), "both are from before the floor");
}

#[test]
fn a_temporary_code_works_once_and_in_its_time() {
    let world = World::with_alice(policy());
    let code = world.temporary_code("alice", 3600);
    world.wait(3599);
    only(&world, "alice", &code.to_uppercase(), IN);
    assert!(world.last_record().factor.unwrap().starts_with("temporary-code "));
    only(&world, "alice", &code, Err(Reason::TemporaryCodeAlreadyUsed));
    let late = world.temporary_code("alice", 3600);
    world.wait(3600);
    only(&world, "alice", &late, Err(Reason::TemporaryCodeExpired));
}

#[test]
fn of_temporary_codes_the_newest_alone_is_good_and_none_that_was_revoked() {
    let world = World::with_alice(policy());
    let (older, newer) = (world.temporary_code("alice", 3600), world.temporary_code("alice", 3600));
    only(&world, "alice", &older, Err(Reason::WrongCode));
    world.act("alice", &Act::RevokeTemporaryCode);
    world.wait(1000);
    only(&world, "alice", &newer, Err(Reason::WrongCode));
}

#[test]
fn a_rule_may_leave_temporary_codes_out() {
    let methods = Some([Method::Totp].into());
    let rules = vec![Rule { methods, ..rule("apps", Action::Require) }];
    let world = World::with_alice(Policy { rules, ..policy() });
    let code = world.temporary_code("alice", 3600);
    only(&world, "alice", &code, Err(Reason::MethodNotAllowed));
}
