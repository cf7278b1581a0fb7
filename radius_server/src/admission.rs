//! The order of checks before anything is decided about a login. Each way out has a name, and all of them are silent:
//! who has not proven that he knows a secret hears nothing (RFC 2865 §3).

use std::net::IpAddr;
use std::sync::Arc;

use assembly::config::MessageAuthenticator as Demand;
use radius_protocol::dictionary::PROXY_STATE;
use radius_protocol::{Code, MessageAuthenticator, PACKET_OCTETS_MAX, Packet};

use crate::clients::{Client, Clients, SecretInUse};
use crate::exit::Dropped;

/// A request of a known client.
pub struct Admitted<'c, 'd> {
    /// Whose it is.
    pub client: &'c Arc<Client>,
    /// The secret that it was made with.
    pub secret: SecretInUse,
    /// What it asks for.
    pub kind: RequestKind,
    /// Whether it proves that its sender knows the secret.
    pub signed: Signed,
    /// The packet.
    pub packet: Packet<'d>,
}

/// What is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// A login or a step of one.
    Access,
    /// Whether we are there (RFC 5997).
    Status,
}

/// Whether a request has a valid Message-Authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// It has.
    Yes,
    /// It has none, and its client need not send one.
    No,
}

/// A packet that is dropped, and whose it is if that is known.
pub struct Drop<'c> {
    /// Why.
    pub reason: Dropped,
    /// The client that has the address.
    pub client: Option<&'c Arc<Client>>,
}

/// Checks a datagram, longest at 4096 octets; one more says that it was longer.
///
/// # Errors
/// What is to be counted; nobody is told.
pub fn admit<'c, 'd>(
    clients: &'c Clients,
    from: IpAddr,
    datagram: &'d [u8],
) -> Result<Admitted<'c, 'd>, Drop<'c>> {
    let Some(client) = clients.find(from) else {
        return Err(Drop { reason: Dropped::UnknownClient, client: None });
    };
    check(client, datagram).map_err(|reason| Drop { reason, client: Some(client) })
}

fn check<'c, 'd>(client: &'c Arc<Client>, datagram: &'d [u8]) -> Result<Admitted<'c, 'd>, Dropped> {
    if datagram.len() > PACKET_OCTETS_MAX {
        return Err(Dropped::Oversized);
    }
    let packet = Packet::parse(datagram)?;
    let kind = kind(packet.code())?;
    let (found, secret) = client.check(&packet);
    let signed = signed(found)?;
    if signed == Signed::No {
        tolerate_unsigned(client, kind, &packet)?;
    }
    Ok(Admitted { client, secret, kind, signed, packet })
}

fn kind(code: Code) -> Result<RequestKind, Dropped> {
    match code {
        Code::AccessRequest => Ok(RequestKind::Access),
        Code::StatusServer => Ok(RequestKind::Status),
        Code::AccessAccept
        | Code::AccessReject
        | Code::AccountingRequest
        | Code::AccountingResponse
        | Code::AccessChallenge
        | Code::StatusClient
        | Code::DisconnectRequest
        | Code::DisconnectAck
        | Code::DisconnectNak
        | Code::CoaRequest
        | Code::CoaAck
        | Code::CoaNak
        | Code::ProtocolError
        | Code::Foreign(_) => Err(Dropped::CodeNotServed),
    }
}

fn signed(found: MessageAuthenticator) -> Result<Signed, Dropped> {
    match found {
        MessageAuthenticator::Valid => Ok(Signed::Yes),
        MessageAuthenticator::Absent => Ok(Signed::No),
        MessageAuthenticator::Invalid => Err(Dropped::MessageAuthenticatorInvalid),
        MessageAuthenticator::WrongLength => Err(Dropped::MessageAuthenticatorWrongLength),
        MessageAuthenticator::Repeated => Err(Dropped::MessageAuthenticatorRepeated),
    }
}

/// RFC 5997 §3 demands a signature on every Status-Server. A Proxy-State is what a forger needs to have its octets in
/// our reply (CVE-2024-3596), so that it is never taken unsigned.
fn tolerate_unsigned(client: &Client, kind: RequestKind, packet: &Packet<'_>) -> Result<(), Dropped> {
    match (client.settings.message_authenticator, kind) {
        (Demand::Required, _) | (Demand::Optional, RequestKind::Status) => {
            Err(Dropped::MessageAuthenticatorMissing)
        }
        (Demand::Optional, RequestKind::Access) if packet.first(PROXY_STATE).is_some() => {
            Err(Dropped::ProxyStateUnsigned)
        }
        (Demand::Optional, RequestKind::Access) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
