//! Reads `clients.toml`. No value of a secret reaches a message.

use std::collections::{BTreeSet, HashMap, HashSet};

use common::Secret;
use common::attempt::{Appended, Dialogue};
use ipnet::IpNet;
use toml::Spanned;
use toml::de::DeTable;

use crate::clients::{BackendFailure, Client, Clients, Kind, MessageAuthenticator};
use crate::keys::{
    CLIENT_ADDRESSES, CLIENT_APPEND, CLIENT_DIALOGUE, CLIENT_KIND, CLIENT_MESSAGE_AUTHENTICATOR, CLIENT_NAME,
    CLIENT_PREVIOUS_SECRET, CLIENT_SECRET, CLIENT_WHEN_BACKEND_FAILS, Part,
};
use crate::limits;
use crate::networks::network;
use crate::report::{Place, Remark, Report};
use crate::section::{Entry, Section};
use crate::values::{Least, Placed, boolean, list, plain_name, quoted, word};

/// What was read. The names are those of refused clients as well, so that a rule that names one is not blamed.
pub(crate) struct ReadClients {
    pub(crate) clients: Clients,
    pub(crate) names: HashSet<String>,
}

/// A network, and the client that it is of.
struct Owned {
    network: IpNet,
    client: String,
    key: String,
    place: Place,
}

pub(crate) fn read<'a>(root: &'a Spanned<DeTable<'a>>, report: &mut Report<'_>) -> ReadClients {
    let top = Section::top(root, Part::ClientsTop, report);
    let mut clients = Vec::new();
    let mut names = HashSet::new();
    let mut networks = Vec::new();
    for section in top.tables("client", Part::Client, report) {
        let name = section.own_name(&CLIENT_NAME, "clients", &mut names, report, plain_name);
        let addresses = read_addresses(&section, name.as_deref().unwrap_or(""), &mut networks, report);
        clients.extend(read_client(&section, name, addresses, report));
    }
    compare(networks, report);
    ReadClients { clients: Clients::new(clients), names }
}

fn read_client(
    section: &Section<'_>,
    name: Option<String>,
    networks: Option<Vec<IpNet>>,
    report: &mut Report<'_>,
) -> Option<Client> {
    let secret = section.required(&CLIENT_SECRET, report, read_secret);
    let previous_secret = section.field(&CLIENT_PREVIOUS_SECRET, report, read_secret).optional();
    let kind = section.field(&CLIENT_KIND, report, word::<Kind>).or(Kind::Challenge);
    let dialogue = section.field(&CLIENT_DIALOGUE, report, word::<Dialogue>).or(Dialogue::Neutral);
    let appended = read_appended(section, kind, report);
    let message_authenticator = read_message_authenticator(section, networks.as_deref(), report);
    let when_backend_fails =
        section.field(&CLIENT_WHEN_BACKEND_FAILS, report, word).or(BackendFailure::Reject);
    warn_of_same_secret(section, secret.as_ref(), previous_secret.as_ref(), report);
    let kind = kind?;
    Some(Client {
        name: name?,
        networks: networks?,
        secret: secret?,
        previous_secret: previous_secret?,
        kind,
        profile: kind.profile(dialogue?, appended?),
        message_authenticator: message_authenticator?,
        when_backend_fails: when_backend_fails?,
    })
}

fn read_addresses(
    section: &Section<'_>,
    client: &str,
    all: &mut Vec<Owned>,
    report: &mut Report<'_>,
) -> Option<Vec<IpNet>> {
    let read = |entry: &Entry<'_>, report: &mut Report<'_>| list(entry, report, Least::One, network);
    let placed: Vec<Placed<IpNet>> = section.required(&CLIENT_ADDRESSES, report, read)?;
    for placed in placed.iter().filter(|placed| is_everywhere(&placed.value)) {
        report.warning(everywhere(section, placed));
    }
    all.extend(placed.iter().map(|placed| Owned {
        network: placed.value,
        client: client.to_owned(),
        key: section.path_of(CLIENT_ADDRESSES.name),
        place: Place::Value(placed.place.clone()),
    }));
    Some(placed.into_iter().map(|placed| placed.value).collect())
}

/// 0.0.0.0/0 or ::/0.
fn is_everywhere(network: &IpNet) -> bool {
    network.prefix_len() == 0
}

fn everywhere(section: &Section<'_>, placed: &Placed<IpNet>) -> Remark {
    Remark {
        place: Place::Value(placed.place.clone()),
        key: section.path_of(CLIENT_ADDRESSES.name),
        message: format!("{} makes this client of every machine that reaches the server", placed.value),
        allowed: None,
        help: Some("write the networks that its packets come from".to_owned()),
    }
}

fn read_secret(entry: &Entry<'_>, report: &mut Report<'_>) -> Option<Secret> {
    let found = entry.value.get_ref().as_str().unwrap_or("");
    if found.is_empty() || found.len() > limits::SECRET_OCTETS_MAX {
        report.error(about_secret(entry, "has to be a text of 1 to 128 octets", None));
        return None;
    }
    if found.len() < limits::SECRET_OCTETS_WARNED {
        let help = "a stranger who sees one packet can guess it at home: let `countersign client` make one";
        report.warning(about_secret(entry, "is shorter than 16 octets", Some(help)));
    }
    if found.trim() != found {
        report.warning(about_secret(entry, "begins or ends with white space", Some("is it part of it?")));
    }
    Some(Secret::from(found))
}

fn about_secret(entry: &Entry<'_>, what: &str, help: Option<&str>) -> Remark {
    Remark {
        place: Place::Key(entry.key_place.clone()),
        key: entry.path.clone(),
        message: format!("`{}` {what}", entry.path),
        allowed: None,
        help: help.map(str::to_owned),
    }
}

fn warn_of_same_secret(
    section: &Section<'_>,
    secret: Option<&Secret>,
    previous: Option<&Option<Secret>>,
    report: &mut Report<'_>,
) {
    let (Some(secret), Some(Some(previous))) = (secret, previous) else {
        return;
    };
    if secret == previous {
        report.warning(Remark {
            place: section.place_of(&CLIENT_PREVIOUS_SECRET),
            key: section.path_of(CLIENT_PREVIOUS_SECRET.name),
            message: "the previous secret is the same as the secret".to_owned(),
            allowed: None,
            help: Some("remove the line".to_owned()),
        });
    }
}

/// Says what a code can be appended to; where nothing fits the kind, that is a mistake.
fn read_appended(section: &Section<'_>, kind: Option<Kind>, report: &mut Report<'_>) -> Option<Appended> {
    let written = section.field(&CLIENT_APPEND, report, word::<Appended>).optional()?;
    let kind = kind?;
    let why = match (kind, written) {
        (Kind::CodeOnly | Kind::AppPasswordOnly, None) => return Some(Appended::Refused),
        (Kind::Challenge | Kind::Append, None) => return Some(Appended::AfterDelimiter),
        (Kind::Append, Some(Appended::Refused)) => "this client can send a code in no other way",
        (Kind::CodeOnly | Kind::AppPasswordOnly, Some(Appended::AfterDelimiter | Appended::ByShape)) => {
            "this client sends no password that a code could follow"
        }
        (_, Some(appended)) => return Some(appended),
    };
    report.error(Remark {
        place: section.place_of(&CLIENT_APPEND),
        key: section.path_of(CLIENT_APPEND.name),
        message: format!("`append` does not fit kind \"{}\": {why}", crate::words::Word::word(kind)),
        allowed: None,
        help: Some("remove the line, or change the kind".to_owned()),
    });
    None
}

/// Without a Message-Authenticator only the address says whose a request is, so a client of every address needs it.
fn read_message_authenticator(
    section: &Section<'_>,
    networks: Option<&[IpNet]>,
    report: &mut Report<'_>,
) -> Option<MessageAuthenticator> {
    let required = section.field(&CLIENT_MESSAGE_AUTHENTICATOR, report, boolean).or(true)?;
    if required {
        return Some(MessageAuthenticator::Required);
    }
    if networks.is_some_and(|networks| networks.iter().any(is_everywhere)) {
        let message = "a client with every address cannot do without the Message-Authenticator";
        report.error(section.remark(
            &CLIENT_MESSAGE_AUTHENTICATOR,
            message,
            Some("anybody could ask in its name: narrow its addresses"),
        ));
        return None;
    }
    let message = "requests without a Message-Authenticator are taken from this client";
    let help = "somebody between client and server could change its requests (CVE-2024-3596): update it";
    report.warning(section.remark(&CLIENT_MESSAGE_AUTHENTICATOR, message, Some(help)));
    Some(MessageAuthenticator::Optional)
}

/// Refuses a network that stands twice; warns of one that covers networks of others.
fn compare(mut networks: Vec<Owned>, report: &mut Report<'_>) {
    networks.sort_by_key(|owned| owned.network);
    for pair in networks.windows(2) {
        if let [first, second] = pair
            && first.network == second.network
            && first.client != second.client
        {
            report.error(same_network(first, second));
        }
    }
    for (outer, inner) in covered(&networks) {
        if let Some(outer) = networks.get(outer) {
            report.warning(covering(outer, &inner));
        }
    }
}

fn same_network(first: &Owned, second: &Owned) -> Remark {
    let network = second.network;
    Remark {
        place: second.place.clone(),
        key: second.key.clone(),
        message: format!("{network} is also an address of client {}", quoted(&first.client)),
        allowed: None,
        help: Some("a packet can belong to one client only".to_owned()),
    }
}

fn covering(outer: &Owned, inner: &BTreeSet<&str>) -> Remark {
    let first = inner.first().copied().unwrap_or("");
    let others = match inner.len() {
        1 => String::new(),
        more => format!(" and of {} more", more.saturating_sub(1)),
    };
    Remark {
        place: outer.place.clone(),
        key: outer.key.clone(),
        message: format!("{} covers addresses of client {}{others}", outer.network, quoted(first)),
        allowed: None,
        help: Some("the longest network that fits an address decides".to_owned()),
    }
}

/// For each network that lies around networks of other clients, their names. Sorted networks nest like brackets.
fn covered(networks: &[Owned]) -> HashMap<usize, BTreeSet<&str>> {
    let mut around: Vec<(usize, &Owned)> = Vec::new();
    let mut covered: HashMap<usize, BTreeSet<&str>> = HashMap::new();
    for (index, inner) in networks.iter().enumerate() {
        while around.last().is_some_and(|(_, outer)| !outer.network.contains(&inner.network)) {
            around.pop();
        }
        for (outer_index, outer) in &around {
            if outer.client != inner.client && outer.network != inner.network {
                covered.entry(*outer_index).or_default().insert(&inner.client);
            }
        }
        // One that stands twice is refused; a thousand of them would be compared a thousand times each.
        if around.last().is_none_or(|(_, last)| last.network != inner.network) {
            around.push((index, inner));
        }
    }
    covered
}
