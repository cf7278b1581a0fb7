//! Why somebody may register, and whether that still holds.

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::address::Address;
use crate::attempt::{SecondQuestion, Word};
use crate::bundle::Spend;
use crate::id::CodeId;
use crate::login::View;
use crate::login::need::{Need, need};
use crate::login::proof::Proof;
use crate::login::setup::{Proven, Setup, choice};
use crate::record::PrimaryResult;
use crate::{Attempt, PrimaryMode, Reason};

/// Why somebody may register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::login) enum Warrant {
    /// The first password, here: the policy opens this door for it.
    Opening,
    /// The first password, and a contact that somebody else has set.
    Contact,
    /// A temporary code; it is spent with the registration.
    TemporaryCode([u8; CodeId::LENGTH]),
    /// A proof that was registered before, spent already.
    Proof,
    /// The user looks after the own account, after a fresh proof.
    Own,
}

/// Why an attempt may register now with nothing but its first password, if it may.
pub(in crate::login) fn warrant(view: &View<'_>) -> Option<Warrant> {
    if !is_possible(view) {
        return None;
    }
    if view.policy.registration.opening(view.attempt).is_some() {
        return Some(Warrant::Opening);
    }
    let account = view.loaded.account.as_ref()?;
    choice::contacts(view, account).next().map(|_| Warrant::Contact)
}

/// Whether this attempt can be led through a registration at all.
pub(in crate::login) fn is_possible(view: &View<'_>) -> bool {
    view.policy.registration.at_sign_in && can_be_led(view)
}

/// Whether this attempt can be led through more questions than those of a login, by somebody whose word counts: who speaks
/// through a program of the user can look after that account alone, and says nothing of a first password.
pub(in crate::login) fn can_be_led(view: &View<'_>) -> bool {
    may_be_led(view.attempt) && view.known().is_some()
}

/// The same of whoever may be asking.
pub(in crate::login) fn may_be_led(attempt: &Attempt) -> bool {
    let own = attempt.place.is_self_service() && attempt.primary == PrimaryMode::None;
    attempt.profile.second_question == SecondQuestion::Asked
        && (own || attempt.parties.word == Word::Believed)
}

/// What a right second proof leads to.
pub(in crate::login) enum Demand {
    /// In.
    None,
    /// A registration first, which may be left out or not.
    Setup(Warrant),
    /// Out: all that is registered opens is a registration, and there can be none here.
    Refusal(Reason),
}

/// What a right second proof leads to. An app password is for programs: they register nothing.
pub(in crate::login) fn demanded(view: &View<'_>, account: &Account, proof: &Proof) -> Demand {
    let Some(spend) = &proof.spend else {
        // It is for programs, and opens no registration.
        let is_void = account.must_register_again;
        return if is_void { Demand::Refusal(Reason::RegistrationRequired) } else { Demand::None };
    };
    if !account.factors.is_empty() && !account.must_register_again {
        return Demand::None;
    }
    let temporary = account.temporary_code.as_ref().map(|code| code.id);
    let by_temporary = match spend {
        Spend::Code { code, .. } => temporary.filter(|id| id == code),
        Spend::TotpStep { .. } | Spend::HotpCounter { .. } | Spend::SentCode { .. } => None,
    };
    match (by_temporary, is_possible(view)) {
        (Some(code), true) => Demand::Setup(Warrant::TemporaryCode(*code.as_bytes())),
        (None, true) => Demand::Setup(Warrant::Proof),
        (None, false) if account.must_register_again => Demand::Refusal(Reason::RegistrationRequired),
        (Some(_) | None, false) => Demand::None,
    }
}

impl Setup {
    /// Whether what allowed the registration still does.
    pub(super) fn is_warranted(&self, view: &View<'_>) -> Result<(), Reason> {
        let account = view.loaded.account.as_ref();
        let holds = match (self.warrant, need(view)) {
            (_, Need::Refuse(reason)) => return Err(reason),
            (Warrant::Opening | Warrant::Contact, Need::Register) => {
                warrant(view) == Some(self.warrant) && self.version == view.version()
            }
            (Warrant::Opening | Warrant::Contact, Need::Second | Need::Skip(_)) => false,
            (Warrant::TemporaryCode(id), _) => {
                let code = account.and_then(|account| account.temporary_code.as_ref());
                let code = code.filter(|code| *code.id.as_bytes() == id);
                if code.is_some_and(|code| view.now >= code.expires_at) {
                    return Err(Reason::TemporaryCodeExpired);
                }
                let is_unspent = code.is_some_and(|code| !view.loaded.spent_codes.contains(&code.id));
                is_unspent && self.is_of(account)
            }
            (Warrant::Proof, Need::Second | Need::Register) => account.is_some_and(|account| {
                let is_asked = account.factors.is_empty() || account.must_register_again;
                is_asked && self.is_of(Some(account))
            }),
            (Warrant::Proof, Need::Skip(_)) => false,
            (Warrant::Own, _) => {
                account.is_some_and(|account| !account.must_register_again) && self.is_of(account)
            }
        };
        let is_admitted = match &self.proven {
            Some(Proven::Address(address)) => self.admits(view, address),
            Some(Proven::Key(_)) | None => true,
        };
        let holds = holds && is_admitted;
        let is_standing = matches!(self.primary, PrimaryResult::Right | PrimaryResult::NotAsked);
        if holds && is_standing { Ok(()) } else { Err(Reason::RegistrationRefused) }
    }

    /// Whether the account is as it was when this began.
    fn is_of(&self, account: Option<&Account>) -> bool {
        account.is_some_and(|account| account.version == self.version)
    }

    /// Whether an address may be registered: with nothing but the first password, one that somebody else has set.
    pub(super) fn admits(&self, view: &View<'_>, address: &Address) -> bool {
        let account = view.loaded.account.as_ref();
        let mut set = account.into_iter().flat_map(|account| choice::contacts(view, account));
        self.warrant != Warrant::Contact || set.any(|(contact, _)| contact.address == *address)
    }

    /// Whether the user may sign in once more without registering.
    pub(super) fn may_be_left(&self, view: &View<'_>) -> bool {
        match self.warrant {
            Warrant::Opening | Warrant::Contact | Warrant::TemporaryCode(_) | Warrant::Own => true,
            Warrant::Proof => {
                !view.loaded.account.as_ref().is_some_and(|account| account.must_register_again)
            }
        }
    }
}
