//! What became of codes and notices, in the records.

use crate::attempt::{Door, Place};
use crate::bundle::Bundle;
use crate::engine::Engine;
use crate::message::Message;
use crate::record::{DeliveryRecord, Ending, PrimaryResult, Record, Severity};
use crate::{Reason, Username};

impl Engine {
    /// Records what became of a message. It has the attempt id of the login or act that the message belongs to, and says
    /// neither where it went nor what it says.
    pub fn record_delivery(&self, message: &Message, reason: Reason, delivery: DeliveryRecord) {
        let user = Username::parse(&message.user).ok().map(String::from);
        let record = Record {
            at: self.now(),
            attempt: message.attempt,
            severity: if reason == Reason::MessageSent { Severity::Info } else { Severity::Error },
            door: Door::Delivery,
            place: Place::countersign(),
            typed: message.user.clone(),
            user,
            caller: None,
            target: None,
            source: None,
            rule: None,
            primary: PrimaryResult::NotAsked,
            factor: None,
            ending: Ending::Finding,
            reason,
            together: None,
            told: None,
            delivery: Some(delivery),
            act: None,
        };
        self.record(&Bundle::of_records(record.attempt, record.at, vec![record]));
    }
}
