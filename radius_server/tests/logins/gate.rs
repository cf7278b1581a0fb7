//! A gateway, as the server sees one.

use radius_protocol::dictionary::{PROXY_STATE, REPLY_MESSAGE, STATE};
use radius_protocol::{
    Code, MessageAuthenticatorDemand, Packet, PacketBuffer, ReplyVerdict, RequestBuilder, SharedSecret,
};
use std::net::{SocketAddr, UdpSocket};

use crate::site::{GATE_SECRET, PATIENCE, Site};

/// A gateway.
pub(crate) struct Gate {
    pub(crate) socket: UdpSocket,
    pub(crate) secret: SharedSecret,
    pub(crate) next: u8,
}

/// A reply that was genuine, in pieces.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) code: Code,
    pub(crate) state: Vec<u8>,
    pub(crate) text: String,
    pub(crate) octets: Vec<u8>,
}

impl Gate {
    pub(crate) fn at(site: &Site, listener: usize) -> Self {
        let address = site.server.listeners[listener].address();
        let socket = UdpSocket::bind(SocketAddr::new(address.ip(), 0)).unwrap();
        socket.connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, secret: SharedSecret::new(GATE_SECRET).unwrap(), next: 0 }
    }

    /// A request with a new identifier and authenticator.
    pub(crate) fn request(&mut self, name: &str, password: &str, state: Option<&[u8]>) -> Vec<u8> {
        self.next = self.next.wrapping_add(1);
        let mut buffer: PacketBuffer = [0; 4096];
        let mut authenticator = [0; 16];
        common::ports::Random::fill(&assembly::SystemRandom, &mut authenticator);
        let mut request = RequestBuilder::access_request(&mut buffer, &self.secret, self.next, authenticator);
        request.user_name(name).unwrap().user_password(password.as_bytes()).unwrap();
        if let Some(state) = state {
            request.state(state).unwrap();
        }
        request.attribute(PROXY_STATE, b"one").unwrap().attribute(PROXY_STATE, b"two").unwrap();
        request.finish().to_vec()
    }

    pub(crate) fn exchange(&self, request: &[u8]) -> Heard {
        self.socket.send(request).unwrap();
        self.hear(request).expect("an answer")
    }

    pub(crate) fn hear(&self, request: &[u8]) -> Option<Heard> {
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).ok()?;
        let reply = Packet::parse(&buffer[..length]).unwrap();
        let request = Packet::parse(request).unwrap();
        let verdict = reply.verify_reply(&request, &self.secret, MessageAuthenticatorDemand::Required);
        assert_eq!(verdict, ReplyVerdict::Genuine);
        let proxy_states: Vec<_> = reply.all(PROXY_STATE).map(|one| one.value().to_vec()).collect();
        assert_eq!(proxy_states, [b"one".to_vec(), b"two".to_vec()]);
        let value = |kind| reply.first(kind).map(|it| it.value().to_vec()).unwrap_or_default();
        Some(Heard {
            code: reply.code(),
            state: value(STATE),
            text: String::from_utf8(value(REPLY_MESSAGE)).unwrap(),
            octets: buffer[..length].to_vec(),
        })
    }

    pub(crate) fn ask(&mut self, name: &str, password: &str, state: Option<&[u8]>) -> Heard {
        let request = self.request(name, password, state);
        self.exchange(&request)
    }
}
