//! Codes that are sent: when one goes out, and looking at one that has come back.

use crate::account::{Account, Factor, FactorKind};
use crate::address::{Address, Channel};
use crate::attempt::Word;
use crate::bundle::{Asker, NewCode, SentCode, Slot, Spend};
use crate::codes;
use crate::id::{AccountId, CodeId, MessageId};
use crate::keys::KeyError;
use crate::login::{Evidence, View};
use crate::message::{Content, Envelope, Message};
use crate::policy::Method;
use crate::random::Stream;
use crate::record::PrimaryResult;
use crate::session::Session;
use crate::{Door, Reason, Secret, Username, limits};

/// What the address of a registration is sealed to, with the account.
const FIELD: &str = "registration/address";

/// What becomes of a wish for a code.
pub(super) enum Sending {
    /// It goes out.
    New(Box<Outgoing>),
    /// One is on its way.
    Joined,
    /// None can be sent.
    Refused(Reason),
}

/// A code and the message that carries it.
pub(super) struct Outgoing {
    pub(super) code: NewCode,
    pub(super) envelope: Envelope,
}

/// Whether a code may be asked for.
pub(super) enum Asking {
    /// It may.
    Counted,
    /// Once it is counted as a wrong answer would be: nothing is known of whoever asks but a name.
    ToBeCounted,
    /// Too many wrong answers, or wishes, came before it.
    TooSoon,
}

/// Whether a code may be asked for now. For a name that nobody has the answer is the same.
pub(super) fn asking(view: &View<'_>, session: &Session, evidence: Evidence) -> Asking {
    match (asker(view, session), evidence.knocked) {
        (Asker::Anybody, Some(counted)) if counted.is_admitted(view) => Asking::Counted,
        (Asker::Anybody, None) if view.is_open() => Asking::ToBeCounted,
        (Asker::Somebody, _) if view.is_open() => Asking::Counted,
        (Asker::Anybody | Asker::Somebody, _) => Asking::TooSoon,
    }
}

/// Who asks for a code. At a gateway that checks no password a name is all that there is, unless the user was let in
/// lately from the same source. A program of the user has shown nothing, whatever it says, and can ask again and again.
fn asker(view: &View<'_>, session: &Session) -> Asker {
    if view.attempt.parties.word == Word::OfUser {
        return Asker::Anybody;
    }
    let is_usual = view.attempt.source.is_some() && view.is_known();
    if is_known_by_name_alone(view, session) && !is_usual { Asker::Anybody } else { Asker::Somebody }
}

/// Whether no first password is asked for, at a gateway.
pub(super) fn is_known_by_name_alone(view: &View<'_>, session: &Session) -> bool {
    session.primary() == PrimaryResult::NotAsked && view.attempt.door == Door::Radius
}

/// Decides about a code to an address.
pub(super) fn new(
    view: &View<'_>,
    session: &Session,
    slot: Slot,
    to: &Address,
    channel: Channel,
    account: AccountId,
) -> Result<Sending, KeyError> {
    let Some(user) = view.known() else { return Ok(Sending::Refused(Reason::UnknownUser)) };
    if !view.channels.contains(&channel) || !to.channels().contains(&channel) {
        return Ok(Sending::Refused(Reason::ChannelUnavailable));
    }
    if view.policy.numbers.check_address(to).is_err() {
        return Ok(Sending::Refused(Reason::NumberNotAllowed));
    }
    let is_on_its_way = |code: &SentCode| code.slot == slot && code.is_young(view.now);
    if view.loaded.sent.codes.iter().any(is_on_its_way) {
        return Ok(Sending::Joined);
    }
    let (asker, daily_limit) = (asker(view, session), view.policy.codes_per_day);
    if !view.loaded.sent.allows(asker, view.now, daily_limit) {
        return Ok(Sending::Refused(Reason::TooManyCodes));
    }
    if view.loaded.sends_nothing {
        return Ok(Sending::Refused(Reason::OutboxFull));
    }
    let random = Stream::new(view.entropy, "sent code");
    let digits = codes::generate_digits(&random, limits::CODE_DIGITS);
    let expires_at = view.now.plus_seconds(limits::CODE_SECONDS);
    let address = match slot {
        Slot::Factor(_) => None,
        Slot::Registration => Some(seal(view, &random, account, to)?),
    };
    let code = SentCode {
        slot,
        id: CodeId::generate(&random),
        hash: codes::hash_sent(view.keys, user.as_str(), &digits)?,
        address,
        sent_at: view.now,
        expires_at,
        tries: 0,
    };
    let message = Message {
        id: MessageId::generate(&random),
        attempt: session.attempt(),
        user: user.as_str().to_owned(),
        channel,
        to: to.clone(),
        content: Content::Code(digits),
        at: view.now,
        expires_at,
    };
    let envelope = message.seal(view.keys, &random)?;
    let code = NewCode { name: user.clone(), code, daily_limit, asker };
    Ok(Sending::New(Box::new(Outgoing { code, envelope })))
}

fn seal(
    view: &View<'_>,
    random: &Stream,
    account: AccountId,
    to: &Address,
) -> Result<crate::keys::Sealed, KeyError> {
    let plain = serde_json::to_vec(to).map_err(|_| KeyError::DoesNotSeal)?;
    view.keys.seal(random, account, FIELD, &Secret::new(plain))
}

/// Where the code of a registration was sent.
pub(super) fn open(view: &View<'_>, code: &SentCode, account: AccountId) -> Option<Address> {
    let plain = view.keys.open(account, FIELD, code.address.as_ref()?).ok()?;
    serde_json::from_slice(plain.expose()).ok()
}

/// Where the last code of a slot was sent.
pub(super) fn address_of(view: &View<'_>, slot: Slot, account: AccountId) -> Option<Address> {
    let code = view.loaded.sent.codes.iter().find(|code| code.slot == slot)?;
    open(view, code, account)
}

/// The code that was sent and is what was typed, if there is one that may still be tried. The work is the same whatever was
/// sent and typed.
pub(super) fn matching<'a>(
    view: &'a View<'_>,
    user: &Username,
    typed: &Secret,
    is_asked_for: impl Fn(Slot) -> bool,
) -> Result<Option<&'a SentCode>, KeyError> {
    let candidates = codes::sent_candidates(view.keys, user.as_str(), typed)?;
    let live = |code: &&SentCode| {
        is_asked_for(code.slot) && code.is_live(view.now) && code.tries < limits::CODE_TRIES
    };
    Ok(view.loaded.sent.codes.iter().filter(live).find(|code| candidates.contain(&code.hash)))
}

/// What using a code uses up.
pub(super) fn spend(user: &Username, code: &SentCode) -> Spend {
    Spend::SentCode { name: user.clone(), slot: code.slot, code: code.id }
}

/// The factors of an account to which a code can be sent by a channel here, the default one first.
pub(super) fn factors<'a>(
    view: &View<'_>,
    account: &'a Account,
    channel: Channel,
) -> Vec<(&'a Factor, &'a Address)> {
    if !view.channels.contains(&channel) || !view.ruling(&account.name).allows(Method::of(channel)) {
        return Vec::new();
    }
    let reached = account.factors.iter().filter_map(|factor| match &factor.kind {
        FactorKind::Sent { address } => address.channels().contains(&channel).then_some((factor, address)),
        FactorKind::Totp { .. } | FactorKind::Hotp { .. } => None,
    });
    let mut reached: Vec<_> = reached.collect();
    reached.sort_by_key(|(factor, _)| account.default_factor != Some(factor.id));
    reached
}

/// Whether a code that was sent to a factor is good here.
pub(super) fn is_good(view: &View<'_>, account: &Account, address: &Address) -> bool {
    let ruling = view.ruling(&account.name);
    address.channels().iter().any(|channel| ruling.allows(Method::of(*channel)))
}
