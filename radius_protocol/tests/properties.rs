//! Properties over arbitrary octets: nothing panics, and what is built reads back.
#![expect(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test fails by panicking")]

use proptest::collection::vec;
use proptest::prelude::*;
use radius_protocol::dictionary::{MESSAGE_AUTHENTICATOR, PROXY_STATE, USER_PASSWORD};
use radius_protocol::{
    Code, Kind, MessageAuthenticator, MessageAuthenticatorDemand, Packet, ReplyBuilder, ReplyVerdict,
    RequestBuilder, SharedSecret,
};

/// Attributes that both builders take.
fn attributes() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    let reserved = [MESSAGE_AUTHENTICATOR.0, USER_PASSWORD.0, PROXY_STATE.0];
    let kind = any::<u8>().prop_filter("written by the builders", move |kind| !reserved.contains(kind));
    vec((kind, vec(any::<u8>(), 0..=253)), 0..12)
}

/// A sound header before arbitrary octets, so that most samples reach the attributes.
fn nearly_a_packet() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 20..300).prop_map(|mut octets| {
        let length = u16::try_from(octets.len()).unwrap_or(u16::MAX);
        octets[2..4].copy_from_slice(&length.to_be_bytes());
        octets
    })
}

/// Calls everything that a receiver can call before it trusts the sender.
fn read_all(octets: &[u8], secret: &SharedSecret) {
    let Ok(packet) = Packet::parse(octets) else { return };
    for attribute in packet.attributes() {
        let _ = (attribute.text(), attribute.integer(), attribute.ipv4(), attribute.ipv6());
    }
    let _ = format!("{packet:?}");
    let _ = packet.message_authenticator(secret);
    let _ = packet.user_password(secret).map(|password| password.map(|password| password.expose().len()));
    let _ = packet.request_authenticator_proves(secret);
    let _ = packet.verify_reply(&packet, secret, MessageAuthenticatorDemand::IfPresent);
    let mut buffer = [0; 4096];
    let _ = ReplyBuilder::new(&mut buffer, secret, &packet, Code::AccessReject).finish();
}

fn read_back(packet: &Packet<'_>) -> Vec<(u8, Vec<u8>)> {
    packet.attributes().skip(1).map(|attribute| (attribute.kind().0, attribute.value().to_vec())).collect()
}

proptest! {
    #[test]
    fn arbitrary_octets_never_panic(octets in vec(any::<u8>(), 0..5000)) {
        read_all(&octets, &SharedSecret::new(b"s").unwrap());
    }

    #[test]
    fn arbitrary_attributes_never_panic(octets in nearly_a_packet()) {
        read_all(&octets, &SharedSecret::new(b"s").unwrap());
    }

    #[test]
    fn a_sound_packet_is_covered_by_its_attributes(octets in nearly_a_packet()) {
        if let Ok(packet) = Packet::parse(&octets) {
            let covered: usize = packet.attributes().map(|attribute| attribute.value().len() + 2).sum();
            prop_assert_eq!(covered + 20, packet.octets().len());
        }
    }

    #[test]
    fn a_request_reads_back_as_it_was_built(
        attributes in attributes(), identifier: u8, random: [u8; 16], key in vec(any::<u8>(), 1..200),
    ) {
        let secret = SharedSecret::new(&key).unwrap();
        let mut buffer = [0; 4096];
        let mut request = RequestBuilder::access_request(&mut buffer, &secret, identifier, random);
        for (kind, value) in &attributes {
            request.attribute(Kind(*kind), value).unwrap();
        }
        let request = Packet::parse(request.finish()).unwrap();
        prop_assert_eq!(read_back(&request), attributes);
        prop_assert_eq!((request.identifier(), request.authenticator()), (identifier, &random));
        prop_assert_eq!(request.message_authenticator(&secret), MessageAuthenticator::Valid);
    }

    #[test]
    fn a_reply_reads_back_as_it_was_built(
        attributes in attributes(), random: [u8; 16], code: u8, key in vec(any::<u8>(), 1..200),
    ) {
        let secret = SharedSecret::new(&key).unwrap();
        let (mut request_buffer, mut reply_buffer) = ([0; 4096], [0; 4096]);
        let request = RequestBuilder::access_request(&mut request_buffer, &secret, 1, random).finish();
        let request = Packet::parse(request).unwrap();
        let mut reply = ReplyBuilder::new(&mut reply_buffer, &secret, &request, Code::from(code));
        for (kind, value) in &attributes {
            reply.attribute(Kind(*kind), value).unwrap();
        }
        let reply = Packet::parse(reply.finish().unwrap()).unwrap();
        prop_assert_eq!(reply.attributes().next().unwrap().kind(), MESSAGE_AUTHENTICATOR);
        prop_assert_eq!(read_back(&reply), attributes);
        let verdict = reply.verify_reply(&request, &secret, MessageAuthenticatorDemand::Required);
        prop_assert_eq!(verdict, ReplyVerdict::Genuine);
    }

    #[test]
    fn a_hidden_password_is_revealed(
        mut password in vec(any::<u8>(), 0..=128), random: [u8; 16], key in vec(any::<u8>(), 1..200),
    ) {
        let secret = SharedSecret::new(&key).unwrap();
        let mut buffer = [0; 4096];
        let mut request = RequestBuilder::access_request(&mut buffer, &secret, 1, random);
        request.user_password(&password).unwrap();
        let request = Packet::parse(request.finish()).unwrap();
        while password.pop_if(|last| *last == 0).is_some() {}
        let revealed = request.user_password(&secret).unwrap().unwrap();
        prop_assert_eq!(revealed.expose(), password);
    }
}
