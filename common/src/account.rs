//! One user's MFA settings: the half that rarely changes. What changes at every login is in [`crate::bundle`].

mod factor;

use serde::{Deserialize, Serialize};

pub use factor::{Factor, FactorKind};

use crate::address::Address;
use crate::attempt::Place;
use crate::codes::KeyedHash;
use crate::id::{AccountId, AppPasswordId, CodeId, ContactId, FactorId};
use crate::{UnixTime, Username};

/// Whether a second step is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// No second step.
    Disabled,
    /// Must register; until then the primary alone lets pass, and each such login is recorded as a skip.
    Enabled,
    /// Asked at every login.
    Enforced,
}

impl State {
    /// All states, for help texts and tables.
    pub const ALL: [Self; 3] = [Self::Disabled, Self::Enabled, Self::Enforced];

    /// The word in configuration, records and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Enforced => "enforced",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == word)
    }
}

/// What an account may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// An ordinary user.
    #[default]
    User,
    /// Privileged everywhere: no app passwords unless a rule names them.
    Administrator,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 2] = [Self::User, Self::Administrator];

    /// The word in records and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Administrator => "administrator",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == word)
    }
}

/// A refusal at every door. The longer of two is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Block {
    /// Until this moment.
    Until(UnixTime),
    /// Until an administrator lifts it.
    Indefinitely,
}

impl Block {
    /// Whether it holds now.
    #[must_use]
    pub fn holds(self, now: UnixTime) -> bool {
        match self {
            Self::Until(end) => now < end,
            Self::Indefinitely => true,
        }
    }
}

/// A number or address that is known of the user without being a way to sign in: notices go there, and the first
/// registration may be proven by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Contact {
    /// Random, never reused.
    pub id: ContactId,
    /// Where.
    pub address: Address,
    /// Who says so.
    pub set_by: SetBy,
    /// Since when.
    pub added_at: UnixTime,
}

impl Contact {
    /// Whether somebody else than the user says so: whoever merely knows the password may register by such a one.
    #[must_use]
    pub const fn is_vouched_for(&self) -> bool {
        match self.set_by {
            SetBy::Administrator | SetBy::Directory => true,
            SetBy::User => false,
        }
    }
}

/// Who has set a contact. Whoever merely knows the password may register by one that is not the user's own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetBy {
    /// The user.
    User,
    /// An administrator.
    Administrator,
    /// The directory.
    Directory,
}

impl SetBy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::User, Self::Administrator, Self::Directory];

    /// The word in records and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Administrator => "administrator",
            Self::Directory => "directory",
        }
    }
}

/// Until when somebody who is `enabled` may put registration off. Where neither is set there is no end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Deadline {
    /// Before this moment.
    pub by: Option<UnixTime>,
    /// So many more times.
    pub sign_ins: Option<u32>,
}

impl Deadline {
    /// Whether registration may be put off once more.
    #[must_use]
    pub fn allows(self, now: UnixTime) -> bool {
        self.by.is_none_or(|by| now < by) && self.sign_ins != Some(0)
    }
}

/// A code from an administrator, for somebody whose second proof is lost or not there yet. It is good once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TemporaryCode {
    /// Random, never reused; spending is recorded under it.
    pub id: CodeId,
    /// Keyed hash of the code.
    pub hash: KeyedHash,
    /// From when on it is no longer good.
    pub expires_at: UnixTime,
}

/// Single-use codes for the day when the phone is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RecoveryCode {
    /// Random, never reused; spending is recorded under it.
    pub id: CodeId,
    /// Keyed hash of the code.
    pub hash: KeyedHash,
}

/// Where an app password is good.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Scope {
    /// PAM services.
    pub services: Vec<String>,
    /// RADIUS clients.
    pub clients: Vec<String>,
}

impl Scope {
    /// Whether a place is in it. An empty scope is good nowhere.
    #[must_use]
    pub fn covers(&self, place: &Place) -> bool {
        match place {
            Place::Service(name) => self.services.contains(name),
            Place::Client(name) => self.clients.contains(name),
        }
    }
}

/// A generated password for a client that cannot answer a second question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AppPassword {
    /// Random, never reused.
    pub id: AppPasswordId,
    /// The user's word for it, such as `backup script`.
    pub label: String,
    /// Keyed hash of the password.
    pub hash: KeyedHash,
    /// Where it is good.
    pub scope: Scope,
    /// When it was made.
    pub created_at: UnixTime,
}

/// The half of an account that rarely changes: one row, one `version`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Account {
    /// Random; secrets are sealed to it.
    pub id: AccountId,
    /// The canonical name.
    pub name: Username,
    /// Raised by every change; every login commits only against the version that it saw.
    pub version: u64,
    /// Whether a second step is asked.
    pub state: State,
    /// What the account may be used for.
    #[serde(default)]
    pub role: Role,
    /// Until when the state counts as `disabled`; afterwards it is again what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_until: Option<UnixTime>,
    /// How long registration may be put off while `enabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Deadline>,
    /// An administrator demands that all factors be registered anew: what is registered opens that door and no other.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_register_again: bool,
    /// A refusal at every door.
    #[serde(default)]
    pub block: Option<Block>,
    /// Where the user can be reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    /// The local password as a PHC or crypt(3) string; `None` where another backend checks it.
    #[serde(default)]
    pub password_hash: Option<PasswordHash>,
    /// Registered factors.
    #[serde(default)]
    pub factors: Vec<Factor>,
    /// The one that is used where the user names none; else the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_factor: Option<FactorId>,
    /// A code from an administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporary_code: Option<TemporaryCode>,
    /// Recovery codes, spent ones included until the set is renewed.
    #[serde(default)]
    pub recovery_codes: Vec<RecoveryCode>,
    /// App passwords.
    #[serde(default)]
    pub app_passwords: Vec<AppPassword>,
    /// Which generation of remembered devices is good: those of an earlier one are strange. See [`crate::ticket`].
    #[serde(default, skip_serializing_if = "is_first")]
    pub generation: u64,
    /// When the account was made.
    pub created_at: UnixTime,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in references")]
const fn is_first(generation: &u64) -> bool {
    *generation == 0
}

impl Account {
    /// A new account without factors.
    #[must_use]
    pub fn new(id: AccountId, name: Username, state: State, now: UnixTime) -> Self {
        Self {
            id,
            name,
            version: 1,
            state,
            role: Role::User,
            disabled_until: None,
            deadline: None,
            must_register_again: false,
            block: None,
            contacts: Vec::new(),
            password_hash: None,
            factors: Vec::new(),
            default_factor: None,
            temporary_code: None,
            recovery_codes: Vec::new(),
            app_passwords: Vec::new(),
            generation: 0,
            created_at: now,
        }
    }

    /// The state that counts now.
    #[must_use]
    pub fn state_at(&self, now: UnixTime) -> State {
        match self.disabled_until {
            Some(until) if now < until => State::Disabled,
            Some(_) | None => self.state,
        }
    }

    /// Makes every device that is remembered by now strange.
    pub(crate) fn forget_devices(&mut self) {
        self.generation = self.generation.saturating_add(1);
    }

    /// Factors with a weak secret.
    #[must_use]
    pub fn weak_factors(&self) -> usize {
        self.factors.iter().filter(|factor| factor.is_weak()).count()
    }

    /// Whether a block holds now.
    #[must_use]
    pub fn is_blocked(&self, now: UnixTime) -> bool {
        self.block.is_some_and(|block| block.holds(now))
    }
}

/// A stored password hash (PHC string or crypt(3) format). It has no `Debug` text of its own.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a hash as text; the backend that verifies it decides whether it can be read.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for the backend that verifies.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash")
    }
}
