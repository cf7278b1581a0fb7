//! One message on its way: handed over, left for later, or given up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::message::{Content, Message};
use common::ports::Fate;
use common::{Secret, UnixTime};

use crate::dispatch::{Counters, Post};
use crate::failure::{Blame, Trouble};
use crate::gateways::Tried;
use crate::limits::{AGAIN_SECONDS, SETTLE_TRIES};
use crate::parcel::Parcel;

/// A message that was taken from the outbox.
pub(super) struct Job {
    pub(super) message: Message,
    /// Later than this it is left to others.
    pub(super) until: Option<Instant>,
}

/// How a message fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fared {
    /// A gateway took it.
    Sent,
    /// None did; it is tried again.
    NotSent,
    /// Nobody tries it again.
    GivenUp,
}

/// What is recorded of a message.
pub struct Outcome<'a> {
    /// The message. Neither its address nor its content are to be recorded.
    pub message: &'a Message,
    /// How it fared.
    pub fared: Fared,
    /// The gateway that took it, or was the last to fail.
    pub gateway: Option<&'a str>,
    /// Why it was not taken, in words that may be recorded.
    pub trouble: Option<String>,
}

/// A short account of the tries, for the record and for what comes next.
struct Account {
    fared: Fared,
    gateway: Option<String>,
    trouble: Option<String>,
    fate: Fate,
}

impl Job {
    pub(super) fn work(self, post: &dyn Post, counters: &Counters) {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            // The lease ends by itself.
            return;
        }
        let account = self.try_all(post);
        let counter = match account.fared {
            Fared::Sent => &counters.sent,
            Fared::NotSent => &counters.not_sent,
            Fared::GivenUp => &counters.given_up,
        };
        add(counter);
        // What was sent and is not settled would be sent once more.
        self.settle(post, account.fate, counters);
        post.record(&Outcome {
            message: &self.message,
            fared: account.fared,
            gateway: account.gateway.as_deref(),
            trouble: account.trouble,
        });
    }

    fn try_all(&self, post: &dyn Post) -> Account {
        let message = &self.message;
        let given_up = |trouble: &str| Account {
            fared: Fared::GivenUp,
            gateway: None,
            trouble: Some(trouble.to_owned()),
            fate: Fate::Over,
        };
        if post.now() >= message.expires_at {
            return given_up("it had expired before it could be sent");
        }
        if !post.allows(&message.to) {
            return given_up("its number is not allowed");
        }
        if !post.gateways().serves(message.channel) {
            return given_up("there is no gateway for this channel");
        }
        self.judge(&post.gateways().send(&parcel(message, post), None), post.now())
    }

    /// The last try says how it ended. Where each gateway says that the message itself is wrong, it is no use to go on.
    /// What costs money is not tried again where a gateway may have taken it: it has gone to the others by now, and at
    /// each further try it would come once more.
    fn judge(&self, tried: &[Tried], now: UnixTime) -> Account {
        let last = tried.last();
        let gateway = last.map(|tried| tried.gateway.clone());
        let trouble = match last.map(|tried| &tried.result) {
            Some(Ok(_)) => return Account { fared: Fared::Sent, gateway, trouble: None, fate: Fate::Over },
            Some(Err(failure)) => Some(failure.trouble.to_string()),
            None => None,
        };
        let is_hopeless = tried
            .iter()
            .all(|tried| matches!(&tried.result, Err(failure) if failure.blame == Blame::Message));
        if let Some((gateway, doubt)) = doubtful(tried).filter(|_| self.message.channel.costs()) {
            let (gateway, trouble) = (Some(gateway), Some(format!("it may have been sent: {doubt}")));
            return Account { fared: Fared::GivenUp, gateway, trouble, fate: Fate::Over };
        }
        let again = now.plus_seconds(self.pause(now));
        if is_hopeless || again >= self.message.expires_at {
            return Account { fared: Fared::GivenUp, gateway, trouble, fate: Fate::Over };
        }
        Account { fared: Fared::NotSent, gateway, trouble, fate: Fate::Again(again) }
    }

    /// Half of its age, so that the pauses grow without being counted anywhere.
    fn pause(&self, now: UnixTime) -> u64 {
        let age = now.seconds().saturating_sub(self.message.at.seconds());
        (age / 2).clamp(*AGAIN_SECONDS.start(), *AGAIN_SECONDS.end())
    }

    fn settle(&self, post: &dyn Post, fate: Fate, counters: &Counters) {
        for number in 1..=SETTLE_TRIES {
            match post.settle(self.message.id, fate) {
                Ok(()) => return,
                Err(_) => add(&counters.store_failed),
            }
            thread::sleep(Duration::from_millis(200).saturating_mul(number));
        }
    }
}

/// The first gateway that may have taken the message, and why that is not known.
fn doubtful(tried: &[Tried]) -> Option<(String, Trouble)> {
    let mut troubles =
        tried.iter().filter_map(|tried| Some((&tried.gateway, tried.result.as_ref().err()?.trouble)));
    let (gateway, trouble) = troubles.find(|(_, trouble)| trouble.leaves_doubt())?;
    Some((gateway.clone(), trouble))
}

fn parcel(message: &Message, post: &dyn Post) -> Parcel {
    let written = post.write(message);
    let code: Option<Secret> = match &message.content {
        Content::Code(code) => Some(code.clone()),
        Content::Notice(_) => None,
    };
    Parcel {
        id: message.id,
        channel: message.channel,
        to: message.to.clone(),
        user: message.user.clone(),
        subject: written.subject,
        text: written.text,
        code,
    }
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
