//! A factor more, while the user looks after the account; or one in the place of another.

use crate::account::{Account, FactorKind};
use crate::acts::{self, Desk, OwnAct, with_factor};
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
        return manage::back(view, session, setup.primary);
    }
    let entropy = Stream::new(view.entropy, "added");
    let Ok(new) = complete::new_factor(view, setup, proven, before.id, &entropy) else {
        return write::unavailable(view, &session, Reason::KeyUnavailable);
    };
    let act = acts::adding(&new.factor.kind);
    let mut words = acts::registered_words(&new.factor, "code");
    let mut account = Account { version: before.version.saturating_add(1), ..before.clone() };
    let mut happenings = vec![Happening::new(Event::FactorAdded, new.factor.label.clone())];
    if let Some((old, happening)) = replace(&mut account, setup, new.factor.id) {
        words.push_str(&format!(" instead-of={old}"));
        happenings.push(happening);
    }
    let account = with_factor(account, new.factor);
    let desk =
        Desk { policy: view.policy, keys: view.keys, random: &entropy, now: view.now, loaded: view.loaded };
    let place = view.attempt.place.to_string();
    let circumstances = notify::circumstances(view, session.attempt(), &place);
    let change = AccountChange::Update(Box::new(account));
    match OwnAct::new(&desk, before, change, &happenings, &circumstances) {
        Ok(mut own) => {
            own.spends.extend(new.spend);
            own.after = format!("{} {words}", own.after);
            manage::registered(view, session, setup.primary, Registered { own, act })
        }
        Err(_) => write::unavailable(view, &session, Reason::KeyUnavailable),
    }
}

/// Drops the factor that the new one takes the place of; an old number hears of it.
fn replace(account: &mut Account, setup: &Setup, new: FactorId) -> Option<(FactorId, Happening)> {
    let old = FactorId::from_bytes(setup.replaced?);
    let place = account.factors.iter().position(|factor| factor.id == old)?;
    let old = account.factors.remove(place);
    account.forget_devices();
    if account.default_factor == Some(old.id) {
        account.default_factor = Some(new);
    }
    let happening = Happening::new(Event::FactorRemoved, old.label);
    let happening = match old.kind {
        FactorKind::Sent { address } => happening.at_the_old(address),
        FactorKind::Totp { .. } | FactorKind::Hotp { .. } => happening,
    };
    Some((old.id, happening))
}
