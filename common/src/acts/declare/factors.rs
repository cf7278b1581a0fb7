//! Factors that a file declares. Those that are there, by secret or address, are not brought again.

use crate::Secret;
use crate::account::{Account, Factor, FactorKind};
use crate::acts::factor::{self, Registered};
use crate::acts::{ActError, Desk, Done, EnrolmentProof, HotpProof, Label, NewHotp, NewSent, NewTotp};
use crate::address::Address;
use crate::id::FactorId;
use crate::totp::TotpParameters;

/// A factor that an account shall have.
#[derive(Clone, PartialEq, Eq)]
pub struct DeclaredFactor {
    /// The user's word for it.
    pub label: Label,
    /// Whether it is the one that is used where the user names none.
    pub is_default: bool,
    /// What it is.
    pub kind: DeclaredKind,
}

/// What a declared factor is, its secret open.
#[derive(Clone, PartialEq, Eq)]
pub enum DeclaredKind {
    /// An authenticator app or token that goes by the clock. One that is new here has spent every code until now: the
    /// machine that it comes from may have taken them.
    Totp {
        /// Algorithm, digits, period.
        parameters: TotpParameters,
        /// Steps by which its clock is ahead of ours.
        drift: i32,
        /// The shared secret.
        secret: Secret,
    },
    /// A token that counts.
    Hotp {
        /// 6 to 8.
        digits: u8,
        /// The first counter that is good. It is raised by this and never lowered.
        counter: u64,
        /// The shared secret.
        secret: Secret,
    },
    /// Codes are sent there.
    Sent(Address),
}

/// The account with this factor. Nothing is brought to somebody who must register again: as the first of the new factors it
/// would end that demand, and beside the old ones open the door that they still open.
pub(super) fn with_factor(
    desk: &Desk<'_>,
    account: Account,
    declared: &DeclaredFactor,
) -> Result<Done, ActError> {
    match standing(desk, &account, &declared.kind)? {
        Some(id) => adjusted(account, id, declared),
        None if account.must_register_again => Err(ActError::MustRegister(account.name)),
        None => {
            let brought = brought(desk, account, declared)?;
            let id = brought.factor;
            brought.done().and(|account| Ok(Done::updated(with_default(account, id, declared))))
        }
    }
}

/// The factor of the account that is this one already. A secret that is there as something else is refused.
fn standing(
    desk: &Desk<'_>,
    account: &Account,
    declared: &DeclaredKind,
) -> Result<Option<FactorId>, ActError> {
    for factor in &account.factors {
        let is_it = match (&factor.kind, declared) {
            (FactorKind::Sent { address }, DeclaredKind::Sent(wanted)) => address == wanted,
            (
                FactorKind::Totp { secret: sealed, .. } | FactorKind::Hotp { secret: sealed, .. },
                DeclaredKind::Totp { secret, .. } | DeclaredKind::Hotp { secret, .. },
            ) => desk.keys.open(account.id, &Factor::secret_field(factor.id), sealed)? == *secret,
            (FactorKind::Sent { .. }, DeclaredKind::Totp { .. } | DeclaredKind::Hotp { .. })
            | (FactorKind::Totp { .. } | FactorKind::Hotp { .. }, DeclaredKind::Sent(_)) => false,
        };
        if is_it {
            return if is_alike(&factor.kind, declared) {
                Ok(Some(factor.id))
            } else {
                Err(ActError::SecretKnown)
            };
        }
    }
    Ok(None)
}

/// Whether two with one secret make the same codes.
fn is_alike(kind: &FactorKind, declared: &DeclaredKind) -> bool {
    match (kind, declared) {
        (FactorKind::Totp { parameters, .. }, DeclaredKind::Totp { parameters: wanted, .. }) => {
            parameters == wanted
        }
        (FactorKind::Hotp { digits, .. }, DeclaredKind::Hotp { digits: wanted, .. }) => digits == wanted,
        (FactorKind::Sent { .. }, DeclaredKind::Sent(_)) => true,
        (FactorKind::Totp { .. } | FactorKind::Hotp { .. } | FactorKind::Sent { .. }, _) => false,
    }
}

/// A factor that is there gets the label, and a counter that has gone on elsewhere.
fn adjusted(account: Account, id: FactorId, declared: &DeclaredFactor) -> Result<Done, ActError> {
    let is_labelled =
        account.factors.iter().any(|factor| factor.id == id && factor.label == declared.label.as_str());
    let done = match is_labelled {
        true => Done::updated(account),
        false => factor::set_label(account, id, &declared.label)?,
    };
    let done = done.and(|account| Ok(raised(account, id, &declared.kind)))?;
    done.and(|account| Ok(Done::updated(with_default(account, id, declared))))
}

fn raised(mut account: Account, id: FactorId, declared: &DeclaredKind) -> Done {
    let DeclaredKind::Hotp { counter: moved, .. } = declared else { return Done::updated(account) };
    for factor in account.factors.iter_mut().filter(|factor| factor.id == id) {
        if let FactorKind::Hotp { counter, .. } = &mut factor.kind
            && *counter < *moved
        {
            let words = format!("factor={id} counter={counter}->{moved}");
            *counter = *moved;
            return Done::updated(account).saying(&words);
        }
    }
    Done::updated(account)
}

fn with_default(mut account: Account, id: FactorId, declared: &DeclaredFactor) -> Account {
    if declared.is_default {
        account.default_factor = Some(id);
    }
    account
}

fn brought(desk: &Desk<'_>, account: Account, declared: &DeclaredFactor) -> Result<Registered, ActError> {
    let label = declared.label.clone();
    match declared.kind.clone() {
        DeclaredKind::Totp { parameters, drift, secret } => {
            let proof = EnrolmentProof::Moved { drift };
            factor::register_totp(desk, account, &NewTotp { label, parameters, secret, proof })
        }
        DeclaredKind::Hotp { digits, counter, secret } => {
            let proof = HotpProof::Imported;
            factor::register_hotp(desk, account, &NewHotp { label, digits, secret, counter, proof })
        }
        DeclaredKind::Sent(address) => factor::register_sent(desk, account, &NewSent { label, address }),
    }
}
