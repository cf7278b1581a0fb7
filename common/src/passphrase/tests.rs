use argon2::ParamsBuilder;
use hex_literal::hex;
use proptest::prelude::{any, prop, proptest};

use super::*;
use crate::random::Stream;

const PASSPHRASE: &str = "correct horse battery staple";

fn random() -> Stream {
    Stream::new(b"0123456789abcdef", "test")
}

/// RFC 9106 §5.3, with the secret and the associated data that we do not use.
#[test]
fn rfc_9106_section_5_3() {
    let mut params = ParamsBuilder::new();
    params.m_cost(32).t_cost(3).p_cost(4).data(argon2::AssociatedData::new(&[4; 12]).unwrap());
    let secret = [3; 8];
    let argon2 =
        Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, params.build().unwrap());
    let mut tag = [0; 32];
    argon2.unwrap().hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
    assert_eq!(tag, hex!("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"));
}

/// The first is in test.c of the reference implementation; both are as argon2-cffi, which is made of it, gives them.
#[test]
fn the_key_is_that_of_the_reference_implementation() {
    let cost = |passes, lanes| Cost::new(65_536, passes, lanes).unwrap();
    let key = derive(&Secret::from("password"), b"somesalt", cost(2, 1)).unwrap();
    assert_eq!(*key, hex!("09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"));
    let salt: [u8; 16] = std::array::from_fn(|place| u8::try_from(place).unwrap());
    assert_eq!(Cost::RECOMMENDED, cost(3, 4));
    let key = derive(&Secret::from(PASSPHRASE), &salt, Cost::RECOMMENDED).unwrap();
    assert_eq!(*key, hex!("853b272a44db1421c02962669a55eb0994f3cab385ed1c4c79253eee19bab49e"));
}

/// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
#[test]
fn xchacha_draft_appendix_a_3_1() {
    let key = hex!("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    let sealed = hex!(
        "404142434445464748494a4b4c4d4e4f5051525354555657"
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
        "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
        "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
        "21f9664c97637da9768812f615c68b13b52e"
        "c0875924c1c7987947deafd8780acf49"
    );
    let plain =
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
sunscreen would be it.";
    let bound = hex!("50515253c0c1c2c3c4c5c6c7");
    assert_eq!(keys::decrypt(&key, &bound, &sealed).unwrap(), plain);
    assert!(keys::decrypt(&key, &bound[1..], &sealed).is_err());
}

#[test]
fn the_right_passphrase_opens_a_lock_and_no_other_one_does() {
    let (lock, key) = Lock::new(&random(), &Passphrase::parse(Secret::from(PASSPHRASE)).unwrap()).unwrap();
    let sealed = key.seal(&random(), &["alice", "totp"], &Secret::from("12345678901234567890")).unwrap();
    let opened = lock.open(&Secret::from(PASSPHRASE)).unwrap();
    let secret = opened.open(&["alice", "totp"], &sealed).unwrap();
    assert!(secret == Secret::from("12345678901234567890"));
    for place in
        [&["bob", "totp"][..], &["alice", "hotp"], &["alice"], &["alicet", "otp"], &["alice", "totp", ""]]
    {
        assert_eq!(opened.open(place, &sealed).err(), Some(PassphraseError::DoesNotOpen), "{place:?}");
    }
    let other = lock.open(&Secret::from("correct horse battery stapler"));
    assert_eq!(other.err(), Some(PassphraseError::Wrong));
    let another_salt = Lock { salt: [9; SALT_OCTETS], ..lock.clone() };
    assert_eq!(another_salt.open(&Secret::from(PASSPHRASE)).err(), Some(PassphraseError::Wrong));
    let cheaper = Lock { cost: Cost::new(MEMORY_KIB_MIN, 1, 1).unwrap(), ..lock };
    assert_eq!(cheaper.open(&Secret::from(PASSPHRASE)).err(), Some(PassphraseError::Wrong));
}

#[test]
fn a_short_passphrase_seals_nothing() {
    for text in ["", "elevenchars", "ääääääääää"] {
        let refused = Passphrase::parse(Secret::from(text)).err();
        assert_eq!(refused, Some(PassphraseError::TooShort), "{text}");
    }
}

#[test]
fn a_file_cannot_ask_for_more_than_the_limits() {
    let max = (PASSPHRASE_MEMORY_KIB_MAX, PASSPHRASE_PASSES_MAX, PASSPHRASE_LANES_MAX);
    assert!(Cost::new(max.0, max.1, max.2).is_some());
    for (memory, passes, lanes) in [
        (max.0 + 1, 1, 1),
        (max.0, max.1 + 1, 1),
        (max.0, 1, max.2 + 1),
        (u32::MAX, u32::MAX, u32::MAX),
        (MEMORY_KIB_MIN - 1, 1, 1),
        (MEMORY_KIB_MIN, 0, 1),
        (MEMORY_KIB_MIN, 1, 0),
    ] {
        assert!(Cost::new(memory, passes, lanes).is_none(), "{memory} {passes} {lanes}");
    }
}

proptest! {
    #[test]
    fn a_sealed_value_with_one_bit_changed_does_not_open(
        secret in prop::collection::vec(any::<u8>(), 0..64), bit in any::<prop::sample::Index>(),
    ) {
        let key = PassphraseKey(Zeroizing::new([7; KEY_OCTETS]));
        let mut sealed = key.seal(&random(), &["a"], &Secret::new(secret)).unwrap();
        let bit = bit.index(sealed.len() * 8);
        sealed[bit / 8] ^= 1 << (bit % 8);
        assert!(key.open(&["a"], &sealed).is_err());
    }
}
