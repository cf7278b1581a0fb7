//! What the cases are made of: accounts, bundles and names that differ by a number.

use common::account::{Account, RecoveryCode, State, TemporaryCode};
use common::attempt::{Door, Parties, Place, PrimaryMode, Profile, Target};
use common::bundle::{
    AccountChange, Asker, Bundle, CapEffect, Entry, NewCode, Outcome, Precondition, Recognised, Renewal,
    SentCode, Slot, Spend, Success, TicketChange, Unlocked,
};
use common::chain::{ChainMac, ChainPosition};
use common::codes::{KeyedHash, Shape};
use common::keys::{KEY_OCTETS, KeyId, KeyRing, MasterKey, Sealed};
use common::lane::{LaneKey, LanesOf};
use common::message::{Envelope, Urgency};
use common::origin::Origin;
use common::ports::Loaded;
use common::random::Stream;
use common::record::{Ending, PrimaryResult, Record, Severity};
use common::throttle::{Against, Count};
use common::ticket::{Binding, Station, Ticket};
use common::{
    AccountId, Attempt, AttemptId, CodeId, FactorId, MessageId, Reason, Secret, TypedName, UnixTime, Username,
};
use zeroize::Zeroizing;

use super::Engine;

/// The chain key that engines under test are opened with.
pub const CHAIN_KEY: [u8; KEY_OCTETS] = [0x5a; KEY_OCTETS];

/// The places of a stream's records, after every MAC was computed again.
pub fn verified(store: &dyn Engine, stream: &str) -> Vec<ChainPosition> {
    let mut mac = ChainMac::BEGINNING;
    let mut positions = Vec::new();
    for (sequence, record) in (1..).zip(store.records(stream, 1, u32::MAX).unwrap()) {
        mac = mac.next(&CHAIN_KEY, stream, sequence, &record.body).unwrap();
        assert_eq!((record.sequence, record.mac), (sequence, mac), "{stream}");
        positions.push(ChainPosition { stream: stream.to_owned(), sequence, mac });
    }
    positions
}

/// When the records of a stream say that they were made.
pub fn moments(store: &dyn Engine, stream: &str) -> Vec<u64> {
    let records = store.records(stream, 1, u32::MAX).unwrap();
    records
        .iter()
        .map(|stored| serde_json::from_slice::<Record>(&stored.body).unwrap().at.seconds())
        .collect()
}

/// The records that were written.
#[must_use]
pub fn applied_entries(outcome: Outcome) -> Vec<Entry> {
    match outcome {
        Outcome::Applied(entries) => entries,
        Outcome::Conflict => Vec::new(),
    }
}

/// Where records went.
#[must_use]
pub fn applied_positions(outcome: Outcome) -> Vec<ChainPosition> {
    applied_entries(outcome).into_iter().filter_map(|entry| entry.position).collect()
}

/// Whether a bundle was applied.
#[must_use]
pub fn is_applied(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Applied(_))
}

/// Commits one bundle, and says whether it was applied.
pub fn applies(store: &dyn Engine, bundle: Bundle) -> bool {
    is_applied(&store.commit(&[bundle]).unwrap()[0])
}

/// Commits one bundle, and says whether it was in conflict.
pub fn conflicts(store: &dyn Engine, bundle: Bundle) -> bool {
    !applies(store, bundle)
}

/// Makes an account.
pub fn insert(store: &dyn Engine, account: Account) {
    let bundle = Bundle { account: Some(AccountChange::Insert(Box::new(account))), ..bundle(100) };
    assert!(applies(store, bundle), "an account could not be made");
}

/// Loads a name and its lane.
pub fn load(store: &dyn Engine, user: &str) -> Loaded {
    store.load(&name(user), &lane(user), None).unwrap()
}

/// A bundle of nothing.
#[must_use]
pub fn bundle(at: u64) -> Bundle {
    Bundle::of_records(session(1), time(at), Vec::new())
}

/// A bundle that spends one thing.
#[must_use]
pub fn spending(spend: Spend) -> Bundle {
    Bundle { spends: vec![spend], ..bundle(100) }
}

/// A step of 30 seconds, good for one step more.
#[must_use]
pub fn step(account: u8, of_factor: u8, step: u64) -> Spend {
    Spend::TotpStep {
        account: id(account),
        factor: factor(of_factor),
        step,
        begins_at: time(step * 30),
        expires_at: time((step + 2) * 30),
    }
}

/// A recovery or temporary code.
#[must_use]
pub fn code(account: u8, code: u8) -> Spend {
    Spend::Code { account: id(account), code: code_id(code) }
}

/// A counter of a token.
#[must_use]
pub fn counter(account: u8, of_factor: u8, counter: u64) -> Spend {
    Spend::HotpCounter { account: id(account), factor: factor(of_factor), counter }
}

/// The slot of a factor.
#[must_use]
pub const fn phone(number: u8) -> Slot {
    Slot::Factor(factor(number))
}

/// A code that was sent to a user.
#[must_use]
pub fn sent_code(user: &str, slot: Slot, number: u8) -> Spend {
    Spend::SentCode { name: name(user), slot, code: code_id(number) }
}

/// A code to be sent, of which a user may have three a day.
#[must_use]
pub fn new_code(user: &str, slot: Slot, number: u8, at: u64) -> NewCode {
    let code = SentCode {
        slot,
        id: code_id(number),
        hash: hash(id(1)),
        address: (slot == Slot::Registration).then(|| sealed("address", "+4915112345678")),
        sent_at: time(at),
        expires_at: time(at).plus_seconds(common::limits::CODE_SECONDS),
        tries: 0,
    };
    NewCode { name: name(user), code, daily_limit: 3, asker: Asker::Somebody }
}

/// A bundle that sends a code.
#[must_use]
pub fn sending(user: &str, slot: Slot, number: u8, at: u64) -> Bundle {
    Bundle { new_code: Some(new_code(user, slot, number, at)), ..bundle(at) }
}

/// A message to a user that is worth nothing from a moment on.
#[must_use]
pub fn envelope(number: u64, user: &str, urgency: Urgency, expires_at: u64) -> Envelope {
    let id = message(number);
    let sealed = sealed("outbox", &format!("message {number}"));
    Envelope { id, user: user.to_owned(), urgency, expires_at: time(expires_at), sealed }
}

/// A message's id.
#[must_use]
pub fn message(number: u64) -> MessageId {
    MessageId::from_bytes(u128::from(number).to_be_bytes())
}

fn sealed(field: &str, text: &str) -> Sealed {
    let random = Stream::new(text.as_bytes(), "sealing");
    keys().seal(&random, id(1), field, &Secret::from(text)).unwrap()
}

fn hash(account: AccountId) -> KeyedHash {
    Shape::RecoveryCode.hash(&keys(), account, &Secret::from("abcd-efgh-jkmn")).unwrap()
}

/// A success of a session that began when it succeeded.
#[must_use]
pub fn success(of: u8, at: u64) -> Success {
    let expires_at = time(at).plus_seconds(common::limits::SESSION_SECONDS);
    Success { session: session(of), digest: [of; 32], expires_at, at: time(at) }
}

/// An account.
#[must_use]
pub fn account(number: u8, user: &str) -> Account {
    Account::new(id(number), name(user), State::Enabled, time(100))
}

/// An account with recovery codes.
#[must_use]
pub fn with_codes<const N: usize>(account: Account, codes: [u8; N]) -> Account {
    let hash = hash(account.id);
    let recovery_codes = codes.map(|code| RecoveryCode { id: code_id(code), hash: hash.clone() });
    Account { recovery_codes: recovery_codes.into(), ..account }
}

/// An account with a temporary code.
#[must_use]
pub fn with_temporary_code(account: Account, code: u8) -> Account {
    let temporary =
        TemporaryCode { id: code_id(code), hash: hash(account.id), expires_at: time(u64::from(u32::MAX)) };
    Account { temporary_code: Some(temporary), ..account }
}

/// A record.
#[must_use]
pub fn record(at: u64) -> Record {
    Record {
        at: time(at),
        attempt: session(1),
        severity: Severity::Info,
        door: Door::Pam,
        place: Place::Service("sshd".to_owned()),
        typed: "alice \"\n".to_owned(),
        user: Some("alice".to_owned()),
        caller: None,
        target: None,
        source: Some("192.0.2.7".to_owned()),
        rule: None,
        primary: PrimaryResult::Right,
        factor: None,
        ending: Ending::Accept,
        reason: Reason::BothProofs,
        together: None,
        told: None,
        delivery: None,
        act: None,
    }
}

/// The lane of a user at this machine.
#[must_use]
pub fn lane(user: &str) -> LaneKey {
    lane_from(user, "local")
}

/// The lane of a user from somewhere.
#[must_use]
pub fn lane_from(user: &str, source: &str) -> LaneKey {
    let attempt = Attempt {
        door: Door::Pam,
        place: Place::Service("sshd".to_owned()),
        typed: TypedName::new(user.as_bytes()),
        source: Some(source.to_owned()),
        target: Target::Ordinary,
        parties: Parties::default(),
        primary: PrimaryMode::Own,
        profile: Profile::default(),
        identity: None,
    };
    LaneKey::new(&keys(), user, &Origin::of(&attempt, user)).unwrap()
}

/// An account whose waits an administrator ends.
#[must_use]
pub fn unlocked(account: u8, user: &str) -> Unlocked {
    Unlocked { account: id(account), lanes: lanes_of(user) }
}

/// All lanes of a user.
#[must_use]
pub fn lanes_of(user: &str) -> LanesOf {
    LanesOf::user(&keys(), user).unwrap()
}

/// An answer counted in the lane of a user alone.
#[must_use]
pub fn counting(user: &str, at: u64) -> Count {
    Count { lane: lane(user), against: Against::LaneAlone, codes_of: None, at: time(at) }
}

/// A second proof of an account counted in the lane of a user.
#[must_use]
pub fn counting_against(account: u8, user: &str, at: u64) -> Count {
    Count { against: Against::Account(id(account)), ..counting(user, at) }
}

/// A right second proof of an account in the lane of a user, whose source was not known.
#[must_use]
pub fn recognised(account: u8, user: &str) -> Recognised {
    Recognised { account: id(account), lane: lane(user), cap: CapEffect::EndsRow, renewal: Renewal::Write }
}

/// A device.
#[must_use]
pub fn device(number: u64) -> Binding {
    let station = Station::parse(&format!("station {number}")).unwrap();
    Binding::Station { client: "vpn".to_owned(), station }
}

/// A device of an account that is remembered from a moment on, for as long as may be.
#[must_use]
pub fn ticket(account: &Account, number: u64, at: u64) -> Ticket {
    let random = Stream::new(format!("{number} {at}").as_bytes(), "ticket");
    Ticket::new(account, &device(number), u64::MAX, time(at), (&keys(), &random)).unwrap()
}

/// A bundle that remembers it.
#[must_use]
pub fn remembering(account: &Account, number: u64, at: u64) -> Bundle {
    let ticket = Box::new(ticket(account, number, at));
    Bundle {
        precondition: Precondition::Version { account: account.id, version: account.version },
        tickets: vec![TicketChange::Remember { account: account.id, ticket }],
        ..bundle(at)
    }
}

/// The keys of every sample.
#[must_use]
pub fn keys() -> KeyRing {
    KeyRing::new(MasterKey { id: KeyId(1), octets: Zeroizing::new([7; KEY_OCTETS]) }, Vec::new())
}

/// A name.
#[must_use]
pub fn name(user: &str) -> Username {
    Username::parse(user).unwrap()
}

/// A moment.
#[must_use]
pub fn time(seconds: u64) -> UnixTime {
    UnixTime::from_seconds(seconds)
}

/// An account's id.
#[must_use]
pub const fn id(number: u8) -> AccountId {
    AccountId::from_bytes([number; AccountId::LENGTH])
}

/// A session.
#[must_use]
pub fn session(number: u8) -> AttemptId {
    AttemptId::from_bytes([number; AttemptId::LENGTH])
}

/// A factor.
#[must_use]
pub const fn factor(number: u8) -> FactorId {
    FactorId::from_bytes([number; FactorId::LENGTH])
}

/// A recovery code's id.
#[must_use]
pub fn code_id(number: u8) -> CodeId {
    CodeId::from_bytes([number; CodeId::LENGTH])
}
