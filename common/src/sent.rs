//! What was sent to one user: the codes that are still good, and when each one of the last day went out. A store keeps it
//! as one small row, and asks here what may become of it.

use serde::{Deserialize, Serialize};

use crate::UnixTime;
use crate::bundle::{Asker, NewCode, SentCode, Slot};
use crate::id::CodeId;
use crate::limits::{
    CLOCK_DIFFERENCE_SECONDS, CODE_DAY_SECONDS, CODE_JOINED_SECONDS, CODE_TRIES, CODES_FOR_ANYBODY_PART,
    CODES_IN_DAY_MAX, NOTICE_TEXTS_IN_DAY,
};

/// What was sent to one user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Sent {
    /// The last code of each slot, unless it was used.
    pub codes: Vec<SentCode>,
    /// When codes went out.
    pub sendings: Sendings,
    /// When those of them went out that anybody could have asked for.
    #[serde(skip_serializing_if = "Sendings::is_empty")]
    pub for_anybody: Sendings,
    /// When notices went out as text messages.
    #[serde(skip_serializing_if = "Sendings::is_empty")]
    pub notice_texts: Sendings,
}

impl Sent {
    /// Counts an answer as a try at each code that is still good.
    pub fn count(&mut self, at: UnixTime) {
        for code in self.codes.iter_mut().filter(|code| code.is_live(at)) {
            code.tries = code.tries.saturating_add(1);
        }
    }

    /// Uses a code up. False: it is not there, not good any more, or was tried too often.
    #[must_use]
    pub fn spend(&mut self, slot: Slot, code: CodeId, at: UnixTime) -> bool {
        let is_it = |sent: &SentCode| sent.slot == slot && sent.id == code;
        let is_good = |sent: &SentCode| is_it(sent) && sent.is_live(at) && sent.tries <= CODE_TRIES;
        let found = self.codes.iter().any(is_good);
        if found {
            self.codes.retain(|sent| !is_it(sent));
        }
        found
    }

    /// Takes a new code in. False: the slot has one that is young, or the user has had enough for one day.
    #[must_use]
    pub fn send(&mut self, new: &NewCode) -> bool {
        let (code, at) = (&new.code, new.code.sent_at);
        let is_young = |sent: &SentCode| sent.slot == code.slot && sent.is_young(at);
        if self.codes.iter().any(is_young) || !self.allows(new.asker, at, new.daily_limit) {
            return false;
        }
        self.codes.retain(|sent| sent.slot != code.slot && sent.is_live(at));
        self.codes.push(code.clone());
        self.sendings.add(at);
        if new.asker == Asker::Anybody {
            self.for_anybody.add(at);
        }
        true
    }

    /// Whether the day has room for one more. Whoever knows no more than a name gets a part of it: enough for the user to
    /// sign in, and the rest stays for those who have shown more.
    #[must_use]
    pub fn allows(&self, asker: Asker, at: UnixTime, daily_limit: u32) -> bool {
        let has_room = self.sendings.allow(at, daily_limit);
        let of_anybody = daily_limit.div_ceil(CODES_FOR_ANYBODY_PART);
        has_room && (asker == Asker::Somebody || self.for_anybody.allow(at, of_anybody))
    }

    /// Counts notices that go out as text messages. False: the day has no room for all of them.
    #[must_use]
    pub fn count_notice_texts(&mut self, count: u32, at: UnixTime) -> bool {
        (0..count).all(|_| self.notice_texts.add_within(at, NOTICE_TEXTS_IN_DAY))
    }

    /// From when on nothing of it matters to anybody.
    #[must_use]
    pub fn matters_until(&self) -> UnixTime {
        let ends = self.codes.iter().map(|code| code.expires_at);
        let counted = self
            .sendings
            .0
            .iter()
            .chain(&self.notice_texts.0)
            .map(|sent| sent.plus_seconds(CODE_DAY_SECONDS));
        ends.chain(counted).max().unwrap_or_default()
    }
}

impl SentCode {
    /// Whether it has not expired. A code from a clock that ran ahead was never good.
    #[must_use]
    pub fn is_live(&self, now: UnixTime) -> bool {
        !is_ahead(self.sent_at, now) && now < self.expires_at
    }

    /// Whether a login that begins now waits for this code instead of sending another one. A code from a clock that ran
    /// ahead is no reason to wait.
    #[must_use]
    pub fn is_young(&self, now: UnixTime) -> bool {
        !is_ahead(self.sent_at, now) && now < self.sent_at.plus_seconds(CODE_JOINED_SECONDS)
    }
}

/// When codes, or notices, were sent to one user: each of the last day, so that no day, whenever it begins, has more than the limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sendings(Vec<UnixTime>);

impl Sendings {
    /// How many were sent in the day that ends now.
    #[must_use]
    pub fn in_day(&self, now: UnixTime) -> u32 {
        u32::try_from(self.0.iter().filter(|sent| is_of_day(**sent, now)).count()).unwrap_or(u32::MAX)
    }

    fn allow(&self, now: UnixTime, daily_limit: u32) -> bool {
        self.in_day(now) < daily_limit.min(CODES_IN_DAY_MAX)
    }

    /// Adds one where the day has room for it.
    pub(crate) fn add_within(&mut self, now: UnixTime, daily_limit: u32) -> bool {
        let allows = self.allow(now, daily_limit);
        if allows {
            self.add(now);
        }
        allows
    }

    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, now: UnixTime) {
        self.0.retain(|sent| is_of_day(*sent, now));
        self.0.push(now);
    }
}

/// What a clock has written that ran ahead counts for nothing.
fn is_of_day(sent: UnixTime, now: UnixTime) -> bool {
    !is_ahead(sent, now) && now < sent.plus_seconds(CODE_DAY_SECONDS)
}

/// Whether a moment is further ahead than clocks of servers differ.
pub(crate) fn is_ahead(moment: UnixTime, now: UnixTime) -> bool {
    moment > now.plus_seconds(CLOCK_DIFFERENCE_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::{CLOCK_DIFFERENCE_SECONDS, Sendings, Sent};
    use crate::bundle::{Asker, NewCode, SentCode, Slot};
    use crate::codes::{KeyedHash, Shape};
    use crate::id::{AccountId, CodeId, FactorId};
    use crate::limits::{CODE_DAY_SECONDS, CODE_SECONDS, CODE_TRIES, CODES_IN_DAY_MAX, NOTICE_TEXTS_IN_DAY};
    use crate::{Secret, UnixTime, world};

    const PHONE: Slot = Slot::Factor(FactorId::from_bytes([1; 8]));

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(1_000_000 + seconds)
    }

    fn hash() -> KeyedHash {
        let typed = Secret::from("abcd-efgh-jkmn");
        Shape::RecoveryCode.hash(&world::keys(), AccountId::from_bytes([1; 16]), &typed).unwrap()
    }

    fn new(slot: Slot, number: u8, seconds: u64) -> NewCode {
        let sent_at = at(seconds);
        let expires_at = sent_at.plus_seconds(CODE_SECONDS);
        let id = CodeId::from_bytes([number; 8]);
        let code = SentCode { slot, id, hash: hash(), address: None, sent_at, expires_at, tries: 0 };
        NewCode {
            name: crate::Username::parse("alice").unwrap(),
            code,
            daily_limit: 3,
            asker: Asker::Somebody,
        }
    }

    fn spends(sent: &mut Sent, number: u8, seconds: u64) -> bool {
        sent.spend(PHONE, CodeId::from_bytes([number; 8]), at(seconds))
    }

    #[test]
    fn a_code_is_used_once_by_its_own_id_and_in_its_slot_until_it_expires() {
        let mut sent = Sent::default();
        assert!(sent.send(&new(PHONE, 1, 0)));
        assert!(!spends(&mut sent, 2, 1) && !spends(&mut sent, 1, CODE_SECONDS));
        assert!(!sent.spend(Slot::Registration, CodeId::from_bytes([1; 8]), at(1)));
        assert!(spends(&mut sent, 1, CODE_SECONDS - 1) && !spends(&mut sent, 1, 1));
    }

    #[test]
    fn the_fifth_try_may_be_right_and_the_sixth_is_not() {
        for (tries, is_good) in [(CODE_TRIES, true), (CODE_TRIES + 1, false)] {
            let mut sent = Sent::default();
            assert!(sent.send(&new(PHONE, 1, 0)) && sent.send(&new(Slot::Registration, 2, 0)));
            (0..tries).for_each(|_| sent.count(at(1)));
            assert!(sent.codes.iter().all(|code| code.tries == tries), "each slot has its own");
            assert_eq!(spends(&mut sent, 1, 1), is_good);
        }
    }

    #[test]
    fn a_young_code_is_joined_and_an_older_one_replaced() {
        let mut sent = Sent::default();
        assert!(sent.send(&new(PHONE, 1, 0)) && !sent.send(&new(PHONE, 2, 59)));
        assert!(sent.send(&new(Slot::Registration, 3, 59)), "another slot");
        assert!(sent.send(&new(PHONE, 4, 60)));
        assert!(!spends(&mut sent, 1, 61) && spends(&mut sent, 4, 61));
    }

    #[test]
    fn no_day_whenever_it_begins_has_more_than_the_limit() {
        let (mut sendings, mut log) = (Sendings::default(), Vec::new());
        for seconds in (0..3 * CODE_DAY_SECONDS).step_by(7000) {
            if sendings.allow(at(seconds), 5) {
                sendings.add(at(seconds));
                log.push(seconds);
            }
        }
        assert!(log.len() >= 13, "{log:?}");
        let in_day_from =
            |first: u64| log.iter().filter(move |at| (first..first + CODE_DAY_SECONDS).contains(at));
        assert!(log.iter().all(|first| in_day_from(*first).count() <= 5), "{log:?}");
    }

    #[test]
    fn whoever_knows_the_name_alone_gets_a_third_of_the_day_and_takes_no_more_of_it_from_others() {
        let mut sent = Sent::default();
        let asked = |sent: &mut Sent, asker, number: u8| {
            let new = new(PHONE, number, u64::from(number) * 60);
            sent.send(&NewCode { daily_limit: 10, asker, ..new })
        };
        let taken = (0..20).filter(|number| asked(&mut sent, Asker::Anybody, *number)).count();
        assert_eq!(taken, 4);
        let taken = (20..40).filter(|number| asked(&mut sent, Asker::Somebody, *number)).count();
        assert_eq!(taken, 6);
        let next_day = NewCode { asker: Asker::Anybody, ..new(PHONE, 50, CODE_DAY_SECONDS + 4000) };
        assert!(sent.send(&next_day));
    }

    #[test]
    fn a_limit_that_is_set_too_high_has_an_end() {
        let mut sendings = Sendings::default();
        let taken = (0..1000).filter(|second| {
            let allows = sendings.allow(at(*second), u32::MAX);
            if allows {
                sendings.add(at(*second));
            }
            allows
        });
        assert_eq!(taken.count(), usize::try_from(CODES_IN_DAY_MAX).unwrap());
    }

    #[test]
    fn a_clock_that_ran_ahead_neither_stops_codes_nor_makes_them_good_for_longer() {
        let mut sent = Sent::default();
        let ahead = CODE_SECONDS + CLOCK_DIFFERENCE_SECONDS;
        assert!(sent.send(&new(PHONE, 1, ahead)));
        assert!(!spends(&mut sent, 1, 0));
        assert!(sent.send(&new(PHONE, 2, 0)) && spends(&mut sent, 2, 1));
        assert_eq!(sent.sendings.in_day(at(1)), 1);
    }

    #[test]
    fn notices_by_text_message_have_a_day_of_their_own() {
        let mut sent = Sent::default();
        assert!(sent.count_notice_texts(NOTICE_TEXTS_IN_DAY, at(0)) && !sent.count_notice_texts(1, at(1)));
        assert!(sent.send(&new(PHONE, 1, 2)), "they take no code from anybody");
        assert!(
            !sent.clone().count_notice_texts(1, at(CODE_DAY_SECONDS - 1))
                && sent.clone().count_notice_texts(1, at(CODE_DAY_SECONDS))
        );
        assert_eq!(sent.matters_until(), at(2 + CODE_DAY_SECONDS));
    }

    #[test]
    fn it_matters_for_a_day_after_the_last_code() {
        let mut sent = Sent::default();
        assert_eq!(sent.matters_until(), UnixTime::default());
        assert!(sent.send(&new(PHONE, 1, 0)) && sent.send(&new(PHONE, 2, 100)));
        assert_eq!(sent.matters_until(), at(100 + CODE_DAY_SECONDS));
        assert_eq!(sent.codes.len(), 1);
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let mut sent = Sent::default();
        assert!(sent.send(&new(PHONE, 1, 0)) && sent.send(&new(Slot::Registration, 2, 0)));
        let text = serde_json::to_string(&sent).unwrap();
        assert_eq!(serde_json::from_str::<Sent>(&text).unwrap(), sent);
        assert_eq!(serde_json::from_str::<Sent>("{}").unwrap(), Sent::default());
    }
}
