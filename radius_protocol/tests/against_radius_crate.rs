//! A second opinion: the `radius` crate (0.4.0) reads and writes the same packets as we do.
//!
//! Differences that are known and wanted, so that no test here looks for agreement on them:
//! - it cuts a User-Password at its first NUL and reveals one of 17 octets; we keep inner NULs and refuse that length;
//! - it hashes padding past the Length field into the Response Authenticator; we ignore padding;
//! - it takes every Access-Request and Status-Server for authentic and knows no Message-Authenticator;
//! - it writes packets of more than 4096 octets with a wrapped length; we refuse;
//! - it has no code 52, and gives foreign codes no number.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use proptest::collection::vec;
use proptest::prelude::*;
use radius::core::avp::AVP;
use radius::core::code::Code as TheirCode;
use radius::core::packet::Packet as TheirPacket;
use radius::core::{rfc2865, rfc2866, rfc2868, rfc2869, rfc3162, rfc3576, rfc4372, rfc4849, rfc6911};
use radius_protocol::{
    Code, Kind, MessageAuthenticator, MessageAuthenticatorDemand, Packet, ReplyBuilder, ReplyVerdict,
    RequestBuilder, SharedSecret, dictionary,
};

const KEY: &[u8] = b"a secret of some length";

fn secret() -> SharedSecret {
    SharedSecret::new(KEY).unwrap()
}

/// Each packet has its attributes grouped by type, since the crate does not tell the order between types.
fn theirs_by_kind(packet: &TheirPacket) -> Vec<(u8, Vec<Vec<u8>>)> {
    let values = |kind| packet.lookup_all(kind).iter().map(|avp| avp.encode_bytes()).collect();
    (0..=255).map(|kind| (kind, values(kind))).collect()
}

fn ours_by_kind(packet: &Packet<'_>) -> Vec<(u8, Vec<Vec<u8>>)> {
    let values = |kind| packet.all(Kind(kind)).map(|attribute| attribute.value().to_vec()).collect();
    (0..=255).map(|kind| (kind, values(kind))).collect()
}

/// A packet of a few attributes, of which one octet may be wrong, behind a sound header.
fn packet_octets() -> impl Strategy<Value = Vec<u8>> {
    let attribute = (any::<u8>(), vec(any::<u8>(), 0..40));
    (any::<[u8; 20]>(), vec(attribute, 0..8), any::<Option<(prop::sample::Index, u8)>>()).prop_map(
        |(header, attributes, fault)| {
            let mut octets = header.to_vec();
            for (kind, value) in attributes {
                octets.push(kind);
                octets.push(u8::try_from(value.len() + 2).unwrap_or(u8::MAX));
                octets.extend(value);
            }
            let length = u16::try_from(octets.len()).unwrap_or(u16::MAX);
            octets[2..4].copy_from_slice(&length.to_be_bytes());
            if let Some((position, octet)) = fault {
                let position = position.index(octets.len());
                octets[position] = octet;
            }
            octets
        },
    )
}

fn agree(octets: &[u8]) -> Result<(), TestCaseError> {
    match (Packet::parse(octets), TheirPacket::decode(octets, KEY)) {
        (Ok(ours), Ok(theirs)) => {
            prop_assert_eq!(ours.identifier(), theirs.get_identifier());
            prop_assert_eq!(ours.authenticator().as_slice(), theirs.get_authenticator().as_slice());
            prop_assert_eq!(ours_by_kind(&ours), theirs_by_kind(&theirs));
        }
        (Err(_), Err(_)) => {}
        (ours, theirs) => prop_assert!(false, "ours: {:?}, theirs: {:?}", ours, theirs.map(|_| ())),
    }
    Ok(())
}

proptest! {
    #[test]
    fn both_decoders_accept_the_same_packets_and_see_the_same_attributes(octets in packet_octets()) {
        agree(&octets)?;
    }

    #[test]
    fn both_decoders_agree_on_arbitrary_octets(octets in vec(any::<u8>(), 0..200)) {
        agree(&octets)?;
    }

    #[test]
    fn a_password_hidden_by_one_is_revealed_by_the_other(password in "[ -~]{1,128}", random: [u8; 16]) {
        let mut buffer = [0; 4096];
        let secret = secret();
        let mut request = RequestBuilder::access_request(&mut buffer, &secret, 1, random);
        request.user_password(password.as_bytes()).unwrap();
        let octets = request.finish();
        let theirs = TheirPacket::decode(octets, KEY).unwrap();
        prop_assert_eq!(rfc2865::lookup_user_password(&theirs).unwrap().unwrap(), password.as_bytes());

        let avp = AVP::from_user_password(2, password.as_bytes(), KEY, &random).unwrap();
        let ours = Packet::parse(octets).unwrap();
        prop_assert_eq!(ours.first(dictionary::USER_PASSWORD).unwrap().value(), avp.encode_bytes());
    }

    #[test]
    fn our_replies_are_authentic_for_the_crate_and_its_replies_for_us(random: [u8; 16], message in "[a-z ]{1,253}") {
        let (mut request_buffer, mut reply_buffer) = ([0; 4096], [0; 4096]);
        let secret = secret();
        let request = RequestBuilder::access_request(&mut request_buffer, &secret, 1, random).finish();
        let packet = Packet::parse(request).unwrap();
        let mut ours = ReplyBuilder::new(&mut reply_buffer, &secret, &packet, Code::AccessReject);
        ours.reply_message(&message).unwrap();
        prop_assert!(TheirPacket::is_authentic_response(ours.finish().unwrap(), request, KEY));

        let their_request = TheirPacket::decode(request, KEY).unwrap();
        let mut theirs = their_request.make_response_packet(TheirCode::AccessReject);
        rfc2865::add_reply_message(&mut theirs, &message);
        let theirs = theirs.encode().unwrap();
        let verdict =
            Packet::parse(&theirs).unwrap().verify_reply(&packet, &secret, MessageAuthenticatorDemand::IfPresent);
        prop_assert_eq!(verdict, ReplyVerdict::Genuine);
    }
}

#[test]
fn accounting_requests_of_either_are_authentic_for_the_other() {
    let (mut buffer, secret) = ([0; 4096], secret());
    let mut ours = RequestBuilder::accounting_request(&mut buffer, &secret, 3);
    ours.user_name("alice").unwrap().integer(dictionary::ACCT_STATUS_TYPE, 2).unwrap();
    assert!(TheirPacket::is_authentic_request(ours.finish(), KEY));

    for code in [TheirCode::AccountingRequest, TheirCode::CoARequest, TheirCode::DisconnectRequest] {
        let mut theirs = TheirPacket::new(code, KEY);
        rfc2865::add_user_name(&mut theirs, "alice");
        let theirs = theirs.encode().unwrap();
        assert!(Packet::parse(&theirs).unwrap().request_authenticator_proves(&secret), "{code:?}");
    }
}

#[test]
fn a_wrong_message_authenticator_under_a_right_response_authenticator_is_refused() {
    let (mut buffer, secret) = ([0; 4096], secret());
    let octets = RequestBuilder::access_request(&mut buffer, &secret, 1, [5; 16]).finish();
    let request = Packet::parse(octets).unwrap();
    // The crate signs the reply, and takes whatever it is given for a Message-Authenticator.
    let mut reply = TheirPacket::decode(octets, KEY).unwrap().make_response_packet(TheirCode::AccessAccept);
    rfc2869::add_message_authenticator(&mut reply, &[9; 16]);
    let reply = reply.encode().unwrap();
    for demand in [MessageAuthenticatorDemand::Required, MessageAuthenticatorDemand::IfPresent] {
        let verdict = Packet::parse(&reply).unwrap().verify_reply(&request, &secret, demand);
        assert_eq!(verdict, ReplyVerdict::WrongMessageAuthenticator(MessageAuthenticator::Invalid));
    }
}

#[test]
fn codes_have_the_same_numbers_and_names() {
    for number in (0..=255).filter(|&number| number != 52) {
        let ours = Code::from(number);
        match TheirCode::from(number) {
            TheirCode::Invalid | TheirCode::Reserved => assert_eq!(ours, Code::Foreign(number)),
            theirs => assert_eq!(ours.name(), Some(theirs.string()), "{number}"),
        }
    }
}

#[test]
fn every_attribute_that_we_name_has_the_number_that_the_crate_generated_from_the_dictionaries() {
    let mut seen = Vec::new();
    macro_rules! same {
        ($($rfc:ident: $($ours:ident $theirs:ident),*;)*) => {
            $($(
                assert_eq!(dictionary::$ours.0, $rfc::$theirs, stringify!($ours));
                seen.push(dictionary::$ours);
            )*)*
        };
    }
    same! {
        rfc2865:
            USER_NAME USER_NAME_TYPE,
            USER_PASSWORD USER_PASSWORD_TYPE,
            CHAP_PASSWORD CHAP_PASSWORD_TYPE,
            NAS_IP_ADDRESS NAS_IP_ADDRESS_TYPE,
            NAS_PORT NAS_PORT_TYPE,
            SERVICE_TYPE SERVICE_TYPE_TYPE,
            FRAMED_PROTOCOL FRAMED_PROTOCOL_TYPE,
            FRAMED_IP_ADDRESS FRAMED_IP_ADDRESS_TYPE,
            FRAMED_IP_NETMASK FRAMED_IP_NETMASK_TYPE,
            FRAMED_ROUTING FRAMED_ROUTING_TYPE,
            FILTER_ID FILTER_ID_TYPE,
            FRAMED_MTU FRAMED_MTU_TYPE,
            FRAMED_COMPRESSION FRAMED_COMPRESSION_TYPE,
            LOGIN_IP_HOST LOGIN_IP_HOST_TYPE,
            LOGIN_SERVICE LOGIN_SERVICE_TYPE,
            LOGIN_TCP_PORT LOGIN_TCP_PORT_TYPE,
            REPLY_MESSAGE REPLY_MESSAGE_TYPE,
            FRAMED_ROUTE FRAMED_ROUTE_TYPE,
            STATE STATE_TYPE,
            CLASS CLASS_TYPE,
            VENDOR_SPECIFIC VENDOR_SPECIFIC_TYPE,
            SESSION_TIMEOUT SESSION_TIMEOUT_TYPE,
            IDLE_TIMEOUT IDLE_TIMEOUT_TYPE,
            TERMINATION_ACTION TERMINATION_ACTION_TYPE,
            CALLED_STATION_ID CALLED_STATION_ID_TYPE,
            CALLING_STATION_ID CALLING_STATION_ID_TYPE,
            NAS_IDENTIFIER NAS_IDENTIFIER_TYPE,
            PROXY_STATE PROXY_STATE_TYPE,
            CHAP_CHALLENGE CHAP_CHALLENGE_TYPE,
            NAS_PORT_TYPE NAS_PORT_TYPE_TYPE,
            PORT_LIMIT PORT_LIMIT_TYPE;
        rfc2866:
            ACCT_STATUS_TYPE ACCT_STATUS_TYPE_TYPE,
            ACCT_DELAY_TIME ACCT_DELAY_TIME_TYPE,
            ACCT_INPUT_OCTETS ACCT_INPUT_OCTETS_TYPE,
            ACCT_OUTPUT_OCTETS ACCT_OUTPUT_OCTETS_TYPE,
            ACCT_SESSION_ID ACCT_SESSION_ID_TYPE,
            ACCT_AUTHENTIC ACCT_AUTHENTIC_TYPE,
            ACCT_SESSION_TIME ACCT_SESSION_TIME_TYPE,
            ACCT_INPUT_PACKETS ACCT_INPUT_PACKETS_TYPE,
            ACCT_OUTPUT_PACKETS ACCT_OUTPUT_PACKETS_TYPE,
            ACCT_TERMINATE_CAUSE ACCT_TERMINATE_CAUSE_TYPE,
            ACCT_MULTI_SESSION_ID ACCT_MULTI_SESSION_ID_TYPE,
            ACCT_LINK_COUNT ACCT_LINK_COUNT_TYPE;
        rfc2868:
            TUNNEL_TYPE TUNNEL_TYPE_TYPE,
            TUNNEL_MEDIUM_TYPE TUNNEL_MEDIUM_TYPE_TYPE,
            TUNNEL_PRIVATE_GROUP_ID TUNNEL_PRIVATE_GROUP_ID_TYPE;
        rfc2869:
            ACCT_INPUT_GIGAWORDS ACCT_INPUT_GIGAWORDS_TYPE,
            ACCT_OUTPUT_GIGAWORDS ACCT_OUTPUT_GIGAWORDS_TYPE,
            EVENT_TIMESTAMP EVENT_TIMESTAMP_TYPE,
            PASSWORD_RETRY PASSWORD_RETRY_TYPE,
            PROMPT PROMPT_TYPE,
            CONNECT_INFO CONNECT_INFO_TYPE,
            EAP_MESSAGE EAP_MESSAGE_TYPE,
            MESSAGE_AUTHENTICATOR MESSAGE_AUTHENTICATOR_TYPE,
            ACCT_INTERIM_INTERVAL ACCT_INTERIM_INTERVAL_TYPE,
            NAS_PORT_ID NAS_PORT_ID_TYPE,
            FRAMED_POOL FRAMED_POOL_TYPE;
        rfc3162:
            NAS_IPV6_ADDRESS NAS_IPV6_ADDRESS_TYPE,
            FRAMED_INTERFACE_ID FRAMED_INTERFACE_ID_TYPE,
            FRAMED_IPV6_PREFIX FRAMED_IPV6_PREFIX_TYPE,
            LOGIN_IPV6_HOST LOGIN_IPV6_HOST_TYPE,
            FRAMED_IPV6_ROUTE FRAMED_IPV6_ROUTE_TYPE,
            FRAMED_IPV6_POOL FRAMED_IPV6_POOL_TYPE;
        rfc4372:
            CHARGEABLE_USER_IDENTITY CHARGEABLE_USER_IDENTITY_TYPE;
        rfc4849:
            NAS_FILTER_RULE NAS_FILTER_RULE_TYPE;
        rfc3576:
            ERROR_CAUSE ERROR_CAUSE_TYPE;
        rfc6911:
            FRAMED_IPV6_ADDRESS FRAMED_IPV6_ADDRESS_TYPE;
    }
    assert_eq!(seen, Kind::NAMED);
}
