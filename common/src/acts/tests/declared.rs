//! Factors that a file declares: brought from another machine, or there already.

use super::contacts::{recorded, told};
use super::*;
use crate::account::{Account, Block, FactorKind, SetBy};
use crate::acts::{Declaration, DeclaredKind, HotpProof, NewHotp, NewSent};
use crate::address::{Address, Channel, MailAddress};
use crate::limits;
use crate::message::Event;
use crate::world::{code_at, code_of};

const TOKEN: &str = "a token that counts.";

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn mail() -> Address {
    Address::Email(MailAddress::parse("alice@example.org").unwrap())
}

/// Alice with an app, a token and a mail address, and her last code just used.
fn old_machine() -> World {
    let world = World::with_alice(Policy::new(State::Enforced));
    world.act("alice", &Act::AddContact { address: mail(), set_by: SetBy::User });
    let (secret, proof) = (Secret::from(TOKEN), HotpProof::Imported);
    world.act(
        "alice",
        &Act::AddHotp(NewHotp { label: label("key fob"), digits: 6, secret, counter: 7, proof }),
    );
    world.act("alice", &Act::AddSent(NewSent { label: label("mail"), address: mail() }));
    let default = world.account("alice").factors[1].id;
    world.act("alice", &Act::SetDefault(default));
    assert_eq!(
        short(&world.verdict(&at_sshd("alice"), &["pw", &world.code()])),
        accepted(Grounds::BothProofs)
    );
    world
}

fn carried(world: &World) -> Declaration {
    let name = Username::parse("alice").unwrap();
    world.engine.declaration_with_secrets(&name).unwrap().unwrap()
}

fn declare(declaration: &Declaration) -> Act {
    Act::Declare(Box::new(declaration.clone()))
}

/// Another machine at the same moment, where Alice has a password and nothing else.
fn new_machine(old: &World) -> World {
    let world = world();
    world.set_clock(old.now());
    world.add("alice", State::Enabled);
    world
}

fn words_after(world: &World) -> String {
    world.last_record().act.unwrap().after.unwrap()
}

/// Everything but what is made anew at each machine.
fn comparable(account: &Account) -> Vec<(String, &'static str, bool)> {
    let line = |factor: &crate::account::Factor| {
        (factor.label.clone(), factor.kind.name(), account.default_factor == Some(factor.id))
    };
    account.factors.iter().map(line).collect()
}

fn signs_in(world: &World, code: &str) -> Result<Grounds, Reason> {
    world.act("alice", &Act::Unlock);
    short(&world.verdict(&at_sshd("alice"), &["pw", code, code, code]))
}

#[test]
fn an_account_arrives_as_it_was_and_a_second_time_nothing_changes() {
    let old = old_machine();
    let new = new_machine(&old);
    let declaration = carried(&old);
    new.act("alice", &declare(&declaration));
    assert_eq!(comparable(&new.account("alice")), comparable(&old.account("alice")));
    assert_eq!(new.account("alice").state, State::Enforced);
    let words = words_after(&new);
    for part in [" kind=totp label=\"phone\" proof=moved", " kind=hotp label=\"key fob\"", " kind=email "] {
        assert!(words.contains(part), "{words}");
    }
    assert!(carried(&new) == declaration, "what is exported there is the same again");
    let before = new.account("alice");
    let foreseen = new.engine.foresee(&before.name, Some(&before), &declare(&declaration)).unwrap();
    assert!(matches!(foreseen, crate::acts::Foreseen::AsAsked));
}

#[test]
fn a_code_that_was_good_at_the_old_machine_is_good_at_the_new_one_no_more() {
    let old = old_machine();
    let new = new_machine(&old);
    new.act("alice", &declare(&carried(&old)));
    assert_eq!(signs_in(&new, &old.code()), Err(Reason::CodeAlreadyUsed), "used there");
    let next = code_at(old.now() + 30);
    assert_eq!(signs_in(&new, &next), Err(Reason::CodeAlreadyUsed), "good there too, a little early");
    assert_eq!(signs_in(&new, &code_at(old.now() - 30)), Err(Reason::CodeAlreadyUsed));
    new.wait(60);
    assert_eq!(signs_in(&new, &new.code()), accepted(Grounds::BothProofs));
}

#[test]
fn the_same_holds_of_a_factor_that_was_removed_here_and_comes_back() {
    let world = old_machine();
    let declaration = carried(&world);
    let used = world.code();
    world.act("alice", &Act::RemoveFactor(world.account("alice").factors[0].id));
    world.act("alice", &declare(&declaration));
    assert_eq!(signs_in(&world, &used), Err(Reason::CodeAlreadyUsed));
}

#[test]
fn a_token_that_counts_goes_on_behind_its_last_code_and_never_back() {
    let hotp = |counter: u64| code_of(&Secret::from(TOKEN), counter * 30);
    let old = old_machine();
    assert_eq!(signs_in(&old, &hotp(9)), accepted(Grounds::BothProofs));
    let new = new_machine(&old);
    let early = carried(&old);
    new.act("alice", &declare(&early));
    assert_eq!(signs_in(&new, &hotp(9)), Err(Reason::CodeAlreadyUsed));
    assert_eq!(signs_in(&new, &hotp(10)), accepted(Grounds::BothProofs));
    assert_eq!(signs_in(&old, &hotp(15)), accepted(Grounds::BothProofs));
    let counter = |world: &World| {
        let account = world.account("alice");
        account.factors.iter().find_map(|factor| match factor.kind {
            FactorKind::Hotp { counter, .. } => Some(counter),
            FactorKind::Totp { .. } | FactorKind::Sent { .. } => None,
        })
    };
    new.act("alice", &declare(&carried(&old)));
    assert_eq!(counter(&new), Some(16), "a later file carries what was used since");
    assert!(words_after(&new).contains(" counter=10->16"), "{}", words_after(&new));
    new.act("alice", &declare(&early));
    assert_eq!(counter(&new), Some(16), "an earlier one gives nothing back");
}

#[test]
fn a_file_takes_no_factor_away_and_renames_those_it_knows() {
    let world = old_machine();
    let factors = world.account("alice").factors;
    world.act("alice", &declare(&Declaration { state: Some(State::Enforced), ..Declaration::default() }));
    assert_eq!(world.account("alice").factors, factors);
    let mut declaration = carried(&world);
    declaration.factors.truncate(1);
    declaration.factors[0].label = label("new phone");
    declaration.factors[0].is_default = true;
    world.act("alice", &declare(&declaration));
    let after = world.account("alice");
    assert_eq!((after.factors.len(), after.factors[0].label.as_str()), (3, "new phone"));
    assert_eq!(after.default_factor, Some(factors[0].id));
    assert!(words_after(&world).contains(" label=\"phone\"->\"new phone\""));
}

#[test]
fn one_secret_is_no_second_factor_of_another_kind() {
    let world = old_machine();
    let mut declaration = carried(&world);
    let DeclaredKind::Totp { secret, .. } = declaration.factors[0].kind.clone() else { panic!("no app") };
    declaration.factors[0].kind = DeclaredKind::Hotp { digits: 6, counter: 0, secret };
    assert!(matches!(try_act(&world, "alice", &declare(&declaration)), Err(ActError::SecretKnown)));
}

#[test]
fn who_must_register_again_or_is_blocked_arrives_so() {
    let old = old_machine();
    old.require_registration("alice");
    old.act("alice", &Act::Block(Block::Indefinitely));
    let new = new_machine(&old);
    let declaration = carried(&old);
    new.act("alice", &declare(&declaration));
    let account = new.account("alice");
    assert!(account.must_register_again && account.is_blocked(crate::UnixTime::from_seconds(new.now())));
    assert_eq!(account.factors.len(), 3);
    let foreseen = new.engine.foresee(&account.name, Some(&account), &declare(&declaration)).unwrap();
    assert!(matches!(foreseen, crate::acts::Foreseen::AsAsked));
    let plain = Declaration::of(&old.account("alice"));
    assert!(plain.block.is_none() && !plain.must_register_again && plain.factors.is_empty());
    new.act("alice", &declare(&plain));
    assert!(new.account("alice").must_register_again, "a file lifts no demand and no block");
    assert!(new.account("alice").block.is_some());
}

#[test]
fn no_file_brings_a_factor_to_whoever_must_register_again() {
    let world = old_machine();
    let whole = carried(&world);
    for lost in world.account("alice").factors {
        let world = old_machine();
        let is_lost = |factor: &&crate::account::Factor| factor.label == lost.label;
        let id = world.account("alice").factors.iter().find(is_lost).unwrap().id;
        world.act("alice", &Act::RemoveFactor(id));
        world.recovery_codes("alice");
        world.temporary_code("alice", 600);
        world.app_password("alice", &["imap"]);
        world.require_registration("alice");
        let before = world.account("alice");
        let refused = try_act(&world, "alice", &declare(&whole));
        assert!(
            matches!(&refused, Err(ActError::MustRegister(name)) if *name == before.name),
            "{}",
            lost.label
        );
        assert!(
            refused.err().unwrap().to_string().contains("countersign enroll alice"),
            "it says what to do"
        );
        assert!(world.account("alice") == before, "{}", lost.label);
    }
}

#[test]
fn a_file_makes_a_block_longer_and_never_shorter() {
    let until = |seconds: u64| Block::Until(crate::UnixTime::from_seconds(seconds));
    let now = world().now();
    let (past, soon, later) = (until(now), until(now + 60), until(now + 600));
    for (known, declared, expected) in [
        (Some(Block::Indefinitely), past, Some(Block::Indefinitely)),
        (Some(Block::Indefinitely), later, Some(Block::Indefinitely)),
        (Some(later), soon, Some(later)),
        (Some(later), past, Some(later)),
        (Some(soon), later, Some(later)),
        (Some(later), Block::Indefinitely, Some(Block::Indefinitely)),
        (None, past, None),
        (None, soon, Some(soon)),
    ] {
        let world = world();
        world.add("alice", State::Enforced);
        if let Some(known) = known {
            world.act("alice", &Act::Block(known));
        }
        world.act("alice", &declare(&Declaration { block: Some(declared), ..Declaration::default() }));
        assert_eq!(world.account("alice").block, expected, "{known:?} {declared:?}");
    }
}

#[test]
fn the_contacts_known_before_hear_of_each_factor_that_comes() {
    let old = old_machine();
    let new = new_machine(&old);
    new.act("alice", &Act::AddContact { address: mail(), set_by: SetBy::Administrator });
    let _ = told(&new);
    let declaration = carried(&old);
    new.act("alice", &declare(&declaration));
    let added = || (mail(), Channel::Email, Event::FactorAdded);
    assert_eq!(told(&new), [added(), added(), added()]);
    assert_eq!(recorded(&new), Some((3, None)));
}

#[test]
fn more_factors_than_an_account_may_have_are_refused_as_a_whole() {
    let world = world();
    world.add("alice", State::Enabled);
    let factor = |number: usize| crate::acts::DeclaredFactor {
        label: label("app"),
        is_default: false,
        kind: DeclaredKind::Totp {
            parameters: TotpParameters::default(),
            drift: 0,
            secret: Secret::from(format!("a secret of its own {number:04}")),
        },
    };
    let factors = (0..=limits::FACTORS_MAX).map(factor).collect();
    let declaration = Declaration { factors, ..Declaration::default() };
    assert!(matches!(try_act(&world, "alice", &declare(&declaration)), Err(ActError::TooManyFactors)));
    assert!(world.account("alice").factors.is_empty());
}

#[test]
fn a_clock_that_was_set_right_stays_right() {
    let old = old_machine();
    let mut declaration = carried(&old);
    let DeclaredKind::Totp { drift, .. } = &mut declaration.factors[0].kind else { panic!("no app") };
    *drift = -4;
    let new = new_machine(&old);
    new.act("alice", &declare(&declaration));
    new.wait(60);
    let shown = code_at(new.now() - 4 * 30);
    assert_eq!(signs_in(&new, &shown), accepted(Grounds::BothProofs));
}
