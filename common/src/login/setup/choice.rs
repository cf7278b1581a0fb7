//! Which way somebody registers by.

use crate::account::{Account, Contact};
use crate::address::{Address, Channel};
use crate::login::setup::{At, Picture, Setup, Warrant, address, app, ask as ask_on, is_vouched_for, word};
use crate::login::{Prompt, Step, View, invited, manage, write};
use crate::policy::Method;
use crate::session::Session;
use crate::{Answer, Door, Reason, Secret};

/// Ways that stand in one list.
const CHOICES_MAX: usize = 5;
/// Characters of one way in a list: five of them fit a prompt.
const WORDS_MAX: usize = 32;

/// One way.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Choice {
    /// An authenticator app.
    App(Picture),
    /// A number or address that the user gives.
    Own(Channel),
    /// A contact that somebody else has set.
    Contact(Address, Channel),
}

impl Choice {
    fn words(&self, door: Door) -> String {
        match (self, door) {
            (Self::App(Picture::Shown), _) => "authenticator app (QR code)".to_owned(),
            (Self::App(Picture::Withheld), Door::Radius) => "authenticator app".to_owned(),
            (Self::App(Picture::Withheld), Door::Pam | Door::CommandLine | Door::Delivery) => {
                "authenticator app (key as text)".to_owned()
            }
            (Self::Own(channel), _) => named(*channel).to_owned(),
            (Self::Contact(address, channel), _) => {
                format!("{} to {}", named(*channel), address.masked()).chars().take(WORDS_MAX).collect()
            }
        }
    }
}

const fn named(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "text message",
        Channel::Call => "call",
        Channel::Email => "email",
    }
}

/// The contacts by which this account may be registered first, and by which channels.
pub(super) fn contacts<'a>(
    view: &'a View<'_>,
    account: &'a Account,
) -> impl Iterator<Item = (&'a Contact, Channel)> {
    let channels =
        |contact: &'a Contact| contact.address.channels().iter().map(move |channel| (contact, *channel));
    let vouched_for = account.contacts.iter().filter(|contact| is_vouched_for(contact));
    vouched_for.flat_map(channels).filter(|(_, channel)| is_offered(view, *channel))
}

/// Whether codes come by a channel, and are good here.
fn is_offered(view: &View<'_>, channel: Channel) -> bool {
    view.channels.contains(&channel) && allows(view, Method::of(channel))
}

fn allows(view: &View<'_>, method: Method) -> bool {
    view.known().is_some_and(|name| view.ruling(name).allows(method))
}

fn choices(view: &View<'_>, setup: &Setup) -> Vec<Choice> {
    let mut choices = Vec::new();
    if setup.warrant == Warrant::Contact {
        let account = view.loaded.account.as_ref();
        let set = account.into_iter().flat_map(|account| contacts(view, account));
        choices.extend(set.map(|(contact, channel)| Choice::Contact(contact.address.clone(), channel)));
    } else {
        if allows(view, Method::Totp) {
            if view.attempt.door != Door::Radius {
                choices.push(Choice::App(Picture::Shown));
            }
            choices.push(Choice::App(Picture::Withheld));
        }
        let own = Channel::ALL.into_iter().filter(|channel| is_offered(view, *channel));
        choices.extend(own.map(Choice::Own));
    }
    choices.truncate(CHOICES_MAX);
    choices
}

/// Asks which way, after a sentence about what was typed before.
pub(super) fn ask(view: &View<'_>, session: Session, setup: &Setup, before: &str) -> Step {
    let choices = choices(view, setup);
    if choices.is_empty() {
        return write::reject(view, &session, Reason::RegistrationRefused);
    }
    let head = if before.is_empty() { "Set up your second step." } else { before };
    let listed = (1_u8..)
        .zip(&choices)
        .map(|(number, choice)| format!("{number} {}\n", choice.words(view.attempt.door)));
    let later = if setup.may_be_left(view) { " (n: not now)" } else { "" };
    let text = format!("{head} Choose:\n{}Number{later}: ", listed.collect::<String>());
    ask_on(view, session, setup, At::Choice, Prompt::made(text), Reason::RegistrationBegun)
}

/// A way was chosen, or none.
pub(super) fn answered(view: &View<'_>, session: Session, setup: &Setup, answer: &Answer) -> Step {
    let typed = word(answer);
    if matches!(typed.as_str(), "n" | "no" | "later" | "b") && setup.may_be_left(view) {
        return left(view, &session, setup, answer);
    }
    match chosen(view, setup, &typed) {
        Some(Choice::App(picture)) => app::offer(view, session, setup, picture),
        Some(Choice::Own(channel)) => address::ask(view, session, setup, channel, ""),
        Some(Choice::Contact(to, channel)) => address::send(view, session, setup, &to, channel),
        None => ask(view, session, setup, "That is not one of the numbers."),
    }
}

fn chosen(view: &View<'_>, setup: &Setup, typed: &str) -> Option<Choice> {
    let number: usize = typed.parse().ok()?;
    choices(view, setup).into_iter().nth(number.checked_sub(1)?)
}

/// In once more without a second step. A temporary code was the proof, and is used up by that.
fn left(view: &View<'_>, session: &Session, setup: &Setup, answer: &Answer) -> Step {
    let empty = Secret::new(Vec::new());
    let typed = match answer {
        Answer::Text(typed) => typed,
        Answer::Void => &empty,
    };
    match setup.warrant {
        // Nobody comes in there, so nothing is used up for it.
        Warrant::TemporaryCode(_) | Warrant::Proof if view.attempt.place.is_self_service() => {
            write::reject(view, session, Reason::Abandoned)
        }
        Warrant::Opening | Warrant::Contact => invited::put_off(view, session, setup.primary, typed),
        Warrant::TemporaryCode(id) => write::accept_by_code(view, session, setup.primary, id, typed),
        Warrant::Proof => write::accept_proven(view, session, setup.primary, typed),
        Warrant::Own => manage::back(view, session.clone(), setup.primary),
    }
}
