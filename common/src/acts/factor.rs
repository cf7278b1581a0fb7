//! Acts on what an account can prove itself with.

use crate::account::{Account, AppPassword, Factor, FactorKind, RecoveryCode, Scope};
use crate::acts::{ActError, Desk, Done, EnrolmentProof, Issued, Label, NewTotp, account};
use crate::bundle::Spend;
use crate::codes::Shape;
use crate::id::{AppPasswordId, CodeId, FactorId};
use crate::totp::TotpKey;
use crate::{AccountId, limits};

/// An account with one factor more.
pub(super) struct Registered {
    pub(super) account: Account,
    pub(super) factor: FactorId,
    /// The code that proved it.
    pub(super) spend: Option<Spend>,
}

pub(super) fn add_totp(desk: &Desk<'_>, account: Account, totp: &NewTotp) -> Result<Done, ActError> {
    let registered = register(desk, account, totp)?;
    let mut done = Done::issuing(registered.account, Issued::Factor(registered.factor));
    done.spends.extend(registered.spend);
    Ok(done)
}

/// Seals the secret to the account, once it is proven.
pub(super) fn register(
    desk: &Desk<'_>,
    mut account: Account,
    totp: &NewTotp,
) -> Result<Registered, ActError> {
    if account.factors.len() >= limits::FACTORS_MAX {
        return Err(ActError::TooManyFactors);
    }
    if knows_secret(desk, &account, &totp.secret)? {
        return Err(ActError::SecretKnown);
    }
    let id = FactorId::generate(desk.random);
    let key = TotpKey::new(totp.parameters, &totp.secret)?;
    let spend = match &totp.proof {
        EnrolmentProof::Imported => None,
        EnrolmentProof::Code(code) => Some(prove(desk, account.id, id, &key, code)?),
    };
    let sealed = desk.keys.seal(desk.random, account.id, &Factor::secret_field(id), &totp.secret)?;
    account.factors.push(Factor {
        id,
        label: totp.label.0.clone(),
        kind: FactorKind::Totp { parameters: totp.parameters, secret: sealed, drift: 0 },
        added_at: desk.now,
    });
    // Registering is what `enabled` waits for.
    let state = account.state;
    Ok(Registered { account: account::set_state(account, state), factor: id, spend })
}

/// Two factors with one secret would let each code work twice.
fn knows_secret(desk: &Desk<'_>, account: &Account, secret: &crate::Secret) -> Result<bool, ActError> {
    for factor in &account.factors {
        let Some(sealed) = factor.secret() else { continue };
        if desk.keys.open(account.id, &Factor::secret_field(factor.id), sealed)? == *secret {
            return Ok(true);
        }
    }
    Ok(false)
}

fn prove(
    desk: &Desk<'_>,
    account: AccountId,
    factor: FactorId,
    key: &TotpKey,
    code: &crate::Secret,
) -> Result<Spend, ActError> {
    let code = code.expose_text().unwrap_or_default().trim();
    let step = key.matching_step(code, desk.now, limits::TOTP_SKEW_STEPS).ok_or(ActError::WrongCode)?;
    let begins_at = key.step_begins(step);
    if begins_at <= desk.floor {
        return Err(ActError::CodeRefused);
    }
    Ok(Spend::TotpStep {
        account,
        factor,
        step,
        begins_at,
        expires_at: key.step_expires(step, limits::TOTP_SKEW_STEPS),
    })
}

pub(super) fn remove(mut account: Account, id: FactorId) -> Result<Done, ActError> {
    let before = account.factors.len();
    account.factors.retain(|factor| factor.id != id);
    if account.factors.len() == before {
        return Err(ActError::NoSuchFactor(id));
    }
    Ok(Done::updated(account))
}

pub(super) fn renew_recovery_codes(desk: &Desk<'_>, mut account: Account) -> Result<Done, ActError> {
    let codes: Vec<_> =
        (0..limits::RECOVERY_CODES).map(|_| Shape::RecoveryCode.generate(desk.random)).collect();
    let hashed = codes.iter().map(|code| {
        let hash = Shape::RecoveryCode.hash(desk.keys, account.id, code)?;
        Ok(RecoveryCode { id: CodeId::generate(desk.random), hash })
    });
    account.recovery_codes = hashed.collect::<Result<_, ActError>>()?;
    Ok(Done::issuing(account, Issued::RecoveryCodes(codes)))
}

pub(super) fn create_app_password(
    desk: &Desk<'_>,
    mut account: Account,
    label: &Label,
    scope: &Scope,
) -> Result<Done, ActError> {
    if account.app_passwords.len() >= limits::APP_PASSWORDS_MAX {
        return Err(ActError::TooManyAppPasswords);
    }
    if scope.services.is_empty() && scope.clients.is_empty() {
        return Err(ActError::EmptyScope);
    }
    let id = AppPasswordId::generate(desk.random);
    let password = Shape::AppPassword.generate(desk.random);
    let hash = Shape::AppPassword.hash(desk.keys, account.id, &password)?;
    account.app_passwords.push(AppPassword {
        id,
        label: label.0.clone(),
        hash,
        scope: scope.clone(),
        created_at: desk.now,
    });
    Ok(Done::issuing(account, Issued::AppPassword(id, password)))
}

pub(super) fn revoke_app_password(mut account: Account, id: AppPasswordId) -> Result<Done, ActError> {
    let before = account.app_passwords.len();
    account.app_passwords.retain(|password| password.id != id);
    if account.app_passwords.len() == before {
        return Err(ActError::NoSuchAppPassword(id));
    }
    Ok(Done::updated(account))
}
