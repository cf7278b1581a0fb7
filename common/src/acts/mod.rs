//! Administrators' acts: pure functions from an account to the account as it shall be, run by the engine.
//!
//! The command line, and later the portal, only render them: what one can do, all can.

mod account;
mod contact;
mod deadline;
mod declare;
mod devices;
mod error;
mod factor;
mod given_out;
mod many;
mod new;
mod own;
pub(crate) mod registration;
mod resync;
mod run;

#[cfg(test)]
mod tests;

use crate::account::{Account, Block, PasswordHash, Role, Scope, SetBy, State};
use crate::address::Address;
use crate::bundle::{AccountChange, Spend};
use crate::id::{AppPasswordId, ContactId, FactorId};
use crate::keys::KeyRing;
use crate::notices::{Happening, Means};
use crate::policy::Policy;
use crate::ports::{Loaded, Random};
use crate::{Secret, UnixTime, Username};

pub use deadline::{DeadlineChange, Limit};
pub use declare::{Declaration, DeclaredFactor, DeclaredKind};
pub use error::ActError;
pub use many::{Became, Foreseen, Many, Order};
pub use new::{EnrolmentProof, HotpProof, Label, NewHotp, NewSent, NewTotp};

/// A state that an account shall have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// `enabled` becomes `enforced` where a factor is registered already, and never weakens what is `enforced`.
    pub state: State,
    /// How long registration may be put off.
    pub deadline: DeadlineChange,
    /// What to do about a name that has no account.
    pub if_absent: IfAbsent,
}

impl StateChange {
    /// Of an account that is there, with the deadline of the policy.
    #[must_use]
    pub const fn new(state: State) -> Self {
        Self { state, deadline: DeadlineChange::KEPT, if_absent: IfAbsent::Refuse }
    }
}

impl From<State> for StateChange {
    fn from(state: State) -> Self {
        Self::new(state)
    }
}

/// What to do about a name that has no account. A directory may know its user, and so may nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfAbsent {
    /// Refuse: a name is mistyped more often than it is new.
    Refuse,
    /// Make the account.
    Create,
}

/// What a user must do anew, or loses; at least one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reset {
    /// All factors must be registered anew; those that are there open that door and no other.
    pub require_registration: bool,
    /// All app passwords are void.
    pub delete_app_passwords: bool,
    /// Remembered devices are strange again.
    pub forget_devices: bool,
}

/// What an administrator does to one account.
#[derive(Clone)]
pub enum Act {
    /// A new account.
    Add {
        /// Its state; `None` takes the policy's `default-state`.
        state: Option<State>,
        /// Its role.
        role: Role,
        /// Its local password.
        password: Option<PasswordHash>,
        /// A factor that it brings with it.
        totp: Option<NewTotp>,
    },
    /// A new local password.
    SetPassword(PasswordHash),
    /// Whether a second step is asked.
    SetState(StateChange),
    /// No second step until then; afterwards the account is again what it is.
    DisableUntil {
        /// The end of it.
        until: UnixTime,
        /// What to do about a name that has no account.
        if_absent: IfAbsent,
    },
    /// Register anew, lose app passwords, be asked again on known devices.
    Reset(Reset),
    /// Refuse at every door.
    Block(Block),
    /// Lift the block.
    Unblock,
    /// User or administrator.
    SetRole(Role),
    /// A new name, which must be free.
    Rename(Username),
    /// Gone with everything that hangs on it; a removed name that returns is a new account.
    Remove,
    /// Register an authenticator app or token. Moves `enabled` to `enforced`.
    AddTotp(NewTotp),
    /// Register a token that counts. Moves `enabled` to `enforced`.
    AddHotp(NewHotp),
    /// Register a number or mail address on behalf of the user. Moves `enabled` to `enforced`.
    AddSent(NewSent),
    /// Drop a factor.
    RemoveFactor(FactorId),
    /// Another word for a factor.
    SetLabel {
        /// The factor.
        factor: FactorId,
        /// The word.
        label: Label,
    },
    /// The factor that is used where the user names none.
    SetDefault(FactorId),
    /// Set the clock or counter of a token by two of its codes in a row.
    Resync {
        /// The factor.
        factor: FactorId,
        /// The code that it showed first.
        first: Secret,
        /// The code right after it.
        second: Secret,
    },
    /// What a file declares; makes the account where there is none.
    Declare(Box<Declaration>),
    /// A number or address where the user hears of changes.
    AddContact {
        /// Where.
        address: Address,
        /// Who says so.
        set_by: SetBy,
    },
    /// Drop a contact.
    RemoveContact(ContactId),
    /// A code for somebody whose second proof is lost or not there yet, good once. An older one is void.
    IssueTemporaryCode {
        /// For how long, at most `limits::TEMPORARY_CODE_SECONDS_MAX`.
        life_seconds: u64,
    },
    /// Drop the temporary code.
    RevokeTemporaryCode,
    /// A new set of recovery codes; the old set is void.
    RenewRecoveryCodes,
    /// A new app password.
    CreateAppPassword {
        /// The user's word for it.
        label: Label,
        /// Where it is good.
        scope: Scope,
    },
    /// Let second proofs be looked at again from sources without a recent success, after too many wrong ones.
    Unlock,
    /// Drop an app password.
    RevokeAppPassword(AppPasswordId),
}

impl Act {
    /// The words in records.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Add { .. } => "user add",
            Self::SetPassword(_) => "user passwd",
            Self::SetState(StateChange { state: State::Disabled, .. }) | Self::DisableUntil { .. } => {
                "user disable"
            }
            Self::SetState(StateChange { state: State::Enabled, .. }) => "user enable",
            Self::SetState(StateChange { state: State::Enforced, .. }) => "user enforce",
            Self::Reset(_) => "user reset",
            Self::Block(_) => "user block",
            Self::Unblock => "user unblock",
            Self::Unlock => "user unlock",
            Self::SetRole(_) => "user role",
            Self::Rename(_) => "user rename",
            Self::Remove => "user remove",
            Self::AddTotp(_) => factor::ADD_TOTP,
            Self::AddHotp(_) => factor::ADD_HOTP,
            Self::AddSent(sent) => factor::adding_address(&sent.address),
            Self::RemoveFactor(_) => "factor remove",
            Self::SetLabel { .. } => "factor label",
            Self::SetDefault(_) => "factor default",
            Self::Resync { .. } => "factor resync",
            Self::Declare(_) => "apply",
            Self::AddContact { .. } => "contact add",
            Self::RemoveContact(_) => "contact remove",
            Self::IssueTemporaryCode { .. } => "temporary-code issue",
            Self::RevokeTemporaryCode => "temporary-code revoke",
            Self::RenewRecoveryCodes => "recovery-codes",
            Self::CreateAppPassword { .. } => "app-password create",
            Self::RevokeAppPassword(_) => "app-password revoke",
        }
    }
}

impl Act {
    /// Whether an account that is the same afterwards was so before: there are things that hang on it and are not in it.
    const fn shows_in_account(&self) -> bool {
        !matches!(self, Self::Unlock)
    }
}

/// What an act gives out; shown once, stored nowhere.
pub enum Issued {
    /// Nothing.
    Nothing,
    /// A registered factor.
    Factor(FactorId),
    /// A set of recovery codes.
    RecoveryCodes(Vec<Secret>),
    /// An app password.
    AppPassword(AppPasswordId, Secret),
    /// A contact.
    Contact(ContactId),
    /// Nothing: so many devices were remembered when the account was loaded, and are strange now.
    DevicesForgotten(usize),
    /// A temporary code.
    TemporaryCode {
        /// The code.
        code: Secret,
        /// Its end.
        expires_at: UnixTime,
    },
}

pub(crate) use factor::{adding, gone, prove, registered_words};
pub(crate) use given_out::{app_password, recovery_codes};
pub(crate) use own::{OwnAct, of_user};
pub(crate) use registration::{dropped, with_factor, without_factor};

/// What acts need besides the account.
pub(crate) struct Desk<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) keys: &'a KeyRing,
    pub(crate) random: &'a dyn Random,
    pub(crate) now: UnixTime,
    /// What the store knows besides the account.
    pub(crate) loaded: &'a Loaded,
}

impl Desk<'_> {
    /// What notices are made with.
    pub(crate) const fn means(&self) -> Means<'_> {
        Means {
            policy: self.policy,
            keys: self.keys,
            random: self.random,
            texts: &self.loaded.sent.notice_texts,
        }
    }

    /// The highest spent step or counter of a factor.
    fn spent(&self, factor: FactorId) -> Option<u64> {
        let of_factor = self.loaded.spent_steps.iter().filter(|(id, _)| *id == factor);
        of_factor.map(|(_, highest)| *highest).max()
    }

    /// The first counter of a token that may still be good.
    fn next_counter(&self, factor: FactorId, counter: u64) -> u64 {
        self.spent(factor).map_or(counter, |highest| counter.max(highest.saturating_add(1)))
    }
}

/// What an act comes to.
pub(crate) struct Done {
    pub(crate) change: AccountChange,
    pub(crate) spends: Vec<Spend>,
    pub(crate) issued: Issued,
    /// What the account as it is now does not show, in words.
    words: String,
    /// What the user should hear of.
    happenings: Vec<Happening>,
}

impl Done {
    fn updated(account: Account) -> Self {
        Self::issuing(account, Issued::Nothing)
    }

    fn issuing(account: Account, issued: Issued) -> Self {
        Self::new(AccountChange::Update(Box::new(account)), issued)
    }

    const fn new(change: AccountChange, issued: Issued) -> Self {
        Self { change, spends: Vec::new(), issued, words: String::new(), happenings: Vec::new() }
    }

    fn saying(mut self, words: &str) -> Self {
        self.words.push(' ');
        self.words.push_str(words);
        self
    }

    fn telling(mut self, happening: Happening) -> Self {
        self.happenings.push(happening);
        self
    }

    /// Whether the account stays as it was before, but for its version.
    fn leaves(&self, before: &Account) -> bool {
        let AccountChange::Update(after) = &self.change else { return false };
        let is_same = || {
            let mut before = before.clone();
            before.version = after.version;
            before == **after
        };
        self.spends.is_empty() && is_same()
    }
}

/// Carries an act out on an account as it was loaded.
pub(crate) fn carry_out(
    desk: &Desk<'_>,
    name: &Username,
    account: Option<Account>,
    act: &Act,
) -> Result<Done, ActError> {
    match (act, account) {
        (Act::Add { .. }, Some(_)) => Err(ActError::NameTaken(name.clone())),
        (Act::Add { state, role, password, totp }, None) => {
            account::add(desk, name, *state, *role, password.as_ref(), totp.as_ref())
        }
        (Act::SetState(StateChange { if_absent: IfAbsent::Create, state, .. }), None) => {
            Ok(change(desk, account::new(desk, name, *state), act)?.inserting())
        }
        (Act::DisableUntil { if_absent: IfAbsent::Create, .. }, None) => {
            Ok(change(desk, account::new(desk, name, desk.policy.default_state), act)?.inserting())
        }
        (Act::Declare(declaration), None) => {
            let state = declaration.state.unwrap_or(desk.policy.default_state);
            Ok(change(desk, account::new(desk, name, state), act)?.inserting())
        }
        (_, None) => Err(ActError::NoSuchAccount(name.clone())),
        (act, Some(mut account)) => {
            let (devices, generation) = (desk.devices(&account), account.generation);
            account.version = account.version.saturating_add(1);
            Ok(change(desk, account, act)?.telling_of_devices(devices, generation))
        }
    }
}

fn change(desk: &Desk<'_>, account: Account, act: &Act) -> Result<Done, ActError> {
    match act {
        Act::Add { .. } => Err(ActError::NameTaken(account.name)),
        Act::Remove => Ok(account::remove(&account)),
        Act::SetPassword(hash) => Ok(Done::updated(Account { password_hash: Some(hash.clone()), ..account })),
        Act::SetState(change) => Ok(Done::updated(account::set_state(desk, account, change))),
        Act::DisableUntil { until, .. } => Ok(Done::updated(account::disable_until(desk, account, *until)?)),
        Act::Reset(reset) => account::reset(desk, account, *reset),
        Act::Block(block) => Ok(Done::updated(account::block(account, *block))),
        Act::Unblock => Ok(Done::updated(Account { block: None, ..account })),
        Act::Unlock => Ok(Done::updated(account)),
        Act::SetRole(role) => Ok(Done::updated(Account { role: *role, ..account })),
        Act::Rename(name) => Ok(Done::updated(Account { name: name.clone(), ..account })),
        Act::AddTotp(totp) => Ok(factor::register_totp(desk, account, totp)?.done()),
        Act::AddHotp(hotp) => Ok(factor::register_hotp(desk, account, hotp)?.done()),
        Act::AddSent(sent) => Ok(factor::register_sent(desk, account, sent)?.done()),
        Act::RemoveFactor(id) => factor::remove(account, *id),
        Act::SetLabel { factor, label } => factor::set_label(account, *factor, label),
        Act::SetDefault(id) => factor::set_default(account, *id),
        Act::Resync { factor, first, second } => resync::resync(desk, account, *factor, (first, second)),
        Act::Declare(declaration) => declare::declare(desk, account, declaration),
        Act::AddContact { address, set_by } => contact::add(desk, account, address, *set_by),
        Act::RemoveContact(id) => contact::remove(account, *id),
        Act::RenewRecoveryCodes => given_out::renew_recovery_codes(desk, account),
        Act::IssueTemporaryCode { life_seconds } => {
            given_out::issue_temporary_code(desk, account, *life_seconds)
        }
        Act::RevokeTemporaryCode => given_out::revoke_temporary_code(account),
        Act::CreateAppPassword { label, scope } => {
            given_out::create_app_password(desk, account, label, scope)
        }
        Act::RevokeAppPassword(id) => given_out::revoke_app_password(account, *id),
    }
}
