//! A whole life of an account, in any order: registering, signing in, putting off, losing, looking after it, and what
//! administrators do meanwhile. Whatever is typed where, nobody gets in without the proofs that are asked for, nothing is
//! good twice, and a registration that does not come to its end has changed nothing.

mod events;
mod yes;

use std::collections::{BTreeMap, BTreeSet};

use events::{Event, Typed, event, fitting};
use proptest::prelude::*;
use yes::{Right, Yes};

use crate::account::{Account, AppPassword, Deadline, Factor, FactorKind, Scope, SetBy, State};
use crate::acts::{Act, IfAbsent, Issued, Label, Reset, StateChange};
use crate::address::{Address, PhoneNumber};
use crate::attempt::{Profile, SecondQuestion};
use crate::codes::{self, Shape};
use crate::engine::Reply;
use crate::lane::LaneKey;
use crate::login::tests::talk::fits_a_window;
use crate::message::Content;
use crate::policy::Policy;
use crate::ports::{Loaded, Store as _};
use crate::registration::{Opening, Registration};
use crate::session::{Session, Stage};
use crate::totp::{TotpKey, TotpParameters};
use crate::world::{World, at_sshd, at_vpn, code_of, keys, text_answer};
use crate::{Attempt, AttemptId, FactorId, Grounds, Secret, UnixTime, Username, Verdict, limits};

const ATTEMPTS: usize = 4;

fn attempts() -> [Attempt; ATTEMPTS] {
    let cannot_ask = Profile { second_question: SecondQuestion::Impossible, ..Profile::default() };
    let elsewhere = Some("198.51.100.1".to_owned());
    [
        at_sshd("alice"),
        at_vpn("alice"),
        Attempt { source: elsewhere, ..at_sshd("alice") },
        Attempt { profile: cannot_ask, ..at_vpn("alice") },
    ]
}

/// sshd is open for registrations from the network of the first attempt; the VPN is not.
fn policy() -> Policy {
    let opening = Opening {
        name: "office".to_owned(),
        services: vec!["sshd".to_owned()],
        clients: Vec::new(),
        networks: vec!["192.0.2.0/24".parse().unwrap()],
    };
    let app_passwords = Scope { services: vec!["sshd".to_owned(), "imap".to_owned()], clients: Vec::new() };
    let registration = Registration { openings: vec![opening], app_passwords, ..Registration::default() };
    Policy { registration, ..Policy::new(State::Enforced) }
}

/// A question that waits for its answer.
#[derive(Clone)]
struct Open {
    which: usize,
    session: Box<Session>,
    /// The key that was shown last.
    key: Option<String>,
    question: String,
}

/// What has been shown in one login by what was typed in it.
#[derive(Clone, Default)]
struct Shown {
    password: bool,
    /// A second proof that was registered, or a temporary code.
    proof: bool,
    /// An app password that is good there, at the second question.
    app_password: bool,
    /// A temporary code.
    temporary: bool,
    /// With what it was let in, and when.
    success: Option<(String, u64)>,
}

struct Life {
    world: World,
    open: Vec<Open>,
    shown: BTreeMap<AttemptId, Shown>,
    recovery: Vec<String>,
    temporary: Vec<String>,
    app_passwords: Vec<String>,
    /// Whatever has been used up.
    used: BTreeSet<String>,
}

fn alice() -> Username {
    Username::parse("alice").unwrap()
}

impl Life {
    fn new(state: State) -> Self {
        let world = World::new(policy());
        world.add("alice", state);
        Self {
            world,
            open: Vec::new(),
            shown: BTreeMap::new(),
            recovery: Vec::new(),
            temporary: Vec::new(),
            app_passwords: Vec::new(),
            used: BTreeSet::new(),
        }
    }

    fn loaded(&self) -> Loaded {
        self.world.memory.load(&alice(), &LaneKey::NONE, None).unwrap()
    }

    fn account(&self) -> Account {
        self.loaded().account.unwrap()
    }

    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(self.world.now())
    }

    fn text(&self, typed: Typed, open: Option<&Open>) -> String {
        let nothing = || "999999".to_owned();
        match typed {
            Typed::Password => "pw".to_owned(),
            Typed::Code(which) => {
                self.apps().get(which).map_or_else(nothing, |(_, key)| code_of(key, self.now().seconds()))
            }
            Typed::CodeOfKey => {
                let key = open.and_then(|open| open.key.as_deref());
                let key = key.map(|key| crate::totp::from_base32(key).unwrap());
                key.map_or_else(nothing, |key| code_of(&key, self.now().seconds()))
            }
            Typed::Sent(which) => self.sent().into_iter().rev().nth(which).unwrap_or_else(nothing),
            Typed::Recovery(which) => self.recovery.iter().rev().nth(which).cloned().unwrap_or_else(nothing),
            Typed::Temporary(which) => {
                self.temporary.iter().rev().nth(which).cloned().unwrap_or_else(nothing)
            }
            Typed::AppPassword(which) => {
                self.app_passwords.iter().rev().nth(which).cloned().unwrap_or_else(nothing)
            }
            Typed::Word(word) => word.to_owned(),
            Typed::Fitting(which) => {
                let question = open.map(|open| open.question.as_str()).unwrap_or_default();
                self.text(fitting(question, which), open)
            }
        }
    }

    /// The keys of the registered apps.
    fn apps(&self) -> Vec<(FactorId, Secret)> {
        let account = self.account();
        let key = |factor: &Factor| {
            let FactorKind::Totp { secret, .. } = &factor.kind else { return None };
            Some((factor.id, keys().open(account.id, &Factor::secret_field(factor.id), secret).unwrap()))
        };
        account.factors.iter().filter_map(key).collect()
    }

    fn sent(&self) -> Vec<String> {
        let outbox = self.world.memory.0.lock().unwrap().outbox.clone();
        let code = |message: crate::message::Message| match message.content {
            Content::Code(code) => Some(code.expose_text().unwrap().to_owned()),
            Content::Notice(_) => None,
        };
        outbox.into_iter().filter_map(|envelope| code(envelope.open(&keys()).unwrap())).collect()
    }

    /// Whether a text is a second proof here and now: of what is registered, or a temporary code.
    fn is_proof(&self, text: &str) -> bool {
        let Loaded { account: Some(account), spent_steps, spent_codes, sent: on_its_way, .. } = self.loaded()
        else {
            return false;
        };
        let secret = Secret::from(text);
        let by_app = self.apps().into_iter().any(|(factor, key)| {
            let key = TotpKey::new(TotpParameters::default(), &key).unwrap();
            let step = key.matching_step(text, self.now(), limits::TOTP_SKEW_STEPS);
            step.is_some_and(|step| {
                !spent_steps.iter().any(|(id, highest)| *id == factor && step <= *highest)
            })
        });
        let recovery = Shape::RecoveryCode.candidates(&keys(), account.id, &secret).unwrap();
        let temporary = Shape::TemporaryCode.candidates(&keys(), account.id, &secret).unwrap();
        let sent = codes::sent_candidates(&keys(), "alice", &secret).unwrap();
        let is_unspent = |id| !spent_codes.contains(&id);
        by_app
            || account.recovery_codes.iter().any(|code| recovery.contain(&code.hash) && is_unspent(code.id))
            || account.temporary_code.iter().any(|code| {
                temporary.contain(&code.hash) && is_unspent(code.id) && self.now() < code.expires_at
            })
            || on_its_way.codes.iter().any(|code| {
                sent.contain(&code.hash) && self.now() < code.expires_at && code.tries < limits::CODE_TRIES
            })
    }

    /// Whether a text is an app password of the account that is good at this attempt's place.
    fn is_app_password(&self, which: usize, text: &str) -> bool {
        let account = self.account();
        let candidates = Shape::AppPassword.candidates(&keys(), account.id, &Secret::from(text)).unwrap();
        let place = &attempts()[which].place;
        let is_it =
            |password: &AppPassword| candidates.contain(&password.hash) && password.scope.covers(place);
        account.app_passwords.iter().any(is_it)
    }

    fn play(&mut self, event: Event) {
        match event {
            Event::Begin(which, first) => self.begin(which, first),
            Event::Answer(typed) => {
                if let Some(last) = self.open.len().checked_sub(1) {
                    self.answer(last, typed);
                }
            }
            Event::Replay(old, typed) if old < self.open.len() => self.answer(old, typed),
            Event::Replay(..) => {}
            Event::Wait(seconds) => self.world.wait(seconds),
            Event::SetState(state, left) => {
                let deadline = left.map(|left| Deadline { by: None, sign_ins: Some(left) });
                self.act(&Act::SetState(StateChange { deadline: deadline.into(), ..state.into() }));
            }
            Event::DisableFor(seconds) => {
                let until = self.now().plus_seconds(seconds);
                self.act(&Act::DisableUntil { until, if_absent: IfAbsent::Refuse });
            }
            Event::Block(true) => self.act(&Act::Block(crate::account::Block::Indefinitely)),
            Event::Block(false) => self.act(&Act::Unblock),
            Event::RequireRegistration => {
                self.act(&Act::Reset(Reset { require_registration: true, ..Reset::default() }));
            }
            Event::TemporaryCode => {
                let code = self.world.temporary_code("alice", 86_400);
                self.temporary.push(code);
            }
            Event::AppPassword(scope) => {
                let label = Label::parse("script").unwrap();
                self.act(&Act::CreateAppPassword { label, scope: scope.of() });
            }
            Event::DeleteAppPasswords => {
                self.act(&Act::Reset(Reset { delete_app_passwords: true, ..Reset::default() }));
            }
            Event::RevokeTemporaryCode => self.act(&Act::RevokeTemporaryCode),
            Event::Contact => {
                let address = Address::Mobile(PhoneNumber::parse("+4915100000000").unwrap());
                self.act(&Act::AddContact { address, set_by: SetBy::Administrator });
            }
            Event::RemoveFactor => {
                if let Some(factor) = self.account().factors.first() {
                    self.act(&Act::RemoveFactor(factor.id));
                }
            }
        }
    }

    /// What is refused changes nothing either.
    fn act(&mut self, act: &Act) {
        let actor =
            crate::record::Actor { login_uid: None, uid: Some(0), tty: None, host: "test".to_owned() };
        if let Ok(Issued::AppPassword(_, password)) = self.world.engine.act(&actor, &alice(), act) {
            self.app_passwords.push(password.expose_text().unwrap().to_owned());
        }
    }

    fn begin(&mut self, which: usize, first: Typed) {
        let before = self.account();
        let text = self.text(first, None);
        let is_app_password = self.is_app_password(which, &text);
        let reply = self.world.engine.begin(&attempts()[which], Some(&text_answer(&text)));
        let shown = Shown { password: text == "pw", ..Shown::default() };
        if let Reply::Done(_, Verdict::Accept(accept)) = &reply
            && accept.grounds() == Grounds::AppPassword
        {
            let is_good = !before.is_blocked(self.now()) && before.state_at(self.now()) != State::Disabled;
            assert!(is_app_password && is_good, "{text} has let in at {which}");
            assert_eq!(self.account(), before, "an app password has changed the account");
            return;
        }
        self.hear(which, reply, None, &before, shown, &text);
    }

    fn answer(&mut self, index: usize, typed: Typed) {
        let open = self.open[index].clone();
        let before = self.account();
        let text = self.text(typed, Some(&open));
        let mut shown = self.shown.get(&open.session.attempt()).cloned().unwrap_or_default();
        let is_asked_for_proof = matches!(open.session.stage, Stage::Second(_) | Stage::Invited(_));
        let is_proof = is_asked_for_proof && self.is_proof(&text);
        shown.proof |= is_proof;
        shown.app_password |= is_asked_for_proof && self.is_app_password(open.which, &text);
        shown.temporary |= is_proof && self.temporary.contains(&text);
        let spent = self.world.memory.0.lock().unwrap().spent();
        let reply = self.world.engine.answer(&attempts()[open.which], &open.session, &text_answer(&text));
        if is_asked_for_proof && self.world.memory.0.lock().unwrap().spent() != spent {
            assert!(self.used.insert(text.clone()), "{text} is used up twice");
        }
        self.hear(open.which, reply, Some(open), &before, shown, &text);
    }

    fn hear(
        &mut self,
        which: usize,
        reply: Reply,
        open: Option<Open>,
        before: &Account,
        shown: Shown,
        text: &str,
    ) {
        match reply {
            Reply::Ask(session, prompt) => {
                let is_looked_after = matches!(session.stage, Stage::Manage(_));
                assert!(is_looked_after || self.account() == *before, "a question has changed the account");
                assert!(!is_looked_after || shown.proof, "the account is looked after without a proof");
                fits_a_window(prompt.text());
                self.recovery.extend(codes_in(prompt.text()));
                self.app_passwords.extend(app_password_in(prompt.text()));
                let key = prompt.text().split_once("Key: ").and_then(|(_, rest)| rest.lines().next());
                let key = key.map(str::to_owned).or(open.and_then(|open| open.key));
                self.shown.insert(session.attempt(), shown);
                self.open.push(Open { which, session, key, question: prompt.text().to_owned() });
            }
            Reply::Done(id, Verdict::Accept(accept)) => {
                let reason = self.world.last_record().reason;
                let yes = Yes { which, grounds: accept.grounds(), reason, before, text, now: self.now() };
                if yes.is_right(&shown, &self.account()) == Right::First {
                    let success = Some((text.to_owned(), self.now().seconds()));
                    self.shown.insert(id, Shown { success, ..shown });
                }
            }
            Reply::Done(..) => assert_eq!(self.account(), *before, "a refusal has changed the account"),
        }
    }
}

/// The app password in a question.
fn app_password_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("hown this once:\n")?;
    rest.lines().next().map(str::to_owned)
}

/// The recovery codes in a question.
fn codes_in(text: &str) -> Vec<String> {
    let is_code = |word: &&str| word.len() == 14 && word.split('-').map(str::len).eq([4, 4, 4]);
    text.split_whitespace().filter(is_code).map(str::to_owned).collect()
}

/// At least `least` cases; `cargo xtask soak` asks for more.
fn cases(least: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    let is_asked = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig { cases: if is_asked { asked.cases } else { least }, ..asked }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn no_yes_without_the_proofs_and_no_change_without_an_end(
        state in prop_oneof![1 => Just(State::Disabled), 4 => Just(State::Enabled), 2 => Just(State::Enforced)],
        events in proptest::collection::vec(event(), 1..250),
    ) {
        let mut life = Life::new(state);
        for event in events {
            life.play(event);
        }
    }
}
