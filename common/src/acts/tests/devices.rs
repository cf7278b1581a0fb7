//! What ends the devices that are remembered of a user, and what does not.

use proptest::prelude::*;

use super::*;
use crate::account::{Account, Block};
use crate::acts::{Declaration, IfAbsent, Reset, StateChange};
use crate::bundle::{Bundle, Outcome, TicketChange};
use crate::limits::{TICKET_SECONDS_MAX, TICKETS_MAX};
use crate::ports::Store as _;
use crate::ticket::{Binding, Station, Ticket};
use crate::world::keys;
use crate::{AttemptId, TicketId, UnixTime};

const FORGET: Act =
    Act::Reset(Reset { require_registration: false, delete_app_passwords: false, forget_devices: true });

/// The words of the last record that begin so, of the account before and after.
fn said(world: &World, word: &str) -> [Option<String>; 2] {
    let act = world.last_record().act.unwrap();
    let find =
        |words: Option<String>| words?.split(' ').find_map(|said| said.strip_prefix(word)).map(str::to_owned);
    [find(act.before), find(act.after)]
}

fn forgotten(world: &World) -> Option<String> {
    said(world, "devices-forgotten=")[1].clone()
}

#[test]
fn whoever_forgets_devices_hears_how_many_and_so_does_the_record() {
    let world = World::with_alice(Policy::new(State::Enforced));
    for count in [3, 0] {
        for number in 1..=count {
            world.remember("alice", &format!("192.0.2.{number}"));
        }
        assert_eq!(world.devices("alice").len(), count);
        let issued = world.act("alice", &FORGET);
        assert!(matches!(issued, Issued::DevicesForgotten(said) if said == count));
        assert_eq!(forgotten(&world), Some(count.to_string()));
        assert_eq!(world.devices("alice"), []);
    }
}

#[test]
fn each_act_that_ends_devices_says_so_where_there_were_some() {
    let register = Act::Reset(Reset { require_registration: true, ..Reset::default() });
    let disable = Act::SetState(State::Disabled.into());
    let declare = Declaration { state: Some(State::Disabled), ..Declaration::default() };
    let enders = |account: &Account| {
        vec![
            register.clone(),
            disable.clone(),
            Act::Declare(Box::new(declare.clone())),
            Act::Block(Block::Indefinitely),
            Act::Block(Block::Until(UnixTime::from_seconds(u64::MAX))),
            Act::RemoveFactor(account.factors[0].id),
        ]
    };
    let count = enders(&World::with_alice(Policy::new(State::Enforced)).account("alice")).len();
    for devices in 0..2 {
        for place in 0..count {
            let world = World::with_alice(Policy::new(State::Enforced));
            for _ in 0..devices {
                world.remember("alice", "192.0.2.7");
            }
            let act = enders(&world.account("alice")).remove(place);
            world.act("alice", &act);
            assert_eq!(world.devices("alice"), [], "{}", act.name());
            assert_eq!(forgotten(&world), (devices > 0).then(|| "1".to_owned()), "{}", act.name());
        }
    }
}

#[test]
fn an_account_takes_its_devices_with_it() {
    let world = World::with_alice(Policy::new(State::Enforced));
    world.remember("alice", "192.0.2.7");
    world.act("alice", &Act::Remove);
    assert_eq!(said(&world, "devices="), [Some("1".to_owned()), None]);
    world.act("alice", &add());
    assert_eq!(world.devices("alice"), []);
}

#[test]
fn a_rest_of_the_second_step_is_none_of_the_devices() {
    let world = World::with_alice(Policy::new(State::Enforced));
    let device = world.remember("alice", "192.0.2.7");
    let until = UnixTime::from_seconds(world.now() + 3600);
    world.act("alice", &Act::DisableUntil { until, if_absent: IfAbsent::Refuse });
    world.wait(3600);
    assert_eq!(world.devices("alice"), [device]);
}

#[test]
fn whoever_was_loaded_before_a_forget_remembers_nothing_after_it() {
    let world = World::with_alice(Policy::new(State::Enforced));
    let loaded = world.account("alice");
    world.act("alice", &FORGET);
    let binding = Binding::Station { client: "vpn".to_owned(), station: Station::parse("a").unwrap() };
    let now = UnixTime::from_seconds(world.now());
    let ticket = Ticket::new(&loaded, &binding, 60, now, (&keys(), world.engine.random())).unwrap();
    let mut late = Bundle::of_records(AttemptId::generate(world.engine.random()), now, Vec::new());
    late.tickets.push(TicketChange::Remember { account: loaded.id, ticket: Box::new(ticket) });
    assert_eq!(world.memory.commit(&[late]).unwrap(), [Outcome::Conflict]);
    assert_eq!(world.devices("alice"), []);
}

#[derive(Clone, Debug)]
enum Deed {
    /// A login with both proofs, from a device.
    SignIn(u8),
    Forget,
    RegisterAgain,
    Block(Option<u64>),
    Unblock,
    State(State),
    DeclareState(State),
    DisableFor(u64),
    AddApp(usize),
    RemoveFactor(usize),
    SetPassword,
    SetRole(Role),
    DeleteAppPasswords,
    RemoveAndAdd,
    Wait(u64),
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![Just(State::Disabled), Just(State::Enabled), Just(State::Enforced)]
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        40 => (0..40u8).prop_map(Deed::SignIn),
        1 => Just(Deed::Forget),
        1 => Just(Deed::RegisterAgain),
        1 => proptest::option::of(0..20_000u64).prop_map(Deed::Block),
        2 => Just(Deed::Unblock),
        2 => state().prop_map(Deed::State),
        1 => state().prop_map(Deed::DeclareState),
        1 => (0..20_000u64).prop_map(Deed::DisableFor),
        3 => (0..6usize).prop_map(Deed::AddApp),
        1 => (0..3usize).prop_map(Deed::RemoveFactor),
        1 => Just(Deed::SetPassword),
        1 => Just(Deed::SetRole(Role::Administrator)),
        1 => Just(Deed::DeleteAppPasswords),
        1 => Just(Deed::RemoveAndAdd),
        3 => (1..20_000u64).prop_map(Deed::Wait),
    ]
}

fn acts_of(deed: &Deed, account: &Account, now: u64) -> Vec<Act> {
    let after = |seconds| UnixTime::from_seconds(now + seconds);
    vec![match deed {
        Deed::SignIn(_) | Deed::Wait(_) => return Vec::new(),
        Deed::RemoveAndAdd => return vec![Act::Remove, add(), add_totp()],
        Deed::Forget => FORGET,
        Deed::RegisterAgain => Act::Reset(Reset { require_registration: true, ..Reset::default() }),
        Deed::DeleteAppPasswords => Act::Reset(Reset { delete_app_passwords: true, ..Reset::default() }),
        Deed::Block(seconds) => {
            Act::Block(seconds.map_or(Block::Indefinitely, |seconds| Block::Until(after(seconds))))
        }
        Deed::Unblock => Act::Unblock,
        Deed::State(state) => Act::SetState(StateChange::new(*state)),
        Deed::DeclareState(state) => {
            Act::Declare(Box::new(Declaration { state: Some(*state), ..Declaration::default() }))
        }
        Deed::DisableFor(seconds) => {
            Act::DisableUntil { until: after(*seconds), if_absent: IfAbsent::Refuse }
        }
        Deed::AddApp(number) => another_app(*number),
        Deed::RemoveFactor(place) => match account.factors.get(*place) {
            Some(factor) => Act::RemoveFactor(factor.id),
            None => return Vec::new(),
        },
        Deed::SetPassword => Act::SetPassword(crate::account::PasswordHash::new("new".to_owned())),
        Deed::SetRole(role) => Act::SetRole(*role),
    }]
}

/// Whether an act, done to such an account, must leave no device known.
fn ends_devices(deed: &Deed, account: &Account) -> bool {
    match deed {
        Deed::Forget | Deed::Block(_) | Deed::RemoveAndAdd | Deed::RemoveFactor(_) => true,
        Deed::State(State::Disabled) | Deed::DeclareState(State::Disabled) => true,
        Deed::RegisterAgain => !account.factors.is_empty(),
        Deed::SignIn(_)
        | Deed::Unblock
        | Deed::State(State::Enabled | State::Enforced)
        | Deed::DeclareState(State::Enabled | State::Enforced)
        | Deed::DisableFor(_)
        | Deed::AddApp(_)
        | Deed::SetPassword
        | Deed::SetRole(_)
        | Deed::DeleteAppPasswords
        | Deed::Wait(_) => false,
    }
}

/// Whether a login of such an account can come to a fresh second proof.
fn can_prove(account: &Account, now: UnixTime) -> bool {
    let is_asked = account.state_at(now) != State::Disabled && !account.is_blocked(now);
    is_asked && !account.must_register_again && !account.factors.is_empty()
}

/// What should be known, the oldest first: each device, its ticket, and its end.
#[derive(Default)]
struct Model(Vec<(u8, TicketId, u64)>);

impl Model {
    fn sign_in(&mut self, world: &World, device: u8) {
        self.known(world.now());
        self.0.retain(|(known, ..)| *known != device);
        let ticket = world.remember("alice", &format!("192.0.2.{device}"));
        self.0.push((device, ticket, world.now() + TICKET_SECONDS_MAX));
        if self.0.len() > TICKETS_MAX {
            self.0.remove(0);
        }
    }

    fn known(&mut self, now: u64) -> Vec<TicketId> {
        self.0.retain(|(_, _, end)| now < *end);
        self.0.iter().map(|(_, ticket, _)| *ticket).collect()
    }
}

proptest! {
    #![proptest_config(super::properties::cases())]

    #[test]
    fn devices_are_known_until_their_end_or_the_first_act_that_ends_them(
        deeds in proptest::collection::vec(deed(), 1..80)
    ) {
        let world = World::with_alice(Policy::new(State::Enforced));
        let mut model = Model::default();
        for deed in deeds {
            let before = world.account("alice");
            match deed {
                Deed::Wait(seconds) => world.wait(seconds),
                Deed::SignIn(device) if can_prove(&before, UnixTime::from_seconds(world.now())) => {
                    model.sign_in(&world, device);
                }
                _ => {}
            }
            let acts = acts_of(&deed, &before, world.now());
            let done: Vec<_> = acts.iter().map(|act| try_act(&world, "alice", act).is_ok()).collect();
            if ends_devices(&deed, &before) && done.first() == Some(&true) {
                model.0.clear();
            }
            prop_assert_eq!(world.devices("alice"), model.known(world.now()), "{:?}", deed);
        }
    }
}
