//! Whatever administrators do in whatever order: an account stays one that makes sense, and notices go where it was known.

use proptest::prelude::*;

use super::*;
use crate::account::{Account, FactorKind, SetBy};
use crate::acts::{HotpProof, IfAbsent, NewHotp, NewSent, Reset, StateChange};
use crate::address::{Address, MailAddress, PhoneNumber};
use crate::message::Content;
use crate::world::keys;
use crate::{UnixTime, limits};

#[derive(Clone, Debug)]
enum Deed {
    State(State),
    DisableFor(u64),
    Reset(bool, bool, bool),
    App(usize),
    Token(usize),
    Number(u8),
    Mail(u8),
    Contact(u8),
    RemoveContact(usize),
    RemoveFactor(usize),
    Default(usize),
    Label(usize),
    RecoveryCodes,
    TemporaryCode(u64),
    RevokeTemporaryCode,
    AppPassword,
    Wait(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => prop_oneof![Just(State::Disabled), Just(State::Enabled), Just(State::Enforced)].prop_map(Deed::State),
        1 => (0..10_000u64).prop_map(Deed::DisableFor),
        2 => any::<(bool, bool, bool)>().prop_map(|(a, b, c)| Deed::Reset(a, b, c)),
        3 => (0..6usize).prop_map(Deed::App),
        2 => (0..6usize).prop_map(Deed::Token),
        2 => (0..4u8).prop_map(Deed::Number),
        2 => (0..4u8).prop_map(Deed::Mail),
        3 => (0..20u8).prop_map(Deed::Contact),
        1 => (0..12usize).prop_map(Deed::RemoveContact),
        2 => (0..8usize).prop_map(Deed::RemoveFactor),
        2 => (0..8usize).prop_map(Deed::Default),
        1 => (0..8usize).prop_map(Deed::Label),
        1 => Just(Deed::RecoveryCodes),
        1 => (0..2_000_000u64).prop_map(Deed::TemporaryCode),
        1 => Just(Deed::RevokeTemporaryCode),
        1 => Just(Deed::AppPassword),
        1 => (1..10_000u64).prop_map(Deed::Wait),
    ]
}

fn mail(number: u8) -> Address {
    Address::Email(MailAddress::parse(&format!("a{number}@example.org")).unwrap())
}

fn label() -> Label {
    Label::parse("mine").unwrap()
}

fn act_of(deed: &Deed, account: &Account, now: u64) -> Option<Act> {
    let factor = |place: usize| account.factors.get(place).map(|factor| factor.id);
    let secret = |number: usize, kind: &str| Secret::from(format!("a secret {kind} {number:06}"));
    Some(match deed {
        Deed::State(state) => Act::SetState(StateChange::new(*state)),
        Deed::DisableFor(seconds) => {
            Act::DisableUntil { until: UnixTime::from_seconds(now + seconds), if_absent: IfAbsent::Refuse }
        }
        Deed::Reset(registration, app_passwords, devices) => Act::Reset(Reset {
            require_registration: *registration,
            delete_app_passwords: *app_passwords,
            forget_devices: *devices,
        }),
        Deed::App(number) => Act::AddTotp(NewTotp {
            label: label(),
            parameters: TotpParameters::default(),
            secret: secret(*number, "app"),
            proof: EnrolmentProof::Imported,
        }),
        Deed::Token(number) => Act::AddHotp(NewHotp {
            label: label(),
            digits: 8,
            secret: secret(*number, "token"),
            counter: 0,
            proof: HotpProof::Imported,
        }),
        Deed::Number(number) => {
            let number = PhoneNumber::parse(&format!("+491511234567{number}")).unwrap();
            Act::AddSent(NewSent { label: label(), address: Address::Mobile(number) })
        }
        Deed::Mail(number) => Act::AddSent(NewSent { label: label(), address: mail(*number) }),
        Deed::Contact(number) => Act::AddContact { address: mail(*number), set_by: SetBy::Directory },
        Deed::RemoveContact(place) => Act::RemoveContact(account.contacts.get(*place)?.id),
        Deed::RemoveFactor(place) => Act::RemoveFactor(factor(*place)?),
        Deed::Default(place) => Act::SetDefault(factor(*place)?),
        Deed::Label(place) => Act::SetLabel { factor: factor(*place)?, label: label() },
        Deed::RecoveryCodes => Act::RenewRecoveryCodes,
        Deed::TemporaryCode(life_seconds) => Act::IssueTemporaryCode { life_seconds: *life_seconds },
        Deed::RevokeTemporaryCode => Act::RevokeTemporaryCode,
        Deed::AppPassword => {
            let scope = crate::account::Scope { services: vec!["sshd".to_owned()], clients: Vec::new() };
            Act::CreateAppPassword { label: label(), scope }
        }
        Deed::Wait(_) => return None,
    })
}

fn addresses(account: &Account) -> Vec<Address> {
    let sent = account.factors.iter().filter_map(|factor| match &factor.kind {
        FactorKind::Sent { address } => Some(address.clone()),
        FactorKind::Totp { .. } | FactorKind::Hotp { .. } => None,
    });
    account.contacts.iter().map(|contact| contact.address.clone()).chain(sent).collect()
}

fn makes_sense(account: &Account) {
    let has = |id| account.factors.iter().any(|factor| factor.id == id);
    assert!(account.default_factor.is_none_or(has), "a default that is not there");
    assert!(
        account.state != State::Enabled || account.factors.is_empty(),
        "registering is what it waits for"
    );
    assert!(account.state == State::Enabled || account.deadline.is_none(), "a deadline of nothing");
    assert!(account.factors.len() <= limits::FACTORS_MAX && account.contacts.len() <= limits::CONTACTS_MAX);
    let known = addresses(account);
    let of_contacts = account.contacts.len();
    for (place, address) in known.iter().enumerate() {
        let group = if place < of_contacts { &known[..place] } else { &known[of_contacts..place] };
        assert!(!group.contains(address), "{address:?} twice");
    }
}

/// At least 200 cases; `cargo xtask soak` asks for more.
pub(super) fn cases() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let is_asked = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig { cases: if is_asked { asked.cases } else { 200 }, ..asked }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn an_account_makes_sense_after_any_acts(deeds in proptest::collection::vec(deed(), 1..40)) {
        let world = world();
        world.add("alice", State::Enabled);
        for deed in deeds {
            let before = world.account("alice");
            if let Deed::Wait(seconds) = deed {
                world.wait(seconds);
            }
            let Some(act) = act_of(&deed, &before, world.now()) else { continue };
            world.memory.0.lock().unwrap().outbox.clear();
            let done = try_act(&world, "alice", &act);
            let after = world.account("alice");
            let outbox = world.memory.0.lock().unwrap().outbox.clone();
            if done.is_err() {
                prop_assert_eq!(&after, &before, "a refusal changes nothing");
                prop_assert!(outbox.is_empty());
                continue;
            }
            prop_assert_eq!(after.version, before.version + 1);
            makes_sense(&after);
            for envelope in outbox {
                let message = envelope.open(&keys()).unwrap();
                prop_assert!(addresses(&before).contains(&message.to), "known before: {:?}", message.to);
                prop_assert!(matches!(message.content, Content::Notice(_)));
            }
        }
    }
}
