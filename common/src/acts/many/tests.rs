//! One act on many accounts: each by itself, none twice, and nothing written without need.

use crate::account::{Role, State};
use crate::acts::{Act, ActError, Became, Foreseen, Many, Order, StateChange};
use crate::policy::Policy;
use crate::record::Actor;
use crate::world::World;
use crate::{Reason, Username, limits};

const ENFORCE: Act = Act::SetState(StateChange::new(State::Enforced));

fn named(name: &str) -> Username {
    Username::parse(name).unwrap()
}

fn many(world: &World, names: &[&str], act: &Act) -> Many {
    let names: Vec<Username> = names.iter().map(|name| named(name)).collect();
    let orders: Vec<Order<'_>> = names.iter().map(|name| Order { name, act }).collect();
    let actor = Actor { login_uid: Some(1000), uid: Some(0), tty: None, host: "test".to_owned() };
    world.engine.act_many(&actor, &orders)
}

fn words(many: &Many) -> Vec<&'static str> {
    let word = |became: &Became| match became {
        Became::Done(_) => "done",
        Became::AsAsked => "as asked",
        Became::Refused(_) => "refused",
    };
    many.became.iter().map(word).collect()
}

fn world_with(names: &[&str]) -> World {
    let world = World::new(Policy::new(State::Enabled));
    names.iter().for_each(|name| world.add(name, State::Enabled));
    world
}

fn state_of(world: &World, name: &str) -> State {
    match world.engine.parts.store.load(&named(name), &crate::lane::LaneKey::NONE, None).unwrap().account {
        Some(account) => account.state,
        None => panic!("no {name}"),
    }
}

#[test]
fn each_has_a_record_of_its_own_and_a_refusal_stops_nobody() {
    let world = world_with(&["alice", "bob"]);
    let before = world.memory.0.lock().unwrap().records.len();
    let many = many(&world, &["alice", "nobody", "bob"], &ENFORCE);
    assert_eq!(words(&many), ["done", "refused", "done"]);
    assert!(many.stopped.is_none());
    assert!(
        matches!(&many.became[1], Became::Refused(ActError::NoSuchAccount(name)) if name.as_str() == "nobody")
    );
    let records = world.memory.0.lock().unwrap().records.split_off(before);
    let told: Vec<_> =
        records.iter().map(|record| (record.user.as_deref().unwrap(), record.reason)).collect();
    let expected = [("alice", Reason::ActDone), ("nobody", Reason::ActRefused), ("bob", Reason::ActDone)];
    assert_eq!(told, expected);
    assert_ne!(records[0].attempt, records[2].attempt);
    assert_eq!((state_of(&world, "alice"), state_of(&world, "bob")), (State::Enforced, State::Enforced));
}

#[test]
fn what_is_as_asked_already_is_not_written() {
    let world = world_with(&["alice", "bob"]);
    let _ = many(&world, &["alice"], &ENFORCE);
    let commits = world.memory.0.lock().unwrap().commits;
    assert_eq!(words(&many(&world, &["alice"], &ENFORCE)), ["as asked"]);
    assert_eq!(world.memory.0.lock().unwrap().commits, commits);
    assert_eq!(words(&many(&world, &["alice", "bob"], &ENFORCE)), ["as asked", "done"]);
    assert_eq!(world.memory.0.lock().unwrap().commits, commits + 1);
    assert_eq!(words(&many(&world, &["alice"], &Act::Unlock)), ["done"], "what ends is not in the account");
}

#[test]
fn a_lost_race_is_tried_again_alone() {
    let world = world_with(&["alice", "bob"]);
    world.memory.0.lock().unwrap().races_to_lose = 1;
    assert_eq!(words(&many(&world, &["alice", "bob"], &ENFORCE)), ["done", "done"]);
    assert_eq!((state_of(&world, "alice"), state_of(&world, "bob")), (State::Enforced, State::Enforced));
}

#[test]
fn a_name_that_stands_twice_is_done_once() {
    let world = world_with(&["alice"]);
    assert_eq!(words(&many(&world, &["alice", "alice"], &ENFORCE)), ["done", "as asked"]);
}

#[test]
fn a_rename_among_many_is_still_refused_where_the_name_is_taken() {
    let world = world_with(&["alice", "bob"]);
    let rename = Act::Rename(named("bob"));
    assert_eq!(words(&many(&world, &["alice"], &rename)), ["refused"]);
    assert_eq!(words(&many(&world, &["alice"], &Act::Rename(named("carol")))), ["done"]);
    assert_eq!(state_of(&world, "carol"), State::Enabled);
}

#[test]
fn a_store_that_does_not_answer_ends_it_and_what_came_before_stands() {
    let names: Vec<String> = (0..=limits::ACTS_TOGETHER).map(|number| format!("user{number:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = world_with(&names);
    let act = Act::Add { state: None, role: Role::User, password: None, totp: None };
    assert_eq!(words(&many(&world, &names, &act)), vec!["refused"; names.len()], "they are there already");
    assert_eq!(words(&many(&world, &names, &ENFORCE)), vec!["done"; names.len()]);
    world.memory.0.lock().unwrap().is_read_only = true;
    let stopped = many(&world, &names, &Act::SetState(State::Disabled.into()));
    assert!(stopped.became.is_empty() && stopped.stopped.is_some());
    assert_eq!(state_of(&world, "user0000"), State::Enforced);
}

#[test]
fn what_is_foreseen_is_what_happens_and_nothing_is_done_by_it() {
    let world = world_with(&["alice"]);
    let commits = world.memory.0.lock().unwrap().commits;
    let account =
        world.engine.parts.store.load(&named("alice"), &crate::lane::LaneKey::NONE, None).unwrap().account;
    let foresee = |act: &Act| world.engine.foresee(&named("alice"), account.as_ref(), act).unwrap();
    assert!(matches!(foresee(&ENFORCE), Foreseen::Changed(after) if after.state == State::Enforced));
    assert!(matches!(foresee(&Act::SetState(State::Enabled.into())), Foreseen::AsAsked));
    assert!(matches!(foresee(&Act::Remove), Foreseen::Gone));
    assert!(matches!(foresee(&Act::Unlock), Foreseen::Changed(_)));
    let stranger = world.engine.foresee(&named("bob"), None, &ENFORCE);
    assert!(matches!(stranger, Err(ActError::NoSuchAccount(_))));
    assert_eq!(world.memory.0.lock().unwrap().commits, commits);
}
