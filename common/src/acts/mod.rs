//! Administrators' acts: pure functions from an account to the account as it shall be, run by the engine.
//!
//! The command line, and later the portal, only render them: what one can do, all can.

mod account;
mod factor;
mod many;
mod run;

#[cfg(test)]
mod tests;

pub use many::{Became, Foreseen, Many, Order};

use crate::account::{Account, Block, PasswordHash, Role, Scope, State};
use crate::bundle::{AccountChange, Spend};
use crate::id::{AppPasswordId, FactorId};
use crate::keys::{KeyError, KeyRing};
use crate::policy::Policy;
use crate::ports::{Random, StoreError};
use crate::totp::{TotpError, TotpParameters};
use crate::{Secret, UnixTime, Username, limits};

/// A user's word for a factor or app password: 1 to 64 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(String);

impl Label {
    /// Reads a label; white space at the ends is dropped.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let length = text.chars().count();
        let fits = (1..=limits::LABEL_CHARACTERS_MAX).contains(&length) && !text.contains(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }
}

/// A TOTP secret to be registered.
#[derive(Clone)]
pub struct NewTotp {
    /// The user's word for it.
    pub label: Label,
    /// Algorithm, digits, period.
    pub parameters: TotpParameters,
    /// The shared secret, at least 128 bits.
    pub secret: Secret,
    /// A code that proves that the user has it.
    pub proof: EnrolmentProof,
}

/// Whether a new factor has been proven.
#[derive(Clone)]
pub enum EnrolmentProof {
    /// By this code, which is spent with the act.
    Code(Secret),
    /// An import: the user has used it elsewhere.
    Imported,
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
    /// `enabled` becomes `enforced` where a factor is registered already.
    SetState(State),
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
    /// Drop a factor.
    RemoveFactor(FactorId),
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
            Self::SetState(State::Disabled) => "user disable",
            Self::SetState(State::Enabled) => "user enable",
            Self::SetState(State::Enforced) => "user enforce",
            Self::Block(_) => "user block",
            Self::Unblock => "user unblock",
            Self::Unlock => "user unlock",
            Self::SetRole(_) => "user role",
            Self::Rename(_) => "user rename",
            Self::Remove => "user remove",
            Self::AddTotp(_) => "enroll totp",
            Self::RemoveFactor(_) => "factor remove",
            Self::RenewRecoveryCodes => "recovery-codes",
            Self::CreateAppPassword { .. } => "app-password create",
            Self::RevokeAppPassword(_) => "app-password revoke",
        }
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
}

/// Why an act was refused. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// There is no such account.
    #[error("there is no account '{0}': make one with 'countersign user add {0}'")]
    NoSuchAccount(Username),
    /// The name is taken.
    #[error("there is an account '{0}' already")]
    NameTaken(Username),
    /// There is no such factor.
    #[error("the account has no factor {0}: 'countersign user show' lists them")]
    NoSuchFactor(FactorId),
    /// There is no such app password.
    #[error("the account has no app password {0}: 'countersign app-password list' lists them")]
    NoSuchAppPassword(AppPasswordId),
    /// Too many factors.
    #[error("the account has {} factors already, which is the limit: remove one first", limits::FACTORS_MAX)]
    TooManyFactors,
    /// Too many app passwords.
    #[error(
        "the account has {} app passwords already, which is the limit: revoke one first",
        limits::APP_PASSWORDS_MAX
    )]
    TooManyAppPasswords,
    /// The account has this secret already.
    #[error("the account has a factor with this secret already: one code would work twice")]
    SecretKnown,
    /// An app password that is good nowhere.
    #[error("an app password needs at least one service or client where it is good")]
    EmptyScope,
    /// The code that should prove the factor is not of this secret at this time.
    #[error(
        "the code does not belong to this secret at this time: check the clock of the phone and try the next code"
    )]
    WrongCode,
    /// The code is from before the floor, as after a restore.
    #[error("the code is from a time that the store refuses, as just after a restore: wait for the next one")]
    CodeRefused,
    /// The secret or its parameters cannot be used.
    #[error(transparent)]
    Totp(#[from] TotpError),
    /// The key file does not serve.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store does not serve.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others changed the account each time.
    #[error("the account was changed by others each time this was tried: try again")]
    TooManyRaces,
}

/// What acts need besides the account.
pub(crate) struct Desk<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) keys: &'a KeyRing,
    pub(crate) random: &'a dyn Random,
    pub(crate) now: UnixTime,
    /// No code whose interval begins at or before this proves anything.
    pub(crate) floor: UnixTime,
}

/// What an act comes to.
pub(crate) struct Done {
    pub(crate) change: AccountChange,
    pub(crate) spends: Vec<Spend>,
    pub(crate) issued: Issued,
}

impl Done {
    fn updated(account: Account) -> Self {
        Self::issuing(account, Issued::Nothing)
    }

    fn issuing(account: Account, issued: Issued) -> Self {
        Self { change: AccountChange::Update(Box::new(account)), spends: Vec::new(), issued }
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
        (_, None) => Err(ActError::NoSuchAccount(name.clone())),
        (act, Some(mut account)) => {
            account.version = account.version.saturating_add(1);
            change(desk, account, act)
        }
    }
}

fn change(desk: &Desk<'_>, account: Account, act: &Act) -> Result<Done, ActError> {
    match act {
        Act::Add { .. } => Err(ActError::NameTaken(account.name)),
        Act::Remove => Ok(Done {
            change: AccountChange::Remove(account.id),
            spends: Vec::new(),
            issued: Issued::Nothing,
        }),
        Act::SetPassword(hash) => Ok(Done::updated(Account { password_hash: Some(hash.clone()), ..account })),
        Act::SetState(state) => Ok(Done::updated(account::set_state(account, *state))),
        Act::Block(block) => Ok(Done::updated(Account { block: Some(*block), ..account })),
        Act::Unblock => Ok(Done::updated(Account { block: None, ..account })),
        Act::Unlock => Ok(Done::updated(account)),
        Act::SetRole(role) => Ok(Done::updated(Account { role: *role, ..account })),
        Act::Rename(name) => Ok(Done::updated(Account { name: name.clone(), ..account })),
        Act::AddTotp(totp) => factor::add_totp(desk, account, totp),
        Act::RemoveFactor(id) => factor::remove(account, *id),
        Act::RenewRecoveryCodes => factor::renew_recovery_codes(desk, account),
        Act::CreateAppPassword { label, scope } => factor::create_app_password(desk, account, label, scope),
        Act::RevokeAppPassword(id) => factor::revoke_app_password(account, *id),
    }
}
