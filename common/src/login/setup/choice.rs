//! Which way somebody registers by.

use crate::account::{Account, Contact, FactorKind};
use crate::address::{Address, Channel};
use crate::attempt::Dialogue;
use crate::login::setup::{At, Picture, Setup, Warrant, address, app, ask as ask_on, word};
use crate::login::ways::named;
use crate::login::{Evidence, Prompt, Step, View, invited, manage, write};
use crate::policy::Method;
use crate::session::Session;
use crate::{Answer, Door, Reason};

/// Ways that stand in one list.
const CHOICES_MAX: usize = 5;
/// Characters of one way in a list: five of them fit a prompt.
const WORDS_MAX: usize = 34;
/// Where nothing of the kind can be set up.
const NO_WAY: &str = "That cannot be set up here. Ask an administrator.\n";

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
    fn words(&self, view: &View<'_>) -> String {
        match (self, view.attempt.door) {
            (Self::App(Picture::Shown), _) => "authenticator app (QR code)".to_owned(),
            (Self::App(Picture::Withheld), Door::Radius) => "authenticator app".to_owned(),
            (Self::App(Picture::Withheld), Door::Pam | Door::CommandLine | Door::Delivery) => {
                "authenticator app (key as text)".to_owned()
            }
            (Self::Own(channel), _) => named(*channel).to_owned(),
            (Self::Contact(address, channel), _) => {
                format!("{} to {}", named(*channel), on_file(view, address)).chars().take(WORDS_MAX).collect()
            }
        }
    }
}

/// The words for a contact that somebody else has set. A neutral dialogue shows nothing of it: whoever has stolen the
/// password would learn something of its owner.
pub(super) fn on_file(view: &View<'_>, address: &Address) -> String {
    if view.attempt.profile.dialogue == Dialogue::Plain {
        return address.masked();
    }
    let is_mail = |address: &Address| matches!(address, Address::Email(_));
    let kind = if is_mail(address) { "address" } else { "number" };
    let set = view.loaded.account.iter().flat_map(|account| &account.contacts);
    let alike =
        set.filter(|contact| contact.is_vouched_for() && is_mail(&contact.address) == is_mail(address));
    let alike: Vec<_> = alike.collect();
    match (1..).zip(&alike).find(|(_, contact)| contact.address == *address) {
        Some((place, _)) if alike.len() > 1 => format!("{kind} {place} on file"),
        Some(_) | None => format!("the {kind} on file"),
    }
}

/// The contacts by which this account may be registered first, and by which channels.
pub(super) fn contacts<'a>(
    view: &'a View<'_>,
    account: &'a Account,
) -> impl Iterator<Item = (&'a Contact, Channel)> {
    let channels =
        |contact: &'a Contact| contact.address.channels().iter().map(move |channel| (contact, *channel));
    let vouched_for = account.contacts.iter().filter(|contact| contact.is_vouched_for());
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
    let account = view.loaded.account.as_ref();
    let replaced = account.and_then(|account| setup.replaced(account)).map(|factor| &factor.kind);
    let own = |channels: &[Channel]| {
        let offered = channels.iter().copied().filter(|channel| is_offered(view, *channel));
        offered.map(Choice::Own).collect::<Vec<_>>()
    };
    let mut choices = match (setup.warrant, replaced) {
        (Warrant::Contact, _) => {
            let set = account.into_iter().flat_map(|account| contacts(view, account));
            set.map(|(contact, channel)| Choice::Contact(contact.address.clone(), channel)).collect()
        }
        (_, Some(FactorKind::Sent { address })) => own(&[address::typed_by(address)]),
        (_, Some(FactorKind::Totp { .. } | FactorKind::Hotp { .. })) => apps(view),
        (_, None) => [apps(view), own(&Channel::ALL)].concat(),
    };
    choices.truncate(CHOICES_MAX);
    choices
}

fn apps(view: &View<'_>) -> Vec<Choice> {
    let pictures = match view.attempt.door {
        Door::Radius => &[Picture::Withheld][..],
        Door::Pam | Door::CommandLine | Door::Delivery => &[Picture::Shown, Picture::Withheld],
    };
    let pictures = pictures.iter().filter(|_| allows(view, Method::Totp));
    pictures.copied().map(Choice::App).collect()
}

/// Asks for the new number, where one takes the place of another; else which way. `said` comes before it, and `why` stands
/// in the record, if there is one.
pub(super) fn begin(
    view: &View<'_>,
    session: Session,
    setup: &Setup,
    said: &str,
    why: Option<Reason>,
) -> Step {
    match only_number(view, setup) {
        Some(channel) => address::ask(view, session, setup, channel, said, why),
        None => ask(view, session, setup, if said.is_empty() { head(view) } else { said }, why),
    }
}

/// Why it is asked.
fn head(view: &View<'_>) -> &'static str {
    if view.loaded.account.as_ref().is_some_and(|account| account.must_register_again) {
        return "Your second step has to be set up anew.";
    }
    "Set up your second step."
}

/// Back from a way that was chosen.
pub(super) fn back(view: &View<'_>, session: Session, setup: &Setup) -> Step {
    match only_number(view, setup) {
        Some(_) => manage::back(view, session, setup.primary, ""),
        None => ask(view, session, setup, head(view), None),
    }
}

/// The channel of the number or address that is changed.
fn only_number(view: &View<'_>, setup: &Setup) -> Option<Channel> {
    match choices(view, setup).as_slice() {
        [Choice::Own(channel)] if setup.replaced.is_some() => Some(*channel),
        _ => None,
    }
}

/// Asks which way, after a sentence.
fn ask(view: &View<'_>, session: Session, setup: &Setup, before: &str, why: Option<Reason>) -> Step {
    let choices = choices(view, setup);
    if choices.is_empty() {
        return match setup.warrant {
            Warrant::Own => manage::back(view, session, setup.primary, NO_WAY),
            Warrant::Opening | Warrant::Contact | Warrant::TemporaryCode(_) | Warrant::Proof => {
                write::reject(view, &session, Reason::RegistrationRefused)
            }
        };
    }
    let listed = (1_u8..).zip(&choices).map(|(number, choice)| format!("{number} {}\n", choice.words(view)));
    let later = match setup.warrant {
        _ if !setup.may_be_left(view) => "",
        Warrant::Opening | Warrant::Contact | Warrant::Own => " (n: not now)",
        // What was typed is used up by it.
        Warrant::TemporaryCode(_) | Warrant::Proof => " (n: not now, only sign in this once)",
    };
    let text = format!("{before} Choose:\n{}Number{later}: ", listed.collect::<String>());
    ask_on(view, session, setup, At::Choice, Prompt::made(text), why)
}

/// A way was chosen, or none.
pub(super) fn answered(
    view: &View<'_>,
    session: Session,
    setup: &Setup,
    answer: &Answer,
    evidence: Evidence,
) -> Step {
    let typed = word(answer);
    if matches!(typed.as_str(), "n" | "no" | "later" | "b") && setup.may_be_left(view) {
        return left(view, &session, setup, answer);
    }
    match chosen(view, setup, &typed) {
        Some(Choice::App(picture)) => app::offer(view, session, setup, picture),
        Some(Choice::Own(channel)) => address::ask(view, session, setup, channel, "", None),
        Some(Choice::Contact(to, channel)) => {
            address::send(view, session, setup, (&to, channel), &on_file(view, &to), evidence)
        }
        None => ask(view, session, setup, "That is not one of the numbers.", None),
    }
}

fn chosen(view: &View<'_>, setup: &Setup, typed: &str) -> Option<Choice> {
    let number: usize = typed.parse().ok()?;
    choices(view, setup).into_iter().nth(number.checked_sub(1)?)
}

/// In once more without a second step. A temporary code was the proof, and is used up by that.
fn left(view: &View<'_>, session: &Session, setup: &Setup, answer: &Answer) -> Step {
    let typed = answer.typed();
    match setup.warrant {
        // Nobody comes in there, so nothing is used up for it.
        Warrant::TemporaryCode(_) | Warrant::Proof if view.attempt.place.is_self_service() => {
            write::reject(view, session, Reason::Abandoned)
        }
        Warrant::Opening | Warrant::Contact => invited::put_off(view, session, setup.primary, typed),
        Warrant::TemporaryCode(id) => write::accept_by_code(view, session, setup.primary, id, typed),
        Warrant::Proof => write::accept_proven(view, session, setup.primary, typed),
        Warrant::Own => manage::back(view, session.clone(), setup.primary, ""),
    }
}
