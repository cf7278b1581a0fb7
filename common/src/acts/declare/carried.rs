//! An account as a file would declare it, for `export`: without secrets, or with all that another machine can use.
//!
//! App passwords and recovery codes are kept as hashes under keys of this machine: no other one can check them.

use crate::account::{Account, Factor, FactorKind, State};
use crate::acts::{ActError, Declaration, DeclaredFactor, DeclaredKind, Label};
use crate::engine::Engine;
use crate::lane::LaneKey;
use crate::ports::Loaded;
use crate::username::Username;

impl Declaration {
    /// The account without its factors, and without what counts only beside them.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        let contacts = account.contacts.iter().map(|contact| (contact.address.clone(), contact.set_by));
        let deadline = (account.state == State::Enabled).then(|| account.deadline.unwrap_or_default());
        Self {
            state: Some(account.state),
            role: Some(account.role),
            deadline,
            contacts: (!account.contacts.is_empty()).then(|| contacts.collect()),
            ..Self::default()
        }
    }
}

impl Engine {
    /// An account with its factors, their secrets open, and what keeps it from being used; `None` where there is no such one.
    pub fn declaration_with_secrets(&self, name: &Username) -> Result<Option<Declaration>, ActError> {
        let Loaded { account, spent_steps, .. } = self.parts.store.load(name, &LaneKey::NONE, None)?;
        let Some(account) = account else { return Ok(None) };
        let spent = |factor: &Factor| {
            spent_steps.iter().filter(|(id, _)| *id == factor.id).map(|(_, highest)| *highest).max()
        };
        let factors = account.factors.iter().map(|factor| self.declared(&account, factor, spent(factor)));
        Ok(Some(Declaration {
            factors: factors.collect::<Result<_, _>>()?,
            must_register_again: account.must_register_again,
            block: account.block.filter(|block| block.holds(self.now())),
            ..Declaration::of(&account)
        }))
    }

    fn declared(
        &self,
        account: &Account,
        factor: &Factor,
        spent: Option<u64>,
    ) -> Result<DeclaredFactor, ActError> {
        let open = |sealed| self.keys().open(account.id, &Factor::secret_field(factor.id), sealed);
        let kind = match &factor.kind {
            FactorKind::Totp { parameters, secret, drift } => {
                DeclaredKind::Totp { parameters: *parameters, drift: *drift, secret: open(secret)? }
            }
            FactorKind::Hotp { digits, secret, counter } => DeclaredKind::Hotp {
                digits: *digits,
                counter: spent.map_or(*counter, |highest| highest.saturating_add(1).max(*counter)),
                secret: open(secret)?,
            },
            FactorKind::Sent { address } => DeclaredKind::Sent(address.clone()),
        };
        let label = Label::parse(&factor.label).filter(|label| label.as_str() == factor.label);
        let label = label.ok_or(ActError::UnusableLabel(factor.id))?;
        Ok(DeclaredFactor { label, is_default: account.default_factor == Some(factor.id), kind })
    }
}
