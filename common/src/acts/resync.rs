//! Two codes in a row tell where a token stands: its clock is never learned from logins, and its counter only forwards.

use crate::account::{Account, Factor, FactorKind};
use crate::acts::factor::typed;
use crate::acts::{ActError, Desk, Done};
use crate::bundle::Spend;
use crate::hotp::HotpKey;
use crate::id::FactorId;
use crate::totp::{TotpKey, TotpParameters};
use crate::{AccountId, Secret, limits};

/// Both codes are spent by it: the second one, and with it all before.
pub(super) fn resync(
    desk: &Desk<'_>,
    mut account: Account,
    id: FactorId,
    codes: (&Secret, &Secret),
) -> Result<Done, ActError> {
    let (first, second) = (typed(codes.0), typed(codes.1));
    let pair = Pair { first: shown(&first), second: shown(&second) };
    let of = account.id;
    let factor = account.factors.iter_mut().find(|factor| factor.id == id);
    let factor = factor.ok_or(ActError::NoSuchFactor(id))?;
    let (spend, words) = match &mut factor.kind {
        FactorKind::Sent { .. } => return Err(ActError::NotAToken(id)),
        FactorKind::Totp { parameters, secret, drift } => {
            let secret = desk.keys.open(of, &Factor::secret_field(id), secret)?;
            let found = clock(desk, (of, id), *parameters, &secret, *drift, &pair)?;
            let words = format!("factor={id} drift-steps={drift}->{}", found.0);
            *drift = found.0;
            (found.1, words)
        }
        FactorKind::Hotp { digits, secret, counter } => {
            let secret = desk.keys.open(of, &Factor::secret_field(id), secret)?;
            let from = desk.next_counter(id, *counter);
            let found = HotpKey::new(*digits, &secret)?
                .matching_pair(pair.first, pair.second, from, limits::RESYNC_WINDOW)
                .ok_or(ActError::WrongCodes)?;
            *counter = found.saturating_add(1);
            (
                Spend::HotpCounter { account: of, factor: id, counter: found },
                format!("factor={id} counter={counter}"),
            )
        }
    };
    let mut done = Done::updated(account).saying(&words);
    done.spends.push(spend);
    Ok(done)
}

/// Two codes as they were typed.
struct Pair<'a> {
    first: &'a str,
    second: &'a str,
}

fn shown(code: &Secret) -> &str {
    code.expose_text().unwrap_or_default()
}

/// By how many steps the clock of the token is ahead now, and what that spends.
///
/// A code that was used, and so long ago that this is forgotten, would shift the clock back to where others that were used are
/// good again. By the clock as it was, such a code is from before the floor.
fn clock(
    desk: &Desk<'_>,
    (account, factor): (AccountId, FactorId),
    parameters: TotpParameters,
    secret: &Secret,
    drift: i32,
    pair: &Pair<'_>,
) -> Result<(i32, Spend), ActError> {
    let key = TotpKey::new(parameters, secret)?.ahead_by(drift);
    let step = key
        .matching_pair(pair.first, pair.second, desk.now, limits::RESYNC_WINDOW)
        .ok_or(ActError::WrongCodes)?;
    let first = step.saturating_sub(1);
    let is_spent = desk.spent(factor).is_some_and(|highest| first <= highest);
    if is_spent || key.step_begins(first) <= desk.loaded.floor {
        return Err(ActError::CodeRefused);
    }
    let drift = key.drift_of(step, desk.now).ok_or(ActError::WrongCodes)?;
    let key = key.ahead_by(drift);
    if key.step_begins(step) <= desk.loaded.floor {
        return Err(ActError::CodeRefused);
    }
    Ok((drift, Spend::of_step(&key, (account, factor), step)))
}
