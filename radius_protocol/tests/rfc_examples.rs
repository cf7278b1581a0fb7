//! The examples that the RFCs print, octet for octet: RFC 2865 §7 and RFC 5997 §6. Their secret is "xyzzy5461".
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::Ipv4Addr;

use hex_literal::hex;
use radius_protocol::dictionary::{
    CHAP_PASSWORD, FRAMED_IP_ADDRESS, FRAMED_MTU, LOGIN_IP_HOST, NAS_IP_ADDRESS, NAS_PORT, REPLY_MESSAGE,
    STATE, USER_NAME, USER_PASSWORD,
};
use radius_protocol::{
    Code, Error, Kind, MessageAuthenticator, MessageAuthenticatorDemand, Packet, PacketBuffer, ReplyBuilder,
    ReplyVerdict, RequestBuilder, SharedSecret,
};

const LOGIN_REQUEST: [u8; 56] = hex!(
    "01 00 00 38 0f 40 3f 94 73 97 80 57 bd 83 d5 cb 98 f4 22 7a"
    "01 06 6e 65 6d 6f 02 12 0d be 70 8d 93 d4 13 ce 31 96 e4 3f 78 2a 0a ee"
    "04 06 c0 a8 01 10 05 06 00 00 00 03"
);
const LOGIN_ACCEPT: [u8; 38] = hex!(
    "02 00 00 26 86 fe 22 0e 76 24 ba 2a 10 05 f6 bf 9b 55 e0 b2"
    "06 06 00 00 00 01 0f 06 00 00 00 00 0e 06 c0 a8 01 03"
);
const CHAP_REQUEST: [u8; 71] = hex!(
    "01 01 00 47 2a ee 86 f0 8d 0d 55 96 9c a5 97 8e 0d 33 67 a2"
    "01 08 66 6c 6f 70 73 79 03 13 16 e9 75 57 c3 16 18 58 95 f2 93 ff 63 44 07 72 75"
    "04 06 c0 a8 01 10 05 06 00 00 00 14 06 06 00 00 00 02 07 06 00 00 00 01"
);
const CHAP_ACCEPT: [u8; 56] = hex!(
    "02 01 00 38 15 ef bc 7d ab 26 cf a3 dc 34 d9 c0 3c 86 01 a4"
    "06 06 00 00 00 02 07 06 00 00 00 01 08 06 ff ff ff fe 0a 06 00 00 00 02"
    "0d 06 00 00 00 01 0c 06 00 00 05 dc"
);
const CARD_REQUEST: [u8; 57] = hex!(
    "01 02 00 39 f3 a4 7a 1f 6a 6d 76 71 0b 94 7a b9 30 41 a0 39"
    "01 07 6d 6f 70 73 79 02 12 33 65 75 73 77 82 89 b5 70 88 5e 15 08 48 25 c5"
    "04 06 c0 a8 01 10 05 06 00 00 00 07"
);
const CARD_CHALLENGE: [u8; 78] = hex!(
    "0b 02 00 4e 36 f3 c8 76 4a e8 c7 11 57 40 3c 0c 71 ff 9c 45"
    "12 30 43 68 61 6c 6c 65 6e 67 65 20 33 32 37 36 39 34 33 30 2e 20 20 45 6e 74 65 72 20 72 65 73"
    "70 6f 6e 73 65 20 61 74 20 70 72 6f 6d 70 74 2e 18 0a 33 32 37 36 39 34 33 30"
);
const CARD_ANSWER: [u8; 67] = hex!(
    "01 03 00 43 b1 22 55 6d 42 8a 13 d0 d6 25 38 07 c4 57 ec f0"
    "01 07 6d 6f 70 73 79 02 12 69 2c 1f 20 5f c0 81 b9 19 b9 51 95 f5 61 a5 81"
    "04 06 c0 a8 01 10 05 06 00 00 00 07 18 0a 33 32 37 36 39 34 33 30"
);
const CARD_REJECT: [u8; 20] = hex!("03 03 00 14 a4 2f 4f ca 45 91 6c 4e 09 c8 34 0f 9e 74 6a a0");

const STATUS_REQUEST: [u8; 38] = hex!(
    "0c da 00 26 8a 54 f4 68 6f b3 94 c5 28 66 e3 02 18 5d 06 23"
    "50 12 5a 66 5e 2e 1e 84 11 f3 e2 43 82 20 97 c8 4f a3"
);
const STATUS_ACCEPT: [u8; 20] = hex!("02 da 00 14 ef 0d 55 2a 4b f2 d6 93 ec 2b 6f e8 b5 41 1d 66");
const STATUS_ACCOUNTING_REQUEST: [u8; 38] = hex!(
    "0c b3 00 26 92 5f 6b 66 dd 5f ed 57 1f cb 1d b7 ad 38 82 60"
    "50 12 e8 d6 ea bd a9 10 87 5c d9 1f da de 26 36 78 58"
);
/// The RFC prints code 2, but its authenticator is that of code 5, which it also names.
const STATUS_ACCOUNTING_RESPONSE: [u8; 20] =
    hex!("05 b3 00 14 0f 6f 92 14 5f 10 7e 2f 50 4e 86 0a 48 60 66 9c");
const STATUS_FROM_NAS_REQUEST: [u8; 44] = hex!(
    "0c 47 00 2c bf 58 de 56 ae 40 8a d3 b7 0c 85 13 f9 b0 3f be"
    "04 06 c0 00 02 10 50 12 85 2d 6f ec 61 e7 ed 74 b8 e3 2d ac 2f 2a 5f b2"
);
const STATUS_FROM_NAS_ACCEPT: [u8; 52] = hex!(
    "02 47 00 34 46 f4 3e 62 fd 03 54 42 4c bb eb fd 6d 21 4e 06"
    "12 20 52 41 44 49 55 53 20 53 65 72 76 65 72 20 75 70 20 32 20 64 61 79 73 2c 20 31 38 3a 34 30"
);

/// Every request of the RFCs with its reply.
const EXCHANGES: [(&[u8], &[u8]); 7] = [
    (&LOGIN_REQUEST, &LOGIN_ACCEPT),
    (&CHAP_REQUEST, &CHAP_ACCEPT),
    (&CARD_REQUEST, &CARD_CHALLENGE),
    (&CARD_ANSWER, &CARD_REJECT),
    (&STATUS_REQUEST, &STATUS_ACCEPT),
    (&STATUS_ACCOUNTING_REQUEST, &STATUS_ACCOUNTING_RESPONSE),
    (&STATUS_FROM_NAS_REQUEST, &STATUS_FROM_NAS_ACCEPT),
];

fn secret() -> SharedSecret {
    SharedSecret::new(b"xyzzy5461").unwrap()
}

fn packet(octets: &[u8]) -> Packet<'_> {
    Packet::parse(octets).unwrap()
}

fn value<'a>(packet: &Packet<'a>, kind: Kind) -> &'a [u8] {
    packet.first(kind).unwrap().value()
}

fn password(request: &Packet<'_>) -> Vec<u8> {
    request.user_password(&secret()).unwrap().unwrap().expose().to_vec()
}

/// Our reply with the attributes of the RFC's: what stands behind its Message-Authenticator.
fn rebuilt<'b>(buffer: &'b mut PacketBuffer, request: &[u8], reply: &Packet<'_>) -> Result<&'b [u8], Error> {
    let (secret, request) = (secret(), packet(request));
    let mut builder = ReplyBuilder::new(buffer, &secret, &request, reply.code());
    for attribute in reply.attributes() {
        builder.attribute(attribute.kind(), attribute.value())?;
    }
    builder.finish()
}

#[test]
fn the_login_of_rfc_2865_7_1_is_read() {
    let request = packet(&LOGIN_REQUEST);
    assert_eq!((request.code(), request.identifier()), (Code::AccessRequest, 0));
    assert_eq!(request.authenticator(), &LOGIN_REQUEST[4..20]);
    assert_eq!(request.first(USER_NAME).unwrap().text(), Some("nemo"));
    assert_eq!(password(&request), b"arctangent");
    assert_eq!(request.first(NAS_IP_ADDRESS).unwrap().ipv4(), Some(Ipv4Addr::new(192, 168, 1, 16)));
    assert_eq!(request.first(NAS_PORT).unwrap().integer(), Some(3));
    assert_eq!(
        packet(&LOGIN_ACCEPT).first(LOGIN_IP_HOST).unwrap().ipv4(),
        Some(Ipv4Addr::new(192, 168, 1, 3))
    );
    assert_eq!(request.message_authenticator(&secret()), MessageAuthenticator::Absent);
}

#[test]
fn the_chap_login_of_rfc_2865_7_2_is_read() {
    let request = packet(&CHAP_REQUEST);
    assert_eq!(value(&request, USER_NAME), b"flopsy");
    assert_eq!(value(&request, CHAP_PASSWORD).len(), 17);
    assert!(request.user_password(&secret()).unwrap().is_none());
    let accept = packet(&CHAP_ACCEPT);
    assert_eq!(accept.first(FRAMED_IP_ADDRESS).unwrap().integer(), Some(0xffff_fffe));
    assert_eq!(accept.first(FRAMED_MTU).unwrap().integer(), Some(1500));
}

#[test]
fn the_challenge_of_rfc_2865_7_3_is_read() {
    assert_eq!(password(&packet(&CARD_REQUEST)), b"challenge");
    assert_eq!(password(&packet(&CARD_ANSWER)), b"99101462");
    let challenge = packet(&CARD_CHALLENGE);
    assert_eq!(challenge.code(), Code::AccessChallenge);
    assert_eq!(
        challenge.first(REPLY_MESSAGE).unwrap().text(),
        Some("Challenge 32769430.  Enter response at prompt.")
    );
    assert_eq!(value(&challenge, STATE), value(&packet(&CARD_ANSWER), STATE));
}

#[test]
fn every_reply_of_the_rfcs_is_genuine_for_its_request_and_for_no_other() {
    let secret = secret();
    for (position, (_, reply)) in EXCHANGES.iter().enumerate() {
        for (other, (request, _)) in EXCHANGES.iter().enumerate() {
            let verdict =
                packet(reply).verify_reply(&packet(request), &secret, MessageAuthenticatorDemand::IfPresent);
            let expected =
                if position == other { ReplyVerdict::Genuine } else { ReplyVerdict::WrongIdentifier };
            assert_eq!(verdict, expected, "reply {position} to request {other}");
        }
    }
}

#[test]
fn no_reply_of_the_rfcs_satisfies_who_requires_a_message_authenticator() {
    for (request, reply) in EXCHANGES {
        let verdict =
            packet(reply).verify_reply(&packet(request), &secret(), MessageAuthenticatorDemand::Required);
        assert_eq!(verdict, ReplyVerdict::WrongMessageAuthenticator(MessageAuthenticator::Absent));
    }
}

#[test]
fn every_reply_of_the_rfcs_comes_out_of_our_builder_behind_a_message_authenticator() {
    let mut buffer = [0xaa; 4096];
    for (request, reply) in EXCHANGES {
        let ours = rebuilt(&mut buffer, request, &packet(reply)).unwrap();
        assert_eq!(ours[..2], reply[..2]);
        assert_eq!(ours[20..22], [80, 18]);
        assert_eq!(ours[38..], reply[20..]);
        let verdict =
            packet(ours).verify_reply(&packet(request), &secret(), MessageAuthenticatorDemand::Required);
        assert_eq!(verdict, ReplyVerdict::Genuine);
    }
}

#[test]
fn the_hidden_passwords_of_rfc_2865_come_out_of_our_builder() {
    let secret = secret();
    for (octets, clear) in
        [(&LOGIN_REQUEST[..], "arctangent"), (&CARD_REQUEST, "challenge"), (&CARD_ANSWER, "99101462")]
    {
        let theirs = packet(octets);
        let mut buffer = [0xaa; 4096];
        let mut builder = RequestBuilder::access_request(
            &mut buffer,
            &secret,
            theirs.identifier(),
            *theirs.authenticator(),
        );
        builder.user_password(clear.as_bytes()).unwrap();
        let ours = packet(builder.finish());
        assert_eq!(value(&ours, USER_PASSWORD), value(&theirs, USER_PASSWORD));
    }
}

#[test]
fn the_status_requests_of_rfc_5997_are_valid_and_with_another_secret_they_are_not() {
    let other = SharedSecret::new(b"xyzzy5462").unwrap();
    for request in [&STATUS_REQUEST[..], &STATUS_ACCOUNTING_REQUEST, &STATUS_FROM_NAS_REQUEST] {
        assert_eq!(packet(request).code(), Code::StatusServer);
        assert_eq!(packet(request).message_authenticator(&secret()), MessageAuthenticator::Valid);
        assert_eq!(packet(request).message_authenticator(&other), MessageAuthenticator::Invalid);
    }
}

#[test]
fn the_status_requests_of_rfc_5997_come_out_of_our_builder() {
    let secret = secret();
    for theirs in [STATUS_REQUEST, STATUS_ACCOUNTING_REQUEST] {
        let mut buffer = [0xaa; 4096];
        let authenticator = *packet(&theirs).authenticator();
        let ours = RequestBuilder::status_server(&mut buffer, &secret, theirs[1], authenticator).finish();
        assert_eq!(ours, theirs);
    }
}
