//! Whether a second step is needed: block, rules and state, in this order.

use crate::Reason;
use crate::account::{Account, FactorKind, State};
use crate::login::{Subject, View};
use crate::policy::{Action, Method};

/// What the account and the policy ask for, whatever was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// A second proof.
    Second,
    /// No second proof, for this reason.
    Skip(Reason),
    /// No second proof yet: the user is asked to register, and may still put it off.
    Register,
    /// Nobody gets in, for this reason.
    Refuse(Reason),
}

pub(super) fn need(view: &View<'_>) -> Need {
    let user = match view.subject {
        Subject::Known(user) => user,
        Subject::Unknown(_) => return Need::Refuse(Reason::UnknownUser),
        Subject::NotAName => return Need::Refuse(Reason::NameInvalid),
    };
    if view.is_break_glass() {
        return Need::Second;
    }
    let account = view.loaded.account.as_ref();
    let is_blocked = |account: &Account| account.is_blocked(view.now);
    if account.is_some_and(is_blocked) || view.target.is_some_and(is_blocked) {
        return Need::Refuse(Reason::Blocked);
    }
    match view.ruling(user).action {
        Action::Deny => Need::Refuse(Reason::DeniedByRule),
        Action::Skip => Need::Skip(Reason::SkippedByRule),
        Action::Require => match by_state(view, account) {
            // A user without a second step of their own must not come round that of whose rights they ask for.
            Need::Skip(_) | Need::Register if is_target_protected(view) => {
                Need::Refuse(Reason::NoUsableFactor)
            }
            need => need,
        },
    }
}

fn is_target_protected(view: &View<'_>) -> bool {
    if view.attempt.parties.target.is_none() {
        return false;
    }
    let state = view.target.map_or(view.policy.default_state, |target| target.state_at(view.now));
    match state {
        State::Disabled => false,
        State::Enabled => view.target.is_some_and(|target| !target.factors.is_empty()),
        State::Enforced => true,
    }
}

fn by_state(view: &View<'_>, account: Option<&Account>) -> Need {
    let state = account.map_or(view.policy.default_state, |account| account.state_at(view.now));
    let registered = account.is_some_and(|account| !account.factors.is_empty());
    let may_wait =
        account.and_then(|account| account.deadline).is_none_or(|deadline| deadline.allows(view.now));
    match state {
        State::Disabled => Need::Skip(Reason::SkippedDisabled),
        State::Enabled if !registered && may_wait => Need::Register,
        State::Enabled | State::Enforced if has_usable(view, account) => Need::Second,
        State::Enabled | State::Enforced if !registered => Need::Refuse(Reason::RegistrationOverdue),
        State::Enabled | State::Enforced => Need::Refuse(Reason::NoUsableFactor),
    }
}

/// Whether somebody has to register before anything else and has nothing to prove but a temporary code.
pub(super) fn is_overdue(view: &View<'_>) -> bool {
    let is_unregistered = view.loaded.account.as_ref().is_none_or(|account| account.factors.is_empty());
    let is_asked = match need(view) {
        Need::Second => true,
        Need::Refuse(reason) => reason == Reason::RegistrationOverdue,
        Need::Register | Need::Skip(_) => false,
    };
    is_unregistered && is_asked
}

/// Whether the account has anything that could be a second proof here.
fn has_usable(view: &View<'_>, account: Option<&Account>) -> bool {
    let Some(account) = account else { return false };
    let ruling = view.ruling(&account.name);
    let spent = &view.loaded.spent_codes;
    let factor = account.factors.iter().any(|factor| match &factor.kind {
        FactorKind::Totp { .. } => ruling.allows(Method::Totp),
        FactorKind::Hotp { .. } => ruling.allows(Method::Hotp),
        FactorKind::Sent { address } => address
            .channels()
            .iter()
            .any(|channel| view.channels.contains(channel) && ruling.allows(Method::of(*channel))),
    });
    let temporary = ruling.allows(Method::TemporaryCode)
        && account
            .temporary_code
            .as_ref()
            .is_some_and(|code| view.now < code.expires_at && !spent.contains(&code.id));
    let recovery = ruling.allows(Method::RecoveryCode)
        && account.recovery_codes.iter().any(|code| !spent.contains(&code.id));
    let place = &view.attempt.place;
    let app_password = ruling.allows(Method::AppPassword)
        && account.app_passwords.iter().any(|password| password.scope.covers(place));
    factor || temporary || recovery || app_password
}
