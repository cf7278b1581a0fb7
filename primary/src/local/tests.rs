//! Right, wrong and unknown; hashes made by other programs.

use std::time::{Duration, Instant};

use common::account::PasswordHash;
use common::ports::{Identity, Names as _, PasswordCheck, Primary as _, Random, Stored};
use common::{Secret, Username};

use super::{Local, accept_import, hash_password};
use crate::PrimaryError;

struct Counting(std::sync::atomic::AtomicU8);

impl Random for Counting {
    fn fill(&self, octets: &mut [u8]) {
        octets.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    }
}

fn random() -> Counting {
    Counting(std::sync::atomic::AtomicU8::new(1))
}

fn alice() -> Username {
    Username::parse("alice").unwrap()
}

fn check(hash: &str, password: &str) -> PasswordCheck {
    Local::default().check(&alice(), Some(&PasswordHash::new(hash.to_owned())), &Secret::from(password))
}

#[test]
fn a_stored_name_is_known() {
    assert_eq!(Local::default().identify(&alice(), Stored::Yes), Identity::Known(alice()));
    assert_eq!(Local::default().identify(&alice(), Stored::No), Identity::Unknown);
}

#[test]
fn only_the_right_password_is_right() {
    let hash = hash_password(&random(), &Secret::from("correct horse")).unwrap();
    assert!(hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.expose());
    assert_eq!(check(hash.expose(), "correct horse"), PasswordCheck::Right);
    assert_eq!(check(hash.expose(), "correct horsf"), PasswordCheck::Wrong);
    assert_eq!(check(hash.expose(), ""), PasswordCheck::Wrong);
}

#[test]
fn the_same_password_hashes_differently_each_time() {
    let random = random();
    let password = Secret::from("correct horse");
    assert!(hash_password(&random, &password).unwrap() != hash_password(&random, &password).unwrap());
}

#[test]
fn nobody_has_a_right_password() {
    for password in ["", "correct horse", "\0"] {
        assert_eq!(Local::default().check(&alice(), None, &Secret::from(password)), PasswordCheck::Wrong);
    }
}

#[test]
fn an_unknown_name_takes_the_time_of_a_wrong_password() {
    let hash = hash_password(&random(), &Secret::from("correct horse")).unwrap();
    let wrong = Secret::from("wrong");
    let median = |hash: Option<&PasswordHash>| {
        let mut times: Vec<Duration> = (0..9)
            .map(|_| {
                let start = Instant::now();
                assert_eq!(Local::default().check(&alice(), hash, &wrong), PasswordCheck::Wrong);
                start.elapsed()
            })
            .collect();
        times.sort();
        times[4]
    };
    let (known, unknown) = (median(Some(&hash)), median(None));
    // A skipped hash would be a thousand times faster; a busy machine is not three times slower over nine tries.
    assert!(unknown * 3 > known && known * 3 > unknown, "known {known:?}, unknown {unknown:?}");
}

/// The test program of the reference implementation of argon2 prints this one.
#[test]
fn a_hash_of_the_reference_argon2_is_read() {
    let hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    assert_eq!(check(hash, "password"), PasswordCheck::Right);
    assert_eq!(check(hash, "passwore"), PasswordCheck::Wrong);
}

/// By `openssl passwd -6`, `openssl passwd -5`, and the bcrypt and yescrypt of another machine's shadow file.
const IMPORTED: [&str; 4] = [
    "$6$saltstring1234$.0ztgUQRfeddnst7QpTIu0/b2/Sll7A4wmGgzfPov230bIr3m2YhOLYejIFdlqocfQQWjuNAb0pcViWhIUejQ.",
    "$5$saltstring1234$4fkbOmaTVJfxzqBeIG//E2cphKtg0/ov4IavRymv3r6",
    "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
    "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$zwtVrjrUCmXcyLTs6oxLTQlzifSUkF8RHJ./tK5KU79",
];

#[test]
fn hashes_of_shadow_files_are_taken_and_verified() {
    for hash in IMPORTED {
        assert!(accept_import(hash).is_ok(), "{hash}");
        assert_eq!(check(hash, "correct horse"), PasswordCheck::Right, "{hash}");
        assert_eq!(check(hash, "correct horsf"), PasswordCheck::Wrong, "{hash}");
        assert_eq!(check(hash, "correct horse\0"), PasswordCheck::Wrong, "{hash}");
        assert_eq!(check(hash, ""), PasswordCheck::Wrong, "{hash}");
    }
}

/// From the tests of crypt_blowfish, and the first sample of the SHA-crypt specification.
#[test]
fn published_vectors_are_verified() {
    for (hash, password) in [
        ("$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
        ("$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!"),
    ] {
        assert_eq!(check(hash, password), PasswordCheck::Right, "{hash}");
    }
}

#[test]
fn weak_and_unknown_schemes_are_refused() {
    for (hash, scheme) in [
        ("$1$saltstri$CVtlMpOHug1.jDUbVpFvB1", "$1$"),
        ("abhfCpXqd4GrI", ""),
        ("correct horse", ""),
        ("", ""),
        (
            "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
            "$argon2i$",
        ),
    ] {
        let Err(PrimaryError::WeakOrUnknownScheme { scheme: named }) = accept_import(hash) else {
            panic!("{hash} was not refused for its scheme");
        };
        assert_eq!(named, scheme);
        assert_eq!(check(hash, "correct horse"), PasswordCheck::Unavailable, "{hash}");
    }
}

#[test]
fn a_locked_password_is_nobodys() {
    for hash in ["!", "*", "!!", "x", "!$6$saltstring1234$.0ztgUQR"] {
        assert!(matches!(accept_import(hash), Err(PrimaryError::Locked)), "{hash}");
        assert_eq!(check(hash, "correct horse"), PasswordCheck::Wrong, "{hash}");
    }
}

#[test]
fn a_damaged_hash_is_no_answer() {
    for hash in ["$6$saltstring1234", "$6$", "$y$j9T$", "$argon2id$v=19$m=19456,t=2,p=1$", "$2b$05$abc$d:f"] {
        assert!(matches!(accept_import(hash), Err(PrimaryError::Unreadable { .. })), "{hash}");
        assert_ne!(check(hash, "correct horse"), PasswordCheck::Right, "{hash}");
    }
}

#[test]
fn a_hash_that_asks_for_too_much_is_no_answer() {
    let greedy = "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    for hash in [
        greedy,
        "$6$rounds=999999999$saltstring1234$.0ztgUQR",
        "$2b$31$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
        "$y$jFT$F5Jx5fExrKuPp53xLKQ..1$zwtVrjrUCmXcyLTs6oxLTQlzifSUkF8RHJ./tK5KU79",
    ] {
        assert!(matches!(accept_import(hash), Err(PrimaryError::Unreadable { .. })), "{hash}");
    }
    assert!(accept_import("$6$rounds=100000$saltstring1234$.0ztgUQR").is_ok());
    assert_eq!(check(greedy, "password"), PasswordCheck::Unavailable);
}
