//! What an administrator registers, labels and sets right on behalf of somebody.

use super::*;
use crate::account::FactorKind;
use crate::acts::{HotpProof, NewHotp, NewSent};
use crate::address::{Address, PhoneNumber};
use crate::world::code_at;
use crate::{FactorId, limits};

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

/// The code of a counter of the test secret: that of a clock at this step.
fn hotp_code(counter: u64) -> Secret {
    Secret::from(code_at(counter * 30))
}

fn token(counter: u64, proof: HotpProof) -> Act {
    Act::AddHotp(NewHotp { label: label("key fob"), digits: 6, secret: app_secret(), counter, proof })
}

fn mobile(number: &str) -> Address {
    Address::Mobile(PhoneNumber::parse(number).unwrap())
}

fn number(number: &str) -> Act {
    Act::AddSent(NewSent { label: label("mobile"), address: mobile(number) })
}

fn counter_of(world: &World, name: &str) -> u64 {
    let FactorKind::Hotp { counter, .. } = world.account(name).factors[0].kind else { panic!("no counter") };
    counter
}

fn words_after(world: &World) -> String {
    world.last_record().act.unwrap().after.unwrap()
}

#[test]
fn a_token_that_counts_is_proven_by_a_code_or_by_two_in_a_row() {
    let pair = |first, second| HotpProof::Codes(hotp_code(first), hotp_code(second));
    for (proof, at, next) in [
        (HotpProof::Code(hotp_code(5)), 5, 6),
        (HotpProof::Code(hotp_code(5 + limits::HOTP_LOOK_AHEAD)), 5, 6 + limits::HOTP_LOOK_AHEAD),
        (pair(90, 91), 0, 92),
        (pair(1090, 1091), 1000, 1092),
        (HotpProof::Imported, 7, 7),
    ] {
        let world = world();
        world.add("alice", State::Enabled);
        world.act("alice", &token(at, proof));
        assert_eq!((counter_of(&world, "alice"), world.account("alice").state), (next, State::Enforced));
    }
    let wrong = [
        (HotpProof::Code(hotp_code(4)), 5),
        (HotpProof::Code(hotp_code(6 + limits::HOTP_LOOK_AHEAD)), 5),
        (pair(91, 90), 0),
        (pair(90, 92), 0),
        (pair(200, 201), 0),
    ];
    for (proof, at) in wrong {
        let world = world();
        world.add("alice", State::Enabled);
        let refused = try_act(&world, "alice", &token(at, proof));
        assert!(matches!(refused, Err(ActError::WrongCode | ActError::WrongCodes)), "{at}");
        assert!(world.account("alice").factors.is_empty());
    }
}

#[test]
fn the_codes_that_proved_a_token_are_spent_by_that() {
    let world = world();
    world.add("alice", State::Enabled);
    world.act("alice", &token(0, HotpProof::Codes(hotp_code(3), hotp_code(4))));
    for (counter, expected) in
        [(3, Err(Reason::WrongCode)), (4, Err(Reason::CodeAlreadyUsed)), (5, accepted(Grounds::BothProofs))]
    {
        world.act("alice", &Act::Unlock);
        let code = hotp_code(counter);
        let code = code.expose_text().unwrap();
        let answers = ["pw", code, code, code];
        let answers = &answers[..if expected.is_ok() { 2 } else { 4 }];
        assert_eq!(short(&world.verdict(&at_sshd("alice"), answers)), expected, "{counter}");
    }
}

#[test]
fn a_token_that_has_run_ahead_is_set_right_and_never_back() {
    let world = world();
    world.add("alice", State::Enabled);
    let Issued::Factor(factor) = world.act("alice", &token(0, HotpProof::Imported)) else { panic!() };
    let resync = |first, second| Act::Resync { factor, first: hotp_code(first), second: hotp_code(second) };
    world.act("alice", &resync(99, 100));
    assert_eq!(counter_of(&world, "alice"), 101);
    assert!(words_after(&world).ends_with(&format!(" factor={factor} counter=101")));
    for (first, second) in [(99, 100), (100, 101), (50, 51), (300, 301), (110, 112)] {
        assert!(matches!(try_act(&world, "alice", &resync(first, second)), Err(ActError::WrongCodes)));
    }
}

#[test]
fn a_number_that_an_administrator_answers_for_is_recorded_so() {
    let world = world();
    world.add("alice", State::Enabled);
    world.act("alice", &number("+4915112345678"));
    assert_eq!(world.account("alice").state, State::Enforced);
    let words = words_after(&world);
    assert!(words.contains(" kind=mobile address=...5678 ") && words.contains(" proof=on-behalf"), "{words}");
    assert!(!words.contains("12345678"), "{words}");
    let again = try_act(&world, "alice", &number("+4915112345678"));
    assert!(matches!(again, Err(ActError::AddressKnown(_))));
}

#[test]
fn weak_secrets_work_when_they_are_imported_and_are_named_so() {
    let world = world();
    world.add("alice", State::Enabled);
    let secret = |octets| {
        Act::AddTotp(NewTotp {
            label: label("old app"),
            parameters: TotpParameters::default(),
            secret: Secret::new(vec![7; octets]),
            proof: EnrolmentProof::Imported,
        })
    };
    world.act("alice", &secret(10));
    assert!(words_after(&world).contains(" weak-secret=yes "));
    world.act("alice", &secret(16));
    assert!(!words_after(&world).contains("weak-secret"));
    assert_eq!(world.account("alice").weak_factors(), 1);
    let shorter = try_act(&world, "alice", &secret(9));
    assert!(matches!(shorter, Err(ActError::Totp(crate::totp::TotpError::SecretTooShort))));
    let made = crate::totp::generate_secret(world.engine.random());
    assert_eq!(made.expose().len(), 20, "our own are never weak");
}

#[test]
fn a_factor_has_a_label_and_may_be_the_default_until_it_goes() {
    let world = World::with_alice(Policy::new(State::Enforced));
    world.act("alice", &number("+4915112345678"));
    let [app, number] = [0, 1].map(|place| world.account("alice").factors[place].id);
    world.act("alice", &Act::SetLabel { factor: app, label: label("Pixel 9") });
    assert_eq!(world.account("alice").factors[0].label, "Pixel 9");
    world.act("alice", &Act::SetDefault(number));
    assert_eq!(world.account("alice").default_factor, Some(number));
    assert!(words_after(&world).contains(&format!(" default-factor={number}")));
    world.act("alice", &Act::RemoveFactor(app));
    assert_eq!(world.account("alice").default_factor, Some(number));
    world.act("alice", &Act::RemoveFactor(number));
    assert_eq!(world.account("alice").default_factor, None);
}

#[test]
fn what_is_not_there_is_refused_by_name() {
    let world = World::with_alice(Policy::new(State::Enforced));
    let strange = FactorId::from_bytes([9; 8]);
    let code = || Secret::from("123456");
    for act in [
        Act::SetLabel { factor: strange, label: label("x") },
        Act::SetDefault(strange),
        Act::RemoveFactor(strange),
        Act::Resync { factor: strange, first: code(), second: code() },
    ] {
        assert!(matches!(try_act(&world, "alice", &act), Err(ActError::NoSuchFactor(id)) if id == strange));
    }
    let Issued::Factor(factor) = world.act("alice", &number("+4915112345678")) else { panic!() };
    let resync = Act::Resync { factor, first: code(), second: code() };
    assert!(matches!(try_act(&world, "alice", &resync), Err(ActError::NotAToken(_))));
    assert!(matches!(try_act(&world, "alice", &Act::RevokeTemporaryCode), Err(ActError::NoTemporaryCode)));
}

#[test]
fn a_temporary_code_has_an_end_within_a_week() {
    let world = World::with_alice(Policy::new(State::Enforced));
    for life_seconds in [0, limits::TEMPORARY_CODE_SECONDS_MAX + 1, u64::MAX] {
        let refused = try_act(&world, "alice", &Act::IssueTemporaryCode { life_seconds });
        assert!(matches!(refused, Err(ActError::TemporaryCodeLife)), "{life_seconds}");
    }
    let life_seconds = limits::TEMPORARY_CODE_SECONDS_MAX;
    let issued = world.act("alice", &Act::IssueTemporaryCode { life_seconds });
    let Issued::TemporaryCode { code, expires_at } = issued else { panic!() };
    assert_eq!(expires_at.seconds(), world.now() + life_seconds);
    let record = format!("{:?}", world.last_record());
    let shown = code.expose_text().unwrap();
    assert!(!record.contains(shown) && !record.contains(&shown.replace('-', "")), "not in the record");
}
