//! A telephone number or mail address: a code is sent there and comes back.

use crate::address::{Address, AddressError, Channel, Extension, MailAddress, PhoneNumber};
use crate::attempt::Dialogue;
use crate::bundle::Slot;
use crate::login::sent::{self, Asking, Sending};
use crate::login::setup::{At, Proven, Setup, Warrant, after_proof, ask as ask_on, choice, word};
use crate::login::{Evidence, Prompt, Step, View, against, write};
use crate::session::Session;
use crate::{Answer, Reason, limits};

/// What is said where none can be sent.
const NOT_NOW: &str = "No code can be sent there now.";
/// What is said of a number that the settings do not allow.
const NOT_ALLOWED: &str = "No codes are sent to that number here. Type another one.";

/// Asks for a number or address, after a sentence about what was typed before.
pub(super) fn ask(
    view: &View<'_>,
    session: Session,
    setup: &Setup,
    channel: Channel,
    before: &str,
    why: Option<Reason>,
) -> Step {
    let question = match channel {
        Channel::Sms => "Mobile number with country, as +4915112345678 (b: back): ",
        Channel::Call => {
            "Number to call with country, as +4930123456,\nor +4930123456 x12 with an extension (b: back): "
        }
        Channel::Email => "Mail address (b: back): ",
    };
    let break_or_not = if before.is_empty() { "" } else { "\n" };
    let prompt = Prompt::made(format!("{before}{break_or_not}{question}"));
    ask_on(view, session, setup, At::Address(channel), prompt, why)
}

/// A number or address was typed. Part of it is shown to whoever has just typed it, and to nobody else.
pub(super) fn typed(
    view: &View<'_>,
    session: Session,
    setup: &Setup,
    channel: Channel,
    answer: &Answer,
    evidence: Evidence,
) -> Step {
    let typed = word(answer);
    if typed == "b" {
        return choice::back(view, session, setup);
    }
    match read(channel, &typed) {
        Ok(address) => send(view, session, setup, (&address, channel), &address.masked(), evidence),
        Err(AddressError::Mail) => ask(view, session, setup, channel, "That is no mail address.", None),
        Err(AddressError::Number | AddressError::Extension) => {
            ask(view, session, setup, channel, "That is no telephone number.", None)
        }
    }
}

/// The channel for which somebody types an address of this kind.
pub(super) const fn typed_by(address: &Address) -> Channel {
    match address {
        Address::Mobile(_) => Channel::Sms,
        Address::Office(..) => Channel::Call,
        Address::Email(_) => Channel::Email,
    }
}

/// Reads what somebody types for a channel. A number for calls is one of an office: nobody reads texts there.
fn read(channel: Channel, typed: &str) -> Result<Address, AddressError> {
    match channel {
        Channel::Sms => PhoneNumber::parse(typed).map(Address::Mobile),
        Channel::Call => {
            let (number, extension) = match typed.split_once('x') {
                Some((number, extension)) => (number, Some(Extension::parse(extension.trim())?)),
                None => (typed, None),
            };
            Ok(Address::Office(PhoneNumber::parse(number)?, extension))
        }
        Channel::Email => {
            let address = MailAddress::parse(typed)?;
            let fits = address.as_str().len() <= limits::SETUP_ADDRESS_OCTETS_MAX;
            fits.then_some(Address::Email(address)).ok_or(AddressError::Mail)
        }
    }
}

/// Sends a code there, unless one is on its way. `named` says where in words that may be shown here.
pub(super) fn send(
    view: &View<'_>,
    session: Session,
    setup: &Setup,
    (to, channel): (&Address, Channel),
    named: &str,
    evidence: Evidence,
) -> Step {
    if session.is_last_round() {
        // Nothing is sent that nobody could be asked for.
        return write::reject(view, &session, Reason::TooManyRounds);
    }
    match sent::asking(view, &session, evidence) {
        Asking::Counted => {}
        Asking::ToBeCounted => return Step::Knock,
        Asking::TooSoon => return choice::begin(view, session, setup, NOT_NOW, Some(Reason::Throttled)),
    }
    let account = setup.account_id(view);
    let Ok(sending) = sent::new(view, &session, Slot::Registration, to, channel, account) else {
        return write::unavailable(view, &session, Reason::KeyUnavailable);
    };
    match sending {
        Sending::New(new) => {
            let text = format!("A code is on its way to {named:.40}.\nCode (b: back, r: send again): ");
            let why = Some(Reason::CodeSent);
            let step = ask_on(view, session, setup, At::Code(channel), Prompt::made(text), why);
            write::with_code(step, *new)
        }
        // Another registration of the same user may have sent it elsewhere: the code tells.
        Sending::Joined => {
            let text = "A code is on its way already; wait a minute for another one.\nCode (b: back): ";
            let why = Some(Reason::CodeSentBefore);
            ask_on(view, session, setup, At::Code(channel), Prompt::hidden(text), why)
        }
        Sending::Refused(Reason::NumberNotAllowed) if setup.warrant != Warrant::Contact => {
            ask(view, session, setup, channel, NOT_ALLOWED, Some(Reason::NumberNotAllowed))
        }
        Sending::Refused(reason) => {
            let said = match reason {
                Reason::NumberNotAllowed => "No codes go there. Ask an administrator.",
                Reason::TooManyCodes => "No more codes are sent today.",
                _ => NOT_NOW,
            };
            choice::begin(view, session, setup, said, Some(reason))
        }
    }
}

/// The code has come, or another wish. It is a guess, and counted before it is looked at.
pub(super) fn answered(
    view: &View<'_>,
    session: Session,
    setup: &Setup,
    channel: Channel,
    answer: &Answer,
    evidence: Evidence,
) -> Step {
    if matches!(answer, Answer::Void) {
        return again(view, session, setup, channel, Reason::NotAnAnswer);
    }
    match word(answer).as_str() {
        "b" => return choice::back(view, session, setup),
        "r" => return send_again(view, session, setup, channel, evidence),
        _ => {}
    }
    match evidence.counted {
        None if view.is_open() => Step::Count(against(view)),
        None => again(view, session, setup, channel, Reason::Throttled),
        Some(_) if evidence.admits_second(view) => look(view, session, setup, channel, answer),
        Some(_) => again(view, session, setup, channel, Reason::Throttled),
    }
}

fn send_again(
    view: &View<'_>,
    session: Session,
    setup: &Setup,
    channel: Channel,
    evidence: Evidence,
) -> Step {
    match sent::address_of(view, Slot::Registration, setup.account_id(view))
        .filter(|to| setup.admits(view, to))
    {
        Some(to) => send(view, session, setup, (&to, channel), &named(view, setup, &to), evidence),
        None => choice::begin(view, session, setup, "That code is too old.", None),
    }
}

/// Where the last code went, which somebody else may have asked for.
fn named(view: &View<'_>, setup: &Setup, to: &Address) -> String {
    match (setup.warrant, view.attempt.profile.dialogue, to) {
        (Warrant::Contact, ..) => choice::on_file(view, to),
        (_, Dialogue::Plain, _) => to.masked(),
        (_, Dialogue::Neutral, Address::Email(_)) => "the address that you gave".to_owned(),
        (_, Dialogue::Neutral, Address::Mobile(_) | Address::Office(..)) => {
            "the number that you gave".to_owned()
        }
    }
}

fn look(view: &View<'_>, session: Session, setup: &Setup, channel: Channel, answer: &Answer) -> Step {
    let Some(user) = view.known() else { return write::reject(view, &session, Reason::UnknownUser) };
    match sent::matching(view, user, answer.typed(), |slot| slot == Slot::Registration) {
        Err(_) => write::unavailable(view, &session, Reason::KeyUnavailable),
        Ok(None) => again(view, session, setup, channel, Reason::WrongCode),
        Ok(Some(code)) => {
            match sent::open(view, code, setup.account_id(view)).filter(|to| setup.admits(view, to)) {
                Some(address) => {
                    let spend = sent::spend(user, code);
                    let kind = address.kind();
                    let proven = Setup { proven: Some(Proven::Address(address)), ..setup.clone() };
                    let step = after_proof(view, session, &proven, answer);
                    let step = write::with_sent_code(view, step, spend, kind);
                    match setup.warrant {
                        Warrant::Own => write::with_recognition(view, step),
                        Warrant::Opening | Warrant::Contact | Warrant::TemporaryCode(_) | Warrant::Proof => {
                            step
                        }
                    }
                }
                // Sent elsewhere, or to a contact that was taken away.
                None => again(view, session, setup, channel, Reason::RegistrationRefused),
            }
        }
    }
}

fn again(view: &View<'_>, session: Session, setup: &Setup, channel: Channel, reason: Reason) -> Step {
    let text = "That did not work. Code (b: back, r: send again): ";
    ask_on(view, session, setup, At::Code(channel), Prompt::hidden(text), Some(reason))
}
