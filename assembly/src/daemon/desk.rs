//! What a server lends to whoever sends its codes and notices.

use std::sync::Arc;

use common::Reason;
use common::address::Address;
use common::engine::Engine;
use common::keys::KeyError;
use common::message::{Envelope, Message};
use common::ports::{Fate, Outbox as _, StoreError};
use common::record::DeliveryRecord;
use common::wording::{Wording, Written};
use common::{MessageId, UnixTime};
use delivery::{Fared, Gateways, Outcome, Post};

use super::awaited::Awaited;

/// The outbox, keys, gateways and words of one configuration.
pub struct Desk {
    pub(super) engine: Arc<Engine>,
    pub(super) store: Arc<Awaited>,
    pub(super) gateways: Gateways,
    pub(super) wording: Wording,
}

impl Desk {
    /// The gateways, with what was counted.
    #[must_use]
    pub const fn known_gateways(&self) -> &Gateways {
        &self.gateways
    }
}

impl Post for Desk {
    fn claim(&self, lease_seconds: u64, count: u32) -> Result<Vec<Envelope>, StoreError> {
        self.store.claim(self.engine.now(), lease_seconds, count)
    }

    fn settle(&self, message: MessageId, fate: Fate) -> Result<(), StoreError> {
        self.store.settle(message, fate)
    }

    fn open(&self, envelope: &Envelope) -> Result<Message, KeyError> {
        envelope.open(self.engine.keys())
    }

    fn now(&self) -> UnixTime {
        self.engine.now()
    }

    fn gateways(&self) -> &Gateways {
        &self.gateways
    }

    fn write(&self, message: &Message) -> Written {
        self.wording.write(message, &self.engine.policy().issuer, to_the_minute)
    }

    fn allows(&self, address: &Address) -> bool {
        self.engine.policy().numbers.check_address(address).is_ok()
    }

    fn record(&self, outcome: &Outcome<'_>) {
        let reason = match outcome.fared {
            Fared::Sent => Reason::MessageSent,
            Fared::NotSent => Reason::MessageNotSent,
            Fared::GivenUp => Reason::MessageGivenUp,
        };
        let delivery = DeliveryRecord {
            channel: outcome.message.channel,
            gateway: outcome.gateway.map(str::to_owned),
            trouble: outcome.trouble.clone(),
        };
        self.engine.record_delivery(outcome.message, reason, delivery);
    }
}

/// `2026-11-22 21:30`
fn to_the_minute(at: UnixTime) -> String {
    audit::moment(at).replace('T', " ").chars().take(16).collect()
}
