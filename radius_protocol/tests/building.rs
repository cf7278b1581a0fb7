//! What our replies and requests look like on the wire, and what the builders refuse.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use radius_protocol::dictionary::{
    CLASS, EAP_MESSAGE, MESSAGE_AUTHENTICATOR, PROMPT, PROXY_STATE, REPLY_MESSAGE, SESSION_TIMEOUT, STATE,
    USER_PASSWORD,
};
use radius_protocol::{
    Attribute, Code, Error, MessageAuthenticator, MessageAuthenticatorDemand, Packet, PacketBuffer, Prompt,
    ReplyBuilder, ReplyVerdict, RequestBuilder, SharedSecret,
};

const EMPTY: PacketBuffer = [0xaa; 4096];

fn secret() -> SharedSecret {
    SharedSecret::new(b"a secret of some length").unwrap()
}

/// An Access-Request that came through as many proxies as there are `proxy_states`.
fn request(proxy_states: &[&[u8]]) -> Vec<u8> {
    let (mut buffer, secret) = (EMPTY, secret());
    let mut request = RequestBuilder::access_request(&mut buffer, &secret, 200, [0x17; 16]);
    request.user_name("alice").unwrap();
    for state in proxy_states {
        request.attribute(PROXY_STATE, state).unwrap();
    }
    request.finish().to_vec()
}

fn kinds(packet: &Packet<'_>) -> Vec<u8> {
    packet.attributes().map(|attribute| attribute.kind().0).collect()
}

#[test]
fn a_challenge_has_the_message_authenticator_first_and_the_proxy_states_last_in_order() {
    let octets = request(&[b"nearest", b"", b"farthest \0\xff", b"nearest"]);
    let request = Packet::parse(&octets).unwrap();
    let (mut buffer, secret) = (EMPTY, secret());
    let mut reply = ReplyBuilder::new(&mut buffer, &secret, &request, Code::AccessChallenge);
    reply.reply_message("Enter the code").unwrap().state(b"sealed").unwrap();
    reply.prompt(Prompt::NoEcho).unwrap().session_timeout(60).unwrap().attribute(CLASS, b"c").unwrap();
    let reply = Packet::parse(reply.finish().unwrap()).unwrap();

    assert_eq!((reply.code(), reply.identifier()), (Code::AccessChallenge, 200));
    assert_eq!(kinds(&reply), [80, 18, 24, 76, 27, 25, 33, 33, 33, 33]);
    assert_eq!(reply.first(STATE).unwrap().value(), b"sealed");
    assert_eq!(reply.first(PROMPT).unwrap().integer(), Some(0));
    assert_eq!(reply.first(SESSION_TIMEOUT).unwrap().integer(), Some(60));
    let proxy_states: Vec<_> = reply.all(PROXY_STATE).map(Attribute::value).collect();
    assert_eq!(proxy_states, [&b"nearest"[..], b"", b"farthest \0\xff", b"nearest"]);
    let verdict = reply.verify_reply(&request, &secret, MessageAuthenticatorDemand::Required);
    assert_eq!(verdict, ReplyVerdict::Genuine);
}

#[test]
fn every_answer_to_a_login_has_the_message_authenticator_first() {
    let octets = request(&[]);
    let request = Packet::parse(&octets).unwrap();
    for code in [Code::AccessAccept, Code::AccessReject, Code::AccessChallenge, Code::ProtocolError] {
        let (mut buffer, secret) = (EMPTY, secret());
        let reply = ReplyBuilder::new(&mut buffer, &secret, &request, code).finish().unwrap();
        assert_eq!(kinds(&Packet::parse(reply).unwrap()), [80]);
    }
}

#[test]
fn a_long_message_is_cut_between_characters_and_reads_the_same_when_joined() {
    let octets = request(&[]);
    let request = Packet::parse(&octets).unwrap();
    for text in
        ["é".repeat(300), "x".repeat(253), "x".repeat(254), format!("{}€", "x".repeat(252)), String::new()]
    {
        let (mut buffer, secret) = (EMPTY, secret());
        let mut reply = ReplyBuilder::new(&mut buffer, &secret, &request, Code::AccessReject);
        reply.reply_message(&text).unwrap();
        let reply = Packet::parse(reply.finish().unwrap()).unwrap();
        let parts: Vec<_> = reply.all(REPLY_MESSAGE).map(|part| part.text().unwrap()).collect();
        assert_eq!(parts.concat(), text);
        assert_eq!(parts.len(), text.len().div_ceil(253).max(usize::from(text.ends_with('€')) * 2));
    }
}

#[test]
fn a_reply_of_exactly_4096_octets_is_made_and_one_octet_more_is_refused() {
    let octets = request(&[]);
    let request = Packet::parse(&octets).unwrap();
    let (mut buffer, secret) = (EMPTY, secret());
    let mut reply = ReplyBuilder::new(&mut buffer, &secret, &request, Code::AccessAccept);
    for _ in 0..15 {
        reply.attribute(EAP_MESSAGE, &[1; 253]).unwrap();
    }
    // 20 + 18 + 15 * 255 = 3863 octets are there; 233 are left.
    let full = Error::PacketFull { kind: EAP_MESSAGE };
    assert_eq!(reply.attribute(EAP_MESSAGE, &[1; 232]).err(), Some(full));
    reply.attribute(EAP_MESSAGE, &[1; 231]).unwrap();
    assert_eq!(reply.attribute(EAP_MESSAGE, b"").err(), Some(full));
    let reply = Packet::parse(reply.finish().unwrap()).unwrap();
    assert_eq!(reply.octets().len(), 4096);
    let verdict = reply.verify_reply(&request, &secret, MessageAuthenticatorDemand::Required);
    assert_eq!(verdict, ReplyVerdict::Genuine);
}

#[test]
fn proxy_states_that_do_not_fit_are_an_error_and_not_left_out() {
    let octets = request(&[[1; 253].as_slice(); 15]);
    let request = Packet::parse(&octets).unwrap();
    let (mut buffer, secret) = (EMPTY, secret());
    let mut reply = ReplyBuilder::new(&mut buffer, &secret, &request, Code::AccessReject);
    reply.reply_message(&"x".repeat(300)).unwrap();
    assert_eq!(reply.finish().err(), Some(Error::PacketFull { kind: PROXY_STATE }));
}

#[test]
fn what_the_builders_write_themselves_cannot_be_added() {
    let octets = request(&[]);
    let request = Packet::parse(&octets).unwrap();
    let (mut buffer, secret) = (EMPTY, secret());
    let mut reply = ReplyBuilder::new(&mut buffer, &secret, &request, Code::AccessAccept);
    for kind in [MESSAGE_AUTHENTICATOR, PROXY_STATE] {
        assert_eq!(reply.attribute(kind, &[0; 16]).err(), Some(Error::ReservedAttribute { kind }));
    }
    let mut request = RequestBuilder::access_request(&mut buffer, &secret, 0, [0; 16]);
    for kind in [MESSAGE_AUTHENTICATOR, USER_PASSWORD] {
        assert_eq!(request.attribute(kind, &[0; 16]).err(), Some(Error::ReservedAttribute { kind }));
    }
}

#[test]
fn values_passwords_and_secrets_of_impossible_lengths_are_refused() {
    let (mut buffer, secret) = (EMPTY, secret());
    let mut request = RequestBuilder::access_request(&mut buffer, &secret, 0, [0; 16]);
    let refusal = request.attribute(CLASS, &[0; 254]).err();
    assert_eq!(refusal, Some(Error::AttributeTooLong { kind: CLASS, octets: 254 }));
    assert_eq!(request.user_password(&[1; 129]).err(), Some(Error::PasswordTooLong { octets: 129 }));
    request.user_password(&[1; 128]).unwrap();
    assert_eq!(SharedSecret::new(b"").err(), Some(Error::EmptySecret));
}

#[test]
fn a_reply_made_with_another_secret_is_refused() {
    let octets = request(&[]);
    let request = Packet::parse(&octets).unwrap();
    let (mut buffer, secret) = (EMPTY, secret());
    let other = SharedSecret::new(b"another").unwrap();
    let reply = ReplyBuilder::new(&mut buffer, &other, &request, Code::AccessAccept).finish().unwrap();
    let reply = Packet::parse(reply).unwrap();
    let verdict = reply.verify_reply(&request, &secret, MessageAuthenticatorDemand::IfPresent);
    assert_eq!(verdict, ReplyVerdict::WrongResponseAuthenticator);
    let found = reply.message_authenticator_of_reply(&request, &secret);
    assert_eq!(found, MessageAuthenticator::Invalid);
}

#[test]
fn a_reply_to_another_request_is_refused() {
    let (mut first, mut second, mut third, mut answer) = (EMPTY, EMPTY, EMPTY, EMPTY);
    let secret = secret();
    let asked = RequestBuilder::access_request(&mut first, &secret, 1, [1; 16]).finish();
    let (asked, demand) = (Packet::parse(asked).unwrap(), MessageAuthenticatorDemand::Required);
    let reply = ReplyBuilder::new(&mut answer, &secret, &asked, Code::AccessAccept).finish().unwrap();
    let reply = Packet::parse(reply).unwrap();
    assert_eq!(reply.verify_reply(&asked, &secret, demand), ReplyVerdict::Genuine);

    let later = RequestBuilder::access_request(&mut second, &secret, 1, [2; 16]).finish();
    let verdict = reply.verify_reply(&Packet::parse(later).unwrap(), &secret, demand);
    assert_eq!(verdict, ReplyVerdict::WrongResponseAuthenticator);
    let other = RequestBuilder::access_request(&mut third, &secret, 2, [1; 16]).finish();
    let verdict = reply.verify_reply(&Packet::parse(other).unwrap(), &secret, demand);
    assert_eq!(verdict, ReplyVerdict::WrongIdentifier);
}

#[test]
fn passwords_keep_the_nuls_inside_and_lose_those_at_the_end() {
    let secret = secret();
    for (sent, received) in [(&b"ab\0cd"[..], &b"ab\0cd"[..]), (b"ab\0\0", b"ab"), (b"", b""), (b"\0", b"")] {
        let mut buffer = EMPTY;
        let mut request = RequestBuilder::access_request(&mut buffer, &secret, 0, [9; 16]);
        request.user_password(sent).unwrap();
        let request = Packet::parse(request.finish()).unwrap();
        assert_eq!(request.first(USER_PASSWORD).unwrap().value().len(), 16);
        assert_eq!(request.user_password(&secret).unwrap().unwrap().expose(), received);
    }
}

#[test]
fn nothing_of_a_value_is_shown_when_a_packet_is_formatted() {
    let octets = request(&[b"tell-tale"]);
    let shown = format!("{:?}", Packet::parse(&octets).unwrap());
    assert_eq!(
        shown,
        "Access-Request 200 [Message-Authenticator[16 octets], User-Name[5 octets], Proxy-State[9 octets]]"
    );
}
