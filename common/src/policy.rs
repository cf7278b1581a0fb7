//! The ordered list of rules, and everything else that an administrator decides for all accounts.
//!
//! The first rule that matches decides. It is resolved before the machine looks at the account.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::account::State;
use crate::address::Channel;
use crate::attempt::{Attempt, Place, Target};
use crate::limits::CODES_PER_DAY;
use crate::notices::NoticeChannels;
use crate::number_rules::NumberRules;
use crate::registration::Registration;
use crate::username::{Folding, Username};

/// A second proof that a rule can allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// A code from an authenticator app or token.
    Totp,
    /// A code from a token that counts.
    Hotp,
    /// A code by text message.
    Sms,
    /// A code spoken in a call.
    Call,
    /// A code by mail.
    Email,
    /// A recovery code.
    RecoveryCode,
    /// A temporary code from an administrator.
    TemporaryCode,
    /// An app password, as the only password or at the second prompt.
    AppPassword,
}

impl Method {
    /// All methods, in the order in which they are listed to users.
    pub const ALL: [Self; 8] = [
        Self::Totp,
        Self::Hotp,
        Self::Sms,
        Self::Call,
        Self::Email,
        Self::RecoveryCode,
        Self::TemporaryCode,
        Self::AppPassword,
    ];

    /// The method of codes that come by a channel.
    #[must_use]
    pub const fn of(channel: Channel) -> Self {
        match channel {
            Channel::Sms => Self::Sms,
            Channel::Call => Self::Call,
            Channel::Email => Self::Email,
        }
    }

    /// The word in configuration and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Hotp => "hotp",
            Self::Sms => "sms",
            Self::Call => "call",
            Self::Email => "email",
            Self::RecoveryCode => "recovery-code",
            Self::TemporaryCode => "temporary-code",
            Self::AppPassword => "app-password",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == word)
    }
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The account's state says whether a second step is asked: the normal course.
    Require,
    /// No second step, whatever the state. Recorded as a skip with the rule's name.
    Skip,
    /// Nobody gets in.
    Deny,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 3] = [Self::Require, Self::Skip, Self::Deny];

    /// The word in configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Require => "require",
            Self::Skip => "skip",
            Self::Deny => "deny",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == word)
    }
}

/// What must hold for a rule to match. An empty list is no condition; within a list one entry suffices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// PAM services.
    pub services: Vec<String>,
    /// RADIUS clients.
    pub clients: Vec<String>,
    /// Users, by canonical name.
    pub users: Vec<Username>,
}

impl Conditions {
    fn hold(&self, place: &Place, user: &Username) -> bool {
        self.place_holds(place) && (self.users.is_empty() || self.users.contains(user))
    }

    fn place_holds(&self, place: &Place) -> bool {
        if self.services.is_empty() && self.clients.is_empty() {
            return true;
        }
        match place {
            Place::Service(name) => self.services.contains(name),
            Place::Client(name) => self.clients.contains(name),
        }
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stands in every record that the rule decided.
    pub name: String,
    /// When it matches.
    pub when: Conditions,
    /// What it does.
    pub action: Action,
    /// Which second proofs are good. Where the place is privileged, app passwords are good only if they stand here.
    pub methods: Option<BTreeSet<Method>>,
}

/// The decisions that hold for all accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The state of a user whom the primary knows and the store does not. There is no default for it.
    pub default_state: State,
    /// How names are folded.
    pub folding: Folding,
    /// First match decides; no match is [`Action::Require`] with every method.
    pub rules: Vec<Rule>,
    /// PAM services where app passwords are refused unless a rule names them.
    pub privileged_services: BTreeSet<String>,
    /// Accounts that no rule, block or state can lock out, asked for a second proof always; each use is an alert.
    pub break_glass: BTreeSet<Username>,
    /// The name that stands in an authenticator app.
    pub issuer: String,
    /// What holds for people who have not registered yet.
    pub registration: Registration,
    /// A question or a refusal that follows a first password, or an answer to the question for the second proof, leaves no
    /// earlier than this after it came, right or wrong: some backends are quicker with names that they do not know, and
    /// a code is sent to some and not to others.
    pub floor: Duration,
    /// Which telephone numbers may be registered and sent to.
    pub numbers: NumberRules,
    /// How many codes are sent to one user within a day: each may cost money, and annoys somebody who did not ask.
    pub codes_per_day: u32,
    /// By which channels users hear of changes.
    pub notices: NoticeChannels,
}

/// What the rules say of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The rule's name; `None` where none matched.
    pub rule: Option<String>,
    /// What to do.
    pub action: Action,
    /// Second proofs that are good.
    pub methods: BTreeSet<Method>,
}

impl Ruling {
    /// Whether a method is good here.
    #[must_use]
    pub fn allows(&self, method: Method) -> bool {
        self.methods.contains(&method)
    }
}

impl Policy {
    /// A policy without rules.
    #[must_use]
    pub fn new(default_state: State) -> Self {
        Self {
            default_state,
            folding: Folding::Exact,
            rules: Vec::new(),
            privileged_services: ["sudo", "sudo-i", "su", "su-l", "login"].map(str::to_owned).into(),
            break_glass: BTreeSet::new(),
            issuer: "Countersign".to_owned(),
            registration: Registration::default(),
            floor: Duration::ZERO,
            numbers: NumberRules::default(),
            codes_per_day: CODES_PER_DAY,
            notices: NoticeChannels {
                wanted: NoticeChannels::STANDARD.into(),
                delivered: Channel::ALL.into(),
            },
        }
    }

    /// Whether rights beyond an ordinary user's are at stake, apart from the account's role.
    #[must_use]
    pub fn is_privileged(&self, attempt: &Attempt) -> bool {
        let by_service = match &attempt.place {
            Place::Service(name) => self.privileged_services.contains(name),
            Place::Client(_) => false,
        };
        by_service || attempt.target == Target::Root
    }

    /// The first matching rule's decision for this user.
    #[must_use]
    pub fn ruling(&self, attempt: &Attempt, user: &Username, privileged: Privileged) -> Ruling {
        let first = self.rules.iter().find(|rule| rule.when.hold(&attempt.place, user));
        let named = first.and_then(|rule| rule.methods.clone());
        Ruling {
            rule: first.map(|rule| rule.name.clone()),
            action: first.map_or(Action::Require, |rule| rule.action),
            methods: named.unwrap_or_else(|| default_methods(privileged)),
        }
    }

    /// Whether a user is a break-glass account. RADIUS clients have none: break glass is for getting into the machine.
    #[must_use]
    pub fn is_break_glass(&self, attempt: &Attempt, user: &Username) -> bool {
        matches!(attempt.place, Place::Service(_)) && self.break_glass.contains(user)
    }
}

/// Whether rights beyond an ordinary user's are at stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privileged {
    /// They are: app passwords need a rule that names them.
    Yes,
    /// They are not.
    No,
}

fn default_methods(privileged: Privileged) -> BTreeSet<Method> {
    let mut methods = BTreeSet::from(Method::ALL);
    if privileged == Privileged::Yes {
        methods.remove(&Method::AppPassword);
    }
    methods
}
