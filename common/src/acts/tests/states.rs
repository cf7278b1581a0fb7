//! States and their ends, and what a reset asks for.

use super::*;
use crate::UnixTime;
use crate::account::{Account, Deadline};
use crate::acts::{DeadlineChange, IfAbsent, Limit, NewSent, Reset, StateChange};
use crate::address::{Address, MailAddress};
use crate::registration::Grace;
use crate::world::BEGINNING;

fn enable(deadline: Option<Deadline>) -> Act {
    Act::SetState(StateChange {
        state: State::Enabled,
        deadline: deadline.into(),
        if_absent: IfAbsent::Create,
    })
}

fn with_grace() -> World {
    let mut policy = Policy::new(State::Disabled);
    policy.registration.grace = Grace { days: Some(14), sign_ins: Some(3) };
    World::new(policy)
}

fn words_after(world: &World) -> String {
    world.last_record().act.unwrap().after.unwrap()
}

#[test]
fn a_name_without_an_account_gets_one_only_where_that_is_wanted() {
    let world = world();
    let refused = try_act(&world, "alice", &Act::SetState(State::Enabled.into()));
    assert!(matches!(refused, Err(ActError::NoSuchAccount(_))));
    world.act("alice", &enable(None));
    let account = world.account("alice");
    assert_eq!((account.state, account.version), (State::Enabled, 1));
    assert!(world.last_record().act.unwrap().before.is_none());
    let until = UnixTime::from_seconds(BEGINNING + 3600);
    world.act("bob", &Act::DisableUntil { until, if_absent: IfAbsent::Create });
    assert_eq!(world.account("bob").state, State::Enforced, "what the policy says, afterwards");
}

#[test]
fn who_becomes_enabled_gets_the_deadline_of_the_policy_or_one_of_their_own() {
    let world = with_grace();
    world.act("alice", &enable(None));
    let by = UnixTime::from_seconds(BEGINNING + 14 * 86_400);
    let of_policy = Deadline { by: Some(by), sign_ins: Some(3) };
    assert_eq!(world.account("alice").deadline, Some(of_policy));
    world.wait(86_400);
    world.act("alice", &enable(None));
    assert_eq!(world.account("alice").deadline, Some(of_policy), "asking again does not put it off");
    let own = Deadline { by: None, sign_ins: Some(9) };
    world.act("alice", &enable(Some(own)));
    assert_eq!(world.account("alice").deadline, Some(own));
    assert!(words_after(&world).contains(" sign-ins=9"));
    world.act("alice", &Act::SetState(State::Disabled.into()));
    assert_eq!(world.account("alice").deadline, None);
}

#[test]
fn a_limit_that_is_left_out_stays_as_it_is() {
    let world = with_grace();
    let by = |seconds| UnixTime::from_seconds(BEGINNING + seconds);
    let change = |by, sign_ins| {
        let deadline = DeadlineChange { by, sign_ins };
        Act::SetState(StateChange { deadline, if_absent: IfAbsent::Create, ..State::Enabled.into() })
    };
    world.act("alice", &change(Limit::Set(by(60)), Limit::Kept));
    let deadline = |name: &str| world.account(name).deadline.unwrap();
    assert_eq!(deadline("alice"), Deadline { by: Some(by(60)), sign_ins: Some(3) }, "the policy's");
    world.act("alice", &change(Limit::Kept, Limit::Set(9)));
    assert_eq!(deadline("alice"), Deadline { by: Some(by(60)), sign_ins: Some(9) });
    world.act("alice", &change(Limit::Lifted, Limit::Kept));
    assert_eq!(deadline("alice"), Deadline { by: None, sign_ins: Some(9) });
    world.add("bob", State::Enabled);
    world.act("bob", &change(Limit::Kept, Limit::Lifted));
    assert_eq!(deadline("bob"), Deadline { by: Some(by(14 * 86_400)), sign_ins: None });
}

#[test]
fn asking_to_register_never_weakens_what_is_enforced() {
    let world = World::with_alice(Policy::new(State::Enforced));
    let factor = world.account("alice").factors[0].id;
    world.act("alice", &Act::RemoveFactor(factor));
    world.act("alice", &enable(Some(Deadline { by: None, sign_ins: Some(9) })));
    let account = world.account("alice");
    assert_eq!((account.state, account.deadline), (State::Enforced, None));
    world.act("bob", &enable(None));
    assert_eq!(world.account("bob").state, State::Enabled, "a new account is what is asked for");
    world.act("alice", &Act::SetState(State::Disabled.into()));
    world.act("alice", &enable(None));
    assert_eq!(world.account("alice").state, State::Enabled, "in two steps it is meant");
}

#[test]
fn registering_ends_the_deadline_and_who_has_registered_is_enforced_at_once() {
    let world = with_grace();
    world.act("alice", &enable(None));
    world.act("alice", &add_totp());
    let account = world.account("alice");
    assert_eq!((account.state, account.deadline), (State::Enforced, None));
    world.act("alice", &Act::SetState(State::Disabled.into()));
    world.act("alice", &enable(None));
    let account = world.account("alice");
    assert_eq!((account.state, account.deadline), (State::Enforced, None));
}

#[test]
fn disabled_for_a_while_is_as_before_afterwards() {
    let world = World::with_alice(Policy::new(State::Enforced));
    let until = UnixTime::from_seconds(world.now() + 4 * 3600);
    world.app_password("alice", &["sshd"]);
    world.act("alice", &Act::DisableUntil { until, if_absent: IfAbsent::Refuse });
    let account = world.account("alice");
    assert_eq!((account.state, account.app_passwords.len(), account.factors.len()), (State::Enforced, 1, 1));
    assert_eq!(account.state_at(until.minus_seconds(1)), State::Disabled);
    assert_eq!(account.state_at(until), State::Enforced);
    assert!(words_after(&world).contains(&format!(" disabled-until=@{}", until.seconds())));
    world.act("alice", &Act::SetState(State::Enforced.into()));
    assert_eq!(world.account("alice").disabled_until, None, "an administrator ends it sooner");
    let past = Act::DisableUntil { until: UnixTime::from_seconds(world.now()), if_absent: IfAbsent::Refuse };
    assert!(matches!(try_act(&world, "alice", &past), Err(ActError::Past)));
}

fn reset(world: &World, registration: bool, app_passwords: bool, devices: bool) -> Result<Issued, ActError> {
    let reset = Reset {
        require_registration: registration,
        delete_app_passwords: app_passwords,
        forget_devices: devices,
    };
    try_act(world, "alice", &Act::Reset(reset))
}

#[test]
fn a_reset_does_what_is_asked_in_any_combination_and_says_so() {
    for parts in 1..8_u8 {
        let world = World::with_alice(Policy::new(State::Enforced));
        world.app_password("alice", &["sshd"]);
        let asked = [1, 2, 4].map(|part| parts & part != 0);
        assert!(reset(&world, asked[0], asked[1], asked[2]).is_ok());
        let Account { must_register_again, app_passwords, factors, state, .. } = world.account("alice");
        assert_eq!((must_register_again, app_passwords.is_empty()), (asked[0], asked[1]));
        assert_eq!((factors.len(), state), (1, State::Enforced), "old factors open that door");
        let words = words_after(&world);
        let said = words.split(' ').find_map(|word| word.strip_prefix("reset=")).unwrap();
        let expected = ["registration", "app-passwords", "devices"];
        let expected: Vec<_> =
            expected.iter().zip(asked).filter(|(_, asked)| *asked).map(|(word, _)| *word).collect();
        assert_eq!(said, expected.join(","));
    }
    let world = World::with_alice(Policy::new(State::Enforced));
    assert!(matches!(reset(&world, false, false, false), Err(ActError::EmptyReset)));
}

#[test]
fn who_has_registered_nothing_cannot_do_it_again() {
    let world = world();
    world.add("alice", State::Enabled);
    assert!(reset(&world, true, false, false).is_ok());
    assert!(!world.account("alice").must_register_again);
}

#[test]
fn registering_again_voids_what_was_registered_before_and_all_that_came_from_it() {
    let world = World::with_alice(Policy::new(State::Enforced));
    world.recovery_codes("alice");
    world.app_password("alice", &["sshd"]);
    world.temporary_code("alice", 3600);
    let old = world.account("alice").factors[0].id;
    world.act("alice", &Act::SetDefault(old));
    assert!(reset(&world, true, false, false).is_ok());
    assert!(
        matches!(try_act(&world, "alice", &add_totp()), Err(ActError::SecretKnown)),
        "nor the same secret"
    );
    let address = Address::Email(MailAddress::parse("alice@example.org").unwrap());
    world.act("alice", &Act::AddSent(NewSent { label: Label::parse("mail").unwrap(), address }));
    let account = world.account("alice");
    assert_eq!(
        (account.factors.len(), account.default_factor, account.must_register_again),
        (1, None, false)
    );
    assert_ne!(account.factors[0].id, old);
    assert!(account.recovery_codes.is_empty() && account.app_passwords.is_empty());
    assert_eq!(account.temporary_code, None);
}
