//! What an auditor reads: one record for each attempt that reached a verdict or a prompt, and for each administrative act.

use serde::{Deserialize, Serialize};

use crate::address::Channel;
use crate::attempt::{Door, Place};
use crate::{AttemptId, Reason, UnixTime};

/// How loud a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The normal course.
    Info,
    /// A refusal, or a login without its second step.
    Notice,
    /// Could not tell: something is broken.
    Error,
    /// Somebody should look at once: break glass, a clock that went back.
    Alert,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// In.
    Accept,
    /// Out.
    Reject,
    /// Could not tell.
    Unavailable,
    /// A question was put; not an ending yet.
    Challenge,
    /// An administrative act.
    Act,
    /// Nothing was decided: something was found that somebody should know.
    Finding,
}

impl Ending {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Unavailable => "unavailable",
            Self::Challenge => "challenge",
            Self::Act => "act",
            Self::Finding => "finding",
        }
    }
}

/// What is known of the first password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrimaryResult {
    /// It was right.
    Right,
    /// It was wrong.
    Wrong,
    /// The primary does not know the name.
    Unknown,
    /// One was given and not looked at: no answer, or too many wrong ones before it.
    NotChecked,
    /// The backend did not answer.
    Unavailable,
    /// Nobody asked for one.
    NotAsked,
    /// A program of the user says that it was right.
    Claimed,
}

impl PrimaryResult {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
            Self::NotChecked => "not-checked",
            Self::Unavailable => "unavailable",
            Self::NotAsked => "not-asked",
            Self::Claimed => "claimed",
        }
    }
}

/// Who did an administrative act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Actor {
    /// The login uid (`/proc/self/loginuid`), which survives su and sudo.
    pub login_uid: Option<u32>,
    /// The real uid; none where users do something to their own accounts in the course of a login.
    pub uid: Option<u32>,
    /// The terminal.
    pub tty: Option<String>,
    /// The host.
    pub host: String,
}

impl Actor {
    /// The user whose account it is, in the course of a login: its other records say from where.
    #[must_use]
    pub const fn user() -> Self {
        Self { login_uid: None, uid: None, tty: None, host: String::new() }
    }
}

/// An administrative act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ActRecord {
    /// What was done, such as `user enforce`.
    pub act: String,
    /// By whom.
    pub actor: Actor,
    /// What it was before, in words; never a secret.
    pub before: Option<String>,
    /// What it is now, in words; never a secret.
    pub after: Option<String>,
}

/// Of whom a record is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Names {
    /// Of one name.
    #[default]
    One,
    /// Of more than one: what it says of name, place and source is that of the last one.
    Several,
}

impl Names {
    const fn is_one(&self) -> bool {
        matches!(self, Self::One)
    }
}

/// Refusals and questions that stand in one record, because they were many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Together {
    /// How many.
    pub count: u64,
    /// When the first of them came; the record's own moment is that of the last.
    pub since: UnixTime,
    /// Of whom they are.
    #[serde(default, skip_serializing_if = "Names::is_one")]
    pub names: Names,
}

/// What became of a code or notice. It never says where it went nor what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DeliveryRecord {
    /// How it goes.
    pub channel: Channel,
    /// The gateway that took it, or was the last to fail, by its name in the settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// Why it was not taken, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

crate::closed_list! {
    /// Why a user could not be told of something.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    Untold {
        /// no mail address or mobile number of the user was known before
        NoAddress = "no-address",
        /// no gateway delivers notices by the channels of `notices` that the user has
        NoGateway = "no-gateway",
        /// `countries` or `forbidden-numbers` refuse the number
        NumberNotAllowed = "number-not-allowed",
        /// the user has had as many notices by text message in a day as are sent
        TooManyTexts = "too-many-texts",
        /// the store did not answer, and a break-glass account was let in without it
        StoreAway = "store-away",
        /// too many notices of the user, or of all users, wait to be sent
        OutboxFull = "outbox-full",
    }
}

/// Whether the user was told of it, where it is something that users are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Told {
    /// How many notices were put into the outbox.
    pub notices: u32,
    /// Why there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold: Option<Untold>,
}

impl Told {
    /// So many notices found no room in the outbox; this gives back how many of them are not among its own.
    pub(crate) fn leave_out(&mut self, count: u32) -> u32 {
        let left = self.notices.saturating_sub(count);
        if left == 0 && count > 0 {
            self.untold.get_or_insert(Untold::OutboxFull);
        }
        let rest = count.saturating_sub(self.notices);
        self.notices = left;
        rest
    }
}

/// One record. No field can hold a secret; user-supplied text is escaped where it is rendered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    /// When.
    pub at: UnixTime,
    /// The attempt's id, the same in all its records.
    pub attempt: AttemptId,
    /// How loud.
    pub severity: Severity,
    /// Through which front end.
    pub door: Door,
    /// Into what.
    pub place: Place,
    /// The name as typed.
    pub typed: String,
    /// The canonical name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Who called, where one user's program asks, as su and sudo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// Whose rights were asked for, where not the user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// From where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The rule that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What is known of the first password.
    pub primary: PrimaryResult,
    /// The second proof, such as `totp 1f2e…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<String>,
    /// How it ended.
    pub ending: Ending,
    /// Why.
    pub reason: Reason,
    /// How many it stands for, where not for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub together: Option<Together>,
    /// The code or notice, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryRecord>,
    /// The act, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<ActRecord>,
    /// What the user was told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
}

impl Record {
    /// The record that stands for many, of which this was the last. Many of them are more than any one is.
    #[must_use]
    pub fn together(self, together: Together) -> Self {
        let severity = match self.severity {
            Severity::Info | Severity::Notice => Severity::Notice,
            Severity::Error => Severity::Error,
            Severity::Alert => Severity::Alert,
        };
        let reason = Reason::CountedTogether;
        Self { severity, reason, factor: None, together: Some(together), ..self }
    }
}
