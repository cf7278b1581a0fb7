//! Which accounts match: the same options for `user list` and for every act on many.

use clap::{Args, ValueEnum};
use common::UnixTime;
use common::account::{Account, FactorKind, Role, State};
use common::address::Channel;
use common::policy::Method;
use common::ports::Listed;

use crate::moment::{Since, rfc3339};
use crate::stored::Stored as _;
use crate::words::{role, state};

/// What accounts must be like; all of it.
#[derive(Args, Default)]
#[group(id = "matching")]
pub(crate) struct Filter {
    /// Only accounts in this state.
    #[arg(long, value_parser = state())]
    state: Option<State>,
    /// Only accounts with this role.
    #[arg(long, value_parser = role())]
    role: Option<Role>,
    /// Only users who have registered a second proof, or who have not.
    #[arg(long, value_enum)]
    registered: Option<Registered>,
    /// Only users who have this: totp, hotp, sms, call, email, recovery-code, temporary-code or app-password.
    #[arg(long, value_name = "KIND", value_parser = method)]
    factor: Option<Method>,
    /// Only users who last signed in before this day (2026-11-22), longer ago than this (90d), or never. Whoever has never
    /// signed in has not done so since, either.
    #[arg(long, value_name = "DAY|SPAN|never", value_parser = Before::parse)]
    last_login_before: Option<Before>,
}

/// Whether somebody has registered a second proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Registered {
    /// At least one.
    Yes,
    /// None.
    No,
}

impl Registered {
    const fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
        }
    }
}

/// When somebody last signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Never,
    Since(Since),
}

impl Before {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "never" { Ok(Self::Never) } else { Since::parse(text).map(Self::Since) }
    }

    fn word(self, now: UnixTime) -> String {
        match self {
            Self::Never => "never".to_owned(),
            Self::Since(since) => rfc3339(since.moment(now)),
        }
    }

    fn matches(self, signed_in_at: Option<UnixTime>, now: UnixTime) -> bool {
        match (self, signed_in_at) {
            (_, None) => true,
            (Self::Never, Some(_)) => false,
            (Self::Since(since), Some(at)) => at < since.moment(now),
        }
    }
}

fn method(word: &str) -> Result<Method, String> {
    Method::parse(word).ok_or_else(|| {
        let words: Vec<&str> = Method::ALL.iter().map(|method| method.name()).collect();
        format!("one of {}", words.join(", "))
    })
}

impl Filter {
    /// Whether everybody matches.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { state, role, registered, factor, last_login_before } = self;
        state.is_none()
            && role.is_none()
            && registered.is_none()
            && factor.is_none()
            && last_login_before.is_none()
    }

    /// What is asked for, for a record.
    pub(crate) fn words(&self, now: UnixTime) -> String {
        let Self { state, role, registered, factor, last_login_before } = self;
        let parts = [
            state.map(|state| format!("state={}", state.name())),
            role.map(|role| format!("role={}", role.name())),
            registered.map(|registered| format!("registered={}", registered.word())),
            factor.map(|method| format!("factor={}", method.name())),
            last_login_before.map(|before| format!("last-login-before={}", before.word(now))),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "filter=none".to_owned() } else { parts.join(" ") }
    }

    /// Whether an account is like this.
    pub(crate) fn matches(&self, stored: &Listed, now: UnixTime) -> bool {
        let account = &stored.account;
        let has_factors = if account.factors.is_empty() { Registered::No } else { Registered::Yes };
        self.state.is_none_or(|state| state == account.state)
            && self.role.is_none_or(|role| role == account.role)
            && self.registered.is_none_or(|registered| registered == has_factors)
            && self.factor.is_none_or(|method| has(stored, method, now))
            && self.last_login_before.is_none_or(|before| before.matches(stored.signed_in_at, now))
    }
}

/// Whether a user could use a method, as far as the account says.
fn has(stored: &Listed, method: Method, now: UnixTime) -> bool {
    let account = &stored.account;
    match method {
        Method::Totp => has_kind(account, |kind| matches!(kind, FactorKind::Totp { .. })),
        Method::Hotp => has_kind(account, |kind| matches!(kind, FactorKind::Hotp { .. })),
        Method::Sms => has_channel(account, Channel::Sms),
        Method::Call => has_channel(account, Channel::Call),
        Method::Email => has_channel(account, Channel::Email),
        Method::RecoveryCode => stored.recovery_codes_left() > 0,
        Method::TemporaryCode => stored.temporary_code_until(now).is_some(),
        Method::AppPassword => !account.app_passwords.is_empty(),
    }
}

fn has_channel(account: &Account, channel: Channel) -> bool {
    let reaches = |kind: &FactorKind| match kind {
        FactorKind::Sent { address } => address.channels().contains(&channel),
        FactorKind::Totp { .. } | FactorKind::Hotp { .. } => false,
    };
    has_kind(account, reaches)
}

fn has_kind(account: &Account, is: impl Fn(&FactorKind) -> bool) -> bool {
    account.factors.iter().any(|factor| is(&factor.kind))
}

#[cfg(test)]
mod tests {
    use common::UnixTime;
    use common::account::State;
    use common::policy::Method;

    use super::{Before, Filter, Registered};

    #[test]
    fn a_record_tells_who_was_asked_for() {
        let (now, nobody_in_particular) = (UnixTime::from_seconds(1_795_348_800), Filter::default());
        assert_eq!(nobody_in_particular.words(now), "filter=none");
        let some = Filter {
            state: Some(State::Enforced),
            role: None,
            registered: Some(Registered::Yes),
            factor: Some(Method::Totp),
            last_login_before: Some(Before::parse("2026-11-22").unwrap()),
        };
        let words = "state=enforced registered=yes factor=totp last-login-before=2026-11-22T00:00:00Z";
        assert_eq!(some.words(now), words);
    }

    #[test]
    fn whoever_never_signed_in_is_among_those_who_did_not_lately() {
        let now = UnixTime::from_seconds(1_795_348_800);
        let before = |text: &str, at: Option<UnixTime>| Before::parse(text).unwrap().matches(at, now);
        let hours_ago = |hours: u64| Some(now.minus_seconds(hours * 3600));
        assert!(before("never", None) && !before("never", hours_ago(9999)));
        assert!(before("1d", hours_ago(25)) && !before("1d", hours_ago(23)) && before("1d", None));
        assert!(before("2026-11-22", hours_ago(13)) && !before("2026-11-22", hours_ago(11)));
        assert!(Before::parse("lately").is_err());
    }
}
