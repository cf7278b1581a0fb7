//! The machine against a model: whatever people type, in whatever order, no yes without the proofs that are asked,
//! nothing is spent twice, and an attempt that does not end in a yes spends nothing.

use proptest::prelude::*;

use crate::account::{Block, State};
use crate::acts::Act;
use crate::attempt::{Appended, Dialogue, FirstAnswer, Profile, SecondQuestion};
use crate::engine::Reply;
use crate::policy::Policy;
use crate::session::Session;
use crate::world::{World, app_key, at_sshd, at_vpn, code_at, text_answer};
use crate::{Answer, Attempt, Grounds, PrimaryMode, UnixTime, Verdict};

/// What somebody may type.
#[derive(Clone, Copy, Debug)]
enum Typed {
    Password,
    WrongPassword,
    Code,
    OldCode,
    WrongCode,
    Recovery(usize),
    AppPassword,
    PasswordAndCode,
    Help,
    Void,
}

/// What happens next in a world.
#[derive(Clone, Copy, Debug)]
enum Event {
    Begin(usize, Typed),
    Answer(Typed),
    /// An old session is answered again, as an attacker may.
    Replay(usize, Typed),
    Wait(u64),
    State(State),
    Block,
    Unblock,
}

fn typed() -> impl Strategy<Value = Typed> {
    prop_oneof![
        3 => Just(Typed::Password),
        1 => Just(Typed::WrongPassword),
        4 => Just(Typed::Code),
        1 => Just(Typed::OldCode),
        1 => Just(Typed::WrongCode),
        2 => (0..3usize).prop_map(Typed::Recovery),
        1 => Just(Typed::AppPassword),
        1 => Just(Typed::PasswordAndCode),
        1 => Just(Typed::Help),
        1 => Just(Typed::Void),
    ]
}

fn is_password(text: &str) -> bool {
    text == "pw" || text.starts_with("pw,")
}

/// What somebody may bring along: a password most of the time.
fn first() -> impl Strategy<Value = Typed> {
    prop_oneof![4 => Just(Typed::Password), 3 => typed()]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => ((0..ATTEMPTS), first()).prop_map(|(which, first)| Event::Begin(which, first)),
        8 => typed().prop_map(Event::Answer),
        2 => ((0..8usize), typed()).prop_map(|(old, typed)| Event::Replay(old, typed)),
        2 => prop_oneof![Just(1), Just(30), Just(1000)].prop_map(Event::Wait),
        1 => prop_oneof![Just(State::Disabled), Just(State::Enabled), Just(State::Enforced)].prop_map(Event::State),
        1 => Just(Event::Block),
        1 => Just(Event::Unblock),
    ]
}

/// At least `least` cases; `cargo xtask soak` asks for more.
fn cases(least: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig {
        cases: if std::env::var_os("PROPTEST_CASES").is_some() { asked.cases } else { least },
        ..asked
    }
}

const ATTEMPTS: usize = 6;

fn attempts() -> [Attempt; ATTEMPTS] {
    let cannot_ask = Profile { second_question: SecondQuestion::Impossible, ..Profile::default() };
    let code_only = Profile { first_answer: FirstAnswer::Code, ..cannot_ask };
    let plain = Profile { dialogue: Dialogue::Plain, appended: Appended::ByShape, ..Profile::default() };
    [
        at_sshd("alice"),
        at_vpn("alice"),
        Attempt { profile: cannot_ask, ..at_vpn("alice") },
        Attempt { profile: code_only, ..at_vpn("alice") },
        Attempt { profile: plain, ..at_sshd("alice") },
        Attempt { primary: PrimaryMode::Failed, ..at_sshd("alice") },
    ]
}

/// What the model remembers: the proofs typed in a session, and everything that has ever been good.
struct Model {
    world: World,
    recovery: Vec<String>,
    app_password: String,
    state: State,
    is_blocked: bool,
    open: Vec<Open>,
    used_codes: Vec<String>,
}

#[derive(Clone)]
struct Open {
    attempt: Attempt,
    session: Box<Session>,
    password_typed: bool,
    /// All answers that its attempt was let in with: one to the first question, one to a later one.
    succeeded_with: Vec<String>,
}

/// Whether an answer has let its attempt in before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answered {
    Anew,
    AsBefore,
}

impl Model {
    fn new() -> Self {
        let world = World::with_alice(Policy::new(State::Enforced));
        let recovery = world.recovery_codes("alice");
        let app_password = world.app_password("alice", &["sshd"]);
        Self {
            world,
            recovery,
            app_password,
            state: State::Enforced,
            is_blocked: false,
            open: Vec::new(),
            used_codes: Vec::new(),
        }
    }

    fn text(&self, typed: Typed) -> String {
        let now = self.world.now();
        match typed {
            Typed::Password => "pw".to_owned(),
            Typed::WrongPassword => "wrong".to_owned(),
            Typed::Code => code_at(now),
            Typed::OldCode => code_at(now - 90),
            Typed::WrongCode => "000000".to_owned(),
            Typed::Recovery(index) => self.recovery[index].clone(),
            Typed::AppPassword => self.app_password.clone(),
            Typed::PasswordAndCode => format!("pw,{}", code_at(now)),
            Typed::Help => "?".to_owned(),
            Typed::Void => String::new(),
        }
    }

    fn play(&mut self, event: Event) {
        match event {
            Event::Begin(which, first) => self.begin(&attempts()[which].clone(), first),
            Event::Answer(typed) => {
                if let Some(open) = self.open.len().checked_sub(1) {
                    self.answer(open, typed);
                }
            }
            Event::Replay(old, typed) if old < self.open.len() => self.answer(old, typed),
            Event::Replay(..) => {}
            Event::Wait(seconds) => self.world.wait(seconds),
            Event::State(state) => {
                self.world.act("alice", &Act::SetState(state.into()));
                self.state = state;
            }
            Event::Block => self.block(true),
            Event::Unblock => self.block(false),
        }
    }

    fn block(&mut self, block: bool) {
        self.world.act("alice", &if block { Act::Block(Block::Indefinitely) } else { Act::Unblock });
        self.is_blocked = block;
    }

    fn begin(&mut self, attempt: &Attempt, first: Typed) {
        let first = self.text(first);
        let brings_first = attempt.primary == PrimaryMode::Failed || attempt.door == crate::Door::Radius;
        let answer = brings_first.then(|| text_answer(&first));
        match self.world.engine.begin(attempt, answer.as_ref()) {
            Reply::Ask(session, _) => self.open.push(Open {
                attempt: attempt.clone(),
                session,
                password_typed: brings_first && is_password(&first),
                succeeded_with: Vec::new(),
            }),
            Reply::Done(_, verdict) => {
                self.judge(&verdict, attempt, brings_first && is_password(&first), &first, Answered::Anew);
            }
        }
    }

    fn answer(&mut self, index: usize, typed: Typed) {
        let open = self.open[index].clone();
        let text = self.text(typed);
        let before = self.world.memory.0.lock().unwrap().spent();
        let reply = self.world.engine.answer(&open.attempt, &open.session, &text_answer(&text));
        let password_typed = open.password_typed || is_password(&text);
        match reply {
            Reply::Ask(session, _) => {
                assert_eq!(self.world.memory.0.lock().unwrap().spent(), before, "a question spends nothing");
                self.open.push(Open { session, password_typed, ..open });
            }
            Reply::Done(_, verdict) => {
                if !matches!(verdict, Verdict::Accept(_)) {
                    assert_eq!(
                        self.world.memory.0.lock().unwrap().spent(),
                        before,
                        "a refusal spends nothing"
                    );
                }
                let is_repeated = open.succeeded_with.contains(&text);
                let answered = if is_repeated { Answered::AsBefore } else { Answered::Anew };
                self.judge(&verdict, &open.attempt, password_typed, &text, answered);
                if matches!(verdict, Verdict::Accept(_)) {
                    for other in &mut self.open {
                        if other.session.attempt() == open.session.attempt() {
                            other.succeeded_with.push(text.clone());
                        }
                    }
                }
            }
        }
    }

    /// The heart of it: what must hold for a yes.
    fn judge(
        &mut self,
        verdict: &Verdict,
        attempt: &Attempt,
        password_typed: bool,
        text: &str,
        answered: Answered,
    ) {
        let Verdict::Accept(accept) = verdict else { return };
        assert!(!self.is_blocked, "blocked, and in");
        match accept.grounds() {
            Grounds::PrimaryAlone => {
                assert_eq!(self.state, State::Disabled);
                assert!(password_typed && attempt.primary == PrimaryMode::Own);
            }
            Grounds::AppPassword => {
                assert_eq!(text, self.app_password);
                assert_ne!(self.state, State::Disabled, "app passwords rest while disabled");
            }
            Grounds::BothProofs | Grounds::SecondProof => {
                let needs_password = attempt.profile.first_answer != FirstAnswer::Code;
                assert!(password_typed || !needs_password, "no password");
                assert_eq!(accept.grounds() == Grounds::BothProofs, needs_password);
                self.spend(text.rsplit_once(',').map_or(text, |(_, code)| code), answered);
            }
            Grounds::PolicyAlone => panic!("something was asked here"),
        }
    }

    fn spend(&mut self, proof: &str, answered: Answered) {
        let repeated = answered == Answered::AsBefore;
        let good_now = app_key().matching_step(proof, UnixTime::from_seconds(self.world.now()), 1).is_some();
        let known = good_now || self.recovery.iter().any(|code| code == proof) || proof == self.app_password;
        assert!(known || repeated, "{proof} proves nothing");
        let single_use = proof != self.app_password;
        assert!(
            repeated || !single_use || !self.used_codes.iter().any(|used| used == proof),
            "{proof} twice"
        );
        self.used_codes.push(proof.to_owned());
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn no_yes_without_the_proofs_and_nothing_twice(events in proptest::collection::vec(event(), 1..60)) {
        let mut model = Model::new();
        for event in events {
            model.play(event);
        }
    }

    #[test]
    fn a_session_survives_sealing_and_nothing_else_opens_it(
        client in "[a-z]{1,8}",
        typed in "[a-z]{1,8}",
        flipped in 0..crate::session::SEALED_OCTETS,
    ) {
        let world = World::with_alice(Policy::new(State::Enforced));
        let session = world.begin(&at_vpn("alice"), "pw");
        let keys = crate::world::keys();
        let now = UnixTime::from_seconds(world.now());
        let mut sealed = session.seal(&keys, world.engine.random(), &client, &typed).unwrap();
        prop_assert_eq!(sealed.len(), crate::session::SEALED_OCTETS);
        prop_assert_eq!(&Session::open(&keys, now, &client, &typed, &sealed).unwrap(), &*session);
        // Longer than both, and so neither.
        let other = format!("{client}{typed}x");
        prop_assert!(Session::open(&keys, now, &other, &typed, &sealed).is_err());
        prop_assert!(Session::open(&keys, now, &client, &other, &sealed).is_err());
        prop_assert!(Session::open(&keys, now.plus_seconds(3 * 86_400), &client, &typed, &sealed).is_err());
        sealed[flipped] ^= 1;
        prop_assert!(Session::open(&keys, now, &client, &typed, &sealed).is_err());
    }

    #[test]
    fn arbitrary_answers_never_panic(answers in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..600), 1..6)) {
        let world = World::with_alice(Policy::new(State::Enforced));
        let mut reply = world.engine.begin(&at_sshd("alice"), None);
        for octets in answers {
            let Reply::Ask(session, _) = reply else { break };
            let answer = Answer::from_octets(crate::Secret::new(octets));
            reply = world.engine.answer(&at_sshd("alice"), &session, &answer);
        }
    }
}
