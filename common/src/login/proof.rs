//! Looking at a second proof: which factor, recovery code, temporary code or app password it is, and whether it may be used
//! here and now.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::account::{Account, AppPassword, Factor, FactorKind};
use crate::address::Address;
use crate::bundle::{Slot, Spend};
use crate::codes::Shape;
use crate::id::{CodeId, FactorId};
use crate::keys::KeyError;
use crate::login::{View, sent, token};
use crate::policy::{Method, Privileged};
use crate::{Reason, Secret};

/// A proof that may be used.
pub(super) struct Proof {
    /// What stands in the record.
    pub(super) name: ProofName,
    /// What it uses up.
    pub(super) spend: Option<Spend>,
}

/// A proof by kind and id, as it stands in records; the session carries it where the sign-in ends later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProofName {
    kind: ProofKind,
    id: [u8; FactorId::LENGTH],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum ProofKind {
    Totp,
    Hotp,
    Mobile,
    Office,
    Email,
    RecoveryCode,
    TemporaryCode,
    AppPassword,
}

impl ProofName {
    /// A code of a factor.
    pub(super) const fn of_factor(factor: &Factor) -> Self {
        let kind = match &factor.kind {
            FactorKind::Totp { .. } => ProofKind::Totp,
            FactorKind::Hotp { .. } => ProofKind::Hotp,
            FactorKind::Sent { address: Address::Mobile(_) } => ProofKind::Mobile,
            FactorKind::Sent { address: Address::Office(..) } => ProofKind::Office,
            FactorKind::Sent { address: Address::Email(_) } => ProofKind::Email,
        };
        Self { kind, id: *factor.id.as_bytes() }
    }

    /// A temporary code.
    pub(super) const fn temporary_code(id: CodeId) -> Self {
        Self { kind: ProofKind::TemporaryCode, id: *id.as_bytes() }
    }
}

impl fmt::Display for ProofName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ProofKind::Totp => "totp",
            ProofKind::Hotp => "hotp",
            ProofKind::Mobile => "mobile",
            ProofKind::Office => "office",
            ProofKind::Email => "email",
            ProofKind::RecoveryCode => "recovery-code",
            ProofKind::TemporaryCode => "temporary-code",
            ProofKind::AppPassword => "app-password",
        };
        write!(f, "{kind} {}", FactorId::from_bytes(self.id))
    }
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

/// Looks at an answer to the second prompt. The same work is done for each of the kinds, whatever was typed.
pub(super) fn look(view: &View<'_>, account: &Account, typed: &Secret) -> Result<Finding, KeyError> {
    let trimmed = trim(typed);
    let token = token::look(view, account, &trimmed);
    let recovery = look_at_recovery_codes(view, account, &trimmed)?;
    let temporary = look_at_temporary_code(view, account, &trimmed)?;
    let app_password = look_at_app_passwords(view, account, &trimmed)?;
    let sent = look_at_sent_codes(view, account, &trimmed)?;
    match recovery.or(temporary).or(app_password).or(sent) {
        Some(found) => Ok(found),
        None => Ok(token?.unwrap_or(Finding::Refused(Reason::WrongCode))),
    }
}

fn trim(typed: &Secret) -> Secret {
    Secret::new(typed.expose().trim_ascii().to_vec())
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
    let proof = Proof { name: ProofName::of_factor(factor), spend: Some(sent::spend(&account.name, code)) };
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
    let proof = Proof {
        name: ProofName { kind: ProofKind::RecoveryCode, id: *code.id.as_bytes() },
        spend: Some(spend),
    };
    Ok(Some(allowed(view, account, Method::RecoveryCode, proof)))
}

fn look_at_temporary_code(
    view: &View<'_>,
    account: &Account,
    typed: &Secret,
) -> Result<Option<Finding>, KeyError> {
    let candidates = Shape::TemporaryCode.candidates(view.keys, account.id, typed)?;
    let Some(code) = account.temporary_code.as_ref().filter(|code| candidates.contain(&code.hash)) else {
        return Ok(None);
    };
    if view.loaded.spent_codes.contains(&code.id) {
        return Ok(Some(Finding::Refused(Reason::TemporaryCodeAlreadyUsed)));
    }
    if view.now >= code.expires_at {
        return Ok(Some(Finding::Refused(Reason::TemporaryCodeExpired)));
    }
    let spend = Spend::Code { account: account.id, code: code.id };
    let proof = Proof { name: ProofName::temporary_code(code.id), spend: Some(spend) };
    Ok(Some(allowed(view, account, Method::TemporaryCode, proof)))
}

/// Break-glass accounts are beyond the rules: their second proof is a code or a recovery code.
pub(super) fn allowed(view: &View<'_>, account: &Account, method: Method, proof: Proof) -> Finding {
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
    let proof =
        Proof { name: ProofName { kind: ProofKind::AppPassword, id: *password.id.as_bytes() }, spend: None };
    let here = view.ruling(&account.name).allows(Method::AppPassword) && !view.is_break_glass();
    let refusal = match view.privileged() {
        Privileged::Yes => Reason::AppPasswordPrivileged,
        Privileged::No => Reason::MethodNotAllowed,
    };
    Finding::by(here, proof, refusal)
}
