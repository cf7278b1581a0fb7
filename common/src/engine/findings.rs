//! What is found on the way of a login that somebody should know at once, whoever the login was by.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::bundle::Bundle;
use crate::engine::Engine;
use crate::lane::LaneKey;
use crate::limits::TALLY_SECONDS;
use crate::record::{Ending, Record};
use crate::tally::Tally;
use crate::{Attempt, AttemptId, Reason, UnixTime, Username, login};

/// When something was last told: once a minute is enough.
#[derive(Default)]
pub(super) struct Told(AtomicU64);

impl Told {
    /// Whether it is to be told now. Of several at once, one tells. A moment from a clock that ran ahead is over.
    fn is_due(&self, now: UnixTime) -> bool {
        let before = self.0.load(Ordering::Relaxed);
        let until = UnixTime::from_seconds(before).plus_seconds(TALLY_SECONDS);
        let is_over = before == 0 || now >= until || now.seconds() < before;
        is_over
            && self.0.compare_exchange(before, now.seconds(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl Engine {
    /// An alert, once, whoever happens to log in when it is noticed.
    pub(super) fn tell_of_rollback(&self, attempt: &Attempt, now: UnixTime) {
        if self.parts.store.take_rollback_found() {
            let session = login::begin(AttemptId::generate(self.random()), attempt, now);
            self.record_ending(attempt, &session, Ending::Finding, Reason::StoreWentBack);
        }
    }

    /// An alert that the file of the break-glass accounts could not be used. A stranger can bring it about again and
    /// again, so each engine tells once a minute, and what many engines tell is counted together.
    pub(super) fn tell_of_file(&self, attempt: &Attempt, name: &Username) {
        let now = self.now();
        if !self.file_told.is_due(now) {
            return;
        }
        let session = login::begin(AttemptId::generate(self.random()), attempt, now);
        let found = self.ending_record(attempt, &session, Ending::Finding, Reason::BreakGlassBroken);
        let record = Record { user: Some(name.as_str().to_owned()), ..found };
        let mut bundle = Bundle::of_records(session.attempt(), now, vec![record]);
        bundle.tally = LaneKey::of_name(self.keys(), name.as_str()).ok().map(Tally::Refusals);
        self.record(&bundle);
    }
}
