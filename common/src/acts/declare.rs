//! An account as a file declares it: what the file says becomes so, and what it leaves out stays as it is.

mod carried;
mod factors;

use crate::account::{Account, Block, Deadline, Role, SetBy, State};
use crate::acts::{ActError, Desk, Done, Reset, StateChange, account, contact};
use crate::address::Address;
use crate::bundle::AccountChange;
use crate::id::ContactId;

pub use factors::{DeclaredFactor, DeclaredKind};

/// What an account shall be like.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Declaration {
    /// Whether a second step is asked.
    pub state: Option<State>,
    /// What the account may be used for.
    pub role: Option<Role>,
    /// How long registration may be put off, of somebody who is `enabled`.
    pub deadline: Option<Deadline>,
    /// All contacts, in order.
    pub contacts: Option<Vec<(Address, SetBy)>>,
    /// Factors that the account shall have; others stay: a file takes nobody's second proof away.
    pub factors: Vec<DeclaredFactor>,
    /// All factors must be registered anew. A file lifts no such demand.
    pub must_register_again: bool,
    /// A refusal at every door. A file lifts or shortens none.
    pub block: Option<Block>,
}

pub(super) fn declare(
    desk: &Desk<'_>,
    account: Account,
    declaration: &Declaration,
) -> Result<Done, ActError> {
    let mut account = with_state(desk, account, declaration);
    account.role = declaration.role.unwrap_or(account.role);
    let block = declaration.block.filter(|block| block.holds(desk.now));
    if let Some(block) = block.max(account.block) {
        account = account::block(account, block);
    }
    let mut done = Done::updated(account);
    if let Some(contacts) = &declaration.contacts {
        done = with_contacts(desk, done, contacts)?;
    }
    for factor in &declaration.factors {
        done = done.and(|account| factors::with_factor(desk, account, factor))?;
    }
    match declaration.must_register_again {
        true => done.and(|account| must_register_again(desk, account)),
        false => Ok(done),
    }
}

fn with_state(desk: &Desk<'_>, account: Account, declaration: &Declaration) -> Account {
    let Declaration { state, deadline, .. } = declaration;
    // Being disabled for a while is nothing that a file declares.
    let disabled_until = account.disabled_until;
    let state = state.unwrap_or(account.state);
    let change = StateChange { deadline: (*deadline).into(), ..state.into() };
    Account { disabled_until, ..account::set_state(desk, account, &change) }
}

/// Whoever must do so already hears nothing new.
fn must_register_again(desk: &Desk<'_>, account: Account) -> Result<Done, ActError> {
    if account.must_register_again {
        return Ok(Done::updated(account));
    }
    account::reset(desk, account, Reset { require_registration: true, ..Reset::default() })
}

/// Those that are in the list stay, the others go, and new ones come; whoever is told of the one is told of the other.
fn with_contacts(desk: &Desk<'_>, mut done: Done, contacts: &[(Address, SetBy)]) -> Result<Done, ActError> {
    let is_declared = |address: &Address| contacts.iter().any(|(declared, _)| declared == address);
    let gone: Vec<ContactId> = match &done.change {
        AccountChange::Insert(account) | AccountChange::Update(account) => {
            let gone = account.contacts.iter().filter(|contact| !is_declared(&contact.address));
            gone.map(|contact| contact.id).collect()
        }
        AccountChange::Remove(_) => Vec::new(),
    };
    for id in gone {
        done = done.and(|account| contact::remove(account, id))?;
    }
    for (address, set_by) in contacts {
        done = done.and(|account| match account.contacts.iter().any(|known| known.address == *address) {
            true => Ok(Done::updated(account)),
            false => contact::add(desk, account, address, *set_by),
        })?;
    }
    done.and(|mut account| {
        let place = |of: &Address| contacts.iter().position(|(address, _)| address == of);
        account.contacts.sort_by_key(|contact| place(&contact.address));
        let vouched = account.contacts.iter_mut().zip(contacts);
        let words: Vec<String> =
            vouched.filter_map(|(contact, (_, set_by))| contact::set_by(contact, *set_by)).collect();
        let done = Done::updated(account);
        Ok(words.iter().fold(done, |done, words| done.saying(words)))
    })
}

impl Done {
    /// Goes on with the account as it is by now; what is spent, said and told of both is kept.
    fn and(self, next: impl FnOnce(Account) -> Result<Self, ActError>) -> Result<Self, ActError> {
        let Self { change, spends, issued, words, happenings } = self;
        let mut done = match change {
            AccountChange::Update(account) => next(*account)?,
            AccountChange::Insert(account) => next(*account)?.inserting(),
            // Nothing is left to go on with.
            AccountChange::Remove(_) => Self::new(change, issued),
        };
        done.spends.splice(0..0, spends);
        done.words.insert_str(0, &words);
        done.happenings.splice(0..0, happenings);
        Ok(done)
    }
}
