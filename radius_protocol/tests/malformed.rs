//! Samples that are wrong in one way each, named for it. The base is a sound Access-Request.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use hex_literal::hex;
use radius_protocol::{Malformed, MessageAuthenticator, Packet, RequestBuilder, SharedSecret};

const SECRET: &[u8] = b"a secret of some length";

/// An Access-Request with User-Name and a Message-Authenticator, changed by `change` and not signed again.
fn sample(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let secret = SharedSecret::new(SECRET).unwrap();
    let mut buffer = [0; 4096];
    let mut request = RequestBuilder::access_request(&mut buffer, &secret, 7, [0x42; 16]);
    request.user_name("alice").unwrap();
    let mut octets = request.finish().to_vec();
    change(&mut octets);
    octets
}

/// Adds octets, and adds them to the Length too.
fn append(octets: &mut Vec<u8>, more: &[u8]) {
    octets.extend_from_slice(more);
    let length = u16::try_from(octets.len()).unwrap();
    octets[2..4].copy_from_slice(&length.to_be_bytes());
}

fn refused(name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let octets = sample(change);
    assert_eq!(Packet::parse(&octets).unwrap_err().name(), name);
}

fn message_authenticator(change: impl FnOnce(&mut Vec<u8>)) -> MessageAuthenticator {
    let secret = SharedSecret::new(SECRET).unwrap();
    Packet::parse(&sample(change)).unwrap().message_authenticator(&secret)
}

#[test]
fn the_base_is_sound() {
    assert_eq!(message_authenticator(|_| ()), MessageAuthenticator::Valid);
}

#[test]
fn an_empty_datagram() {
    refused("datagram-shorter-than-header", Vec::clear);
}

#[test]
fn a_datagram_one_octet_short_of_a_header() {
    refused("datagram-shorter-than-header", |octets| octets.truncate(19));
}

#[test]
fn a_length_of_nineteen() {
    refused("length-below-header", |octets| octets[2..4].copy_from_slice(&[0, 19]));
}

#[test]
fn a_length_of_nothing() {
    refused("length-below-header", |octets| octets[2..4].copy_from_slice(&[0, 0]));
}

#[test]
fn a_length_of_4097() {
    refused("length-above-maximum", |octets| {
        octets.resize(5000, 0);
        octets[2..4].copy_from_slice(&4097_u16.to_be_bytes());
    });
}

#[test]
fn a_length_past_the_datagram() {
    refused("length-past-datagram", |octets| octets[3] += 1);
}

#[test]
fn an_attribute_cut_after_its_type() {
    refused("attribute-without-length", |octets| append(octets, &[18]));
}

#[test]
fn an_attribute_of_length_nought() {
    refused("attribute-length-below-two", |octets| append(octets, &[18, 0, 18, 2]));
}

#[test]
fn an_attribute_of_length_one() {
    refused("attribute-length-below-two", |octets| append(octets, &[18, 1]));
}

#[test]
fn an_attribute_past_the_end_of_the_packet() {
    refused("attribute-past-end", |octets| append(octets, &[18, 5, b'h', b'i']));
}

#[test]
fn an_attribute_that_ends_in_the_padding_behind_the_packet() {
    refused("attribute-past-end", |octets| {
        append(octets, &[18, 5, b'h', b'i']);
        octets.push(b'!');
    });
}

#[test]
fn an_attribute_without_a_value_is_no_fault() {
    let octets = sample(|octets| append(octets, &[25, 2]));
    assert_eq!(Packet::parse(&octets).unwrap().attributes().last().unwrap().value(), b"");
}

#[test]
fn octets_past_the_length_are_ignored() {
    let octets = sample(|octets| octets.extend_from_slice(&[0xff; 5000]));
    let packet = Packet::parse(&octets).unwrap();
    assert_eq!(packet.octets().len(), 45);
    assert_eq!(packet.attributes().count(), 2);
    assert_eq!(
        message_authenticator(|octets| octets.extend_from_slice(&[0xff; 5000])),
        MessageAuthenticator::Valid
    );
}

#[test]
fn a_packet_of_4096_octets_is_read() {
    let mut octets = hex!("01 00 10 00 00000000000000000000000000000000").to_vec();
    while octets.len() + 255 <= 4096 {
        octets.extend_from_slice(&[26, 255]);
        octets.resize(octets.len() + 253, 0);
    }
    let last = 4096 - octets.len();
    octets.extend_from_slice(&[26, u8::try_from(last).unwrap()]);
    octets.resize(4096, 0);
    assert_eq!(Packet::parse(&octets).unwrap().attributes().count(), 16);
}

#[test]
fn a_message_authenticator_with_one_bit_changed() {
    assert_eq!(message_authenticator(|octets| octets[37] ^= 1), MessageAuthenticator::Invalid);
}

#[test]
fn a_packet_with_one_bit_changed_under_its_message_authenticator() {
    let length = sample(|_| ()).len();
    // Not the Length, which makes another fault, nor the heads of the two attributes.
    for position in (0..2).chain(4..20).chain(22..38).chain(40..length) {
        let found = message_authenticator(|octets| octets[position] ^= 0x10);
        assert_eq!(found, MessageAuthenticator::Invalid, "octet {position}");
    }
}

#[test]
fn a_packet_without_a_message_authenticator() {
    assert_eq!(message_authenticator(|octets| octets[20] = 25), MessageAuthenticator::Absent);
}

#[test]
fn a_message_authenticator_of_fifteen_octets() {
    let found = message_authenticator(|octets| {
        octets[21] = 17;
        octets.remove(37);
        append(octets, &[]);
    });
    assert_eq!(found, MessageAuthenticator::WrongLength);
}

#[test]
fn a_message_authenticator_of_seventeen_octets() {
    let found = message_authenticator(|octets| {
        octets[21] = 19;
        octets.insert(38, 0);
        append(octets, &[]);
    });
    assert_eq!(found, MessageAuthenticator::WrongLength);
}

#[test]
fn a_second_message_authenticator() {
    let found = message_authenticator(|octets| {
        let first = octets[20..38].to_vec();
        append(octets, &first);
    });
    assert_eq!(found, MessageAuthenticator::Repeated);
}

#[test]
fn hidden_passwords_of_wrong_lengths() {
    let secret = SharedSecret::new(SECRET).unwrap();
    for octets in [0_u8, 1, 15, 17, 127, 129, 144, 253] {
        let request = sample(|request| {
            append(request, &[2, octets + 2]);
            append(request, &vec![0; octets.into()]);
        });
        let refusal = Packet::parse(&request).unwrap().user_password(&secret).err();
        assert_eq!(refusal, Some(Malformed::PasswordLength), "{octets} octets");
    }
}

#[test]
fn a_second_user_password() {
    let secret = SharedSecret::new(SECRET).unwrap();
    let request = sample(|request| {
        append(request, &[[2, 18].as_slice(), &[0; 16]].concat());
        append(request, &[[2, 18].as_slice(), &[0; 16]].concat());
    });
    let refusal = Packet::parse(&request).unwrap().user_password(&secret).err();
    assert_eq!(refusal, Some(Malformed::PasswordRepeated));
}

#[test]
fn every_fault_has_a_name_of_its_own() {
    let mut names: Vec<_> = Malformed::ALL.iter().map(|fault| fault.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Malformed::ALL.len());
    for name in names {
        assert!(name.bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'-'), "{name}");
    }
}
