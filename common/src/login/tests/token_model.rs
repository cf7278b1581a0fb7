//! Whatever is typed in whatever order, while an administrator sets tokens right and hands out codes: no counter, step or
//! temporary code lets in twice, none does out of its time, and a token's counter only grows.

use proptest::prelude::*;

use super::*;
use crate::acts::{HotpProof, Issued, Label, NewHotp};
use crate::record::Actor;
use crate::world::app_secret;
use crate::{FactorId, Secret, limits};

#[derive(Clone, Copy, Debug)]
enum Event {
    /// A code of the token, so many counters after the last one that was good.
    Counter(i64),
    /// Two in a row, the first so many after it.
    Pair(i64),
    /// The same answer as the last one that let in.
    Again,
    /// A temporary code that was handed out, from the newest back.
    Temporary(usize),
    Issue(u64),
    Revoke,
    /// An administrator's resynchronisation.
    Resync(i64),
    Wait(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (-5..15i64).prop_map(Event::Counter),
        2 => (-5..105i64).prop_map(Event::Pair),
        2 => Just(Event::Again),
        3 => (0..3usize).prop_map(Event::Temporary),
        2 => (1..5000u64).prop_map(Event::Issue),
        1 => Just(Event::Revoke),
        1 => (-5..105i64).prop_map(Event::Resync),
        1 => (1..5000u64).prop_map(Event::Wait),
    ]
}

/// Eight digits: as far as this goes, no two counters near each other have the same.
fn code(counter: u64) -> String {
    let secret = app_secret().expose().to_vec();
    let token = totp_rs::Builder::new().with_digits(8).with_secret(secret).build().unwrap();
    token.generate(counter * 30).to_string()
}

struct Model {
    world: World,
    token: FactorId,
    /// The first counter that may still be good.
    next: u64,
    /// Codes that were handed out, when they end, and whether they may still be good.
    temporary: Vec<(String, u64, bool)>,
    last_good: Option<String>,
}

impl Model {
    fn new() -> Self {
        let world = World::new(policy());
        world.add("alice", State::Enforced);
        let label = Label::parse("key fob").unwrap();
        let proof = HotpProof::Imported;
        let hotp = NewHotp { label, digits: 8, secret: app_secret(), counter: 0, proof };
        let Issued::Factor(token) = world.act("alice", &Act::AddHotp(hotp)) else { panic!("no factor") };
        Self { world, token, next: 0, temporary: Vec::new(), last_good: None }
    }

    fn counter(&self, ahead: i64) -> u64 {
        self.next.saturating_add_signed(ahead)
    }

    fn lets_in(&mut self, answer: &str) -> bool {
        self.world.act("alice", &Act::Unlock);
        let verdict = self.world.verdict(&at_sshd("alice"), &["pw", answer, answer, answer]);
        let is_in = short(&verdict) == accepted(Grounds::BothProofs);
        if is_in {
            self.last_good = Some(answer.to_owned());
        }
        is_in
    }

    fn play(&mut self, event: Event) {
        match event {
            Event::Counter(ahead) => {
                let counter = self.counter(ahead);
                let is_good = (self.next..=self.next + limits::HOTP_LOOK_AHEAD).contains(&counter);
                assert_eq!(self.lets_in(&code(counter)), is_good, "{counter} from {}", self.next);
                self.next = if is_good { counter + 1 } else { self.next };
            }
            Event::Pair(ahead) => {
                let first = self.counter(ahead);
                let answer = format!("{} {}", code(first), code(first + 1));
                let is_good = (self.next..=self.next + limits::RESYNC_WINDOW).contains(&first);
                assert_eq!(self.lets_in(&answer), is_good, "{first} from {}", self.next);
                self.next = if is_good { first + 2 } else { self.next };
            }
            Event::Again => {
                if let Some(answer) = self.last_good.clone() {
                    assert!(!self.lets_in(&answer), "{answer} twice");
                }
            }
            Event::Temporary(back) => self.temporary(back),
            Event::Issue(life_seconds) => {
                let code = self.world.temporary_code("alice", life_seconds);
                self.void();
                self.temporary.push((code, self.world.now() + life_seconds, true));
            }
            Event::Revoke => {
                if self.world.account("alice").temporary_code.is_some() {
                    self.world.act("alice", &Act::RevokeTemporaryCode);
                }
                self.void();
            }
            Event::Resync(ahead) => self.resync(ahead),
            Event::Wait(seconds) => self.world.wait(seconds),
        }
    }

    /// An older code is void, used or not.
    fn void(&mut self) {
        self.temporary.iter_mut().for_each(|(_, _, is_good)| *is_good = false);
    }

    fn temporary(&mut self, back: usize) {
        let Some(place) = self.temporary.len().checked_sub(back + 1) else { return };
        let (code, ends, is_good) = self.temporary[place].clone();
        let expected = is_good && self.world.now() < ends;
        assert_eq!(self.lets_in(&code), expected);
        self.temporary[place].2 &= !expected;
    }

    fn resync(&mut self, ahead: i64) {
        let counter = self.counter(ahead);
        let [first, second] = [counter, counter + 1].map(|counter| Secret::from(code(counter)));
        let actor = Actor { login_uid: None, uid: Some(0), tty: None, host: "test".to_owned() };
        let act = Act::Resync { factor: self.token, first, second };
        let done = self.world.engine.act(&actor, &Username::parse("alice").unwrap(), &act).is_ok();
        let is_good = (self.next..=self.next + limits::RESYNC_WINDOW).contains(&counter);
        assert_eq!(done, is_good, "{counter} from {}", self.next);
        self.next = if is_good { counter + 2 } else { self.next };
    }
}

/// At least 100 cases; `cargo xtask soak` asks for more.
fn cases() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let is_asked = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig { cases: if is_asked { asked.cases } else { 100 }, ..asked }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn nothing_is_good_twice_or_out_of_its_time(events in proptest::collection::vec(event(), 1..40)) {
        let mut model = Model::new();
        for event in events {
            model.play(event);
        }
    }
}
