//! Until when this process has each message that it claimed. Who comes back later than that may find that another server
//! has it, and is recognised by this.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::message::Envelope;
use common::{MessageId, UnixTime};

/// The leases of one process.
#[derive(Default)]
pub(crate) struct Leases(Mutex<HashMap<MessageId, UnixTime>>);

impl Leases {
    /// Remembers what was claimed, and forgets what was claimed once and never settled.
    pub(crate) fn remember(
        &self,
        claimed: Vec<Envelope>,
        now: UnixTime,
        lease_end: UnixTime,
    ) -> Vec<Envelope> {
        let mut leases = self.leases();
        leases.retain(|_, end| *end > now);
        leases.extend(claimed.iter().map(|envelope| (envelope.id, lease_end)));
        claimed
    }

    /// Until when a message was this process's own.
    pub(crate) fn take(&self, message: MessageId) -> Option<UnixTime> {
        self.leases().remove(&message)
    }

    fn leases(&self) -> MutexGuard<'_, HashMap<MessageId, UnixTime>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
