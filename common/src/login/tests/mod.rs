//! Logins as scripts: who types what where, and how it ends.

mod attack;
mod break_glass;
mod clients;
mod dialogue;
mod manage;
mod need;
mod notices;
mod on_file;
mod parties;
mod registration;
mod sent;
mod standing_in;
pub(super) mod talk;
mod throttle;
mod token_model;
mod tokens;
mod warrants;
mod wishes;

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
    check(&world, &at_sshd("alice"), &["pw", &before, &before, &before], Err(Reason::CodeAlreadyUsed));
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
fn a_right_code_after_a_wrong_password_is_neither_good_nor_spent() {
    let world = World::with_alice(policy());
    let code = world.code();
    check(&world, &at_sshd("alice"), &["wrong", &code, &code, &code], Err(Reason::WrongPassword));
    check(&world, &at_sshd("alice"), &["pw", &code], accepted(Grounds::BothProofs));
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
