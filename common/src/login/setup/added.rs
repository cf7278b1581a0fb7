//! A factor more, while the user looks after the account; or one in the place of another.

use crate::account::Account;
use crate::acts::{self, OwnAct, gone, with_factor, without_factor};
use crate::bundle::AccountChange;
use crate::id::FactorId;
use crate::login::setup::{Setup, complete};
use crate::login::{Step, View, manage, notify, write};
use crate::message::Event;
use crate::notices::Happening;
use crate::random::Stream;
use crate::session::Session;
use crate::{Reason, limits};

/// A factor that was added, with what is written of it.
pub(in crate::login) struct Registered {
    pub(in crate::login) own: OwnAct,
    /// What stands in the record.
    pub(in crate::login) act: &'static str,
}

/// Writes it at once, and goes back to the account.
pub(super) fn added(view: &View<'_>, session: Session, setup: &Setup) -> Step {
    let (Some(before), Some(proven)) = (&view.loaded.account, &setup.proven) else {
        return write::reject(view, &session, Reason::RegistrationRefused);
    };
    if setup.replaced.is_none() && before.factors.len() >= limits::FACTORS_MAX {
        return manage::back(view, session, setup.primary, manage::NO_ROOM);
    }
    let entropy = Stream::new(view.entropy, "added");
    let Ok(new) = complete::new_factor(view, setup, proven, before.id, &entropy) else {
        return write::unavailable(view, &session, Reason::KeyUnavailable);
    };
    let act = acts::adding(&new.factor.kind);
    let mut words = acts::registered_words(&new.factor, "code");
    let mut happenings = vec![Happening::new(Event::FactorAdded, new.factor.label.clone())];
    let id = new.factor.id;
    let raised = Account { version: before.version.saturating_add(1), ..before.clone() };
    let mut account = with_factor(raised, new.factor);
    if let Some(old) = setup.replaced(before) {
        words.push_str(&format!(" instead-of={}", old.id));
        happenings.push(gone(old));
        account = in_place_of(account, old.id, id);
    }
    let place = view.attempt.place.to_string();
    let circumstances = notify::circumstances(view, session.attempt(), &place);
    let change = AccountChange::Update(Box::new(account));
    match OwnAct::new(&view.desk(&entropy), before, change, &happenings, &circumstances) {
        Ok(mut own) => {
            own.spends.extend(new.spend);
            own.after = format!("{} {words}", own.after);
            manage::registered(view, session, setup.primary, Registered { own, act })
        }
        Err(_) => write::unavailable(view, &session, Reason::KeyUnavailable),
    }
}

/// The account without the factor that the new one takes the place of.
fn in_place_of(account: Account, old: FactorId, new: FactorId) -> Account {
    let was_default = account.default_factor == Some(old);
    let account = without_factor(account, old);
    if was_default { Account { default_factor: Some(new), ..account } } else { account }
}
