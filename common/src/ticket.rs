//! Remembered devices: "this user, from this device and place, gave a fresh second proof lately".
//!
//! A ticket is known by a keyed digest of all that it is bound to, and what lists say of it is sealed: what is stored tells
//! nobody which devices a user has. No code that a user types becomes one, and nothing of it is on the device.
//!
//! A ticket is good in one generation of its account and dies with it, in the bundle of the change, when
//! - somebody demands it: the device may be lost, or somebody else's;
//! - everything must be registered anew: nobody knows any more who gave the proofs that the tickets stand for;
//! - a factor goes, or another one takes its place: it may be the one that gave the proof, and be in other hands;
//! - the user is blocked: what a block ends does not come back with its end;
//! - the second step is switched off for good: who is asked for it later is asked on every device. `disable --for` is a
//!   rest, like that of app passwords: its end brings back what has not expired by then.
//!
//! With the account everything goes that hangs on it, and a store that went back or was restored forgets all tickets: what
//! was forgotten since then is not in it. The file of the break-glass accounts knows none. A new password ends none: a ticket
//! stands for the second step alone.

#[cfg(test)]
mod tests;

use data_encoding::BASE64_NOPAD;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::attempt::Place;
use crate::codes::{Candidates, KeyedHash};
use crate::id::{AccountId, TicketId};
use crate::keys::{KeyError, KeyRing, Purpose, Sealed};
use crate::limits::{STATION_OCTETS_MAX, TICKET_SECONDS_MAX, TICKET_WITH_KEY_SECONDS_MAX, TICKETS_MAX};
use crate::origin::{address_of, place_of};
use crate::random::Random;
use crate::sent::is_ahead;
use crate::{Secret, UnixTime};

/// What a ticket is bound to, besides its account: all of it must be the same again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// A PAM service, and where the user sits; the SSH key too, where one opened the connection.
    Source {
        /// `PAM_SERVICE`.
        service: String,
        /// From where.
        source: Source,
        /// By which key.
        key: Option<KeyFingerprint>,
    },
    /// A PAM service within one login session of one machine, as for sudo.
    Session {
        /// `PAM_SERVICE`.
        service: String,
        /// Which session.
        session: LoginSession,
    },
    /// A RADIUS client, and who calls by it.
    Station {
        /// Its name in the configuration.
        client: String,
        /// Who calls.
        station: Station,
    },
}

impl Binding {
    /// Where it is good.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::Source { service, .. } | Self::Session { service, .. } => Place::Service(service.clone()),
            Self::Station { client, .. } => Place::Client(client.clone()),
        }
    }

    /// The device, as people may know it again.
    fn device(&self) -> String {
        match self {
            Self::Source { source, key: None, .. } => source.0.clone(),
            Self::Source { source, key: Some(key), .. } => format!("{} with key {}", source.0, key.0),
            Self::Session { session, .. } => format!("login session {}", session.number),
            Self::Station { station, .. } => station.0.clone(),
        }
    }

    /// For how long a device may be remembered by it, at most.
    #[must_use]
    pub const fn life_seconds_max(&self) -> u64 {
        match self {
            Self::Source { key: Some(_), .. } => TICKET_WITH_KEY_SECONDS_MAX,
            Self::Source { key: None, .. } | Self::Session { .. } | Self::Station { .. } => {
                TICKET_SECONDS_MAX
            }
        }
    }

    /// What tickets of this account and this binding are known by, under each live key.
    pub fn candidates(&self, keys: &KeyRing, account: AccountId) -> Result<Candidates, KeyError> {
        Candidates::new(keys, Purpose::Ticket, &self.parts(&account))
    }

    fn hash(&self, keys: &KeyRing, account: AccountId) -> Result<KeyedHash, KeyError> {
        KeyedHash::new(keys, Purpose::Ticket, &self.parts(&account))
    }

    /// What the digest is made of. The kinds differ in their second part; a key that is none is no key.
    fn parts<'a>(&'a self, account: &'a AccountId) -> [&'a [u8]; 5] {
        let account = account.as_bytes().as_slice();
        match self {
            Self::Source { service, source, key } => {
                let key = key.as_ref().map_or_else(Default::default, |key| key.0.as_bytes());
                [account, b"source", service.as_bytes(), source.0.as_bytes(), key]
            }
            Self::Session { service, session } => {
                let LoginSession { boot, number } = session;
                [account, b"session", service.as_bytes(), boot.as_bytes(), number.as_bytes()]
            }
            Self::Station { client, station } => {
                [account, b"station", client.as_bytes(), station.0.as_bytes(), b""]
            }
        }
    }
}

/// Where a connection came from: an address, or the first half of one of IPv6, which a household has all of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(String);

impl Source {
    /// Reads an address, with or without a port. This machine itself is no device: everybody on it has that address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        address_of(text).filter(|address| !address.is_loopback()).map(|_| Self(place_of(text)))
    }
}

/// The fingerprint of an SSH key, as OpenSSH writes it: `SHA256:` and 43 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFingerprint(String);

impl KeyFingerprint {
    /// Reads one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digest = BASE64_NOPAD.decode(text.strip_prefix("SHA256:")?.as_bytes()).ok()?;
        (digest.len() == 32).then(|| Self(text.to_owned()))
    }
}

/// A login session, as the kernel of one machine counts them since it was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginSession {
    boot: String,
    number: String,
}

impl LoginSession {
    /// The session of a number since a start: numbers begin anew with each, and on each machine. A process outside of any
    /// session has the highest number, and is none; a start without a name is told from no other one.
    #[must_use]
    pub fn new(boot: &str, number: u32) -> Option<Self> {
        let is_session = number != u32::MAX && !boot.is_empty();
        is_session.then(|| Self { boot: boot.to_owned(), number: number.to_string() })
    }
}

/// A Calling-Station-Id (RFC 2865 §5.31): an address, a MAC address, a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Station(String);

impl Station {
    /// Takes one that fits into a packet. A gateway that names nobody tells no devices apart.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_one = !text.is_empty() && text.len() <= STATION_OCTETS_MAX;
        is_one.then(|| Self(place_of(text)))
    }
}

/// A remembered device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Ticket {
    id: TicketId,
    generation: u64,
    hash: KeyedHash,
    made_at: UnixTime,
    expires_at: UnixTime,
    /// A [`Description`], sealed to account and ticket.
    description: Sealed,
}

/// What people may hear of a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Description {
    /// Where it is good.
    pub place: Place,
    /// The device, in words.
    pub device: String,
}

impl Ticket {
    /// Remembers a device of an account as it is now, for so long, or less where its binding allows no more.
    pub fn new(
        account: &Account,
        binding: &Binding,
        life_seconds: u64,
        now: UnixTime,
        (keys, random): (&KeyRing, &dyn Random),
    ) -> Result<Self, KeyError> {
        let id = TicketId::generate(random);
        let description = Description { place: binding.place(), device: binding.device() };
        let plain = serde_json::to_vec(&description).map_err(|_| KeyError::DoesNotSeal)?;
        Ok(Self {
            id,
            generation: account.generation,
            hash: binding.hash(keys, account.id)?,
            made_at: now,
            expires_at: now.plus_seconds(life_seconds.min(binding.life_seconds_max())),
            description: keys.seal(random, account.id, &field(id), &Secret::new(plain))?,
        })
    }

    /// Its id: random, never reused.
    #[must_use]
    pub const fn id(&self) -> TicketId {
        self.id
    }

    /// The generation of the account that it is good in.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// When the device was remembered.
    #[must_use]
    pub const fn made_at(&self) -> UnixTime {
        self.made_at
    }

    /// From when on it is strange again.
    #[must_use]
    pub const fn expires_at(&self) -> UnixTime {
        self.expires_at
    }

    /// Which device it is.
    pub fn describe(&self, keys: &KeyRing, account: AccountId) -> Result<Description, KeyError> {
        let plain = keys.open(account, &field(self.id), &self.description)?;
        serde_json::from_slice(plain.expose()).map_err(|_| KeyError::DoesNotOpen)
    }

    /// What a clock has written that ran ahead is not good.
    fn is_live(&self, generation: u64, now: UnixTime) -> bool {
        self.generation == generation && !is_ahead(self.made_at, now) && now < self.expires_at
    }
}

fn field(id: TicketId) -> String {
    format!("ticket/{id}")
}

/// The devices of one account, the oldest first. A store keeps them as one row, and asks here what may become of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tickets(Vec<Ticket>);

impl Tickets {
    /// Those that are good now.
    pub fn live(&self, account: &Account, now: UnixTime) -> impl Iterator<Item = &Ticket> {
        let generation = account.generation;
        self.0.iter().filter(move |ticket| ticket.is_live(generation, now))
    }

    /// Those that are good now and bound to this: after a change of keys there may be two of one device.
    pub fn bound_to(
        &self,
        candidates: &Candidates,
        account: &Account,
        now: UnixTime,
    ) -> impl Iterator<Item = &Ticket> {
        self.live(account, now).filter(|ticket| candidates.contain(&ticket.hash))
    }

    /// Remembers one more. What is not good any more goes, and so does what was known of the same device; of too many,
    /// the oldest.
    pub fn remember(&mut self, ticket: Ticket) {
        self.0.retain(|old| old.is_live(ticket.generation, ticket.made_at) && old.hash != ticket.hash);
        self.0.push(ticket);
        let surplus = self.0.len().saturating_sub(TICKETS_MAX);
        self.0.drain(..surplus);
    }

    /// Forgets one, and says whether it was there.
    #[must_use]
    pub fn forget(&mut self, id: TicketId) -> bool {
        let before = self.0.len();
        self.0.retain(|ticket| ticket.id != id);
        self.0.len() < before
    }
}
