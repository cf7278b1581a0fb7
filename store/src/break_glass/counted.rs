//! Guesses while the store is away: what its tables of lanes, caps and known sources are for, in one slot.

use common::bundle::{CapEffect, Recognised, Unlocked};
use common::lane::{Lane, LaneKey};
use common::throttle::{Against, Cap, Count, Seen};
use common::{AccountId, UnixTime};
use serde::{Deserialize, Serialize};

use crate::break_glass::layout::{ACCOUNTS_MAX, KNOWN_MAX, LANES_MAX};

/// What has been counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counted {
    /// Key, failures, last.
    lanes: Vec<([u8; 16], u32, UnixTime)>,
    /// Account, beginning of the hour, in the hour, in a row.
    caps: Vec<(AccountId, UnixTime, u32, u32)>,
    /// Account, lane, last success.
    known: Vec<(AccountId, [u8; 16], UnixTime)>,
}

impl Counted {
    pub(super) fn lane(&self, key: &LaneKey) -> Lane {
        let found = self.lanes.iter().find(|(of, ..)| of == key.as_bytes());
        found.map_or_else(Lane::default, |(_, failures, last_at)| Lane {
            failures: *failures,
            last_at: *last_at,
        })
    }

    pub(super) fn cap(&self, account: AccountId) -> Cap {
        let found = self.caps.iter().find(|(of, ..)| *of == account);
        found.map_or_else(Cap::default, |(_, hour_began, in_hour, in_row)| Cap {
            hour_began: *hour_began,
            in_hour: *in_hour,
            in_row: *in_row,
        })
    }

    pub(super) fn known_at(&self, account: AccountId, key: &LaneKey) -> Option<UnixTime> {
        let found = self.known.iter().find(|(of, lane, _)| *of == account && lane == key.as_bytes());
        found.map(|(.., at)| *at)
    }

    /// Counts an answer, and says what has been seen with it. What counts against nobody has a lane only.
    pub(super) fn count(&mut self, count: &Count) -> Seen {
        let lane = self.lane(&count.lane).counted(count.at);
        self.set_lane(&count.lane, lane, count.at);
        let cap = match count.against {
            Against::Account(account) => {
                let cap = self.cap(account).counted(count.at);
                self.set_cap(account, cap);
                Some(cap)
            }
            Against::LaneAlone | Against::Nobody(_) => None,
        };
        Seen { lane, cap }
    }

    /// Changes a lane that is there.
    pub(super) fn change_lane(&mut self, key: &LaneKey, change: impl FnOnce(Lane) -> Lane) {
        let before = self.lane(key);
        if before != Lane::default() {
            let after = change(before);
            self.set_lane(key, after, after.last_at);
        }
    }

    /// Whoever waits need not wait any more.
    pub(super) fn forgive(&mut self) {
        self.lanes.clear();
        self.caps.clear();
    }

    /// An account whose waits an administrator ends.
    pub(super) fn unlock(&mut self, unlocked: &Unlocked) {
        self.lanes.retain(|(lane, ..)| !unlocked.lanes.contains(&LaneKey::from_bytes(*lane)));
        self.caps.retain(|(account, ..)| *account != unlocked.account);
    }

    /// A second proof was right.
    pub(super) fn recognise(&mut self, recognised: &Recognised, now: UnixTime) {
        self.set_lane(&recognised.lane, Lane::default(), now);
        match recognised.cap {
            CapEffect::EndsRow => {
                let after = self.cap(recognised.account).after_a_right_one();
                self.set_cap(recognised.account, after);
            }
            CapEffect::None => {}
        }
        let lane = *recognised.lane.as_bytes();
        self.known.retain(|(account, of, _)| *account != recognised.account || *of != lane);
        make_room(&mut self.known, KNOWN_MAX, |known| known.iter().min_by_key(|(.., at)| *at).copied());
        self.known.push((recognised.account, lane, now));
    }

    fn set_lane(&mut self, key: &LaneKey, lane: Lane, now: UnixTime) {
        self.lanes.retain(|(of, ..)| of != key.as_bytes());
        if lane == Lane::default() || lane.failures == 0 {
            return;
        }
        // Of too many, the oldest that need not wait goes first.
        make_room(&mut self.lanes, LANES_MAX, |lanes| {
            let waits = |failures: u32, last_at| !Lane { failures, last_at }.is_open(now);
            lanes.iter().min_by_key(|(_, failures, last_at)| (waits(*failures, *last_at), *last_at)).copied()
        });
        self.lanes.push((*key.as_bytes(), lane.failures, lane.last_at));
    }

    fn set_cap(&mut self, account: AccountId, cap: Cap) {
        self.caps.retain(|(of, ..)| *of != account);
        make_room(&mut self.caps, ACCOUNTS_MAX, |caps| {
            caps.iter().min_by_key(|(_, began, ..)| *began).copied()
        });
        self.caps.push((account, cap.hour_began, cap.in_hour, cap.in_row));
    }
}

fn make_room<T: PartialEq>(rows: &mut Vec<T>, most: usize, choose: impl Fn(&[T]) -> Option<T>) {
    while rows.len() >= most {
        let Some(chosen) = choose(rows) else { return };
        rows.retain(|row| *row != chosen);
    }
}
