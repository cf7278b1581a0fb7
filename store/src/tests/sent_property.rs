//! Random codes that are sent, tried and used, and counters of tokens, over two servers whose clocks differ, against a log
//! of all that happened.

use std::collections::BTreeMap;

use common::CodeId;
use common::bundle::{Bundle, NewCode, SentCode, Slot, Spend};
use common::limits::{CODE_DAY_SECONDS, CODE_JOINED_SECONDS, CODE_SECONDS, CODE_TRIES};
use common::ports::Store as _;
use common::throttle::Count;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof, proptest};

use super::property::cases;
use super::support::{Yard, open};
use crate::conformance::Engine;
use crate::conformance::samples::{
    account, bundle, counter, counting, factor, insert, is_applied, load, name, new_code, phone, time,
};
use crate::{Process, Sqlite};

const USERS: [&str; 2] = ["alice", "bob"];
const SLOTS: [Slot; 2] = [phone(1), Slot::Registration];
const DAILY_LIMIT: u32 = 3;
/// By so much the second clock is behind.
const BEHIND_SECONDS: u64 = 20;

/// A code that was sent.
#[derive(Clone, Debug)]
struct Sending {
    user: usize,
    slot: usize,
    id: CodeId,
    at: u64,
    tries: u8,
    is_used: bool,
}

#[derive(Clone, Debug)]
enum Act {
    Send {
        user: usize,
        slot: usize,
    },
    Try {
        user: usize,
    },
    /// The code so many before the last one of the slot.
    Use {
        user: usize,
        slot: usize,
        before: usize,
    },
    Count {
        factor: u8,
        counter: u64,
    },
}

/// All that was sent, and the highest counters.
#[derive(Default)]
struct Log {
    sendings: Vec<Sending>,
    attempts: u64,
    counters: BTreeMap<u8, u64>,
}

impl Log {
    fn of_slot(&self, user: usize, slot: usize) -> Vec<usize> {
        let is_of = |index: &usize| self.sendings[*index].user == user && self.sendings[*index].slot == slot;
        (0..self.sendings.len()).filter(is_of).collect()
    }

    fn in_day(&self, user: usize, now: u64) -> u32 {
        let own = self.sendings.iter().filter(|sending| sending.user == user);
        u32::try_from(own.filter(|sending| now < sending.at + CODE_DAY_SECONDS).count()).unwrap()
    }

    /// Whether one may be sent. It is then taken to be sent.
    fn send(&mut self, user: usize, slot: usize, id: CodeId, at: u64) -> bool {
        let last = self.of_slot(user, slot).last().map(|index| self.sendings[*index].clone());
        let is_joined = last.is_some_and(|last| !last.is_used && at < last.at + CODE_JOINED_SECONDS);
        let may = !is_joined && self.in_day(user, at) < DAILY_LIMIT;
        if may {
            self.sendings.push(Sending { user, slot, id, at, tries: 0, is_used: false });
        }
        may
    }

    /// Only the last code of a slot is good.
    fn try_codes(&mut self, user: usize, at: u64) {
        for slot in 0..SLOTS.len() {
            if let Some(last) = self.of_slot(user, slot).last() {
                let sending = &mut self.sendings[*last];
                sending.tries += u8::from(at < sending.at + CODE_SECONDS);
            }
        }
    }

    fn use_code(&mut self, user: usize, slot: usize, id: CodeId, at: u64) -> bool {
        let Some(last) = self.of_slot(user, slot).last().copied() else { return false };
        let Sending { id: good, at: sent_at, tries, is_used, .. } = self.sendings[last].clone();
        let may = id == good && !is_used && tries <= CODE_TRIES && at < sent_at + CODE_SECONDS;
        self.sendings[last].is_used |= may;
        may
    }

    fn spend_counter(&mut self, factor: u8, counter: u64) -> bool {
        let may = self.counters.get(&factor).is_none_or(|highest| counter > *highest);
        if may {
            self.counters.insert(factor, counter);
        }
        may
    }

    /// What no order of events may bring about, whatever the rules above say.
    fn check(&self) {
        for sending in &self.sendings {
            let from_here = self.sendings.iter().filter(|other| {
                other.user == sending.user && (sending.at..sending.at + CODE_DAY_SECONDS).contains(&other.at)
            });
            assert!(from_here.count() <= usize::try_from(DAILY_LIMIT).unwrap());
            assert!(!sending.is_used || sending.tries <= CODE_TRIES);
        }
    }
}

fn carry_out(store: &Sqlite, log: &mut Log, act: &Act, now: u64) {
    match act {
        Act::Try { user } => {
            let count = Count { codes_of: Some(name(USERS[*user])), ..counting(USERS[*user], now) };
            store.count(&count).unwrap();
            log.try_codes(*user, now);
        }
        Act::Send { user, slot } => {
            log.attempts += 1;
            let id = CodeId::from_bytes(log.attempts.to_be_bytes());
            let new = new_code(USERS[*user], SLOTS[*slot], 1, now);
            let code = SentCode { id, ..new.code };
            let new = NewCode { code, daily_limit: DAILY_LIMIT, ..new };
            let applied = commit(store, Bundle { new_code: Some(new), ..bundle(now) });
            assert_eq!(applied, log.send(*user, *slot, id, now), "{act:?} at {now}: {:?}", log.sendings);
        }
        Act::Use { user, slot, before } => {
            let sendings = log.of_slot(*user, *slot);
            let Some(index) = sendings.iter().rev().nth(*before) else { return };
            let code = log.sendings[*index].id;
            let spend = Spend::SentCode { name: name(USERS[*user]), slot: SLOTS[*slot], code };
            let applied = commit(store, Bundle { spends: vec![spend], ..bundle(now) });
            assert_eq!(
                applied,
                log.use_code(*user, *slot, code, now),
                "{act:?} at {now}: {:?}",
                log.sendings
            );
        }
        Act::Count { factor, counter: number } => {
            let applied = commit(store, Bundle { spends: vec![counter(1, *factor, *number)], ..bundle(now) });
            assert_eq!(applied, log.spend_counter(*factor, *number), "{act:?}");
        }
    }
}

fn commit(store: &Sqlite, bundle: Bundle) -> bool {
    is_applied(&store.commit(&[bundle]).unwrap()[0])
}

fn compare(store: &dyn Engine, log: &Log, now: u64) {
    for (user, canonical) in USERS.iter().enumerate() {
        let loaded = load(store, canonical);
        assert_eq!(loaded.sent.sendings.in_day(time(now)), log.in_day(user, now));
        let is_live = |sending: &&Sending| !sending.is_used && now < sending.at + CODE_SECONDS;
        let last = (0..SLOTS.len()).filter_map(|slot| log.of_slot(user, slot).last().copied());
        let mut expected: Vec<_> = last.map(|index| &log.sendings[index]).filter(is_live).collect();
        expected.sort_by_key(|sending| sending.id);
        let mut found: Vec<_> = loaded.sent.codes.iter().filter(|code| code.is_live(time(now))).collect();
        found.sort_by_key(|code| code.id);
        let found: Vec<_> = found.iter().map(|code| (code.id, code.tries, code.slot)).collect();
        let expected: Vec<_> =
            expected.iter().map(|sending| (sending.id, sending.tries, SLOTS[sending.slot])).collect();
        assert_eq!(found, expected);
    }
    let steps: Vec<_> = log.counters.iter().map(|(number, highest)| (factor(*number), *highest)).collect();
    assert_eq!(load(store, "alice").spent_steps, steps);
}

fn act() -> impl Strategy<Value = Act> {
    let users = 0..USERS.len();
    let slots = 0..SLOTS.len();
    prop_oneof![
        4 => (users.clone(), slots.clone()).prop_map(|(user, slot)| Act::Send { user, slot }),
        4 => users.clone().prop_map(|user| Act::Try { user }),
        4 => (users, slots, 0..3_usize).prop_map(|(user, slot, before)| Act::Use { user, slot, before }),
        1 => (1..3_u8, 0..30_u64).prop_map(|(factor, counter)| Act::Count { factor, counter }),
    ]
}

/// Mostly the seconds of one login; now and then hours, or days.
fn pause() -> impl Strategy<Value = u64> {
    prop_oneof![10 => 0..30_u64, 4 => 40..200_u64, 1 => 5_000..100_000_u64, 1 => Just(4 * CODE_DAY_SECONDS)]
}

proptest! {
    #![proptest_config(cases(64))]
    #[test]
    fn no_code_is_sent_or_used_that_the_log_does_not_allow(acts in vec((pause(), 0..2_usize, act()), 1..80)) {
        let yard = Yard::new(Process::LongLived);
        let servers = [yard.sqlite(), open(&yard.path, Process::ShortLived)];
        insert(&servers[0], account(1, "alice"));
        let (mut log, mut now) = (Log::default(), 1_000_000);
        for (seconds, server, act) in acts {
            now += seconds;
            let of_server = now - BEHIND_SECONDS * u64::try_from(server).unwrap();
            carry_out(&servers[server], &mut log, &act, of_server);
            compare(&servers[0], &log, now);
            log.check();
        }
    }
}
