//! Looking at a second proof: which factor, recovery code or app password it is, and whether it may be used here and now.

use crate::account::{Account, AppPassword, Factor, FactorKind};
use crate::bundle::{Slot, Spend};
use crate::codes::Shape;
use crate::keys::KeyError;
use crate::login::{View, sent};
use crate::policy::{Method, Privileged};
use crate::totp::TotpKey;
use crate::{Reason, Secret, limits};

/// A proof that may be used.
pub(super) struct Proof {
    /// What stands in the record.
    pub(super) name: String,
    /// What it uses up.
    pub(super) spend: Option<Spend>,
}

/// What an answer turned out to be.
pub(super) enum Finding {
    /// A proof that may be used.
    Good(Proof),
    /// No proof, or one that may not be used.
    Refused(Reason),
}

impl Finding {
    fn by(allowed: bool, proof: Proof, refusal: Reason) -> Self {
        if allowed { Self::Good(proof) } else { Self::Refused(refusal) }
    }
}

/// Looks at an answer to the second prompt. The same work is done for each of the three kinds, whatever was typed.
pub(super) fn look(view: &View<'_>, account: &Account, typed: &Secret) -> Result<Finding, KeyError> {
    let trimmed = trim(typed);
    let totp = look_at_totp(view, account, &trimmed);
    let recovery = look_at_recovery_codes(view, account, &trimmed)?;
    let app_password = look_at_app_passwords(view, account, &trimmed)?;
    let sent = look_at_sent_codes(view, account, &trimmed)?;
    match recovery.or(app_password).or(sent) {
        Some(found) => Ok(found),
        None => Ok(totp?.unwrap_or(Finding::Refused(Reason::WrongCode))),
    }
}

fn trim(typed: &Secret) -> Secret {
    Secret::new(typed.expose().trim_ascii().to_vec())
}

/// A code that any factor has seen is spent, even where another factor shares its secret. A factor whose secret
/// does not open spoils nothing but itself, unless nothing else was found.
fn look_at_totp(view: &View<'_>, account: &Account, typed: &Secret) -> Result<Option<Finding>, KeyError> {
    let code = Secret::new(typed.expose().iter().copied().filter(|octet| *octet != b' ').collect());
    let code = code.expose_text().unwrap_or_default();
    let mut found = Ok(None);
    for factor in &account.factors {
        found = match (found, look_at_factor(view, account, factor, code)) {
            (Ok(Some(Finding::Refused(reason))), _) | (_, Ok(Some(Finding::Refused(reason)))) => {
                Ok(Some(Finding::Refused(reason)))
            }
            (Ok(Some(good)), _) | (_, Ok(Some(good))) => Ok(Some(good)),
            (Err(error), _) | (_, Err(error)) => Err(error),
            (Ok(None), Ok(None)) => Ok(None),
        };
    }
    found
}

fn look_at_factor(
    view: &View<'_>,
    account: &Account,
    factor: &Factor,
    code: &str,
) -> Result<Option<Finding>, KeyError> {
    let FactorKind::Totp { parameters, secret, .. } = &factor.kind else { return Ok(None) };
    let secret = view.keys.open(account.id, &Factor::secret_field(factor.id), secret)?;
    let key = TotpKey::new(*parameters, &secret).map_err(|_| KeyError::DoesNotOpen)?;
    let Some(step) = key.matching_step(code, view.now, limits::TOTP_SKEW_STEPS) else { return Ok(None) };
    let begins_at = key.step_begins(step);
    let spent = view.loaded.spent_steps.iter().any(|(id, highest)| *id == factor.id && step <= *highest);
    if spent || begins_at <= view.loaded.floor {
        return Ok(Some(Finding::Refused(Reason::CodeAlreadyUsed)));
    }
    let expires_at = key.step_expires(step, limits::TOTP_SKEW_STEPS);
    let spend = Spend::TotpStep { account: account.id, factor: factor.id, step, begins_at, expires_at };
    let proof = Proof { name: format!("totp {}", factor.id), spend: Some(spend) };
    Ok(Some(allowed(view, account, Method::Totp, proof)))
}

fn look_at_sent_codes(
    view: &View<'_>,
    account: &Account,
    typed: &Secret,
) -> Result<Option<Finding>, KeyError> {
    let of_factor = |slot| matches!(slot, Slot::Factor(_));
    let Some(code) = sent::matching(view, &account.name, typed, of_factor)? else { return Ok(None) };
    let factor = account.factors.iter().find(|factor| code.slot == Slot::Factor(factor.id));
    let Some((factor, FactorKind::Sent { address })) = factor.map(|factor| (factor, &factor.kind)) else {
        return Ok(None);
    };
    let name = format!("{} {}", factor.kind.name(), factor.id);
    let proof = Proof { name, spend: Some(sent::spend(&account.name, code)) };
    let is_good = view.is_break_glass() || sent::is_good(view, account, address);
    Ok(Some(Finding::by(is_good, proof, Reason::MethodNotAllowed)))
}

fn look_at_recovery_codes(
    view: &View<'_>,
    account: &Account,
    typed: &Secret,
) -> Result<Option<Finding>, KeyError> {
    let candidates = Shape::RecoveryCode.candidates(view.keys, account.id, typed)?;
    let Some(code) = account.recovery_codes.iter().find(|code| candidates.contain(&code.hash)) else {
        return Ok(None);
    };
    if view.loaded.spent_codes.contains(&code.id) {
        return Ok(Some(Finding::Refused(Reason::RecoveryCodeAlreadyUsed)));
    }
    let spend = Spend::Code { account: account.id, code: code.id };
    let proof = Proof { name: format!("recovery-code {}", code.id), spend: Some(spend) };
    Ok(Some(allowed(view, account, Method::RecoveryCode, proof)))
}

/// Break-glass accounts are beyond the rules: their second proof is a code or a recovery code.
fn allowed(view: &View<'_>, account: &Account, method: Method, proof: Proof) -> Finding {
    let allowed = view.is_break_glass() || view.ruling(&account.name).allows(method);
    Finding::by(allowed, proof, Reason::MethodNotAllowed)
}

/// Looks for an app password: at the first prompt and at the second.
pub(super) fn look_at_app_passwords(
    view: &View<'_>,
    account: &Account,
    typed: &Secret,
) -> Result<Option<Finding>, KeyError> {
    let candidates = Shape::AppPassword.candidates(view.keys, account.id, typed)?;
    let found = account.app_passwords.iter().find(|password| candidates.contain(&password.hash));
    Ok(found.map(|password| app_password_here(view, account, password)))
}

fn app_password_here(view: &View<'_>, account: &Account, password: &AppPassword) -> Finding {
    if !password.scope.covers(&view.attempt.place) {
        return Finding::Refused(Reason::AppPasswordOutOfScope);
    }
    let proof = Proof { name: format!("app-password {}", password.id), spend: None };
    let here = view.ruling(&account.name).allows(Method::AppPassword) && !view.is_break_glass();
    let refusal = match view.privileged() {
        Privileged::Yes => Reason::AppPasswordPrivileged,
        Privileged::No => Reason::MethodNotAllowed,
    };
    Finding::by(here, proof, refusal)
}
