//! Whole RADIUS packets: a datagram, and behind its Length what may be a reply to it. One is read or named malformed;
//! ours verify, and with any bit turned they do not.

use radius_protocol::dictionary::{MESSAGE_AUTHENTICATOR, PROXY_STATE, USER_PASSWORD};
use radius_protocol::{
    Code, HEADER_OCTETS, Kind, Malformed, MessageAuthenticator, MessageAuthenticatorDemand,
    PACKET_OCTETS_MAX, PASSWORD_OCTETS_MAX, Packet, ReplyBuilder, ReplyVerdict, RequestBuilder, SharedSecret,
};

/// The secret of the seeds, which RFC 2865 §7 uses.
const SECRET: &[u8] = b"xyzzy5461";

pub(crate) fn run(octets: &[u8]) {
    let secret = SharedSecret::new(SECRET).unwrap();
    let request = match Packet::parse(octets) {
        Ok(request) => request,
        Err(malformed) => return assert!(Malformed::ALL.contains(&malformed)),
    };
    is_within_bounds(&request, octets);
    let turned = request
        .authenticator()
        .iter()
        .fold(0, |sum: usize, octet| sum.wrapping_mul(31) ^ usize::from(*octet));
    reveals_what_was_hidden(&request, &secret);
    let _ = format!("{request:?}");
    if let Ok(reply) = Packet::parse(&octets[request.octets().len()..]) {
        agrees_with_itself(&request, &reply, &secret);
    }
    our_request_verifies(&request, &secret, turned);
    our_reply_verifies(&request, &secret, turned);
}

/// Header and attributes cover the packet, and padding is not part of it.
fn is_within_bounds(packet: &Packet<'_>, datagram: &[u8]) {
    let length = packet.octets().len();
    assert!((HEADER_OCTETS..=PACKET_OCTETS_MAX).contains(&length));
    assert_eq!(packet.octets(), &datagram[..length]);
    let covered: usize = packet.attributes().map(|attribute| attribute.value().len() + 2).sum();
    assert_eq!(HEADER_OCTETS + covered, length);
    let again = Packet::parse(packet.octets()).unwrap();
    assert!(again.attributes().eq(packet.attributes()));
    assert_eq!(u8::from(Code::from(datagram[0])), datagram[0]);
}

/// A password is short and without padding, and hiding it once more gives the same octets.
fn reveals_what_was_hidden(packet: &Packet<'_>, secret: &SharedSecret) {
    let Ok(Some(password)) = packet.user_password(secret) else { return };
    let password = password.expose();
    assert!(password.len() <= PASSWORD_OCTETS_MAX && password.last() != Some(&0));
    let mut buffer = [0; PACKET_OCTETS_MAX];
    let mut again = RequestBuilder::access_request(&mut buffer, secret, 0, *packet.authenticator());
    again.user_password(password).unwrap();
    let again = Packet::parse(again.finish()).unwrap();
    let (hidden, before) = (again.first(USER_PASSWORD).unwrap(), packet.first(USER_PASSWORD).unwrap());
    assert!(before.value().starts_with(hidden.value()));
}

/// What proves less never passes where more is demanded.
fn agrees_with_itself(request: &Packet<'_>, reply: &Packet<'_>, secret: &SharedSecret) {
    let strict = reply.verify_reply(request, secret, MessageAuthenticatorDemand::Required);
    let lenient = reply.verify_reply(request, secret, MessageAuthenticatorDemand::IfPresent);
    if strict == ReplyVerdict::Genuine {
        assert_eq!(lenient, ReplyVerdict::Genuine);
        let found = reply.message_authenticator_of_reply(request, secret);
        let is_accounting = request.code() == Code::AccountingRequest;
        assert!(found == MessageAuthenticator::Valid || is_accounting);
    }
    if lenient == ReplyVerdict::Genuine {
        assert_eq!(request.identifier(), reply.identifier());
    }
}

/// The attributes of the packet in a request of ours.
fn our_request_verifies(packet: &Packet<'_>, secret: &SharedSecret, turned: usize) {
    let mut buffer = [0; PACKET_OCTETS_MAX];
    let mut ours =
        RequestBuilder::access_request(&mut buffer, secret, packet.identifier(), *packet.authenticator());
    for attribute in packet.attributes() {
        let _ = ours.attribute(attribute.kind(), attribute.value());
    }
    let length = ours.finish().len();
    let made = Packet::parse(&buffer[..length]).unwrap();
    assert_eq!(made.message_authenticator(secret), MessageAuthenticator::Valid);
    assert_eq!(made.attributes().next().unwrap().kind(), MESSAGE_AUTHENTICATOR);
    // The authenticator of an Access-Request is random: it proves nothing.
    assert!(!made.request_authenticator_proves(secret));

    turn_a_bit(&mut buffer[..length], turned);
    let turned = Packet::parse(&buffer[..length]).map(|packet| packet.message_authenticator(secret));
    assert_ne!(turned, Ok(MessageAuthenticator::Valid));
}

/// The attributes of the packet in a reply of ours to it.
fn our_reply_verifies(request: &Packet<'_>, secret: &SharedSecret, turned: usize) {
    let mut buffer = [0; PACKET_OCTETS_MAX];
    let mut ours = ReplyBuilder::new(&mut buffer, secret, request, Code::AccessAccept);
    let mut given = Vec::new();
    for attribute in request.attributes().filter(|attribute| attribute.kind() != PROXY_STATE) {
        if ours.attribute(attribute.kind(), attribute.value()).is_ok() {
            given.push(attribute);
        }
    }
    // A request of nearly 4096 octets may leave no room for its own Proxy-States.
    let Ok(length) = ours.finish().map(<[u8]>::len) else { return };
    let made = Packet::parse(&buffer[..length]).unwrap();
    let demand = MessageAuthenticatorDemand::Required;
    assert_eq!(made.verify_reply(request, secret, demand), ReplyVerdict::Genuine);
    let states = |packet: &Packet<'_>| -> Vec<Vec<u8>> {
        packet.all(PROXY_STATE).map(|state| state.value().to_vec()).collect()
    };
    assert_eq!(states(&made), states(request));
    let own: [Kind; 2] = [MESSAGE_AUTHENTICATOR, PROXY_STATE];
    assert!(made.attributes().filter(|attribute| !own.contains(&attribute.kind())).eq(given));

    turn_a_bit(&mut buffer[..length], turned);
    let turned = Packet::parse(&buffer[..length]).map(|reply| reply.verify_reply(request, secret, demand));
    assert_ne!(turned, Ok(ReplyVerdict::Genuine));
}

fn turn_a_bit(octets: &mut [u8], which: usize) {
    let bit = which % (octets.len() * 8);
    octets[bit / 8] ^= 1 << (bit % 8);
}
