//! Each packet here is wrong in one way and is dropped for that reason alone.

use std::net::{IpAddr, Ipv4Addr};

use assembly::config::{self, BackendFailure, Kind, MessageAuthenticator as Demand};
use common::Secret;
use common::attempt::{Appended, Dialogue};
use radius_protocol::dictionary::{MESSAGE_AUTHENTICATOR, USER_NAME};
use radius_protocol::{PacketBuffer, RequestBuilder, SharedSecret};

use super::*;
use crate::request::LoginRequest;

const CURRENT: &str = "the secret that stays";
const PREVIOUS: &str = "the secret before it";
const STRICT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const LENIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
const CHANGING: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 3));

fn clients() -> Clients {
    let strict = client("strict", STRICT, Demand::Required);
    let lenient = client("lenient", LENIENT, Demand::Optional);
    let mut changing = client("changing", CHANGING, Demand::Optional);
    changing.previous_secret = Some(Secret::from(PREVIOUS));
    let all = config::Clients::new(vec![strict, lenient, changing]);
    Clients::new(&all, &Clients::default()).unwrap()
}

fn client(name: &str, address: IpAddr, message_authenticator: Demand) -> config::Client {
    config::Client {
        name: name.to_owned(),
        networks: vec![address.into()],
        secret: Secret::from(CURRENT),
        previous_secret: None,
        kind: Kind::Challenge,
        profile: Kind::Challenge.profile(Dialogue::Neutral, Appended::AfterDelimiter),
        message_authenticator,
        when_backend_fails: BackendFailure::Reject,
    }
}

/// A sound and signed request.
fn signed(secret: &str, kind: RequestKind) -> Vec<u8> {
    let (secret, mut buffer): (_, PacketBuffer) = (SharedSecret::new(secret.as_bytes()).unwrap(), [0; 4096]);
    let mut request = match kind {
        RequestKind::Access => RequestBuilder::access_request(&mut buffer, &secret, 7, [9; 16]),
        RequestKind::Status => RequestBuilder::status_server(&mut buffer, &secret, 7, [9; 16]),
    };
    request.user_name("alice").unwrap().user_password(b"password").unwrap();
    request.finish().to_vec()
}

/// A request by hand: attributes behind a header of the right length.
fn unsigned(code: u8, attributes: &[(u8, &[u8])]) -> Vec<u8> {
    let mut octets = vec![code, 7, 0, 0];
    octets.extend([9; 16]);
    for (kind, value) in attributes {
        octets.extend([*kind, u8::try_from(value.len().saturating_add(2)).unwrap()]);
        octets.extend_from_slice(value);
    }
    let length = u16::try_from(octets.len()).unwrap();
    octets[2..4].copy_from_slice(&length.to_be_bytes());
    octets
}

fn with_length(mut octets: Vec<u8>, length: u16) -> Vec<u8> {
    octets[2..4].copy_from_slice(&length.to_be_bytes());
    octets
}

fn dropped(from: IpAddr, datagram: &[u8], wanted: Dropped) {
    let clients = clients();
    let drop = admit(&clients, from, datagram).err().unwrap_or_else(|| panic!("admitted: {wanted:?}"));
    assert_eq!(drop.reason, wanted);
    assert_eq!(drop.client.is_none(), wanted == Dropped::UnknownClient);
}

fn admitted(from: IpAddr, datagram: &[u8]) -> (RequestKind, SecretInUse, Signed) {
    let clients = clients();
    let admitted = admit(&clients, from, datagram).unwrap_or_else(|drop| panic!("{:?}", drop.reason));
    (admitted.kind, admitted.secret, admitted.signed)
}

#[test]
fn sound_requests_are_admitted() {
    let access = admitted(STRICT, &signed(CURRENT, RequestKind::Access));
    assert_eq!(access, (RequestKind::Access, SecretInUse::Current, Signed::Yes));
    let status = admitted(STRICT, &signed(CURRENT, RequestKind::Status));
    assert_eq!(status, (RequestKind::Status, SecretInUse::Current, Signed::Yes));
}

#[test]
fn a_stranger_is_dropped_before_anything_else_is_looked_at() {
    let stranger = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));
    dropped(stranger, &signed(CURRENT, RequestKind::Access), Dropped::UnknownClient);
    dropped(stranger, b"noise", Dropped::UnknownClient);
}

#[test]
fn an_ipv4_client_is_known_also_by_its_mapped_address() {
    let mapped = IpAddr::V6(Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped());
    let access = admitted(mapped, &signed(CURRENT, RequestKind::Access));
    assert_eq!(access, (RequestKind::Access, SecretInUse::Current, Signed::Yes));
}

#[test]
fn each_malformed_packet_is_dropped_by_its_name() {
    let sound = signed(CURRENT, RequestKind::Access);
    dropped(STRICT, &[], Dropped::DatagramShorterThanHeader);
    dropped(STRICT, &sound[..19], Dropped::DatagramShorterThanHeader);
    dropped(STRICT, &with_length(sound.clone(), 19), Dropped::LengthBelowHeader);
    dropped(STRICT, &with_length(sound.clone(), 4097), Dropped::LengthAboveMaximum);
    dropped(STRICT, &sound[..sound.len() - 1], Dropped::LengthPastDatagram);
    dropped(STRICT, &[0; 4097], Dropped::Oversized);
    let mut one_octet_more = sound.clone();
    one_octet_more.push(1);
    let length = u16::try_from(one_octet_more.len()).unwrap();
    dropped(STRICT, &with_length(one_octet_more, length), Dropped::AttributeWithoutLength);
    for (length, wanted) in [
        (0, Dropped::AttributeLengthBelowTwo),
        (1, Dropped::AttributeLengthBelowTwo),
        (255, Dropped::AttributePastEnd),
    ] {
        let mut broken = unsigned(1, &[(USER_NAME.0, b"alice")]);
        broken[21] = length;
        dropped(STRICT, &broken, wanted);
    }
}

#[test]
fn only_two_codes_are_served() {
    for code in (0..=255).filter(|code| !matches!(code, 1 | 12)) {
        dropped(STRICT, &unsigned(code, &[]), Dropped::CodeNotServed);
    }
}

#[test]
fn a_message_authenticator_must_be_there_once_and_be_right() {
    let attribute = MESSAGE_AUTHENTICATOR.0;
    dropped(STRICT, &unsigned(1, &[]), Dropped::MessageAuthenticatorMissing);
    dropped(STRICT, &unsigned(1, &[(attribute, &[0; 16])]), Dropped::MessageAuthenticatorInvalid);
    dropped(STRICT, &unsigned(1, &[(attribute, &[0; 15])]), Dropped::MessageAuthenticatorWrongLength);
    let twice: [(u8, &[u8]); 2] = [(attribute, &[0; 16]), (attribute, &[0; 16])];
    dropped(STRICT, &unsigned(1, &twice), Dropped::MessageAuthenticatorRepeated);
    dropped(
        STRICT,
        &signed("somebody else's secret", RequestKind::Access),
        Dropped::MessageAuthenticatorInvalid,
    );
}

/// One octet changed anywhere makes the signature wrong, if not the packet itself.
#[test]
fn no_octet_of_a_signed_request_can_be_changed() {
    let (sound, clients) = (signed(CURRENT, RequestKind::Access), clients());
    for place in 0..sound.len() {
        let mut changed = sound.clone();
        changed[place] ^= 1;
        assert!(admit(&clients, STRICT, &changed).is_err(), "octet {place}");
    }
}

/// Octets changed, cut off and doubled at random, behind the checks of a client that need not sign.
#[test]
fn no_noise_gets_further_than_a_name_for_it() {
    let (clients, secret) = (clients(), SharedSecret::new(CURRENT.as_bytes()).unwrap());
    let sound = unsigned(1, &[(USER_NAME.0, b"alice"), (2, &[7; 32]), (24, &[1; 104]), (31, b"\xff\xfe")]);
    let mut random = 1_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % below
    };
    let (mut dropped, mut read) = (0, 0);
    for _ in 0..50_000 {
        let mut noise = sound.clone();
        for _ in 0..next(6) {
            let place = next(noise.len());
            noise[place] = u8::try_from(next(256)).unwrap();
        }
        noise.truncate(noise.len() - next(2) * next(40));
        match admit(&clients, LENIENT, &noise) {
            Ok(admitted) => read += u32::from(LoginRequest::read(&admitted.packet, &secret).is_ok()),
            Err(_) => dropped += 1,
        }
    }
    assert!(dropped > 1000 && read > 1000, "{dropped} {read}");
}

#[test]
fn a_client_that_need_not_sign_may_leave_it_out_but_not_get_it_wrong() {
    let unsigned_request = unsigned(1, &[(USER_NAME.0, b"alice")]);
    let access = admitted(LENIENT, &unsigned_request);
    assert_eq!(access, (RequestKind::Access, SecretInUse::Current, Signed::No));
    let forged = unsigned(1, &[(MESSAGE_AUTHENTICATOR.0, &[0; 16])]);
    dropped(LENIENT, &forged, Dropped::MessageAuthenticatorInvalid);
}

#[test]
fn a_proxy_state_is_never_taken_unsigned() {
    let attack = unsigned(1, &[(USER_NAME.0, b"alice"), (PROXY_STATE.0, &[0x41; 200])]);
    dropped(LENIENT, &attack, Dropped::ProxyStateUnsigned);
    dropped(STRICT, &attack, Dropped::MessageAuthenticatorMissing);
}

#[test]
fn a_status_server_is_never_taken_unsigned() {
    dropped(LENIENT, &unsigned(12, &[]), Dropped::MessageAuthenticatorMissing);
}

#[test]
fn while_a_secret_is_changed_both_are_good() {
    let current = admitted(CHANGING, &signed(CURRENT, RequestKind::Access));
    assert_eq!(current, (RequestKind::Access, SecretInUse::Current, Signed::Yes));
    let previous = admitted(CHANGING, &signed(PREVIOUS, RequestKind::Access));
    assert_eq!(previous, (RequestKind::Access, SecretInUse::Previous, Signed::Yes));
    dropped(CHANGING, &signed("a third secret", RequestKind::Access), Dropped::MessageAuthenticatorInvalid);
}

#[test]
fn without_a_signature_the_current_secret_is_assumed() {
    let unsigned_request = unsigned(1, &[(USER_NAME.0, b"alice")]);
    assert_eq!(admitted(CHANGING, &unsigned_request).1, SecretInUse::Current);
}
