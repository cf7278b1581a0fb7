//! Looking at a code as one of an authenticator app or token: one that goes by the clock, or one that counts.

use crate::account::{Account, Factor, FactorKind};
use crate::bundle::Spend;
use crate::hotp::HotpKey;
use crate::keys::KeyError;
use crate::login::View;
use crate::login::proof::{Finding, Proof, ProofName, allowed};
use crate::policy::Method;
use crate::totp::{TotpKey, TotpParameters};
use crate::{AccountId, FactorId, Reason, Secret, limits};

/// Digits of a code.
const DIGITS: std::ops::RangeInclusive<usize> = 6..=8;

/// Something typed, as a code and as two.
struct Typed {
    /// All of it without spaces: people type `123 456`.
    code: Secret,
    /// Two codes in a row, from somebody whose token has run ahead (RFC 4226 §7.4).
    pair: Option<(Secret, Secret)>,
}

impl Typed {
    fn read(typed: &Secret) -> Self {
        let octets = typed.expose();
        let mut parts = octets.split(u8::is_ascii_whitespace).filter(|part| !part.is_empty());
        let is_code = |part: &&[u8]| DIGITS.contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
        let secret = |part: &[u8]| Secret::new(part.to_vec());
        let pair = match (parts.next().filter(is_code), parts.next().filter(is_code), parts.next()) {
            (Some(first), Some(second), None) => Some((secret(first), secret(second))),
            _ => None,
        };
        let code = octets.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
        Self { code: Secret::new(code), pair }
    }

    fn code(&self) -> &str {
        self.code.expose_text().unwrap_or_default()
    }

    fn pair(&self) -> Option<(&str, &str)> {
        let (first, second) = self.pair.as_ref()?;
        Some((first.expose_text()?, second.expose_text()?))
    }
}

/// Which kinds of token an account has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clockwork {
    Time,
    Counter,
}

const fn clockwork(factor: &Factor) -> Option<Clockwork> {
    match factor.kind {
        FactorKind::Totp { .. } => Some(Clockwork::Time),
        FactorKind::Hotp { .. } => Some(Clockwork::Counter),
        FactorKind::Sent { .. } => None,
    }
}

/// Looks at all tokens of an account. A code that any of them has seen is spent, even where another one shares its secret.
/// A token whose secret does not open spoils nothing but itself, unless nothing else was found.
///
/// Who has no token of a kind costs as much as who has one: the time must not say what somebody has.
pub(super) fn look(view: &View<'_>, account: &Account, typed: &Secret) -> Result<Option<Finding>, KeyError> {
    let typed = Typed::read(typed);
    let mut found = Ok(None);
    for factor in &account.factors {
        found = match (found, look_at(view, account, factor, &typed)) {
            (Ok(Some(Finding::Refused(reason))), _) | (_, Ok(Some(Finding::Refused(reason)))) => {
                Ok(Some(Finding::Refused(reason)))
            }
            (Ok(Some(good)), _) | (_, Ok(Some(good))) => Ok(Some(good)),
            (Err(error), _) | (_, Err(error)) => Err(error),
            (Ok(None), Ok(None)) => Ok(None),
        };
    }
    pretend_to_look(view, account, &typed);
    found
}

/// The work of looking at what the account has none of.
fn pretend_to_look(view: &View<'_>, account: &Account, typed: &Typed) {
    let Some(decoy) = view.decoy else { return };
    let is_missing = |factor: &&Factor| {
        let kind = clockwork(factor);
        kind.is_some() && !account.factors.iter().any(|own| clockwork(own) == kind)
    };
    for factor in decoy.factors.iter().filter(is_missing) {
        let _ = std::hint::black_box(look_at(view, decoy, factor, typed).is_ok());
    }
}

fn look_at(
    view: &View<'_>,
    account: &Account,
    factor: &Factor,
    typed: &Typed,
) -> Result<Option<Finding>, KeyError> {
    let Some(sealed) = factor.secret() else { return Ok(None) };
    let secret = view.keys.open(account.id, &Factor::secret_field(factor.id), sealed)?;
    let token = Token { view, account: account.id, factor: factor.id, secret };
    let found = match &factor.kind {
        FactorKind::Totp { parameters, drift, .. } => token.by_time(*parameters, *drift, typed)?,
        FactorKind::Hotp { digits, counter, .. } => token.by_counter(*digits, *counter, typed)?,
        FactorKind::Sent { .. } => None,
    };
    Ok(found.map(|found| match found {
        Found::Spent => Finding::Refused(Reason::CodeAlreadyUsed),
        Found::Fresh(method, spend) => {
            let proof = Proof { name: ProofName::of_factor(factor), spend: Some(spend) };
            allowed(view, account, method, proof)
        }
    }))
}

/// A code that belongs to a token.
enum Found {
    /// It is used up, or so old that nobody knows.
    Spent,
    /// It uses this up.
    Fresh(Method, Spend),
}

/// One token with its opened secret.
struct Token<'a> {
    view: &'a View<'a>,
    account: AccountId,
    factor: FactorId,
    secret: Secret,
}

impl Token<'_> {
    /// The highest spent step or counter.
    fn spent(&self) -> Option<u64> {
        let own = self.view.loaded.spent_steps.iter().filter(|(id, _)| *id == self.factor);
        own.map(|(_, highest)| *highest).max()
    }

    fn by_time(
        &self,
        parameters: TotpParameters,
        drift: i32,
        typed: &Typed,
    ) -> Result<Option<Found>, KeyError> {
        let key = TotpKey::new(parameters, &self.secret).map_err(|_| KeyError::DoesNotOpen)?.ahead_by(drift);
        let Some(step) = key.matching_step(typed.code(), self.view.now, limits::TOTP_SKEW_STEPS) else {
            return Ok(None);
        };
        let is_old = key.step_begins(step) <= self.view.loaded.floor;
        if is_old || self.spent().is_some_and(|highest| step <= highest) {
            return Ok(Some(Found::Spent));
        }
        let spend = Spend::of_step(&key, (self.account, self.factor), step);
        Ok(Some(Found::Fresh(Method::Totp, spend)))
    }

    /// One code is good a little ahead, two in a row much further: whoever pressed the button for fun types two.
    fn by_counter(&self, digits: u8, counter: u64, typed: &Typed) -> Result<Option<Found>, KeyError> {
        let key = HotpKey::new(digits, &self.secret).map_err(|_| KeyError::DoesNotOpen)?;
        let from = self.spent().map_or(counter, |highest| counter.max(highest.saturating_add(1)));
        let last = key.matching_counter(typed.code(), from.saturating_sub(1), 0);
        let single = key.matching_counter(typed.code(), from, limits::HOTP_LOOK_AHEAD);
        let pair = typed
            .pair()
            .and_then(|(first, second)| key.matching_pair(first, second, from, limits::RESYNC_WINDOW));
        let (account, factor) = (self.account, self.factor);
        let spend = |counter| Spend::HotpCounter { account, factor, counter };
        let fresh = single.or(pair).map(|counter| Found::Fresh(Method::Hotp, spend(counter)));
        Ok(fresh.or_else(|| last.filter(|last| *last < from).map(|_| Found::Spent)))
    }
}
