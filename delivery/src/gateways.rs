//! The gateways of a site: of those of a channel, the first that works is taken.

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::Secret;
use common::address::Channel;
use common::gateway::{Gateway, Way};

use crate::authorities;
use crate::failure::{Blame, Failure, Said, Trouble};
use crate::health::{Figures, Health};
use crate::http::HttpGateway;
use crate::parcel::Parcel;
use crate::program::ProgramGateway;
use crate::smtp::SmtpGateway;

/// A gateway with its secrets, as they were read. What could not be read makes a gateway that takes nothing and says why.
pub struct Equipped {
    /// The gateway.
    pub gateway: Gateway,
    /// Its password, where it has one.
    pub password: Option<Secret>,
    /// The authorities that are believed about it (PEM); `None`: those of the system.
    pub authorities: Option<String>,
    /// Whether a file of it could not be read.
    pub is_lacking: bool,
}

/// All gateways, in the order in which they are tried.
#[derive(Default)]
pub struct Gateways(Vec<Known>);

struct Known {
    gateway: Gateway,
    contact: Contact,
    health: Arc<Health>,
}

/// How it is spoken to.
enum Contact {
    Http(Box<HttpGateway>),
    Smtp(Box<SmtpGateway>),
    Program(ProgramGateway),
    Lacking,
}

/// What became of one try.
#[derive(Debug)]
pub struct Tried {
    /// The gateway's name.
    pub gateway: String,
    /// How long it took.
    pub took: Duration,
    /// What it said, or why it took nothing.
    pub result: Result<Answered, Failure>,
}

/// It took the message, and said this.
pub struct Answered(pub Said);

impl std::fmt::Debug for Answered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answered")
    }
}

impl Gateways {
    /// Makes them ready. Those that `before` has by the same name keep their health.
    #[must_use]
    pub fn new(equipped: Vec<Equipped>, before: Option<&Self>) -> Self {
        let health_of = |name: &str| {
            let known = before.and_then(|before| before.0.iter().find(|known| known.gateway.name == name));
            known.map(|known| Arc::clone(&known.health)).unwrap_or_default()
        };
        Self(equipped.into_iter().map(|it| Known::new(it, &health_of)).collect())
    }

    /// By which channels something can be delivered.
    #[must_use]
    pub fn serves(&self, channel: Channel) -> bool {
        self.of(channel).next().is_some()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How long all gateways of a channel may take together, of the channel where that is longest.
    #[must_use]
    pub fn patience(&self) -> Duration {
        let of = |channel| self.of(channel).map(|known| known.gateway.patience).sum();
        Channel::ALL.into_iter().map(of).max().unwrap_or_default()
    }

    /// What was counted, by name, in order.
    #[must_use]
    pub fn figures(&self) -> Vec<(&Gateway, Figures)> {
        let now = Instant::now();
        self.0.iter().map(|known| (&known.gateway, known.health.figures(now))).collect()
    }

    /// Hands a message over to the first gateway of its channel that takes it; the last of the tries says how it ended.
    /// Gateways that have failed lately are passed over while another takes it. `only`: no other than this one.
    #[must_use]
    pub fn send(&self, parcel: &Parcel, only: Option<&str>) -> Vec<Tried> {
        let now = Instant::now();
        let is_meant = |known: &&Known| only.is_none_or(|name| known.gateway.name == name);
        let all = self.of(parcel.channel).filter(is_meant);
        let (good, lapsed): (Vec<_>, Vec<_>) = all.partition(|known| known.health.is_good(now));
        let mut tried = Vec::new();
        for known in &good {
            tried.push(known.hand_over(parcel));
            if tried.last().is_some_and(|it: &Tried| it.result.is_ok()) {
                lapsed.iter().for_each(|known| known.health.passed_over());
                return tried;
            }
        }
        for known in lapsed {
            tried.push(known.hand_over(parcel));
            if tried.last().is_some_and(|it: &Tried| it.result.is_ok()) {
                break;
            }
        }
        tried
    }

    fn of(&self, channel: Channel) -> impl Iterator<Item = &Known> {
        self.0.iter().filter(move |known| known.gateway.channels.contains(&channel))
    }
}

impl Known {
    fn new(equipped: Equipped, health_of: &impl Fn(&str) -> Arc<Health>) -> Self {
        let health = health_of(&equipped.gateway.name);
        let contact = Contact::new(&equipped).unwrap_or(Contact::Lacking);
        Self { gateway: equipped.gateway, contact, health }
    }

    fn hand_over(&self, parcel: &Parcel) -> Tried {
        let begun = Instant::now();
        let result = self.contact.hand_over(parcel);
        let now = Instant::now();
        match &result {
            Ok(_) => self.health.took(begun, now),
            Err(failure) => self.health.failed(failure, begun, now),
        }
        let took = now.saturating_duration_since(begun);
        Tried { gateway: self.gateway.name.clone(), took, result: result.map(Answered) }
    }
}

impl Contact {
    fn new(equipped: &Equipped) -> Option<Self> {
        if equipped.is_lacking {
            return None;
        }
        let Gateway { patience, username, way, .. } = &equipped.gateway;
        let (patience, username, password) = (*patience, username.clone(), equipped.password.as_ref());
        let authorities = || authorities::read(equipped.authorities.as_deref());
        Some(match way {
            Way::Http(http) => Self::Http(Box::new(HttpGateway::new(
                (**http).clone(),
                patience,
                username,
                password.cloned(),
                &authorities()?,
            )?)),
            Way::Smtp(smtp) => Self::Smtp(Box::new(SmtpGateway::new(
                smtp.clone(),
                patience,
                username,
                password,
                &authorities()?,
            )?)),
            Way::Program(program) => Self::Program(ProgramGateway::new(program.clone(), patience)),
        })
    }

    fn hand_over(&self, parcel: &Parcel) -> Result<Said, Failure> {
        match self {
            Self::Http(gateway) if parcel.code.is_none() && !gateway.says_texts() => {
                Err(Failure::new(Trouble::CodesOnly, Blame::Message))
            }
            Self::Http(gateway) => gateway.hand_over(parcel),
            Self::Smtp(gateway) => gateway.hand_over(parcel),
            Self::Program(gateway) => gateway.hand_over(parcel),
            Self::Lacking => Err(Failure::new(Trouble::NotEquipped, Blame::Gateway)),
        }
    }
}
