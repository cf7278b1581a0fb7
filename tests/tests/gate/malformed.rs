//! Packets that are wrong in one way each, with the name under which the server must count them.

/// A name and the octets.
pub(crate) type Sample = (&'static str, Vec<u8>);

const MESSAGE_AUTHENTICATOR: u8 = 80;

/// Made from a sound and signed request by one change.
pub(crate) fn of_a_signed_request(sound: &[u8]) -> Vec<Sample> {
    let (_, but_the_last) = sound.split_last().expect("octets");
    vec![
        ("datagram-shorter-than-header", sound[..19].to_vec()),
        ("length-below-header", with_length(sound, 19)),
        ("length-above-maximum", with_length(sound, 4097)),
        ("length-past-datagram", but_the_last.to_vec()),
        ("oversized", [sound, [0; 4096].as_slice()].concat()),
        ("attribute-without-length", longer(sound, &[1])),
        ("attribute-length-below-two", longer(sound, &[1, 1])),
        ("attribute-past-end", longer(sound, &[1, 3])),
        ("code-not-served", [&[4], &sound[1..]].concat()),
        ("message-authenticator-repeated", longer(sound, &attribute(MESSAGE_AUTHENTICATOR, &[0; 16]))),
        ("message-authenticator-invalid", longer(sound, &attribute(1, b"root"))),
    ]
}

/// For a client that need not sign: it must still not sign wrongly, nor send what cannot be read.
pub(crate) fn unsigned() -> Vec<Sample> {
    let name = attribute(1, b"rita");
    let password = attribute(2, &[7; 16]);
    vec![
        ("message-authenticator-wrong-length", request(1, &attribute(MESSAGE_AUTHENTICATOR, &[0; 15]))),
        ("message-authenticator-missing", request(12, &[])),
        ("proxy-state-unsigned", request(1, &[name.clone(), attribute(33, b"x")].concat())),
        ("password-length", request(1, &[name.clone(), attribute(2, &[7; 15])].concat())),
        ("password-length", request(1, &[name.clone(), attribute(2, &[7; 144])].concat())),
        ("password-repeated", request(1, &[name, password.clone(), password].concat())),
    ]
}

fn with_length(octets: &[u8], length: u16) -> Vec<u8> {
    [&octets[..2], &length.to_be_bytes(), &octets[4..]].concat()
}

fn longer(octets: &[u8], more: &[u8]) -> Vec<u8> {
    let octets = [octets, more].concat();
    let length = u16::try_from(octets.len()).expect("a short packet");
    with_length(&octets, length)
}

fn attribute(kind: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len().saturating_add(2)).expect("a short value");
    [&[kind, length], value].concat()
}

/// A header with an identifier and authenticator that depend on what follows, so that no two samples are duplicates.
fn request(code: u8, attributes: &[u8]) -> Vec<u8> {
    let sum = attributes.iter().fold(code, |sum, octet| sum.wrapping_mul(31).wrapping_add(*octet));
    longer(&[[code, sum, 0, 0].as_slice(), &[sum; 16]].concat(), attributes)
}
