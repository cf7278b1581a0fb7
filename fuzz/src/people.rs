//! The people of `prompt_answers`, in a world of their own: alice has an app, recovery codes and an app password; bob
//! has not registered; carol is disabled; dave is blocked. Everybody's password is `pw`.

use common::account::{Block, State};
use common::acts::Act;
use common::engine::Engine;
use common::policy::Policy;

use crate::world::{BEGINNING, World, code_at};

const STEP_SECONDS: u64 = 30;

pub(crate) struct People {
    world: World,
    /// Good at every door.
    pub(crate) app_passwords: Vec<String>,
    recovery_codes: Vec<String>,
}

impl People {
    pub(crate) fn new() -> Self {
        let world = World::with_alice(Policy::new(State::Enforced));
        world.add("bob", State::Enabled);
        world.add("carol", State::Disabled);
        world.add("dave", State::Enforced);
        world.act("dave", &Act::Block(Block::Indefinitely));
        let app_passwords = vec![world.app_password("alice", &["sshd"])];
        let recovery_codes = world.recovery_codes("alice");
        Self { world, app_passwords, recovery_codes }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.world.engine
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.world.wait(seconds);
    }

    pub(crate) fn turn_clock_back(&self) {
        self.world.set_clock(BEGINNING);
    }

    /// An answer with what is right now in its places: 1 is a code, 2 a recovery code, 3 an app password. The fuzzer
    /// cannot guess these, and what it puts around them is what matters.
    pub(crate) fn fill_in(&self, answer: &[u8]) -> Vec<u8> {
        let mut filled = Vec::new();
        for octet in answer {
            match octet {
                1 => filled.extend(self.world.code().into_bytes()),
                2 => filled.extend(self.recovery_codes[0].bytes()),
                3 => filled.extend(self.app_passwords[0].bytes()),
                other => filled.push(*other),
            }
        }
        filled
    }

    /// Everything that alice can prove herself with at some moment of a login that takes so long.
    pub(crate) fn second_proofs(&self, seconds: u64) -> Vec<String> {
        let from = BEGINNING - STEP_SECONDS;
        let steps = 0..=seconds.div_ceil(STEP_SECONDS) + 2;
        let codes = steps.map(|step| code_at(from + step * STEP_SECONDS));
        codes.chain(self.recovery_codes.iter().cloned()).chain(self.app_passwords.iter().cloned()).collect()
    }
}
