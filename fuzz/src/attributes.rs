//! RADIUS attributes: the input is everything behind a packet's header. The walk covers it or names what is malformed,
//! values have one reading for each type, and both builders write what reads back.

use std::net::{Ipv4Addr, Ipv6Addr};

use radius_protocol::dictionary::{MESSAGE_AUTHENTICATOR, REPLY_MESSAGE, USER_PASSWORD};
use radius_protocol::{
    Attribute, Code, HEADER_OCTETS, Malformed, PACKET_OCTETS_MAX, Packet, ReplyBuilder, RequestBuilder,
    SharedSecret, VALUE_OCTETS_MAX,
};

pub(crate) fn run(octets: &[u8]) {
    let datagram = with_header(octets);
    match (Packet::parse(&datagram), walk(&datagram[HEADER_OCTETS..])) {
        (Ok(packet), Ok(expected)) => {
            let found = packet.attributes().map(|attribute| (attribute.kind().0, attribute.value()));
            assert!(found.eq(expected));
            packet.attributes().for_each(|attribute| has_one_reading(&packet, attribute));
            reads_back(&packet);
        }
        (Err(found), Err(expected)) => assert_eq!(found, expected),
        (found, expected) => panic!("{found:?} instead of {expected:?}"),
    }
    is_said_in_pieces(octets);
}

fn with_header(octets: &[u8]) -> Vec<u8> {
    let octets = &octets[..octets.len().min(PACKET_OCTETS_MAX - HEADER_OCTETS)];
    let length = u16::try_from(octets.len() + HEADER_OCTETS).unwrap().to_be_bytes();
    let mut datagram = vec![Code::AccessRequest.into(), 7, length[0], length[1]];
    datagram.extend_from_slice(b"16 random octets");
    datagram.extend_from_slice(octets);
    datagram
}

/// RFC 2865 §5 once more, in the plainest way.
fn walk(octets: &[u8]) -> Result<Vec<(u8, &[u8])>, Malformed> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < octets.len() {
        let Some(length) = octets.get(at + 1).map(|length| usize::from(*length)) else {
            return Err(Malformed::AttributeWithoutLength);
        };
        if at + length > octets.len() {
            return Err(Malformed::AttributePastEnd);
        }
        if length < 2 {
            return Err(Malformed::AttributeLengthBelowTwo);
        }
        found.push((octets[at], &octets[at + 2..at + length]));
        at += length;
    }
    Ok(found)
}

fn has_one_reading(packet: &Packet<'_>, attribute: Attribute<'_>) {
    let value = attribute.value();
    assert!(value.len() <= VALUE_OCTETS_MAX);
    assert_eq!(attribute.integer().map(|number| number.to_be_bytes().to_vec()), of_length(value, 4));
    assert_eq!(attribute.ipv4().map(|address: Ipv4Addr| address.octets().to_vec()), of_length(value, 4));
    assert_eq!(attribute.ipv6().map(|address: Ipv6Addr| address.octets().to_vec()), of_length(value, 16));
    assert_eq!(attribute.text().map(str::as_bytes), str::from_utf8(value).ok().map(str::as_bytes));
    let first = packet.first(attribute.kind()).unwrap();
    assert_eq!(packet.all(attribute.kind()).next(), Some(first));
    // A value may be a password: its name and length are all that is ever shown.
    let shown = format!("{attribute:?}");
    assert_eq!(shown, format!("{}[{} octets]", attribute.kind(), value.len()));
}

fn of_length(value: &[u8], length: usize) -> Option<Vec<u8>> {
    (value.len() == length).then(|| value.to_vec())
}

/// A request of ours with the same attributes: those that it takes are in it, in order.
fn reads_back(packet: &Packet<'_>) {
    let secret = SharedSecret::new(b"s").unwrap();
    let mut buffer = [0; PACKET_OCTETS_MAX];
    let mut request = RequestBuilder::access_request(&mut buffer, &secret, 7, *packet.authenticator());
    let mut given = Vec::new();
    for attribute in packet.attributes() {
        match request.attribute(attribute.kind(), attribute.value()) {
            Ok(_) => given.push(attribute),
            Err(radius_protocol::Error::ReservedAttribute { kind }) => {
                assert!(kind == MESSAGE_AUTHENTICATOR || kind == USER_PASSWORD);
            }
            // Our own Message-Authenticator takes the place of the last ones.
            Err(radius_protocol::Error::PacketFull { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    let made = Packet::parse(request.finish()).unwrap();
    assert!(made.attributes().skip(1).eq(given));
}

/// Text for a user, in as many Reply-Messages as it takes: each is text, and together they are all of it.
fn is_said_in_pieces(octets: &[u8]) {
    let Ok(text) = str::from_utf8(octets) else { return };
    let secret = SharedSecret::new(b"s").unwrap();
    let (mut request, mut reply) = ([0; PACKET_OCTETS_MAX], [0; PACKET_OCTETS_MAX]);
    let request = RequestBuilder::access_request(&mut request, &secret, 7, [0; 16]).finish();
    let request = Packet::parse(request).unwrap();
    let mut builder = ReplyBuilder::new(&mut reply, &secret, &request, Code::AccessChallenge);
    let is_whole = builder.reply_message(text).is_ok();
    let reply = Packet::parse(builder.finish().unwrap()).unwrap();
    let said: Vec<&str> = reply.all(REPLY_MESSAGE).map(|piece| piece.text().unwrap()).collect();
    assert!(said.iter().all(|piece| !piece.is_empty()));
    let said = said.concat();
    assert!(if is_whole { said == text } else { text.starts_with(&said) });
}
