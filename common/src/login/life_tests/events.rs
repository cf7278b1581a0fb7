//! What may happen in a life: what people type, and what administrators do.

use proptest::prelude::*;

use crate::account::{Scope, State};
use crate::login::life_tests::ATTEMPTS;

/// What somebody may type.
#[derive(Clone, Copy, Debug)]
pub(super) enum Typed {
    Password,
    /// The code that a registered app shows, the first or the second.
    Code(usize),
    /// The code of the key that this session has shown last.
    CodeOfKey,
    /// The last code that was sent, or the one before it.
    Sent(usize),
    /// A recovery code that was ever shown.
    Recovery(usize),
    /// A temporary code that was ever issued.
    Temporary(usize),
    /// An app password that was ever shown.
    AppPassword(usize),
    Word(&'static str),
    /// What somebody types who wants to get on, in one of several ways.
    Fitting(usize),
}

/// What happens next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Begin(usize, Typed),
    Answer(Typed),
    /// An old session is answered again, as an attacker may.
    Replay(usize, Typed),
    Wait(u64),
    SetState(State, Option<u32>),
    DisableFor(u64),
    Block(bool),
    RequireRegistration,
    TemporaryCode,
    RevokeTemporaryCode,
    AppPassword(Where),
    DeleteAppPasswords,
    Contact,
    RemoveFactor,
}

/// Where an app password is good.
#[derive(Clone, Copy, Debug)]
pub(super) enum Where {
    Sshd,
    Imap,
    Vpn,
}

impl Where {
    pub(super) fn of(self) -> Scope {
        let only = |name: &str| vec![name.to_owned()];
        match self {
            Self::Sshd => Scope { services: only("sshd"), clients: Vec::new() },
            Self::Imap => Scope { services: only("imap"), clients: Vec::new() },
            Self::Vpn => Scope { services: Vec::new(), clients: only("vpn") },
        }
    }
}

const WORDS: [&str; 25] = [
    "y",
    "n",
    "1",
    "2",
    "3",
    "ok",
    "b",
    "r",
    "",
    "sms",
    "call",
    "menu",
    "manage",
    "+4915112345678",
    "done",
    "codes",
    "add",
    "list",
    "remove 1",
    "change 1",
    "password sshd script",
    "passwords",
    "revoke 1",
    "000000",
    "?",
];

pub(super) fn typed() -> impl Strategy<Value = Typed> {
    prop_oneof![
        3 => Just(Typed::Password),
        4 => (0..2usize).prop_map(Typed::Code),
        4 => Just(Typed::CodeOfKey),
        4 => (0..2usize).prop_map(Typed::Sent),
        2 => (0..24usize).prop_map(Typed::Recovery),
        2 => (0..3usize).prop_map(Typed::Temporary),
        3 => (0..4usize).prop_map(Typed::AppPassword),
        8 => (0..WORDS.len()).prop_map(|which| Typed::Word(WORDS[which])),
        50 => (0..12usize).prop_map(Typed::Fitting),
    ]
}

pub(super) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => ((0..ATTEMPTS), first())
            .prop_map(|(which, first)| Event::Begin(which, first)),
        60 => typed().prop_map(Event::Answer),
        6 => ((0..40usize), typed()).prop_map(|(old, typed)| Event::Replay(old, typed)),
        6 => prop_oneof![Just(1), Just(30), Just(61), Just(301), Just(86_400)].prop_map(Event::Wait),
        6 => by_administrator(),
    ]
}

/// What is typed for a password.
fn first() -> impl Strategy<Value = Typed> {
    prop_oneof![10 => Just(Typed::Password), 2 => (0..4usize).prop_map(Typed::AppPassword), 1 => typed()]
}

fn by_administrator() -> impl Strategy<Value = Event> {
    let state =
        prop_oneof![1 => Just(State::Disabled), 2 => Just(State::Enabled), 2 => Just(State::Enforced)];
    prop_oneof![
        2 => (state, proptest::option::of(0..3u32)).prop_map(|(state, left)| Event::SetState(state, left)),
        1 => Just(Event::DisableFor(100)),
        1 => Just(Event::Block(true)),
        2 => Just(Event::Block(false)),
        3 => Just(Event::RequireRegistration),
        3 => Just(Event::TemporaryCode),
        1 => Just(Event::RevokeTemporaryCode),
        3 => prop_oneof![Just(Where::Sshd), Just(Where::Imap), Just(Where::Vpn)].prop_map(Event::AppPassword),
        1 => Just(Event::DeleteAppPasswords),
        1 => Just(Event::Contact),
        1 => Just(Event::RemoveFactor),
    ]
}

/// What fits a question; of several things that do, one.
pub(super) fn fitting(question: &str, which: usize) -> Typed {
    let one_of = |words: &[&'static str]| Typed::Word(words[which % words.len()]);
    match question {
        _ if question.contains("y for yes") => one_of(&["y", "y", "y", "n"]),
        _ if question.contains("Choose:") => one_of(&["1", "1", "2", "3", "4", "n"]),
        _ if question.contains("when you have one") => one_of(&["ok", ""]),
        _ if question.contains("Key: ") => Typed::CodeOfKey,
        _ if question.contains("number with") || question.contains("Number to call") => {
            one_of(&["+4915112345678"])
        }
        _ if question.contains("way to ") || question.contains("send again") => Typed::Sent(0),
        _ if question.contains("for none: ") => one_of(&["", "imap", "sshd"]),
        _ if question.contains("ok: ") => one_of(&["ok", ""]),
        _ if question.contains("temporary code") && which < 6 => Typed::Temporary(0),
        _ if question.contains("Command") => {
            one_of(&["done", "", "codes", "add", "list", "remove 1", "change 1", "sign-ins", "password imap"])
        }
        _ if which == 0 => Typed::Word("menu"),
        _ if which == 1 => Typed::Word("sms"),
        _ if which == 2 => Typed::Recovery(0),
        _ if which < 5 => Typed::Sent(0),
        _ if which < 7 => Typed::Temporary(0),
        _ if which < 9 => Typed::AppPassword(which - 7),
        _ => Typed::Code(0),
    }
}
