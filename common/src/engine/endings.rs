//! Records of endings that the login machine did not see: who went away, what could not be told.

use crate::bundle::Bundle;
use crate::engine::Engine;
use crate::record::{Ending, PrimaryResult, Record, Severity};
use crate::session::Session;
use crate::tally::Tally;
use crate::throttle::Tracks;
use crate::username::Username;
use crate::{Attempt, Reason};

impl Engine {
    /// Records an ending that the machine did not see. Where the store cannot take it, the sink alone has it.
    pub(super) fn record_ending(&self, attempt: &Attempt, session: &Session, ending: Ending, reason: Reason) {
        let record = self.ending_record(attempt, session, ending, reason);
        let mut bundle = Bundle::of_records(session.attempt(), record.at, vec![record]);
        let tracks = Tracks::new(self.keys(), &self.name_of(attempt), attempt);
        bundle.tally = tracks.ok().map(|tracks| Tally::Refusals(tracks.name));
        self.record(&bundle);
    }

    /// Writes records that nothing depends on. Where the store cannot take them, the sink alone has them.
    pub(crate) fn record(&self, bundle: &Bundle) {
        if self.write(bundle).is_err() {
            bundle.records.iter().for_each(|record| self.parts.sink.publish(record, None));
        }
    }

    /// The name that an attempt is counted under before anybody has said more of it.
    fn name_of(&self, attempt: &Attempt) -> String {
        let typed = Username::parse(attempt.typed.as_str()).ok();
        let folded = typed.map(|name| self.parts.policy.folding.fold(&name));
        folded.map_or_else(|| attempt.typed.as_str().to_owned(), Into::into)
    }

    /// The user, where a right password says that there is one.
    fn user_of(&self, attempt: &Attempt, session: &Session) -> Option<String> {
        let name = Username::parse(attempt.typed.as_str()).ok()?;
        let is_known = session.primary() == PrimaryResult::Right;
        is_known.then(|| self.parts.policy.folding.fold(&name).into())
    }

    pub(super) fn ending_record(
        &self,
        attempt: &Attempt,
        session: &Session,
        ending: Ending,
        reason: Reason,
    ) -> Record {
        Record {
            at: self.now(),
            attempt: session.attempt(),
            severity: match ending {
                Ending::Finding => Severity::Alert,
                Ending::Unavailable => Severity::Error,
                Ending::Accept | Ending::Reject | Ending::Challenge | Ending::Act => Severity::Notice,
            },
            door: attempt.door,
            place: attempt.place.clone(),
            typed: attempt.typed.as_str().to_owned(),
            user: self.user_of(attempt, session),
            caller: attempt.parties.caller.clone(),
            target: attempt.parties.target.clone(),
            source: attempt.source.clone(),
            rule: None,
            primary: session.primary(),
            factor: None,
            ending,
            reason,
            together: None,
            told: None,
            delivery: None,
            act: None,
        }
    }
}
