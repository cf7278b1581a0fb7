//! RADIUS clients: who may ask, with which secret, and what each can do.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use common::Secret;
use common::attempt::{Appended, Dialogue, FirstAnswer, Profile, SecondQuestion};
use ipnet::IpNet;

use crate::words::Word;

/// One RADIUS client (NAS).
#[derive(Clone)]
pub struct Client {
    /// The name in rules, records and scopes.
    pub name: String,
    /// Where its packets come from; at least one.
    pub networks: Vec<IpNet>,
    /// The secret that it shares with us.
    pub secret: Secret,
    /// The secret before, good beside the new one while it is being changed.
    pub previous_secret: Option<Secret>,
    /// What it is, in one word; the profile follows from it.
    pub kind: Kind,
    /// What it can do.
    pub profile: Profile,
    /// Whether its requests must be signed.
    pub message_authenticator: MessageAuthenticator,
    /// What it hears when the primary backend cannot be asked.
    pub when_backend_fails: BackendFailure,
}

/// What a client can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It can put a second question (Access-Challenge).
    Challenge,
    /// It sends password and code in one.
    Append,
    /// It sends the code alone; somebody else checks the password.
    CodeOnly,
    /// It sends an app password and nothing else.
    AppPasswordOnly,
}

impl Kind {
    /// The profile of such a client.
    #[must_use]
    pub fn profile(self, dialogue: Dialogue, appended: Appended) -> Profile {
        let (first_answer, second_question) = match self {
            Self::Challenge => (FirstAnswer::Password, SecondQuestion::Asked),
            Self::Append => (FirstAnswer::Password, SecondQuestion::Impossible),
            Self::CodeOnly => (FirstAnswer::Code, SecondQuestion::Impossible),
            Self::AppPasswordOnly => (FirstAnswer::AppPassword, SecondQuestion::Impossible),
        };
        Profile { dialogue, first_answer, appended, second_question }
    }

    /// Whether a password comes first, to which a code can be appended.
    #[must_use]
    pub fn has_password(self) -> bool {
        match self {
            Self::Challenge | Self::Append => true,
            Self::CodeOnly | Self::AppPasswordOnly => false,
        }
    }
}

impl Word for Kind {
    const ALL: &'static [Self] = &[Self::Challenge, Self::Append, Self::CodeOnly, Self::AppPasswordOnly];

    fn word(self) -> &'static str {
        match self {
            Self::Challenge => "challenge",
            Self::Append => "append",
            Self::CodeOnly => "code-only",
            Self::AppPasswordOnly => "app-password-only",
        }
    }
}

/// Whether requests of a client must carry a Message-Authenticator (RFC 2869 §5.14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageAuthenticator {
    /// Requests without one are dropped.
    Required,
    /// Requests without one are taken.
    Optional,
}

/// What a client hears when the primary backend cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendFailure {
    /// Access-Reject.
    Reject,
    /// Nothing: it tries its next server.
    Silence,
}

impl Word for BackendFailure {
    const ALL: &'static [Self] = &[Self::Reject, Self::Silence];

    fn word(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Silence => "silence",
        }
    }
}

/// All clients, found by address at once however many there are.
#[derive(Clone, Default)]
pub struct Clients {
    list: Vec<Arc<Client>>,
    by_network: HashMap<IpNet, Arc<Client>>,
    /// The prefix lengths that occur, longest first.
    ipv4_lengths: Vec<u8>,
    ipv6_lengths: Vec<u8>,
}

impl Clients {
    /// Indexes clients. Of two with the same network, which [`crate::Settings::load`] refuses, the later is found.
    pub fn new(clients: Vec<Client>) -> Self {
        let list: Vec<Arc<Client>> = clients.into_iter().map(Arc::new).collect();
        let networks = list.iter().flat_map(|client| client.networks.iter().map(move |net| (*net, client)));
        let by_network: HashMap<IpNet, Arc<Client>> =
            networks.map(|(network, client)| (network, Arc::clone(client))).collect();
        let ipv4_lengths = lengths(by_network.keys().filter(|network| matches!(network, IpNet::V4(_))));
        let ipv6_lengths = lengths(by_network.keys().filter(|network| matches!(network, IpNet::V6(_))));
        Self { list, by_network, ipv4_lengths, ipv6_lengths }
    }

    /// The client that packets from this address belong to: that of the longest network that fits.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Option<&Arc<Client>> {
        // A socket for both families reports IPv4 peers as ::ffff:a.b.c.d.
        let address = address.to_canonical();
        let lengths = match address {
            IpAddr::V4(_) => &self.ipv4_lengths,
            IpAddr::V6(_) => &self.ipv6_lengths,
        };
        lengths.iter().find_map(|length| {
            let network = IpNet::new(address, *length).ok()?.trunc();
            self.by_network.get(&network)
        })
    }

    /// The client of this name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Arc<Client>> {
        self.iter().find(|client| client.name == name)
    }

    /// All clients, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.list.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

fn lengths<'n>(networks: impl Iterator<Item = &'n IpNet>) -> Vec<u8> {
    let mut lengths: Vec<u8> = networks.map(IpNet::prefix_len).collect();
    lengths.sort_unstable();
    lengths.dedup();
    lengths.reverse();
    lengths
}
