//! RADIUS clients as the server uses them: the settings of each, its secrets ready for use, and its counters.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use assembly::config;
use radius_protocol::{MessageAuthenticator, Packet, SharedSecret};

use crate::counters::ClientCounters;
use crate::error::ServerError;

/// One client.
pub struct Client {
    /// What the configuration says of it.
    pub settings: Arc<config::Client>,
    /// Its name, shared with whatever outlives a reload.
    pub name: Arc<str>,
    /// What was counted of it. A client of the same name goes on counting after a reload.
    pub counters: Arc<ClientCounters>,
    secret: SharedSecret,
    previous_secret: Option<SharedSecret>,
}

/// Which of a client's secrets a request was made with. Its reply is made with the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretInUse {
    /// The one that is meant to stay.
    Current,
    /// The one before, while it is being changed.
    Previous,
}

impl Client {
    fn new(settings: &Arc<config::Client>, counters: Arc<ClientCounters>) -> Result<Self, ServerError> {
        let ready = |secret: &common::Secret| {
            let unusable = |source| ServerError::Secret { client: settings.name.clone(), source };
            SharedSecret::new(secret.expose()).map_err(unusable)
        };
        Ok(Self {
            name: Arc::from(settings.name.as_str()),
            counters,
            secret: ready(&settings.secret)?,
            previous_secret: settings.previous_secret.as_ref().map(ready).transpose()?,
            settings: Arc::clone(settings),
        })
    }

    /// A secret of this client. Where there is no previous one, the current one stands for it.
    #[must_use]
    pub fn secret(&self, which: SecretInUse) -> &SharedSecret {
        match which {
            SecretInUse::Current => &self.secret,
            SecretInUse::Previous => self.previous_secret.as_ref().unwrap_or(&self.secret),
        }
    }

    /// Checks a request's Message-Authenticator, and finds out which secret it was made with. A request without one
    /// is taken for the current secret: there is nothing to tell by, and a guess would count wrong passwords.
    pub(crate) fn check(&self, packet: &Packet<'_>) -> (MessageAuthenticator, SecretInUse) {
        let found = packet.message_authenticator(&self.secret);
        match (found, &self.previous_secret) {
            (MessageAuthenticator::Invalid, Some(previous)) => {
                (packet.message_authenticator(previous), SecretInUse::Previous)
            }
            (MessageAuthenticator::Invalid, None)
            | (
                MessageAuthenticator::Absent
                | MessageAuthenticator::Valid
                | MessageAuthenticator::WrongLength
                | MessageAuthenticator::Repeated,
                _,
            ) => (found, SecretInUse::Current),
        }
    }
}

/// All clients of one configuration.
#[derive(Default)]
pub struct Clients {
    by_address: config::Clients,
    by_name: HashMap<String, Arc<Client>>,
}

impl Clients {
    /// Makes the clients of a configuration ready. `before` are those in force until now: their counters go on.
    ///
    /// # Errors
    /// [`ServerError::Secret`]: a secret cannot be used.
    pub fn new(settings: &config::Clients, before: &Self) -> Result<Self, ServerError> {
        let mut by_name = HashMap::with_capacity(settings.len());
        for one in settings.iter() {
            let counters = before.by_name.get(&one.name).map(|client| Arc::clone(&client.counters));
            by_name.insert(one.name.clone(), Arc::new(Client::new(one, counters.unwrap_or_default())?));
        }
        Ok(Self { by_address: settings.clone(), by_name })
    }

    /// The client that packets from this address belong to: that of the longest network that fits.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Option<&Arc<Client>> {
        self.by_name.get(&self.by_address.find(address)?.name)
    }

    /// All clients, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.by_address.iter().filter_map(|one| self.by_name.get(&one.name))
    }
}
