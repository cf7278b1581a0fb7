//! Acts on the numbers and addresses where a user hears of changes.

use crate::account::{Account, Contact, SetBy};
use crate::acts::{ActError, Desk, Done, Issued};
use crate::address::Address;
use crate::id::ContactId;
use crate::limits;
use crate::message::Event;
use crate::notices::Happening;

pub(super) fn add(
    desk: &Desk<'_>,
    mut account: Account,
    address: &Address,
    set_by: SetBy,
) -> Result<Done, ActError> {
    if account.contacts.iter().any(|contact| contact.address == *address) {
        return Err(ActError::AddressKnown(address.clone()));
    }
    if account.contacts.len() >= limits::CONTACTS_MAX {
        return Err(ActError::TooManyContacts);
    }
    desk.policy.numbers.check_address(address)?;
    let id = ContactId::generate(desk.random);
    account.contacts.push(Contact { id, address: address.clone(), set_by, added_at: desk.now });
    let words =
        format!("contact={id} kind={} address={} set-by={}", address.kind(), address.masked(), set_by.name());
    let happening = Happening::new(Event::ContactAdded, address.masked());
    Ok(Done::issuing(account, Issued::Contact(id)).saying(&words).telling(happening))
}

/// Somebody else says so now. In words, where that is a change: it decides whether a first registration may rely on it.
pub(super) fn set_by(contact: &mut Contact, set_by: SetBy) -> Option<String> {
    let before = std::mem::replace(&mut contact.set_by, set_by);
    let changed = || format!("contact={} set-by={}->{}", contact.id, before.name(), set_by.name());
    (before != set_by).then(changed)
}

pub(super) fn remove(mut account: Account, id: ContactId) -> Result<Done, ActError> {
    let place = account.contacts.iter().position(|contact| contact.id == id);
    let Contact { address, .. } = account.contacts.remove(place.ok_or(ActError::NoSuchContact(id))?);
    let words = format!("contact={id} kind={} address={}", address.kind(), address.masked());
    let happening = Happening::new(Event::ContactRemoved, address.masked()).at_the_old(address);
    Ok(Done::updated(account).saying(&words).telling(happening))
}
