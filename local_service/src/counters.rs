//! What becomes of connections and requests: every way has a name and a counter. docs/operating.md has the same tables,
//! and a test compares them.

use std::sync::atomic::{AtomicU64, Ordering};

use assembly::local::Malformed;
use common::closed_list;

closed_list! {
    /// Why a request was not worked on.
    Turned {
        /// Too many connections of all, or of all but root, are being read.
        TooManyConnections = "too-many-connections",
        /// Too many connections of this user are being read.
        TooManyOfUser = "too-many-connections-of-user",
        /// The request did not come in time.
        TooSlow = "too-slow",
        /// The caller hung up before its request was there.
        HungUp = "hung-up",
        /// Too many requests wait, or this user has too many.
        Overloaded = "overloaded",
        /// The module's line means other settings than the service's.
        OtherSettings = "other-settings",
        /// The caller was gone when the reply was ready.
        NotSent = "not-sent",
        /// A fault of the program.
        Fault = "fault",
    }
}

closed_list! {
    /// What was replied.
    Replied {
        /// A question.
        Asked = "asked",
        /// In.
        Accepted = "accepted",
        /// Out.
        Rejected = "rejected",
        /// Out, because a program of one user tried another's name.
        NotTheCaller = "not-the-caller",
        /// Out for the same, and only counted here: too many came within a second.
        NotRecorded = "not-recorded",
        /// Could not tell.
        Unavailable = "unavailable",
        /// Names or stack do not fit: see the authentication log of the caller.
        Hindered = "hindered",
        /// A user went away at a question.
        Abandoned = "abandoned",
    }
}

/// All counters of the service.
#[derive(Debug)]
pub struct Counters {
    turned: [AtomicU64; Turned::ALL.len()],
    malformed: [AtomicU64; Malformed::ALL.len()],
    replied: [AtomicU64; Replied::ALL.len()],
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            turned: std::array::from_fn(|_| AtomicU64::default()),
            malformed: std::array::from_fn(|_| AtomicU64::default()),
            replied: std::array::from_fn(|_| AtomicU64::default()),
        }
    }
}

impl Counters {
    /// A request was not worked on.
    pub fn turned(&self, why: Turned) {
        add(&self.turned, why.place());
    }

    /// A frame was not understood.
    pub fn malformed(&self, why: Malformed) {
        add(&self.malformed, why.place());
    }

    /// A request got this reply.
    pub fn replied(&self, what: Replied) {
        add(&self.replied, what.place());
    }

    /// All of them in one line, `name=number`, in the order of the documentation.
    #[must_use]
    pub fn line(&self) -> String {
        let replied = Replied::ALL.iter().map(|it| it.name()).zip(&self.replied);
        let turned = Turned::ALL.iter().map(|it| it.name()).zip(&self.turned);
        let malformed = Malformed::ALL.iter().map(|it| it.name()).zip(&self.malformed);
        let all = replied.chain(turned).chain(malformed);
        let words: Vec<String> =
            all.map(|(name, number)| format!("{name}={}", number.load(Ordering::Relaxed))).collect();
        words.join(" ")
    }
}

fn add(counters: &[AtomicU64], place: usize) {
    if let Some(counter) = counters.get(place) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Counters, Malformed, Replied, Turned};

    #[test]
    fn the_line_has_every_counter() {
        let counters = Counters::default();
        counters.turned(Turned::TooSlow);
        counters.malformed(Malformed::Head);
        counters.replied(Replied::Asked);
        let line = counters.line();
        assert!(line.starts_with("asked=1 accepted=0 "), "{line}");
        assert!(line.contains(" too-slow=1 ") && line.contains(" frame-head=1 "), "{line}");
    }

    #[test]
    fn the_documentation_has_every_counter_with_its_meaning() {
        let page = include_str!("../../docs/operating.md");
        let all = (Replied::ALL.iter().map(|it| (it.name(), it.meaning())))
            .chain(Turned::ALL.iter().map(|it| (it.name(), it.meaning())))
            .chain(Malformed::ALL.iter().map(|it| (it.name(), it.meaning())));
        let rows: Vec<String> = all.map(|(name, meaning)| format!("| `{name}` | {meaning} |")).collect();
        let found: Vec<&str> = page
            .lines()
            .skip_while(|line| *line != "| counter of countersign-local | meaning |")
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .collect();
        assert_eq!(found, rows);
    }
}
