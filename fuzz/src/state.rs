//! A session sealed into `State` (RFC 2865 §5.24). Made-up octets never open. What was sealed opens for the same client
//! and name while its keys live, and not with one octet changed, nor for anybody else, nor later, nor with other keys.

use common::keys::{KeyId, KeyRing, MasterKey};
use common::ports::Random;
use common::session::{SEALED_OCTETS, Session};
use common::{UnixTime, limits};
use zeroize::Zeroizing;

use crate::input::{Input, text};

const SECONDS_OF_DAY: u64 = 86_400;

pub(crate) fn run(octets: &[u8]) {
    let mut input = Input::new(octets);
    let (place, change) = (input.below(SEALED_OCTETS), input.octet() | 1);
    let late = u64::try_from(input.below(usize::from(u16::MAX))).unwrap();
    let case = Case { client: text(input.until(0)), typed: text(input.until(0)), keys: keys(7) };
    let carried = input.rest();

    let now = UnixTime::from_seconds(1_700_000_010);
    assert!(case.open(now, carried).is_none());
    let mut padded = carried.to_vec();
    padded.resize(SEALED_OCTETS, change);
    assert!(case.open(now, &padded).is_none());
    if let Ok(session) = postcard::from_bytes::<Session>(carried) {
        opens_for_nobody_else(&case, &session, place, change, late);
    }
}

fn opens_for_nobody_else(case: &Case, session: &Session, place: usize, change: u8, late: u64) {
    let sealed = session.seal(&case.keys, &Fixed, &case.client, &case.typed).unwrap();
    assert_eq!(sealed.len(), SEALED_OCTETS);
    let began_at = session.began_at();
    let on_time = began_at.plus_seconds(late);
    // At the end of time nothing passes any more.
    let Some(too_late) = on_time.seconds().checked_add(2 * SECONDS_OF_DAY) else { return };
    assert_eq!(case.open(on_time, &sealed).as_ref(), Some(session));
    let behind = began_at.minus_seconds(limits::CLOCK_DIFFERENCE_SECONDS);
    assert_eq!(case.open(behind, &sealed).as_ref(), Some(session));
    assert!(case.open(UnixTime::from_seconds(too_late), &sealed).is_none());

    let mut changed = sealed.clone();
    changed[place] ^= change;
    assert!(case.open(on_time, &changed).is_none());
    assert!(case.open(on_time, &sealed[..place]).is_none());
    assert!(case.open(on_time, &[sealed.as_slice(), &[change]].concat()).is_none());
    for other in case.others() {
        assert!(other.open(on_time, &sealed).is_none());
    }
}

/// What a sealed session is bound to.
struct Case {
    client: String,
    typed: String,
    keys: KeyRing,
}

impl Case {
    fn open(&self, now: UnixTime, sealed: &[u8]) -> Option<Session> {
        Session::open(&self.keys, now, &self.client, &self.typed, sealed).ok()
    }

    /// Other keys, the two names the other way round, and a character that went from one to the other.
    fn others(&self) -> Vec<Self> {
        let (client, typed) = (&self.client, &self.typed);
        let mut others = vec![Self { client: client.clone(), typed: typed.clone(), keys: keys(8) }];
        if client != typed {
            others.push(Self { client: typed.clone(), typed: client.clone(), keys: keys(7) });
        }
        if let Some(moved) = typed.chars().next() {
            let typed = typed[moved.len_utf8()..].to_owned();
            others.push(Self { client: format!("{client}{moved}"), typed, keys: keys(7) });
        }
        others
    }
}

fn keys(octet: u8) -> KeyRing {
    KeyRing::new(MasterKey { id: KeyId(1), octets: Zeroizing::new([octet; 32]) }, Vec::new())
}

/// The same every time: here nothing rests on a nonce that nobody has seen.
struct Fixed;

impl Random for Fixed {
    fn fill(&self, octets: &mut [u8]) {
        octets.fill(7);
    }
}
