//! Acts that give a secret out: recovery codes, temporary codes, app passwords.

use crate::account::{Account, AppPassword, RecoveryCode, Scope, TemporaryCode};
use crate::acts::{ActError, Desk, Done, Issued, Label};
use crate::codes::Shape;
use crate::id::{AppPasswordId, CodeId};
use crate::keys::KeyError;
use crate::message::Event;
use crate::notices::Happening;
use crate::{AccountId, Secret, limits};

pub(super) fn renew_recovery_codes(desk: &Desk<'_>, mut account: Account) -> Result<Done, ActError> {
    let codes: Vec<_> =
        (0..limits::RECOVERY_CODES).map(|_| Shape::RecoveryCode.generate(desk.random)).collect();
    account.recovery_codes = recovery_codes(desk, account.id, &codes)?;
    let happening = Happening::new(Event::RecoveryCodesRenewed, String::new());
    Ok(Done::issuing(account, Issued::RecoveryCodes(codes)).telling(happening))
}

/// A set of recovery codes as it is kept.
pub(crate) fn recovery_codes(
    desk: &Desk<'_>,
    account: AccountId,
    codes: &[Secret],
) -> Result<Vec<RecoveryCode>, KeyError> {
    let kept = codes.iter().map(|code| {
        let hash = Shape::RecoveryCode.hash(desk.keys, account, code)?;
        Ok(RecoveryCode { id: CodeId::generate(desk.random), hash })
    });
    kept.collect()
}

/// An account has one at a time: an older one is void, used or not.
pub(super) fn issue_temporary_code(
    desk: &Desk<'_>,
    mut account: Account,
    life_seconds: u64,
) -> Result<Done, ActError> {
    if !(1..=limits::TEMPORARY_CODE_SECONDS_MAX).contains(&life_seconds) {
        return Err(ActError::TemporaryCodeLife);
    }
    let code = Shape::TemporaryCode.generate(desk.random);
    let hash = Shape::TemporaryCode.hash(desk.keys, account.id, &code)?;
    let (id, expires_at) = (CodeId::generate(desk.random), desk.now.plus_seconds(life_seconds));
    account.temporary_code = Some(TemporaryCode { id, hash, expires_at });
    let words = format!("temporary-code={id} seconds={life_seconds}");
    let happening = Happening::new(Event::TemporaryCodeIssued, String::new());
    Ok(Done::issuing(account, Issued::TemporaryCode { code, expires_at }).saying(&words).telling(happening))
}

pub(super) fn revoke_temporary_code(account: Account) -> Result<Done, ActError> {
    let Some(TemporaryCode { id, .. }) = account.temporary_code else {
        return Err(ActError::NoTemporaryCode);
    };
    let account = Account { temporary_code: None, ..account };
    Ok(Done::updated(account).saying(&format!("temporary-code={id}")))
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
    let password = Shape::AppPassword.generate(desk.random);
    let made = app_password(desk, account.id, &password, label.as_str().to_owned(), scope.clone())?;
    let id = made.id;
    account.app_passwords.push(made);
    let words = format!("app-password={id} label={:?}", label.as_str());
    let happening = Happening::new(Event::AppPasswordCreated, label.as_str().to_owned());
    Ok(Done::issuing(account, Issued::AppPassword(id, password)).saying(&words).telling(happening))
}

/// An app password as it is kept.
pub(crate) fn app_password(
    desk: &Desk<'_>,
    account: AccountId,
    password: &Secret,
    label: String,
    scope: Scope,
) -> Result<AppPassword, KeyError> {
    let hash = Shape::AppPassword.hash(desk.keys, account, password)?;
    let id = AppPasswordId::generate(desk.random);
    Ok(AppPassword { id, label, hash, scope, created_at: desk.now })
}

pub(super) fn revoke_app_password(mut account: Account, id: AppPasswordId) -> Result<Done, ActError> {
    let before = account.app_passwords.len();
    account.app_passwords.retain(|password| password.id != id);
    if account.app_passwords.len() == before {
        return Err(ActError::NoSuchAppPassword(id));
    }
    Ok(Done::updated(account).saying(&format!("app-password={id}")))
}
