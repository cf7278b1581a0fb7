//! Contacts, and what their users hear at them.

use super::*;
use crate::account::SetBy;
use crate::acts::NewSent;
use crate::address::{Address, Channel, MailAddress, PhoneNumber};
use crate::limits;
use crate::message::{By, Content, Event, Message, Urgency};
use crate::record::Untold;
use crate::world::keys;

pub(super) fn mail(address: &str) -> Address {
    Address::Email(MailAddress::parse(address).unwrap())
}

pub(super) fn mobile(number: &str) -> Address {
    Address::Mobile(PhoneNumber::parse(number).unwrap())
}

pub(super) fn contact(address: Address) -> Act {
    Act::AddContact { address, set_by: SetBy::Administrator }
}

pub(super) fn sent(address: Address) -> Act {
    Act::AddSent(NewSent { label: Label::parse("mine").unwrap(), address })
}

/// What was put into the outbox since the last time.
fn messages(world: &World) -> Vec<Message> {
    let sealed = std::mem::take(&mut world.memory.0.lock().unwrap().outbox);
    sealed
        .iter()
        .map(|envelope| {
            assert_eq!(envelope.urgency, Urgency::Notice);
            envelope.open(&keys()).unwrap()
        })
        .collect()
}

/// To whom, how and of what.
pub(super) fn told(world: &World) -> Vec<(Address, Channel, Event)> {
    let of = |message: Message| {
        let Content::Notice(notice) = message.content else { panic!("a code") };
        (message.to, message.channel, notice.event)
    };
    messages(world).into_iter().map(of).collect()
}

/// What the last record says of it.
pub(super) fn recorded(world: &World) -> Option<(u32, Option<Untold>)> {
    world.last_record().told.map(|told| (told.notices, told.untold))
}

#[test]
fn a_notice_goes_where_the_user_was_known_before_the_change() {
    let world = World::with_alice(Policy::new(State::Enforced));
    let (first, second) = (mail("alice@example.org"), mail("alice@example.net"));
    world.act("alice", &contact(first.clone()));
    assert_eq!(told(&world), [], "nobody was known");
    assert_eq!(recorded(&world), Some((0, Some(Untold::NoAddress))), "and the record says so");
    world.act("alice", &contact(second.clone()));
    assert_eq!(told(&world), [(first.clone(), Channel::Email, Event::ContactAdded)]);
    assert_eq!(recorded(&world), Some((1, None)));
    let removed = world.account("alice").contacts[0].id;
    world.act("alice", &Act::RemoveContact(removed));
    let event = Event::ContactRemoved;
    assert_eq!(told(&world), [(first, Channel::Email, event), (second, Channel::Email, event)]);
}

#[test]
fn everybody_hears_once_also_whose_address_is_contact_and_factor() {
    let world = World::with_alice(Policy::new(State::Enforced));
    let both = mail("alice@example.org");
    world.act("alice", &contact(both.clone()));
    world.act("alice", &sent(both.clone()));
    let _ = told(&world);
    let factor = world.account("alice").factors[1].id;
    world.act("alice", &Act::RemoveFactor(factor));
    assert_eq!(told(&world), [(both, Channel::Email, Event::FactorRemoved)]);
}

#[test]
fn a_notice_says_who_and_where_and_no_secret_and_is_worth_nothing_after_three_days() {
    let world = World::with_alice(Policy::new(State::Enforced));
    world.act("alice", &contact(mail("alice@example.org")));
    let _ = messages(&world);
    world.act("alice", &sent(mobile("+4915112345678")));
    let [message] = messages(&world).try_into().ok().unwrap();
    let Content::Notice(notice) = &message.content else { panic!("a code") };
    assert_eq!((notice.by, notice.place.as_str()), (By::Administrator, "the command line"));
    assert_eq!((notice.detail.as_str(), notice.source.as_deref()), ("...5678", None));
    assert_eq!((message.user.as_str(), message.attempt), ("alice", world.last_record().attempt));
    assert_eq!(message.expires_at.seconds_since(message.at), 3 * 86_400);
}

#[test]
fn contacts_have_a_limit_and_none_stands_twice() {
    let world = World::with_alice(Policy::new(State::Enforced));
    for number in 0..limits::CONTACTS_MAX {
        world.act("alice", &contact(mail(&format!("alice{number}@example.org"))));
    }
    let again = try_act(&world, "alice", &contact(mail("alice0@example.org")));
    assert!(matches!(again, Err(ActError::AddressKnown(_))));
    let more = try_act(&world, "alice", &contact(mail("more@example.org")));
    assert!(matches!(more, Err(ActError::TooManyContacts)));
    let strange = crate::ContactId::from_bytes([9; 8]);
    assert!(matches!(
        try_act(&world, "alice", &Act::RemoveContact(strange)),
        Err(ActError::NoSuchContact(_))
    ));
}

#[test]
fn numbers_that_the_site_does_not_send_to_are_refused_and_hear_nothing() {
    let mut policy = Policy::new(State::Enforced);
    policy.numbers.countries = Some(vec![crate::number_rules::CountryPrefix::parse("+49").unwrap()]);
    let world = World::with_alice(policy);
    let strange = mobile("+12025550123");
    for act in [contact(strange.clone()), sent(strange.clone())] {
        assert!(matches!(try_act(&world, "alice", &act), Err(ActError::NumberRefused(_))));
    }
    // One from before the rule.
    let mut account = world.account("alice");
    let id = crate::ContactId::from_bytes([1; 8]);
    account.contacts.push(crate::account::Contact {
        id,
        address: strange,
        set_by: SetBy::User,
        added_at: account.created_at,
    });
    world.memory.put(account);
    world.act("alice", &Act::RemoveContact(id));
    assert_eq!(told(&world), []);
}
