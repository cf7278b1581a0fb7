//! A factor more, while the user looks after the account; or one in the place of another.

use crate::account::{Account, FactorKind};
use crate::acts::{OwnAct, gone, with_factor, without_factor};
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
    let act = match &new.factor.kind {
        FactorKind::Totp { .. } | FactorKind::Hotp { .. } => "enroll totp",
        FactorKind::Sent { .. } => "enroll address",
    };
    let account = Account { version: before.version.saturating_add(1), ..before.clone() };
    let mut happenings = vec![Happening::new(Event::FactorAdded, new.factor.label.clone())];
    let old = setup.replaced(before);
    happenings.extend(old.map(gone));
    let id = new.factor.id;
    let account = with_factor(account, new.factor);
    let account = match old {
        Some(old) => in_place_of(account, old.id, id),
        None => account,
    };
    let place = view.attempt.place.to_string();
    let circumstances = notify::circumstances(view, session.attempt(), &place);
    let change = AccountChange::Update(Box::new(account));
    match OwnAct::new(&view.desk(&entropy), before, change, &happenings, &circumstances) {
        Ok(mut own) => {
            own.spends.extend(new.spend);
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
