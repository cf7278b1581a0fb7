//! Packets whose authenticator is computed: accounting (RFC 2866), disconnect and change of authorization (RFC 5176).
//! Samples with a Message-Authenticator were made by pyrad 2.6.0.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use hex_literal::hex;
use radius_protocol::dictionary::{ACCT_STATUS_TYPE, MESSAGE_AUTHENTICATOR};
use radius_protocol::{
    Code, MessageAuthenticator, MessageAuthenticatorDemand, Packet, ReplyBuilder, ReplyVerdict,
    RequestBuilder, SharedSecret,
};

const START: [u8; 50] = hex!(
    "04 11 00 32 52c73e6d0e211bab5b53ada854947ea4"
    "50 12 3b9c8aecdc95a0c2391015da2a81258c 28 06 00000001 2c 06 30303031"
);
const START_RESPONSE: [u8; 38] =
    hex!("05 11 00 26 e25ba9ae65669cf1e01ffbe393535420 50 12 cdac5702f497ea3248e9b50d368475df");
const CHANGE: [u8; 45] = hex!(
    "2b 12 00 2d d80485bba0a6e27988dd5e4d912912a5"
    "50 12 43f8bc0e651e25c0b86d96a533b9ca7d 01 07 616c696365"
);
const CHANGE_ACK: [u8; 38] =
    hex!("2c 12 00 26 611a0e80bcc6b258de76c2a6941f8daf 50 12 35d4d642058ee1eb58a01a17e6488836");

fn secret() -> SharedSecret {
    SharedSecret::new(b"a secret of some length").unwrap()
}

#[test]
fn the_requests_of_another_implementation_prove_their_sender_twice() {
    for (octets, code) in [(&START[..], Code::AccountingRequest), (&CHANGE, Code::CoaRequest)] {
        let request = Packet::parse(octets).unwrap();
        assert_eq!(request.code(), code);
        assert!(request.request_authenticator_proves(&secret()));
        assert_eq!(request.message_authenticator(&secret()), MessageAuthenticator::Valid);
    }
}

#[test]
fn the_replies_of_another_implementation_are_genuine() {
    for (request, reply) in [(&START[..], START_RESPONSE), (&CHANGE, CHANGE_ACK)] {
        let (request, reply) = (Packet::parse(request).unwrap(), Packet::parse(&reply).unwrap());
        assert_eq!(reply.message_authenticator_of_reply(&request, &secret()), MessageAuthenticator::Valid);
        let verdict = reply.verify_reply(&request, &secret(), MessageAuthenticatorDemand::Required);
        assert_eq!(verdict, ReplyVerdict::Genuine);
    }
}

#[test]
fn an_accounting_request_proves_its_sender_and_an_access_request_never_does() {
    let (mut buffer, secret) = ([0; 4096], secret());
    let other = SharedSecret::new(b"another").unwrap();
    let mut request = RequestBuilder::accounting_request(&mut buffer, &secret, 9);
    request.integer(ACCT_STATUS_TYPE, 1).unwrap();
    let mut octets = request.finish().to_vec();
    let packet = Packet::parse(&octets).unwrap();
    assert_eq!(packet.first(ACCT_STATUS_TYPE).unwrap().integer(), Some(1));
    assert!(packet.request_authenticator_proves(&secret));
    assert!(!packet.request_authenticator_proves(&other));
    *octets.last_mut().unwrap() ^= 3;
    assert!(!Packet::parse(&octets).unwrap().request_authenticator_proves(&secret));

    let access = RequestBuilder::access_request(&mut buffer, &secret, 9, [0; 16]).finish();
    assert!(!Packet::parse(access).unwrap().request_authenticator_proves(&secret));
}

#[test]
fn accounting_goes_without_a_message_authenticator_and_a_change_does_not() {
    for (octets, code, present) in
        [(&START[..], Code::AccountingResponse, false), (&CHANGE, Code::CoaAck, true)]
    {
        let (mut buffer, secret, request) = ([0; 4096], secret(), Packet::parse(octets).unwrap());
        let reply = ReplyBuilder::new(&mut buffer, &secret, &request, code).finish().unwrap();
        let reply = Packet::parse(reply).unwrap();
        assert_eq!(reply.first(MESSAGE_AUTHENTICATOR).is_some(), present);
        let verdict = reply.verify_reply(&request, &secret, MessageAuthenticatorDemand::Required);
        assert_eq!(verdict, ReplyVerdict::Genuine);
    }
}
