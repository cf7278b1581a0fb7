//! Contacts, and what a user hears of changes.

use super::*;
use crate::account::SetBy;
use crate::acts::{NewSent, Reset};
use crate::address::{Address, Channel, Extension, MailAddress, PhoneNumber};
use crate::limits;
use crate::message::{By, Content, Event, Message, Urgency};
use crate::world::keys;

fn mail(address: &str) -> Address {
    Address::Email(MailAddress::parse(address).unwrap())
}

fn mobile(number: &str) -> Address {
    Address::Mobile(PhoneNumber::parse(number).unwrap())
}

fn contact(address: Address) -> Act {
    Act::AddContact { address, set_by: SetBy::Administrator }
}

fn sent(address: Address) -> Act {
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
fn told(world: &World) -> Vec<(Address, Channel, Event)> {
    let of = |message: Message| {
        let Content::Notice(notice) = message.content else { panic!("a code") };
        (message.to, message.channel, notice.event)
    };
    messages(world).into_iter().map(of).collect()
}

fn words_after(world: &World) -> String {
    world.last_record().act.unwrap().after.unwrap()
}

#[test]
fn a_notice_goes_where_the_user_was_known_before_the_change() {
    let world = World::with_alice(Policy::new(State::Enforced));
    let (first, second) = (mail("alice@example.org"), mail("alice@example.net"));
    world.act("alice", &contact(first.clone()));
    assert_eq!(told(&world), [], "nobody was known");
    assert!(words_after(&world).ends_with(" notices=none"), "and the record says so");
    world.act("alice", &contact(second.clone()));
    assert_eq!(told(&world), [(first.clone(), Channel::Email, Event::ContactAdded)]);
    assert!(words_after(&world).ends_with(" notices=1"));
    let removed = world.account("alice").contacts[0].id;
    world.act("alice", &Act::RemoveContact(removed));
    let event = Event::ContactRemoved;
    assert_eq!(told(&world), [(first, Channel::Email, event), (second, Channel::Email, event)]);
}

#[test]
fn a_number_that_is_gone_hears_of_that_itself() {
    let world = World::with_alice(Policy::new(State::Enforced));
    let (old, new) = (mobile("+4915112345678"), mobile("+4915187654321"));
    let Issued::Factor(factor) = world.act("alice", &sent(old.clone())) else { panic!() };
    world.act("alice", &sent(new));
    assert_eq!(told(&world), [], "a text costs money, and there is no mail");
    world.act("alice", &Act::RemoveFactor(factor));
    assert_eq!(told(&world), [(old, Channel::Sms, Event::FactorRemoved)]);
    let office =
        Address::Office(PhoneNumber::parse("+493012345").unwrap(), Some(Extension::parse("12").unwrap()));
    let Issued::Contact(contact) = world.act("alice", &contact(office)) else { panic!() };
    world.act("alice", &Act::RemoveContact(contact));
    assert_eq!(told(&world), [], "nobody is called for it");
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
fn of_each_change_that_matters_there_is_a_notice_and_of_no_other() {
    let world = World::with_alice(Policy::new(State::Enforced));
    world.act("alice", &contact(mail("alice@example.org")));
    world.act("alice", &another_app(1));
    let factor = world.account("alice").factors[1].id;
    let _ = told(&world);
    let scope = crate::account::Scope { services: vec!["sshd".to_owned()], clients: Vec::new() };
    let app_password = Act::CreateAppPassword { label: Label::parse("x").unwrap(), scope };
    let registration = Reset { require_registration: true, ..Reset::default() };
    let devices = Reset { forget_devices: true, ..Reset::default() };
    for (act, event) in [
        (another_app(2), Some(Event::FactorAdded)),
        (Act::RemoveFactor(factor), Some(Event::FactorRemoved)),
        (contact(mail("b@example.org")), Some(Event::ContactAdded)),
        (Act::RenewRecoveryCodes, Some(Event::RecoveryCodesRenewed)),
        (app_password, Some(Event::AppPasswordCreated)),
        (Act::IssueTemporaryCode { life_seconds: 60 }, Some(Event::TemporaryCodeIssued)),
        (Act::Reset(registration), Some(Event::RegistrationRequired)),
        (Act::Reset(devices), None),
        (Act::SetRole(Role::Administrator), None),
        (Act::SetState(State::Disabled.into()), None),
    ] {
        world.act("alice", &act);
        let heard: Vec<_> = told(&world).into_iter().map(|(_, _, event)| event).collect();
        let words = words_after(&world);
        assert_eq!(heard.first().copied(), event, "{}", act.name());
        assert!(heard.iter().all(|heard| Some(*heard) == event));
        assert_eq!(words.contains(" notices="), event.is_some(), "{words}");
    }
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
