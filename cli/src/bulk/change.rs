//! How an account changes, in a few words: enough to tell kinds of change apart, and no more of anybody than that.

use std::collections::BTreeMap;

use common::account::{Account, Block, Contact, Deadline, Factor};
use common::acts::{Act, Reset};

use crate::moment::rfc3339;

/// What changes from one account to another; nothing before is a new one, nothing after one that goes.
pub(crate) fn describe(before: Option<&Account>, after: Option<&Account>, act: &Act) -> String {
    match (before, after) {
        (None, Some(after)) => made(after),
        (Some(_) | None, None) => "removed with all that hangs on it".to_owned(),
        (Some(before), Some(after)) => {
            let changes = ASPECTS.iter().filter_map(|aspect| aspect(before, after));
            let changes: Vec<String> = changes.chain(devices(act)).collect();
            match (changes.as_slice(), act) {
                ([], Act::Unlock) => "need not wait any more after wrong answers".to_owned(),
                ([], act) => act.name().to_owned(),
                (changes, _) => changes.join(", "),
            }
        }
    }
}

/// An account of somebody whom the store does not know.
fn made(after: &Account) -> String {
    let nobody = Account::new(after.id, after.name.clone(), after.state, after.created_at);
    let more = [role, block, deadline, registration, contacts, factors]
        .iter()
        .filter_map(|aspect| aspect(&nobody, after));
    let words = [format!("new, {}", after.state.name())].into_iter().chain(more);
    words.collect::<Vec<_>>().join(", ")
}

/// One thing that may be different.
type Aspect = fn(&Account, &Account) -> Option<String>;

const ASPECTS: [Aspect; 14] = [
    name,
    state,
    role,
    block,
    disabled,
    deadline,
    registration,
    password,
    contacts,
    factors,
    default_factor,
    temporary_code,
    recovery_codes,
    app_passwords,
];

fn name(before: &Account, after: &Account) -> Option<String> {
    (before.name != after.name).then(|| format!("renamed to {}", after.name))
}

fn state(before: &Account, after: &Account) -> Option<String> {
    (before.state != after.state).then(|| format!("{} → {}", before.state.name(), after.state.name()))
}

fn role(before: &Account, after: &Account) -> Option<String> {
    (before.role != after.role).then(|| format!("role {}", after.role.name()))
}

fn block(before: &Account, after: &Account) -> Option<String> {
    (before.block != after.block).then(|| match after.block {
        None => "no longer blocked".to_owned(),
        Some(Block::Indefinitely) => "blocked".to_owned(),
        Some(Block::Until(end)) => format!("blocked until {}", rfc3339(end)),
    })
}

fn disabled(before: &Account, after: &Account) -> Option<String> {
    (before.disabled_until != after.disabled_until).then(|| match after.disabled_until {
        None => "no longer disabled for a while".to_owned(),
        Some(end) => format!("disabled until {}", rfc3339(end)),
    })
}

fn deadline(before: &Account, after: &Account) -> Option<String> {
    (before.deadline != after.deadline)
        .then(|| after.deadline.map_or_else(|| "no deadline of their own".to_owned(), until))
}

/// A deadline in words.
pub(crate) fn until(deadline: Deadline) -> String {
    let by = deadline.by.map(|by| format!("by {}", rfc3339(by)));
    let sign_ins = deadline.sign_ins.map(|left| format!("within {left} sign-ins"));
    let words: Vec<String> = [by, sign_ins].into_iter().flatten().collect();
    if words.is_empty() {
        "must register, without a deadline".to_owned()
    } else {
        format!("must register {}", words.join(", "))
    }
}

fn registration(before: &Account, after: &Account) -> Option<String> {
    let word = if after.must_register_again { "must register again" } else { "need not register again" };
    (before.must_register_again != after.must_register_again).then(|| word.to_owned())
}

fn password(before: &Account, after: &Account) -> Option<String> {
    (before.password_hash != after.password_hash).then(|| "another password".to_owned())
}

fn contacts(before: &Account, after: &Account) -> Option<String> {
    let kinds = |of: &Account, others: &Account| -> Vec<&'static str> {
        let is_new =
            |contact: &&Contact| others.contacts.iter().all(|other| other.address != contact.address);
        of.contacts.iter().filter(is_new).map(|contact| contact.address.kind()).collect()
    };
    let (new, gone) = (kinds(after, before), kinds(before, after));
    let word = match (new.is_empty(), gone.is_empty()) {
        (true, true) => "contacts in another order, or set by somebody else".to_owned(),
        (false, true) => format!("new contacts: {}", new.join(" and ")),
        (true, false) => format!("contacts that go: {}", gone.join(" and ")),
        (false, false) => format!("new contacts: {}; that go: {}", new.join(" and "), gone.join(" and ")),
    };
    (before.contacts != after.contacts).then_some(word)
}

fn factors(before: &Account, after: &Account) -> Option<String> {
    let kept =
        after.factors.iter().filter(|factor| before.factors.iter().any(|old| old.id == factor.id)).count();
    let (gone, new) = (before.factors.len().saturating_sub(kept), after.factors.len().saturating_sub(kept));
    let word = match (gone, new) {
        (0, 0) => "other settings of factors".to_owned(),
        (0, _) => format!("new factors {}", brought(before, after)),
        (_, 0) if after.factors.is_empty() => "all factors gone".to_owned(),
        (_, 0) => "fewer factors".to_owned(),
        (_, _) => format!("new factors {} in the place of others", brought(before, after)),
    };
    (before.factors != after.factors).then_some(word)
}

/// What is new, by kind: with labels, each user would be a kind of change of their own.
fn brought(before: &Account, after: &Account) -> String {
    let is_new = |factor: &&Factor| before.factors.iter().all(|old| old.id != factor.id);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for factor in after.factors.iter().filter(is_new) {
        let count = kinds.entry(factor.kind.name()).or_default();
        *count = count.saturating_add(1);
    }
    let words = kinds.into_iter().map(|(kind, count)| match count {
        1 => kind.to_owned(),
        _ => format!("{count} {kind}"),
    });
    words.collect::<Vec<_>>().join(" and ")
}

fn default_factor(before: &Account, after: &Account) -> Option<String> {
    let is_other = before.factors == after.factors && before.default_factor != after.default_factor;
    is_other.then(|| "another default factor".to_owned())
}

fn temporary_code(before: &Account, after: &Account) -> Option<String> {
    let word = if after.temporary_code.is_some() { "a new temporary code" } else { "no temporary code" };
    (before.temporary_code != after.temporary_code).then(|| word.to_owned())
}

fn recovery_codes(before: &Account, after: &Account) -> Option<String> {
    let word = if after.recovery_codes.is_empty() { "no recovery codes" } else { "new recovery codes" };
    (before.recovery_codes != after.recovery_codes).then(|| word.to_owned())
}

fn app_passwords(before: &Account, after: &Account) -> Option<String> {
    let word = match (before.app_passwords.len(), after.app_passwords.len()) {
        (_, 0) => "app passwords gone",
        (before, after) if after < before => "fewer app passwords",
        (_, _) => "other app passwords",
    };
    (before.app_passwords != after.app_passwords).then(|| word.to_owned())
}

/// Whose devices are known stands beside the account.
fn devices(act: &Act) -> Option<String> {
    matches!(act, Act::Reset(Reset { forget_devices: true, .. })).then(|| "no remembered devices".to_owned())
}

#[cfg(test)]
mod tests {
    use common::account::{Account, Block, Contact, Factor, FactorKind, Role, SetBy, State};
    use common::acts::{Act, Reset};
    use common::address::{Address, MailAddress, PhoneNumber};
    use common::id::{ContactId, FactorId};
    use common::{AccountId, UnixTime, Username};

    use super::describe;

    fn account() -> Account {
        let id = AccountId::from_bytes([1; 16]);
        Account::new(id, Username::parse("alice").unwrap(), State::Disabled, UnixTime::from_seconds(1))
    }

    #[test]
    fn users_who_get_the_same_factors_are_one_kind_of_change_whatever_they_call_them() {
        let factor = |id, label: &str, address| Factor {
            id: FactorId::from_bytes([id; 8]),
            label: label.to_owned(),
            kind: FactorKind::Sent { address },
            added_at: UnixTime::from_seconds(1),
        };
        let mail =
            |id, label| factor(id, label, Address::Email(MailAddress::parse("a@example.org").unwrap()));
        let number = || PhoneNumber::parse("+4915112345678").unwrap();
        let mobile = |id, label| factor(id, label, Address::Mobile(number()));
        let told =
            |factors| describe(Some(&account()), Some(&Account { factors, ..account() }), &Act::Unblock);
        let one = told(vec![mail(1, "my mail"), mobile(2, "alice's own"), mail(3, "work")]);
        assert_eq!(one, "new factors 2 email and mobile");
        assert_eq!(told(vec![mobile(1, "bob's"), mail(2, "b"), mail(3, "c")]), one);
    }

    #[test]
    fn a_change_is_told_by_what_is_different() {
        let told = |after: &Account| describe(Some(&account()), Some(after), &Act::Unblock);
        assert_eq!(told(&Account { state: State::Enabled, ..account() }), "disabled → enabled");
        let contact = |id, address: &str| Contact {
            id: ContactId::from_bytes([id; 8]),
            address: Address::Email(MailAddress::parse(address).unwrap()),
            set_by: SetBy::Administrator,
            added_at: UnixTime::from_seconds(1),
        };
        let reached = |contacts| Account { contacts, ..account() };
        let (one, other) = (contact(1, "a@example.org"), contact(2, "b@example.org"));
        assert_eq!(told(&reached(vec![one.clone()])), "new contacts: email");
        let moved = describe(Some(&reached(vec![one])), Some(&reached(vec![other])), &Act::Unblock);
        assert_eq!(moved, "new contacts: email; that go: email");
        let blocked = Account { block: Some(Block::Indefinitely), role: Role::Administrator, ..account() };
        assert_eq!(told(&blocked), "role administrator, blocked");
        assert_eq!(
            told(&Account { version: 9, ..account() }),
            "user unblock",
            "the version is nobody's wish"
        );
        let reset = Reset { forget_devices: true, delete_app_passwords: true, ..Reset::default() };
        let forgotten = Account { version: 9, generation: 1, ..account() };
        assert_eq!(describe(Some(&account()), Some(&forgotten), &Act::Reset(reset)), "no remembered devices");
        assert_eq!(
            describe(None, Some(&blocked), &Act::Unblock),
            "new, disabled, role administrator, blocked"
        );
        assert_eq!(describe(Some(&blocked), None, &Act::Remove), "removed with all that hangs on it");
        let unlocked = describe(Some(&account()), Some(&account()), &Act::Unlock);
        assert_eq!(unlocked, "need not wait any more after wrong answers");
    }
}
