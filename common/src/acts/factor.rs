//! Acts on what an account can prove itself with.

use crate::account::{Account, Factor, FactorKind};
use crate::acts::{
    ActError, Desk, Done, EnrolmentProof, HotpProof, Issued, Label, NewHotp, NewSent, NewTotp, registration,
};
use crate::address::Address;
use crate::bundle::Spend;
use crate::hotp::HotpKey;
use crate::id::FactorId;
use crate::message::Event;
use crate::notices::Happening;
use crate::totp::TotpKey;
use crate::{Secret, limits};

/// The words in records for registering an app, whoever does it.
pub(super) const ADD_TOTP: &str = "enroll totp";
/// Those for a token.
pub(super) const ADD_HOTP: &str = "enroll hotp";

/// Those for a number or mail address.
pub(super) const fn adding_address(address: &Address) -> &'static str {
    match address {
        Address::Mobile(_) => "enroll mobile",
        Address::Office(..) => "enroll office",
        Address::Email(_) => "enroll email",
    }
}

/// Those for any of them.
pub(crate) const fn adding(kind: &FactorKind) -> &'static str {
    match kind {
        FactorKind::Totp { .. } => ADD_TOTP,
        FactorKind::Hotp { .. } => ADD_HOTP,
        FactorKind::Sent { address } => adding_address(address),
    }
}

/// An account with one factor more.
pub(super) struct Registered {
    pub(super) account: Account,
    pub(super) factor: FactorId,
    /// The code that proved it.
    pub(super) spend: Option<Spend>,
    /// What was registered, in words.
    pub(super) words: String,
    /// The same, as the user hears of it.
    told: String,
    /// What went with it, where all had to be registered anew.
    dropped: Vec<Happening>,
}

impl Registered {
    pub(super) fn done(self) -> Done {
        let mut done = Done::issuing(self.account, Issued::Factor(self.factor)).saying(&self.words);
        done.spends.extend(self.spend);
        let mut done = done.telling(Happening::new(Event::FactorAdded, self.told));
        done.happenings.extend(self.dropped);
        done
    }
}

/// Seals the secret to the account, once it is proven.
pub(super) fn register_totp(
    desk: &Desk<'_>,
    account: Account,
    totp: &NewTotp,
) -> Result<Registered, ActError> {
    may_have_another(desk, &account, Some(&totp.secret))?;
    let id = FactorId::generate(desk.random);
    let key = TotpKey::new(totp.parameters, &totp.secret)?;
    let (spend, proof, drift) = match &totp.proof {
        EnrolmentProof::Imported => (None, "imported", 0),
        EnrolmentProof::Code(code) => {
            let step = prove(desk, &key, code)?;
            (Some(Spend::of_step(&key, (account.id, id), step)), "code", 0)
        }
        EnrolmentProof::Moved { drift } => {
            let key = key.ahead_by(*drift);
            // Every code that is good somewhere by now, those of a token that is a little ahead included.
            let step = key.step_at(desk.now).saturating_add(limits::TOTP_SKEW_STEPS);
            (Some(Spend::of_step(&key, (account.id, id), step)), "moved", *drift)
        }
    };
    let secret = desk.keys.seal(desk.random, account.id, &Factor::secret_field(id), &totp.secret)?;
    let kind = FactorKind::Totp { parameters: totp.parameters, secret, drift };
    Ok(registered(desk, account, (id, &totp.label, kind), spend, proof))
}

/// The same of a token that counts.
pub(super) fn register_hotp(
    desk: &Desk<'_>,
    account: Account,
    hotp: &NewHotp,
) -> Result<Registered, ActError> {
    may_have_another(desk, &account, Some(&hotp.secret))?;
    let id = FactorId::generate(desk.random);
    let key = HotpKey::new(hotp.digits, &hotp.secret)?;
    let (proven, proof) = match &hotp.proof {
        HotpProof::Imported => (None, "imported"),
        HotpProof::Code(code) => {
            let code = typed(code);
            let code = code.expose_text().unwrap_or_default();
            let found = key.matching_counter(code, hotp.counter, limits::HOTP_LOOK_AHEAD);
            (Some(found.ok_or(ActError::WrongCode)?), "code")
        }
        HotpProof::Codes(first, second) => {
            let (first, second) = (typed(first), typed(second));
            let texts = (first.expose_text().unwrap_or_default(), second.expose_text().unwrap_or_default());
            let found = key.matching_pair(texts.0, texts.1, hotp.counter, limits::RESYNC_WINDOW);
            (Some(found.ok_or(ActError::WrongCodes)?), "codes")
        }
    };
    let spend = proven.map(|counter| Spend::HotpCounter { account: account.id, factor: id, counter });
    let counter = proven.map_or(hotp.counter, |counter| counter.saturating_add(1));
    let secret = desk.keys.seal(desk.random, account.id, &Factor::secret_field(id), &hotp.secret)?;
    let kind = FactorKind::Hotp { digits: hotp.digits, secret, counter };
    Ok(registered(desk, account, (id, &hotp.label, kind), spend, proof))
}

/// A number or address that an administrator answers for.
pub(super) fn register_sent(
    desk: &Desk<'_>,
    account: Account,
    sent: &NewSent,
) -> Result<Registered, ActError> {
    may_have_another(desk, &account, None)?;
    let is_it =
        |factor: &Factor| matches!(&factor.kind, FactorKind::Sent { address } if *address == sent.address);
    if account.factors.iter().any(is_it) && !account.must_register_again {
        return Err(ActError::AddressKnown(sent.address.clone()));
    }
    desk.policy.numbers.check_address(&sent.address)?;
    let id = FactorId::generate(desk.random);
    let kind = FactorKind::Sent { address: sent.address.clone() };
    Ok(registered(desk, account, (id, &sent.label, kind), None, "on-behalf"))
}

/// Where all must be registered anew, the old ones go, and do not count. Their secrets do: two factors with one secret,
/// even one after the other, would let each code work twice.
fn may_have_another(desk: &Desk<'_>, account: &Account, secret: Option<&Secret>) -> Result<(), ActError> {
    if account.factors.len() >= limits::FACTORS_MAX && !account.must_register_again {
        return Err(ActError::TooManyFactors);
    }
    let Some(secret) = secret else { return Ok(()) };
    for factor in &account.factors {
        let Some(sealed) = factor.secret() else { continue };
        if desk.keys.open(account.id, &Factor::secret_field(factor.id), sealed)? == *secret {
            return Err(ActError::SecretKnown);
        }
    }
    Ok(())
}

fn registered(
    desk: &Desk<'_>,
    account: Account,
    (id, label, kind): (FactorId, &Label, FactorKind),
    spend: Option<Spend>,
    proof: &str,
) -> Registered {
    let factor = Factor { id, label: label.as_str().to_owned(), kind, added_at: desk.now };
    let told = match &factor.kind {
        FactorKind::Sent { address } => address.masked(),
        FactorKind::Totp { .. } | FactorKind::Hotp { .. } => factor.label.clone(),
    };
    let (words, dropped) = (registered_words(&factor, proof), registration::dropped(&account));
    Registered {
        account: registration::with_factor(account, factor),
        factor: id,
        spend,
        words,
        told,
        dropped,
    }
}

/// What was registered and what proved it, for the record.
pub(crate) fn registered_words(factor: &Factor, proof: &str) -> String {
    format!("{} proof={proof}", words_of(factor))
}

/// A factor in a few words, for the record of an act; never a secret.
fn words_of(factor: &Factor) -> String {
    let id = factor.id;
    let label = &factor.label;
    let weak = if factor.is_weak() { " weak-secret=yes" } else { "" };
    match &factor.kind {
        FactorKind::Totp { .. } => format!("factor={id} kind=totp label={label:?}{weak}"),
        FactorKind::Hotp { .. } => format!("factor={id} kind=hotp label={label:?}{weak}"),
        FactorKind::Sent { address } => {
            format!("factor={id} kind={} address={} label={label:?}", address.kind(), address.masked())
        }
    }
}

/// A code without the spaces that people type between its digits.
pub(super) fn typed(code: &Secret) -> Secret {
    Secret::new(code.expose().iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect())
}

/// The step that a code of a new key belongs to, where it may still be used.
pub(crate) fn prove(desk: &Desk<'_>, key: &TotpKey, code: &Secret) -> Result<u64, ActError> {
    let code = typed(code);
    let code = code.expose_text().unwrap_or_default();
    let step = key.matching_step(code, desk.now, limits::TOTP_SKEW_STEPS).ok_or(ActError::WrongCode)?;
    if key.step_begins(step) <= desk.loaded.floor { Err(ActError::CodeRefused) } else { Ok(step) }
}

pub(super) fn remove(account: Account, id: FactorId) -> Result<Done, ActError> {
    let factor = account.factors.iter().find(|factor| factor.id == id).ok_or(ActError::NoSuchFactor(id))?;
    let (words, happening) = (words_of(factor), gone(factor));
    let account = registration::without_factor(account, id);
    Ok(Done::updated(account).saying(&words).telling(happening))
}

/// What the user hears of a factor that is void. A number that is no longer the user's is told so itself: whoever holds it
/// should know, thief or owner.
pub(crate) fn gone(factor: &Factor) -> Happening {
    match &factor.kind {
        FactorKind::Sent { address } => {
            Happening::new(Event::FactorRemoved, address.masked()).at_the_old(address.clone())
        }
        FactorKind::Totp { .. } | FactorKind::Hotp { .. } => {
            Happening::new(Event::FactorRemoved, factor.label.clone())
        }
    }
}

pub(super) fn set_label(mut account: Account, id: FactorId, label: &Label) -> Result<Done, ActError> {
    let factor = account.factors.iter_mut().find(|factor| factor.id == id);
    let factor = factor.ok_or(ActError::NoSuchFactor(id))?;
    let words = format!("factor={id} label={:?}->{:?}", factor.label, label.as_str());
    label.as_str().clone_into(&mut factor.label);
    Ok(Done::updated(account).saying(&words))
}

pub(super) fn set_default(mut account: Account, id: FactorId) -> Result<Done, ActError> {
    if !account.factors.iter().any(|factor| factor.id == id) {
        return Err(ActError::NoSuchFactor(id));
    }
    account.default_factor = Some(id);
    Ok(Done::updated(account))
}
