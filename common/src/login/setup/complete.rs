//! The last answer of a registration: the account as it shall be, what that uses up, and in.

use crate::account::{Account, AppPassword, Contact, Factor, FactorKind, RecoveryCode};
use crate::acts::{dropped, with_factor};
use crate::bundle::{AccountChange, Spend};
use crate::codes::Shape;
use crate::id::{AppPasswordId, CodeId, FactorId};
use crate::keys::KeyError;
use crate::login::setup::{Proven, Setup, Warrant, extras, is_vouched_for, user};
use crate::login::{Step, View, write};
use crate::message::Event;
use crate::notices::Happening;
use crate::random::Stream;
use crate::session::Session;
use crate::totp::{TotpKey, TotpParameters};
use crate::{AccountId, Answer, Reason, Secret, limits};

/// Registers, spends what proved it, and lets in.
pub(super) fn complete(view: &View<'_>, session: &Session, setup: &Setup, answer: &Answer) -> Step {
    let empty = Secret::new(Vec::new());
    let typed = match answer {
        Answer::Text(typed) => typed,
        Answer::Void => &empty,
    };
    match registered(view, setup) {
        Ok(Some(registration)) => write::accept_registered(view, session, setup.primary, registration, typed),
        Ok(None) => write::reject(view, session, Reason::RegistrationRefused),
        Err(_) => write::unavailable(view, session, Reason::KeyUnavailable),
    }
}

/// What a registration comes to.
pub(in crate::login) struct Registration {
    pub(in crate::login) change: AccountChange,
    pub(in crate::login) spends: Vec<Spend>,
    /// The name of the factor in records.
    pub(in crate::login) factor: String,
    /// What allowed it, in words for the record.
    pub(in crate::login) warrant: String,
    /// What the user hears of.
    pub(in crate::login) happenings: Vec<Happening>,
}

fn registered(view: &View<'_>, setup: &Setup) -> Result<Option<Registration>, KeyError> {
    let (Some(user), Some(proven)) = (user(view), &setup.proven) else { return Ok(None) };
    let entropy = Stream::new(view.entropy, "registered");
    let stored = view.loaded.account.clone();
    let is_new = stored.is_none();
    let is_renewed = stored.as_ref().is_some_and(|account| account.must_register_again);
    let mut account = match stored {
        Some(stored) => Account { version: stored.version.saturating_add(1), ..stored },
        None => Account::new(setup.account_id(view), user.clone(), view.policy.default_state, view.now),
    };
    let new = new_factor(view, setup, proven, account.id, &entropy)?;
    let factor = new.name();
    let mut happenings = vec![Happening::new(event(is_renewed), new.factor.label.clone())];
    happenings.extend(dropped(&account));
    account = with_factor(account, new.factor);
    account.deadline = None;
    if extras::are_given(view) {
        account.recovery_codes = recovery_codes(view, setup, &account, &entropy)?;
    }
    happenings.extend(add_app_password(view, setup, &mut account, &entropy)?);
    let mut spends: Vec<Spend> = new.spend.into_iter().collect();
    if let Warrant::TemporaryCode(code) = setup.warrant {
        spends.push(Spend::Code { account: account.id, code: CodeId::from_bytes(code) });
        account.temporary_code = None;
    }
    let change = Box::new(account);
    let change = if is_new { AccountChange::Insert(change) } else { AccountChange::Update(change) };
    let warrant = words_of_warrant(view, setup);
    Ok(Some(Registration { change, spends, factor, warrant, happenings }))
}

/// Why somebody could register, for an auditor: it stands in the place of the rule.
fn words_of_warrant(view: &View<'_>, setup: &Setup) -> String {
    match setup.warrant {
        Warrant::Opening => {
            let opening = view.policy.registration.opening(view.attempt);
            format!("opening {}", opening.map_or("", |opening| &opening.name))
        }
        Warrant::Contact => {
            let contacts = view.loaded.account.iter().flat_map(|account| &account.contacts);
            let is_it = |contact: &&Contact| matches!(&setup.proven, Some(Proven::Address(address)) if *address == contact.address);
            let set_by = contacts.filter(|contact| is_vouched_for(contact)).find(is_it);
            format!("contact {}", set_by.map_or("", |contact| contact.set_by.name()))
        }
        Warrant::TemporaryCode(id) => format!("temporary-code {}", CodeId::from_bytes(id)),
        Warrant::Proof | Warrant::Own => "proof".to_owned(),
    }
}

const fn event(is_renewed: bool) -> Event {
    if is_renewed { Event::Registered } else { Event::FactorAdded }
}

fn recovery_codes(
    view: &View<'_>,
    setup: &Setup,
    account: &Account,
    entropy: &Stream,
) -> Result<Vec<RecoveryCode>, KeyError> {
    let hashed = setup.recovery_codes().into_iter().map(|code| {
        let hash = Shape::RecoveryCode.hash(view.keys, account.id, &code)?;
        Ok(RecoveryCode { id: CodeId::generate(entropy), hash })
    });
    hashed.collect()
}

fn add_app_password(
    view: &View<'_>,
    setup: &Setup,
    account: &mut Account,
    entropy: &Stream,
) -> Result<Option<Happening>, KeyError> {
    let room = account.app_passwords.len() < limits::APP_PASSWORDS_MAX;
    let Some(scope) = setup.app_password_scope(view).filter(|_| room) else { return Ok(None) };
    let hash = Shape::AppPassword.hash(view.keys, account.id, &setup.app_password())?;
    let label = scope.services.iter().chain(&scope.clients).next().cloned().unwrap_or_default();
    let id = AppPasswordId::generate(entropy);
    account.app_passwords.push(AppPassword { id, label: label.clone(), hash, scope, created_at: view.now });
    Ok(Some(Happening::new(Event::AppPasswordCreated, label)))
}

/// A factor that was proven.
pub(super) struct NewFactor {
    pub(super) factor: Factor,
    /// The code that proved it is used up by that.
    pub(super) spend: Option<Spend>,
}

impl NewFactor {
    /// Its name in records.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.factor.kind.name(), self.factor.id)
    }
}

pub(super) fn new_factor(
    view: &View<'_>,
    setup: &Setup,
    proven: &Proven,
    account: AccountId,
    entropy: &Stream,
) -> Result<NewFactor, KeyError> {
    let id = FactorId::generate(entropy);
    let (kind, label, spend) = match proven {
        Proven::Key(step) => {
            let secret = view.keys.seal(entropy, account, &Factor::secret_field(id), &setup.key())?;
            let kind = FactorKind::Totp { parameters: TotpParameters::default(), secret, drift: 0 };
            (kind, "authenticator app", spend_of(setup, account, id, *step))
        }
        Proven::Address(address) => (FactorKind::Sent { address: address.clone() }, address.kind(), None),
    };
    let factor = Factor { id, label: label.to_owned(), kind, added_at: view.now };
    Ok(NewFactor { factor, spend })
}

fn spend_of(setup: &Setup, account: AccountId, factor: FactorId, step: u64) -> Option<Spend> {
    let key = TotpKey::new(TotpParameters::default(), &setup.key()).ok()?;
    Some(Spend::TotpStep {
        account,
        factor,
        step,
        begins_at: key.step_begins(step),
        expires_at: key.step_expires(step, limits::TOTP_SKEW_STEPS),
    })
}
