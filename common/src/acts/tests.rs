//! Administrators' acts as scripts.

mod contacts;
mod declared;
mod devices;
mod factors;
mod notices;
mod properties;
mod states;

use crate::account::{Role, State};
use crate::acts::{Act, ActError, EnrolmentProof, Issued, Label, NewTotp};
use crate::policy::Policy;
use crate::record::{Actor, Ending, Severity};
use crate::totp::TotpParameters;
use crate::world::{World, accepted, add_totp, app_secret, at_sshd, short};
use crate::{Grounds, Place, Reason, Secret, Username};

fn world() -> World {
    World::new(Policy::new(State::Enforced))
}

fn try_act(world: &World, name: &str, act: &Act) -> Result<Issued, ActError> {
    let actor = Actor { login_uid: Some(1000), uid: Some(0), tty: None, host: "test".to_owned() };
    world.engine.act(&actor, &Username::parse(name).unwrap(), act)
}

fn add() -> Act {
    Act::Add { state: None, role: Role::User, password: None, totp: None }
}

fn app_with_code(code: &str) -> Act {
    Act::AddTotp(NewTotp {
        label: Label::parse("phone").unwrap(),
        parameters: TotpParameters::default(),
        secret: app_secret(),
        proof: EnrolmentProof::Code(Secret::from(code)),
    })
}

fn another_app(number: usize) -> Act {
    Act::AddTotp(NewTotp {
        label: Label::parse("phone").unwrap(),
        parameters: TotpParameters::default(),
        secret: Secret::from(format!("a secret of its own {number:04}")),
        proof: EnrolmentProof::Imported,
    })
}

#[test]
fn one_secret_is_one_factor() {
    let world = World::with_alice(Policy::new(State::Enforced));
    assert!(matches!(try_act(&world, "alice", &add_totp()), Err(ActError::SecretKnown)));
}

#[test]
fn a_factor_counts_once_it_is_proven_and_its_code_is_spent_by_that() {
    let world = world();
    world.add("alice", State::Enabled);
    let wrong = try_act(&world, "alice", &app_with_code("000000"));
    assert!(matches!(wrong, Err(ActError::WrongCode)));
    let code = world.code();
    world.act("alice", &app_with_code(&code));
    let again = world.verdict(&at_sshd("alice"), &["pw", &code, &code, &code]);
    assert_eq!(short(&again), Err(Reason::CodeAlreadyUsed));
    world.wait(30);
    let next = world.verdict(&at_sshd("alice"), &["pw", &world.code()]);
    assert_eq!(short(&next), accepted(Grounds::BothProofs));
}

#[test]
fn a_code_from_before_the_floor_proves_nothing() {
    let world = world();
    world.add("alice", State::Enabled);
    world.memory.0.lock().unwrap().floor = crate::UnixTime::from_seconds(world.now());
    let refused = try_act(&world, "alice", &app_with_code(&world.code()));
    assert!(matches!(refused, Err(ActError::CodeRefused)));
}

#[test]
fn a_removed_name_that_returns_is_a_new_account() {
    let world = World::with_alice(Policy::new(State::Enforced));
    let app = world.app_password("alice", &["sshd"]);
    world.act("alice", &Act::Remove);
    world.add("alice", State::Enforced);
    let answers = [app.as_str(), "000000", "000001", "000002"];
    assert_eq!(short(&world.verdict(&at_sshd("alice"), &answers)), Err(Reason::WrongPassword));
}

#[test]
fn a_renamed_account_keeps_its_factors_and_a_taken_name_is_refused() {
    let world = World::with_alice(Policy::new(State::Enforced));
    world.add("bob", State::Enforced);
    let bob = Username::parse("bob").unwrap();
    assert!(matches!(try_act(&world, "alice", &Act::Rename(bob)), Err(ActError::NameTaken(_))));
    world.act("alice", &Act::Rename(Username::parse("alicia").unwrap()));
    let verdict = world.verdict(&at_sshd("alicia"), &["pw", &world.code()]);
    assert_eq!(short(&verdict), accepted(Grounds::BothProofs));
}

#[test]
fn acts_on_nobody_are_refused_and_recorded() {
    let world = world();
    assert!(matches!(try_act(&world, "alice", &Act::Unblock), Err(ActError::NoSuchAccount(_))));
    let record = world.last_record();
    assert_eq!((record.ending, record.reason), (Ending::Act, Reason::ActRefused));
    assert_eq!(record.act.unwrap().actor.login_uid, Some(1000));
}

#[test]
fn a_record_tells_what_was_before_and_after() {
    let world = world();
    world.act("alice", &add());
    world.act("alice", &Act::SetRole(Role::Administrator));
    let act = world.last_record().act.unwrap();
    assert!(act.before.unwrap().contains("role=user"));
    assert!(act.after.unwrap().contains("role=administrator"));
}

#[test]
fn an_act_on_no_account_is_a_record_about_nobody() {
    let world = world();
    let actor = Actor { login_uid: None, uid: Some(0), tty: None, host: "test".to_owned() };
    let place = Place::Client("vpn".to_owned());
    world.engine.record_act(&actor, place.clone(), "client remove", "removed".to_owned());
    let record = world.last_record();
    assert_eq!((record.place, record.ending, record.user), (place, Ending::Act, None));
    assert_eq!(record.act.unwrap().after.as_deref(), Some("removed"));
}

#[test]
fn an_act_that_the_store_cannot_record_first_is_refused() {
    let world = world();
    let actor = Actor { login_uid: None, uid: Some(0), tty: None, host: "test".to_owned() };
    let first = || world.engine.record_act_first(&actor, "export", "secrets=sealed".to_owned());
    first().unwrap();
    let record = world.last_record();
    assert_eq!((record.place, record.reason), (Place::countersign(), Reason::ActDone));
    assert_eq!(record.act.unwrap().after.as_deref(), Some("secrets=sealed"));
    world.memory.0.lock().unwrap().is_read_only = true;
    assert!(matches!(first(), Err(ActError::Store(_))));
}

#[test]
fn what_was_found_on_the_way_is_an_alert() {
    let world = world();
    world.engine.record_finding(Reason::StoreWentBack);
    let record = world.last_record();
    assert_eq!((record.severity, record.ending), (Severity::Alert, Ending::Finding));
    assert!(record.act.is_none());
}

#[test]
fn limits_hold() {
    let world = world();
    world.act("alice", &add());
    for number in 0..crate::limits::FACTORS_MAX {
        world.act("alice", &another_app(number));
    }
    assert!(matches!(try_act(&world, "alice", &another_app(99)), Err(ActError::TooManyFactors)));
    for _ in 0..crate::limits::APP_PASSWORDS_MAX {
        world.app_password("alice", &["sshd"]);
    }
    let scope = crate::account::Scope { services: vec!["sshd".to_owned()], clients: Vec::new() };
    let one_more = Act::CreateAppPassword { label: Label::parse("x").unwrap(), scope };
    assert!(matches!(try_act(&world, "alice", &one_more), Err(ActError::TooManyAppPasswords)));
    let nowhere = Act::CreateAppPassword { label: Label::parse("x").unwrap(), scope: Default::default() };
    world.act("bob", &add());
    assert!(matches!(try_act(&world, "bob", &nowhere), Err(ActError::EmptyScope)));
}

#[test]
fn labels_are_short_and_plain() {
    assert!(Label::parse("  ").is_none());
    assert!(Label::parse("a\nb").is_none());
    assert!(Label::parse(&"x".repeat(65)).is_none());
    assert!(Label::parse(" phone ").is_some());
}
