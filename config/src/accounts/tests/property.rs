//! Whatever account `export` can write, `apply` reads back as the same; and a file with any change in it is refused, or says
//! the same of every secret.

use common::UnixTime;
use common::account::{Block, Deadline, Role, SetBy, State};
use common::acts::Declaration;
use common::address::{Address, Extension, MailAddress, PhoneNumber};
use common::totp::TotpAlgorithm;
use proptest::prelude::*;

use super::*;

/// The end of the year 9999, the last that has a written form.
const LAST_SECOND: u64 = 253_402_300_799;

fn moment() -> impl Strategy<Value = UnixTime> {
    (0..=LAST_SECOND).prop_map(UnixTime::from_seconds)
}

fn number() -> impl Strategy<Value = PhoneNumber> {
    "\\+[1-9][0-9]{6,14}".prop_map(|text| PhoneNumber::parse(&text).unwrap())
}

fn address() -> impl Strategy<Value = Address> {
    let extension = proptest::option::of("[0-9*#]{1,10}".prop_map(|text| Extension::parse(&text).unwrap()));
    let mail =
        "[a-z0-9+.]{1,20}@[a-z0-9]{1,20}\\.example".prop_map(|text| MailAddress::parse(&text).unwrap());
    prop_oneof![
        number().prop_map(Address::Mobile),
        (number(), extension).prop_map(|(number, extension)| Address::Office(number, extension)),
        mail.prop_map(Address::Email),
    ]
}

/// What a factor is made of: secrets have no text that a failed test could show.
#[derive(Clone, Debug)]
enum Made {
    Totp { parameters: TotpParameters, drift: i32, secret: Vec<u8> },
    Hotp { digits: u8, counter: u64, secret: Vec<u8> },
    Sent(Address),
}

fn made() -> impl Strategy<Value = Made> {
    let secret = || proptest::collection::vec(any::<u8>(), 10..80);
    let parameters = (proptest::sample::select(&TotpAlgorithm::ALL[..]), 6_u8..=8, 1_u32..=86_400)
        .prop_map(|(algorithm, digits, period_seconds)| TotpParameters { algorithm, digits, period_seconds });
    prop_oneof![
        (parameters, any::<i32>(), secret()).prop_map(|(parameters, drift, secret)| Made::Totp {
            parameters,
            drift,
            secret
        }),
        (6_u8..=8, any::<u64>(), secret()).prop_map(|(digits, counter, secret)| Made::Hotp {
            digits,
            counter,
            secret
        }),
        address().prop_map(Made::Sent),
    ]
}

impl Made {
    fn kind(&self) -> DeclaredKind {
        match self.clone() {
            Self::Totp { parameters, drift, secret } => {
                DeclaredKind::Totp { parameters, drift, secret: Secret::new(secret) }
            }
            Self::Hotp { digits, counter, secret } => {
                DeclaredKind::Hotp { digits, counter, secret: Secret::new(secret) }
            }
            Self::Sent(address) => DeclaredKind::Sent(address),
        }
    }
}

type Head = (State, Role, Option<Deadline>, Vec<Address>, Option<Block>, bool);

fn head() -> impl Strategy<Value = Head> {
    let deadline = (proptest::option::of(moment()), proptest::option::of(any::<u32>()))
        .prop_map(|(by, sign_ins)| Deadline { by, sign_ins });
    let block = prop_oneof![Just(Block::Indefinitely), moment().prop_map(Block::Until)];
    (
        proptest::sample::select(&State::ALL[..]),
        proptest::sample::select(&Role::ALL[..]),
        deadline,
        proptest::collection::vec(address(), 0..4),
        proptest::option::of(block),
        any::<bool>(),
    )
        .prop_map(|(state, role, deadline, mut contacts, block, again)| {
            contacts.sort();
            contacts.dedup();
            (state, role, (state == State::Enabled).then_some(deadline), contacts, block, again)
        })
}

fn account(name: &str, head: &Head, factors: &[(String, Made)], default: usize) -> DeclaredAccount {
    let (state, role, deadline, contacts, block, must_register_again) = head.clone();
    let set_by = SetBy::ALL.into_iter().cycle();
    let mut factors: Vec<DeclaredFactor> =
        factors.iter().map(|(label, made)| factor(label, made.kind())).collect();
    let mut seen: Vec<DeclaredKind> = Vec::new();
    factors.retain(|factor| {
        let is_new = !seen.contains(&factor.kind);
        seen.push(factor.kind.clone());
        is_new
    });
    if let Some(factor) = factors.get_mut(default) {
        factor.is_default = true;
    }
    let declaration = Declaration {
        state: Some(state),
        role: Some(role),
        deadline,
        contacts: Some(contacts.into_iter().zip(set_by).collect()),
        factors,
        must_register_again,
        block,
    };
    DeclaredAccount { name: Username::parse(name).unwrap(), declaration }
}

fn label() -> impl Strategy<Value = String> {
    "\\PC{1,64}".prop_filter_map("a label", |text| Label::parse(&text).map(|label| label.as_str().to_owned()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_written_is_read_back(
        name in "\\PC{1,40}".prop_filter("a name", |text| Username::parse(text).is_ok()),
        head in head(),
        factors in proptest::collection::vec((label(), made()), 0..5),
        default in 0_usize..8,
    ) {
        let account = account(&name, &head, &factors, default);
        let sealed = cheap();
        let text = sealed.written(std::slice::from_ref(&account));
        let read = sealed.read(&text).map_err(|error| TestCaseError::fail(error.render(crate::Colour::Plain)))?;
        prop_assert!(read == [account.clone()], "{text}");
        let plain = accounts(&written(&account));
        prop_assert_eq!(&plain[0].name, &account.name);
        prop_assert!(plain[0].declaration.factors.is_empty());
    }

    #[test]
    fn no_changed_octet_changes_a_secret_or_what_stands_beside_it(
        place in any::<prop::sample::Index>(), octet in 0x20_u8..0x7f,
    ) {
        let sealed = cheap();
        let mut octets = sealed.written(&three_secrets()).into_bytes();
        let place = place.index(octets.len());
        octets[place] = octet;
        let text = String::from_utf8(octets).unwrap();
        let unlock = |lock: &Lock| {
            let check = sealed.sealing.key.open(&["check"], &lock.check);
            check.map(|_| sealed.sealing.key.clone()).map_err(|_| wrong())
        };
        let Ok(read) = read(Path::new("accounts.toml"), text.as_bytes(), unlock) else { return Ok(()) };
        let three = three_secrets();
        for account in &read {
            let as_written = three.iter().find(|written| written.name == account.name);
            for factor in &account.declaration.factors {
                let factors = as_written.map(|written| written.declaration.factors.as_slice()).unwrap_or_default();
                let is_as_written =
                    factors.iter().any(|known| known.kind == factor.kind && known.label == factor.label);
                prop_assert!(is_as_written, "{}", text);
            }
        }
    }
}

/// One lock for all cases: making its key is slow on purpose.
fn cheap() -> &'static Sealed {
    static SEALED: std::sync::OnceLock<Sealed> = std::sync::OnceLock::new();
    SEALED.get_or_init(sealed)
}
