//! The last answer of a registration: the account as it shall be, what that uses up, and in.

use crate::account::{Account, Contact, Factor, FactorKind};
use crate::acts::{self, Desk, dropped, with_factor};
use crate::bundle::{AccountChange, Spend};
use crate::id::{CodeId, FactorId};
use crate::keys::KeyError;
use crate::login::setup::{Proven, Setup, Warrant, extras, user};
use crate::login::{Step, View, write};
use crate::message::Event;
use crate::notices::Happening;
use crate::random::Stream;
use crate::session::Session;
use crate::totp::TotpParameters;
use crate::{AccountId, Answer, Reason, limits};

/// Registers, spends what proved it, and lets in.
pub(super) fn complete(view: &View<'_>, session: &Session, setup: &Setup, answer: &Answer) -> Step {
    let typed = answer.typed();
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
    let desk = view.desk(&entropy);
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
        account.recovery_codes = acts::recovery_codes(&desk, account.id, &setup.recovery_codes())?;
    }
    happenings.extend(add_app_password(view, setup, &mut account, &desk)?);
    let mut spends: Vec<Spend> = new.spend.into_iter().collect();
    if let Warrant::TemporaryCode(code) = setup.warrant {
        spends.push(Spend::Code { account: account.id, code: CodeId::from_bytes(code) });
    }
    // It was for somebody who has registered nothing, whichever way that was mended.
    account.temporary_code = None;
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
            let set_by = contacts.filter(|contact| contact.is_vouched_for()).find(is_it);
            format!("contact {}", set_by.map_or("", |contact| contact.set_by.name()))
        }
        Warrant::TemporaryCode(id) => format!("temporary-code {}", CodeId::from_bytes(id)),
        Warrant::Proof | Warrant::Own => "proof".to_owned(),
    }
}

const fn event(is_renewed: bool) -> Event {
    if is_renewed { Event::Registered } else { Event::FactorAdded }
}

fn add_app_password(
    view: &View<'_>,
    setup: &Setup,
    account: &mut Account,
    desk: &Desk<'_>,
) -> Result<Option<Happening>, KeyError> {
    let room = account.app_passwords.len() < limits::APP_PASSWORDS_MAX;
    let Some(scope) = setup.app_password_scope(view).filter(|_| room) else { return Ok(None) };
    let label = scope.services.iter().chain(&scope.clients).next().cloned().unwrap_or_default();
    let made = acts::app_password(desk, account.id, &setup.app_password(), label.clone(), scope)?;
    account.app_passwords.push(made);
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
    let (kind, spend) = match proven {
        Proven::Key(step) => {
            let key = setup.totp().map_err(|_| KeyError::DoesNotOpen)?;
            let spend = Spend::of_step(&key, (account, id), *step);
            let secret = view.keys.seal(entropy, account, &Factor::secret_field(id), &setup.key())?;
            let kind = FactorKind::Totp { parameters: TotpParameters::default(), secret, drift: 0 };
            (kind, Some(spend))
        }
        Proven::Address(address) => (FactorKind::Sent { address: address.clone() }, None),
    };
    let factor = Factor { id, label: usual_label(&kind).to_owned(), kind, added_at: view.now };
    Ok(NewFactor { factor, spend })
}

/// The label of a factor until its user has another word for it.
pub(in crate::login) const fn usual_label(kind: &FactorKind) -> &'static str {
    match kind {
        FactorKind::Totp { .. } => "authenticator app",
        FactorKind::Hotp { .. } => "token",
        FactorKind::Sent { address } => address.kind(),
    }
}
