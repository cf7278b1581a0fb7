//! Who may register a second step where, and until when it may be put off: the part of the policy for people who have none yet.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::account::{Deadline, Scope};
use crate::attempt::{Attempt, Place};
use crate::{UnixTime, origin};

/// What holds for people who have not registered yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Whether it is offered at a sign-in. That tells whoever types it that the first password was right.
    pub at_sign_in: bool,
    /// Where the first password alone is enough to register for the first time. Elsewhere it takes a temporary code, or a
    /// contact that an administrator or the directory has set.
    pub openings: Vec<Opening>,
    /// How long somebody who becomes `enabled` may put it off.
    pub grace: Grace,
    /// Which authenticator apps fit and where to get them, in one or two sentences.
    pub apps: String,
    /// Where users may make app passwords for themselves; nowhere, where it is empty.
    pub app_passwords: Scope,
}

/// How long registration may be put off, from the moment that it is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grace {
    /// So many days.
    pub days: Option<u32>,
    /// So many sign-ins.
    pub sign_ins: Option<u32>,
}

impl Grace {
    /// The deadline of somebody who is asked from now on; `None` where there is none.
    #[must_use]
    pub fn deadline(self, now: UnixTime) -> Option<Deadline> {
        let by = self.days.map(|days| now.plus_seconds(u64::from(days).saturating_mul(86_400)));
        (by.is_some() || self.sign_ins.is_some()).then_some(Deadline { by, sign_ins: self.sign_ins })
    }
}

/// A door and networks from which the first password alone is enough to register for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Stands in the records of who came through it.
    pub name: String,
    /// PAM services.
    pub services: Vec<String>,
    /// RADIUS clients.
    pub clients: Vec<String>,
    /// Networks of the user, not of a gateway; none means from anywhere.
    pub networks: Vec<IpNet>,
}

impl Opening {
    fn admits(&self, attempt: &Attempt) -> bool {
        let is_place = match &attempt.place {
            Place::Service(name) => self.services.contains(name),
            Place::Client(name) => self.clients.contains(name),
        };
        is_place && (self.networks.is_empty() || source_of(attempt).is_some_and(|source| self.holds(source)))
    }

    fn holds(&self, source: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&source))
    }
}

fn source_of(attempt: &Attempt) -> Option<IpAddr> {
    attempt.source.as_deref().and_then(origin::address_of)
}

impl Registration {
    /// Through which opening an attempt may register with nothing but the first password.
    #[must_use]
    pub fn opening(&self, attempt: &Attempt) -> Option<&Opening> {
        self.openings.iter().find(|opening| opening.admits(attempt))
    }
}

impl Default for Registration {
    fn default() -> Self {
        Self {
            at_sign_in: true,
            openings: Vec::new(),
            grace: Grace::default(),
            apps: APPS.to_owned(),
            app_passwords: Scope::default(),
        }
    }
}

/// Which apps fit, where the settings say nothing else.
pub const APPS: &str = "Any app for one-time codes fits: Aegis or FreeOTP+ (Android), 2FAS, Google or Microsoft Authenticator \
    (Android, iPhone). Get one from the phone's app store.";

#[cfg(test)]
mod tests {
    use super::{Grace, Opening, Registration};
    use crate::account::Deadline;
    use crate::world::{at_sshd, at_vpn};
    use crate::{Attempt, UnixTime};

    fn office() -> Registration {
        let office = Opening {
            name: "office".to_owned(),
            services: vec!["sshd".to_owned()],
            clients: vec!["vpn".to_owned()],
            networks: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        };
        Registration { openings: vec![office], ..Registration::default() }
    }

    #[test]
    fn an_opening_is_a_door_and_a_network_together() {
        let from = |attempt: Attempt, source: &str| Attempt { source: Some(source.to_owned()), ..attempt };
        let at = |name: &str| Attempt { place: crate::Place::Service(name.to_owned()), ..at_sshd("alice") };
        for (attempt, is_open) in [
            (from(at_sshd("alice"), "10.1.2.3"), true),
            (from(at_vpn("alice"), "10.1.2.3[4500]"), true),
            (from(at_sshd("alice"), "2001:db8::5"), true),
            (from(at_sshd("alice"), "192.0.2.7"), false),
            (from(at("sudo"), "10.1.2.3"), false),
            (from(at_sshd("alice"), "local"), false),
            (Attempt { source: None, ..at_sshd("alice") }, false),
        ] {
            assert_eq!(office().opening(&attempt).is_some(), is_open, "{attempt:?}");
        }
    }

    #[test]
    fn a_grace_without_limits_is_no_deadline() {
        let now = UnixTime::from_seconds(1000);
        assert_eq!(Grace::default().deadline(now), None);
        let both = Grace { days: Some(2), sign_ins: Some(3) };
        let deadline = Deadline { by: Some(UnixTime::from_seconds(1000 + 2 * 86_400)), sign_ins: Some(3) };
        assert_eq!(both.deadline(now), Some(deadline));
    }
}
