//! What an act on an account came to, in words. Some acts end what can be seen only before them.

use assembly::Office;
use common::Username;
use common::account::{Account, State};
use common::acts::{Act, Issued, Reset};
use common::ports::Listing as _;

use super::device::forgotten;
use super::show::guesses;
use crate::bulk::until;
use crate::failure::Failure;
use crate::guesses::{CapView, WaitsView, ended};
use crate::moment::rfc3339;

/// What was so before an act and ends with it.
#[derive(Default)]
pub(super) struct Known {
    was_blocked: bool,
    guesses: Option<(CapView, WaitsView)>,
}

impl Known {
    /// An account that is not there is the engine's to refuse.
    pub(super) fn before(office: &Office, name: &Username, act: &Act) -> Result<Self, Failure> {
        if !matches!(act, Act::Unblock | Act::Unlock) {
            return Ok(Self::default());
        }
        let folded = office.engine.policy().folding.fold(name);
        let Some(account) = office.store.account(&folded)? else { return Ok(Self::default()) };
        let guesses = Some(guesses(office, &account)?);
        Ok(Self { was_blocked: account.is_blocked(office.engine.now()), guesses })
    }

    pub(super) fn state_of(&self, account: &Account, act: &Act, issued: &Issued) -> String {
        match (act, &self.guesses) {
            (Act::Unlock, Some((cap, waits))) => ended(account.name.as_str(), cap, waits),
            (Act::Unblock, _) if !self.was_blocked => {
                format!("{}: was not blocked; {}.\n", account.name, account.state.name())
            }
            (Act::Reset(reset), _) => reset_to(account, *reset, issued),
            _ => state_of(account, act),
        }
    }
}

fn state_of(account: &Account, act: &Act) -> String {
    let (name, state) = (&account.name, account.state.name());
    match act {
        Act::Add { .. } => format!("{name}: added, {state}.\n"),
        Act::SetPassword(_) => format!("{name}: the password is set.\n"),
        Act::Rename(_) => format!("{name}: that is the name now; {state}.\n"),
        Act::SetRole(role) => format!("{name}: {}.\n", role.name()),
        Act::Unblock => format!("{name}: no longer blocked, {state}.\n"),
        Act::SetState(change) if change.state == State::Enabled && account.state == State::Enforced => {
            stays_enforced(account)
        }
        Act::SetState(_) => match account.deadline {
            Some(deadline) => format!("{name}: {state}; {}.\n", until(deadline)),
            None => format!("{name}: {state}.\n"),
        },
        Act::DisableUntil { until, .. } => format!(
            "{name}: no second step, and no app password, until {}; then {state} again.\n",
            rfc3339(*until)
        ),
        Act::Reset(_)
        | Act::Unlock
        | Act::Block(_)
        | Act::Remove
        | Act::AddTotp(_)
        | Act::AddHotp(_)
        | Act::AddSent(_)
        | Act::RemoveFactor(_)
        | Act::SetLabel { .. }
        | Act::SetDefault(_)
        | Act::Resync { .. }
        | Act::Declare(_)
        | Act::AddContact { .. }
        | Act::RemoveContact(_)
        | Act::IssueTemporaryCode { .. }
        | Act::RevokeTemporaryCode
        | Act::RenewRecoveryCodes
        | Act::CreateAppPassword { .. }
        | Act::RevokeAppPassword(_) => format!("{name}: {state}.\n"),
    }
}

/// Whoever asks for `enabled` asks for a registration, and gets no less than there is.
fn stays_enforced(account: &Account) -> String {
    let name = &account.name;
    match account.factors.is_empty() {
        true => format!(
            "{name}: enforced, and stays so. To ask for less, run 'countersign user disable {name}' first.\n"
        ),
        false => format!("{name}: enforced, because a second proof is registered.\n"),
    }
}

fn reset_to(account: &Account, reset: Reset, issued: &Issued) -> String {
    let parts = [
        (
            reset.require_registration && account.must_register_again,
            "must register again at the next sign-in",
        ),
        (
            reset.require_registration && !account.must_register_again,
            "has registered nothing that could be registered again",
        ),
        (reset.delete_app_passwords, "has no app passwords any more"),
    ];
    let said = parts.iter().filter(|(holds, _)| *holds).map(|(_, words)| (*words).to_owned());
    let said: Vec<_> = said.chain(issued.devices_forgotten().map(forgotten)).collect();
    format!("{}: {}.\n", account.name, said.join("; "))
}
