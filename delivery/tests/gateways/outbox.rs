//! The sender on an outbox in memory: what it sends, what it tries again, what it gives up, and that nobody waits for others.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::address::{Address, Channel, MailAddress, PhoneNumber};
use common::gateway::Http;
use common::keys::{KeyError, KeyId, KeyRing, MasterKey};
use common::message::{Content, Envelope, Message};
use common::ports::{Fate, Random, StoreError};
use common::wording::{Wording, Written};
use common::{AttemptId, MessageId, Secret, UnixTime};
use delivery::{Bell, Dispatcher, Equipped, Fared, Gateways, Outcome, Post};

use crate::http::{at, gateway, http};
use crate::server::{Does, Server, answer, closed_port};

struct Counting;

impl Random for Counting {
    fn fill(&self, octets: &mut [u8]) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        octets.iter_mut().zip(number.iter().cycle()).for_each(|(octet, of_number)| *octet = *of_number);
    }
}

fn keys() -> KeyRing {
    KeyRing::new(MasterKey { id: KeyId(1), octets: zeroize::Zeroizing::new([7; 32]) }, Vec::new())
}

/// An outbox, its clock, and what was recorded.
struct Desk {
    rows: Mutex<BTreeMap<[u8; 16], (Envelope, UnixTime)>>,
    records: Mutex<Vec<(Fared, Option<String>)>>,
    clock: AtomicU64,
    gateways: Gateways,
    allowed: bool,
}

impl Desk {
    fn new(equipped: Vec<Equipped>) -> Self {
        Self {
            rows: Mutex::default(),
            records: Mutex::default(),
            clock: AtomicU64::new(1_700_000_000),
            gateways: Gateways::new(equipped, None),
            allowed: true,
        }
    }

    fn put(&self, channel: Channel, seconds: u64) -> MessageId {
        let id = MessageId::generate(&Counting);
        let to = match channel {
            Channel::Sms | Channel::Call => Address::Mobile(PhoneNumber::parse("+4915112345678").unwrap()),
            Channel::Email => Address::Email(MailAddress::parse("alice@example.org").unwrap()),
        };
        let message = Message {
            id,
            attempt: AttemptId::from_bytes([3; 16]),
            user: "alice".to_owned(),
            channel,
            to,
            content: Content::Code(Secret::from("123456")),
            at: self.now(),
            expires_at: self.now().plus_seconds(seconds),
        };
        let envelope = message.seal(&keys(), &Counting).unwrap();
        self.rows.lock().unwrap().insert(*id.as_bytes(), (envelope, self.now()));
        id
    }

    fn records(&self) -> Vec<(Fared, Option<String>)> {
        self.records.lock().unwrap().clone()
    }
}

impl Post for Desk {
    fn claim(&self, lease_seconds: u64, count: u32) -> Result<Vec<Envelope>, StoreError> {
        let (now, mut rows) = (self.now(), self.rows.lock().unwrap());
        rows.retain(|_, (envelope, _)| envelope.expires_at > now);
        let due = rows.values_mut().filter(|(_, from)| *from <= now).take(usize::try_from(count).unwrap());
        Ok(due
            .map(|(envelope, from)| {
                *from = now.plus_seconds(lease_seconds);
                envelope.clone()
            })
            .collect())
    }

    fn settle(&self, message: MessageId, fate: Fate) -> Result<(), StoreError> {
        let mut rows = self.rows.lock().unwrap();
        match fate {
            Fate::Over => drop(rows.remove(message.as_bytes())),
            Fate::Again(at) => rows.get_mut(message.as_bytes()).unwrap().1 = at,
        }
        Ok(())
    }

    fn open(&self, envelope: &Envelope) -> Result<Message, KeyError> {
        envelope.open(&keys())
    }

    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(self.clock.load(Ordering::Relaxed))
    }

    fn gateways(&self) -> &Gateways {
        &self.gateways
    }

    fn write(&self, message: &Message) -> Written {
        Wording::default().write(message, "Example", |at| at.seconds().to_string())
    }

    fn allows(&self, _: &Address) -> bool {
        self.allowed
    }

    fn record(&self, outcome: &Outcome<'_>) {
        self.records.lock().unwrap().push((outcome.fared, outcome.trouble.clone()));
    }
}

fn start(desk: &Arc<Desk>) -> (Dispatcher, Arc<Bell>) {
    let (bell, lent) = (Arc::new(Bell::default()), Arc::clone(desk));
    let current = Arc::new(move || -> Arc<dyn Post> { lent.clone() });
    (Dispatcher::start(current, Arc::clone(&bell)).unwrap(), bell)
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_message_is_sent_once_and_soon_after_the_bell() {
    let server = Server::new(answer(200, "OK"));
    let desk = Arc::new(Desk::new(vec![gateway("g", http(&at(server.port)))]));
    let (sender, bell) = start(&desk);
    let begun = Instant::now();
    desk.put(Channel::Sms, 300);
    bell.ring();
    until("it is sent", || desk.records() == [(Fared::Sent, None)]);
    assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
    assert!(begun.elapsed() > Duration::from_millis(100), "the reply goes out first");
    assert!(desk.rows.lock().unwrap().is_empty());
    sender.stop();
    let requests = server.requests();
    assert!(requests.len() == 1 && requests[0].contains("123456"), "{requests:?}");
}

#[test]
fn what_no_gateway_takes_is_tried_again_until_it_has_expired() {
    let desk = Arc::new(Desk::new(vec![gateway("g", http(&at(closed_port())))]));
    let (sender, _) = start(&desk);
    desk.put(Channel::Sms, 12);
    let trouble = || Some("it cannot be reached".to_owned());
    until("it was tried", || desk.records() == [(Fared::NotSent, trouble())]);
    desk.clock.fetch_add(3, Ordering::Relaxed);
    until("it was tried again", || desk.records().len() == 2);
    desk.clock.fetch_add(8, Ordering::Relaxed);
    until("it is given up", || desk.records().last() == Some(&(Fared::GivenUp, trouble())));
    assert!(desk.rows.lock().unwrap().is_empty());
    sender.stop();
    let counted = sender.counted();
    assert_eq!((counted.sent, counted.not_sent, counted.given_up), (0, 2, 1));
}

/// A gateway that takes every message, and says so when nobody listens any more.
fn late() -> Server {
    let text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK".to_owned();
    Server::new(Does::AnswersAfter(Duration::from_secs(2), text))
}

#[test]
fn what_a_late_gateway_may_have_sent_goes_to_the_next_one_and_never_again_to_it() {
    let (late, good) = (late(), Server::new(answer(200, "OK")));
    let equipped = vec![gateway("late", http(&at(late.port))), gateway("good", http(&at(good.port)))];
    let desk = Arc::new(Desk::new(equipped));
    let (sender, _) = start(&desk);
    desk.put(Channel::Sms, 300);
    until("it is sent", || desk.records() == [(Fared::Sent, None)]);
    sender.stop();
    assert_eq!((late.requests().len(), good.requests().len()), (1, 1), "twice at most, once from each");
}

#[test]
fn a_text_message_that_may_have_been_sent_is_given_up_and_a_mail_is_tried_again() {
    for (channel, fared, sendings) in [(Channel::Sms, Fared::GivenUp, 1), (Channel::Email, Fared::NotSent, 3)]
    {
        let late = late();
        let mut equipped = gateway("late", http(&at(late.port)));
        equipped.gateway.channels = [channel].into();
        let desk = Arc::new(Desk::new(vec![equipped]));
        let (sender, _) = start(&desk);
        desk.put(channel, 3600);
        for number in 1..=sendings {
            until("it was tried", || desk.records().len() == number);
            // Longer than any pause, and while nobody has it.
            desk.clock.fetch_add(400, Ordering::Relaxed);
        }
        let (found, trouble) = desk.records().remove(0);
        let words = trouble.unwrap();
        assert_eq!(
            (found, words.starts_with("it may have been sent: ")),
            (fared, channel.costs()),
            "{words}"
        );
        assert!(words.ends_with("no answer in time"), "{words}");
        assert_eq!(desk.rows.lock().unwrap().is_empty(), channel.costs());
        sender.stop();
        assert!(!channel.costs() || late.requests().len() == 1);
    }
}

#[test]
fn a_number_that_is_not_allowed_any_more_is_not_sent_to() {
    let server = Server::new(answer(200, "OK"));
    let desk = Desk { allowed: false, ..Desk::new(vec![gateway("g", http(&at(server.port)))]) };
    let desk = Arc::new(desk);
    let (sender, bell) = start(&desk);
    desk.put(Channel::Sms, 300);
    bell.ring();
    until("it is given up", || desk.records().first().is_some_and(|(fared, _)| *fared == Fared::GivenUp));
    sender.stop();
    assert!(server.requests().is_empty());
}

#[test]
fn a_gateway_that_hangs_holds_up_no_other_channel() {
    let (hangs, good) = (Server::new(Does::Hangs), Server::new(answer(200, "OK")));
    let mut mail = gateway("mail", Http { ..http(&at(good.port)) });
    mail.gateway.channels = [Channel::Email].into();
    let mut texts = gateway("texts", http(&at(hangs.port)));
    texts.gateway.patience = Duration::from_secs(10);
    let desk = Arc::new(Desk::new(vec![texts, mail]));
    let (sender, bell) = start(&desk);
    for _ in 0..40 {
        desk.put(Channel::Sms, 300);
    }
    let begun = Instant::now();
    for _ in 0..5 {
        desk.put(Channel::Email, 300);
    }
    bell.ring();
    until("mail is sent", || {
        // What found no room goes back for a second.
        desk.clock.fetch_add(1, Ordering::Relaxed);
        desk.records().iter().filter(|(fared, _)| *fared == Fared::Sent).count() == 5
    });
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    let stopping = Instant::now();
    sender.stop();
    assert!(stopping.elapsed() < Duration::from_secs(6), "{:?}", stopping.elapsed());
}
