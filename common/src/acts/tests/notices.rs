//! Which acts users are told of, by which channel, and what the record says of that.

use std::collections::BTreeSet;

use super::contacts::{contact, mail, mobile, recorded, sent, told};
use super::*;
use crate::account::{Block, PasswordHash, Scope, SetBy};
use crate::acts::{Became, Declaration, HotpProof, IfAbsent, NewHotp, Order, Reset, StateChange};
use crate::address::{Address, Channel, Extension, PhoneNumber};
use crate::lane::LaneKey;
use crate::limits::NOTICE_TEXTS_IN_DAY;
use crate::message::Event;
use crate::ports::Store as _;
use crate::record::Untold;
use crate::{FactorId, UnixTime};

/// Makes the list of what is decided of each act: an act that is not in it does not compile, and one that is never tried
/// fails a test.
macro_rules! decided {
    ($($act:pat => $event:expr,)+) => {
        fn decided(act: &Act) -> Option<Event> {
            match act { $($act => $event),+ }
        }

        /// The row of an act; the first one that fits.
        fn row(act: &Act) -> usize {
            [$(matches!(act, $act)),+].iter().position(|fits| *fits).unwrap()
        }

        const ROWS: usize = [$(stringify!($act)),+].len();
    };
}

decided! {
    // Nobody was known before.
    Act::Add { .. } => None,
    // The first password is not ours to guard, and whoever has set it has said so.
    Act::SetPassword(_) => None,
    // These ask for more or less, and open no way in that the user would have to know.
    Act::SetState(_) | Act::DisableUntil { .. } => None,
    Act::Block(_) | Act::Unblock | Act::Unlock => None,
    Act::SetRole(_) | Act::Rename(_) => None,
    Act::Reset(Reset { require_registration: true, .. }) => Some(Event::RegistrationRequired),
    // Takes away what would have to be proven anew.
    Act::Reset(Reset { require_registration: false, .. }) => None,
    Act::RevokeAppPassword(_) | Act::RevokeTemporaryCode => None,
    Act::Remove => Some(Event::AccountRemoved),
    Act::AddTotp(_) => Some(Event::FactorAdded),
    Act::AddHotp(_) => Some(Event::FactorAdded),
    Act::AddSent(_) => Some(Event::FactorAdded),
    Act::RemoveFactor(_) => Some(Event::FactorRemoved),
    // The factors are the same afterwards.
    Act::SetLabel { .. } | Act::SetDefault(_) | Act::Resync { .. } => None,
    Act::Declare(_) => Some(Event::ContactAdded),
    Act::AddContact { .. } => Some(Event::ContactAdded),
    Act::RemoveContact(_) => Some(Event::ContactRemoved),
    Act::IssueTemporaryCode { .. } => Some(Event::TemporaryCodeIssued),
    Act::RenewRecoveryCodes => Some(Event::RecoveryCodesRenewed),
    Act::CreateAppPassword { .. } => Some(Event::AppPasswordCreated),
}

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn app_password() -> Act {
    let scope = Scope { services: vec!["sshd".to_owned()], clients: Vec::new() };
    Act::CreateAppPassword { label: label("x"), scope }
}

fn reset(require_registration: bool) -> Act {
    Act::Reset(Reset { require_registration, forget_devices: true, ..Reset::default() })
}

fn hotp() -> Act {
    let (secret, counter) = (Secret::from("a token of its own!!"), 0);
    Act::AddHotp(NewHotp { label: label("token"), digits: 6, secret, counter, proof: HotpProof::Imported })
}

/// Alice with two apps, an app password, a temporary code and two mail addresses, blocked for a while.
fn alice() -> World {
    let world = World::with_alice(Policy::new(State::Enforced));
    for act in [
        contact(mail("alice@example.org")),
        contact(mail("alice@example.net")),
        another_app(1),
        app_password(),
        Act::IssueTemporaryCode { life_seconds: 60 },
        Act::Block(Block::Until(UnixTime::from_seconds(world.now() + 60))),
    ] {
        world.act("alice", &act);
    }
    let _ = told(&world);
    world
}

/// Each act at least once, with the name that it is done to.
fn acts(world: &World) -> Vec<(&'static str, Act)> {
    let account = world.account("alice");
    let factor: FactorId = account.factors[1].id;
    let declared = account.contacts.iter().map(|it| it.address.clone()).chain([mail("carol@example.org")]);
    let contacts = declared.map(|address| (address, SetBy::Directory)).collect();
    let declaration = Declaration { contacts: Some(contacts), ..Declaration::default() };
    let codes = [world.now() - 30, world.now()].map(|at| Secret::from(crate::world::code_at(at)));
    let [first, second] = codes;
    let of_alice = vec![
        Act::SetPassword(PasswordHash::new("new".to_owned())),
        Act::SetState(StateChange::new(State::Disabled)),
        Act::DisableUntil { until: UnixTime::from_seconds(world.now() + 60), if_absent: IfAbsent::Refuse },
        reset(true),
        reset(false),
        Act::Block(Block::Indefinitely),
        Act::Unblock,
        Act::Unlock,
        Act::SetRole(Role::Administrator),
        Act::Rename(Username::parse("alina").unwrap()),
        Act::Remove,
        another_app(2),
        hotp(),
        sent(mobile("+4915112345678")),
        Act::RemoveFactor(factor),
        Act::SetLabel { factor, label: label("other") },
        Act::SetDefault(factor),
        Act::Resync { factor: account.factors[0].id, first, second },
        Act::Declare(Box::new(declaration)),
        contact(mail("b@example.org")),
        Act::RemoveContact(account.contacts[0].id),
        Act::IssueTemporaryCode { life_seconds: 60 },
        Act::RevokeTemporaryCode,
        Act::RenewRecoveryCodes,
        app_password(),
        Act::RevokeAppPassword(account.app_passwords[0].id),
    ];
    let add = ("bob", Act::Add { state: None, role: Role::User, password: None, totp: None });
    of_alice.into_iter().map(|act| ("alice", act)).chain([add]).collect()
}

fn by_name(world: &World, name: &str, act: &Act) {
    world.act(name, act);
}

fn in_bulk(world: &World, name: &str, act: &Act) {
    let actor = Actor { login_uid: None, uid: Some(0), tty: None, host: "test".to_owned() };
    let name = Username::parse(name).unwrap();
    let many = world.engine.act_many(&actor, &[Order { name: &name, act }]);
    assert!(!matches!(many.became[..], [Became::Refused(_)]), "{}", act.name());
}

#[test]
fn of_each_act_it_is_decided_whether_the_user_hears_of_it_and_the_record_says_so() {
    let mut tried = BTreeSet::new();
    for door in [by_name, in_bulk] {
        for number in 0..acts(&alice()).len() {
            let world = alice();
            let (name, act) = acts(&world).swap_remove(number);
            tried.insert(row(&act));
            door(&world, name, &act);
            let heard: Vec<_> = told(&world).into_iter().map(|(_, _, event)| event).collect();
            let expected = decided(&act).map(|event| vec![event; 2]).unwrap_or_default();
            assert_eq!(heard, expected, "both addresses hear of {} and of nothing else", act.name());
            let count = decided(&act).map(|_| (2, None));
            assert_eq!(recorded(&world), count, "{}", act.name());
        }
    }
    assert_eq!(tried.len(), ROWS, "an act is missing here");
}

#[test]
fn of_each_event_it_is_known_where_it_comes_from() {
    let of_acts: BTreeSet<Event> = acts(&alice()).iter().filter_map(|(_, act)| decided(act)).collect();
    for event in Event::ALL {
        let comes_from_an_act = match event {
            Event::FactorAdded
            | Event::FactorRemoved
            | Event::ContactAdded
            | Event::ContactRemoved
            | Event::AppPasswordCreated
            | Event::RecoveryCodesRenewed
            | Event::TemporaryCodeIssued
            | Event::RegistrationRequired
            | Event::AccountRemoved => true,
            // Of these `login/tests/notices.rs` tells.
            Event::RecoveryCodeUsed | Event::TemporaryCodeUsed | Event::Registered => false,
        };
        assert_eq!(of_acts.contains(event), comes_from_an_act, "{}", event.name());
    }
}

#[test]
fn who_has_no_mail_address_hears_by_one_text_message() {
    let world = World::with_alice(Policy::new(State::Enforced));
    let (first, second) = (mobile("+4915112345678"), mobile("+4915187654321"));
    world.act("alice", &sent(first.clone()));
    assert_eq!(told(&world), []);
    world.act("alice", &sent(second));
    assert_eq!(told(&world), [(first, Channel::Sms, Event::FactorAdded)]);
    assert_eq!(recorded(&world), Some((1, None)));
    world.act("alice", &contact(mail("alice@example.org")));
    let _ = told(&world);
    world.act("alice", &Act::RenewRecoveryCodes);
    let by_mail = (mail("alice@example.org"), Channel::Email, Event::RecoveryCodesRenewed);
    assert_eq!(told(&world), [by_mail], "mail costs nothing");
}

#[test]
fn a_number_that_is_gone_hears_of_that_itself_and_nobody_is_called() {
    let world = World::with_alice(Policy::new(State::Enforced));
    let (old, new) = (mobile("+4915112345678"), mobile("+4915187654321"));
    world.act("alice", &contact(new.clone()));
    let Issued::Factor(factor) = world.act("alice", &sent(old.clone())) else { panic!() };
    let _ = told(&world);
    world.act("alice", &Act::RemoveFactor(factor));
    let gone = |address| (address, Channel::Sms, Event::FactorRemoved);
    assert_eq!(told(&world), [gone(old), gone(new)]);
    let world = World::with_alice(Policy::new(State::Enforced));
    let office =
        Address::Office(PhoneNumber::parse("+493012345").unwrap(), Some(Extension::parse("12").unwrap()));
    let Issued::Contact(contact) = world.act("alice", &contact(office)) else { panic!() };
    world.act("alice", &Act::RemoveContact(contact));
    assert_eq!((told(&world), recorded(&world)), (vec![], Some((0, Some(Untold::NoAddress)))));
}

#[test]
fn numbers_that_a_registration_on_behalf_makes_void_hear_of_it() {
    let world = World::with_alice(Policy::new(State::Enforced));
    world.act("alice", &sent(mobile("+4915112345678")));
    world.require_registration("alice");
    let _ = told(&world);
    world.act("alice", &another_app(1));
    let heard: Vec<_> = told(&world).into_iter().map(|(_, _, event)| event).collect();
    assert_eq!(heard, [Event::FactorAdded, Event::FactorRemoved]);
}

#[test]
fn a_notice_that_finds_no_room_was_not_made_and_the_record_says_so() {
    let world = World::with_alice(Policy::new(State::Enforced));
    world.act("alice", &contact(mail("alice@example.org")));
    let _ = told(&world);
    world.memory.0.lock().unwrap().outbox_is_full = true;
    world.act("alice", &Act::RenewRecoveryCodes);
    assert_eq!((told(&world), recorded(&world)), (vec![], Some((0, Some(Untold::OutboxFull)))));
}

#[test]
fn whoever_has_a_name_next_has_not_been_told_of_anything() {
    let world = World::with_alice(Policy::new(State::Enforced));
    world.act("alice", &sent(mobile("+4915112345678")));
    world.act("alice", &Act::RenewRecoveryCodes);
    let name = Username::parse("alice").unwrap();
    let texts = || {
        let loaded = world.memory.load(&name, &LaneKey::NONE, None).unwrap();
        loaded.sent.notice_texts.in_day(UnixTime::from_seconds(world.now()))
    };
    assert_eq!(texts(), 1);
    world.act("alice", &Act::Remove);
    assert_eq!(recorded(&world), Some((1, None)));
    assert_eq!(texts(), 0);
}

#[test]
fn notices_by_text_message_have_a_limit_for_each_day_that_the_old_number_does_not_share() {
    let world = World::with_alice(Policy::new(State::Enforced));
    let Issued::Factor(factor) = world.act("alice", &sent(mobile("+4915112345678"))) else { panic!() };
    for _ in 0..NOTICE_TEXTS_IN_DAY {
        world.act("alice", &Act::RenewRecoveryCodes);
        assert_eq!(recorded(&world), Some((1, None)));
    }
    world.act("alice", &Act::RenewRecoveryCodes);
    assert_eq!(recorded(&world), Some((0, Some(Untold::TooManyTexts))));
    world.wait(86_400);
    world.act("alice", &Act::RenewRecoveryCodes);
    assert_eq!(recorded(&world), Some((1, None)), "a day later");
    for _ in 1..NOTICE_TEXTS_IN_DAY {
        world.act("alice", &Act::RenewRecoveryCodes);
    }
    let _ = told(&world);
    world.act("alice", &Act::RemoveFactor(factor));
    assert_eq!(told(&world).len(), 1, "whoever holds the number should know, however many came before");
}

#[test]
fn the_settings_say_by_which_channels_and_gateways_limit_them() {
    let with = |wanted: &[Channel], delivered: &[Channel]| {
        let mut policy = Policy::new(State::Enforced);
        policy.notices.wanted = wanted.into();
        policy.notices.delivered = delivered.iter().copied().collect();
        let world = World::with_alice(policy);
        world.act("alice", &contact(mail("alice@example.org")));
        world.act("alice", &sent(mobile("+4915112345678")));
        let _ = told(&world);
        world.act("alice", &Act::RenewRecoveryCodes);
        let channels: Vec<_> = told(&world).into_iter().map(|(_, channel, _)| channel).collect();
        (channels, recorded(&world).unwrap().1)
    };
    let (email, sms) = (Channel::Email, Channel::Sms);
    let both = [email, sms];
    assert_eq!(with(&both, &both), (vec![email], None));
    assert_eq!(with(&[sms, email], &both), (vec![sms], None));
    assert_eq!(with(&both, &[sms]), (vec![sms], None), "mail goes nowhere");
    assert_eq!(with(&[email], &[sms]), (vec![], Some(Untold::NoGateway)));
    assert_eq!(with(&both, &[]), (vec![], Some(Untold::NoGateway)));
}

#[test]
fn who_vouches_for_a_contact_is_recorded_when_a_file_changes_it() {
    let world = World::with_alice(Policy::new(State::Enforced));
    let Issued::Contact(id) = world.act("alice", &contact(mail("alice@example.org"))) else { panic!() };
    let contacts = Some(vec![(mail("alice@example.org"), SetBy::Directory)]);
    world.act("alice", &Act::Declare(Box::new(Declaration { contacts, ..Declaration::default() })));
    let after = world.last_record().act.unwrap().after.unwrap();
    assert!(after.contains(&format!("contact={id} set-by=administrator->directory")), "{after}");
}
