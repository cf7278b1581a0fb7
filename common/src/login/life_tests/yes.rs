//! What must hold for a yes.

use super::Shown;
use crate::account::{Account, SetBy, State};
use crate::{Grounds, Reason, UnixTime};

/// What is known of a yes.
pub(super) struct Yes<'a> {
    pub(super) which: usize,
    pub(super) grounds: Grounds,
    pub(super) reason: Reason,
    /// The account before the last answer.
    pub(super) before: &'a Account,
    /// The last answer.
    pub(super) text: &'a str,
    pub(super) now: UnixTime,
}

/// What kind of a yes it is.
#[derive(PartialEq, Eq)]
pub(super) enum Right {
    /// The first of its login.
    First,
    /// The same once more, as after a lost packet.
    Repeated,
}

impl Yes<'_> {
    /// By what was shown in its login, and to the account as it is afterwards.
    pub(super) fn is_right(&self, shown: &Shown, after: &Account) -> Right {
        let Self { before, now, .. } = *self;
        assert!(!before.is_blocked(now), "blocked, and in");
        assert!(shown.password, "in without the password");
        if let Some((with, at)) = &shown.success {
            let is_repeated =
                self.reason == Reason::Retransmission && with == self.text && now.seconds() - at <= 30;
            assert!(is_repeated, "one login let in twice: {with:?} and {:?}", self.text);
            return Right::Repeated;
        }
        match (self.grounds, self.reason) {
            (Grounds::PrimaryAlone, Reason::SkippedDisabled) => {
                assert_eq!(before.state_at(now), State::Disabled);
            }
            (Grounds::PrimaryAlone, Reason::SkippedNotRegistered) => {
                assert_eq!(before.state_at(now), State::Enabled);
                let may_wait = before.deadline.is_none_or(|deadline| deadline.allows(now));
                assert!(before.factors.is_empty() && may_wait);
            }
            (Grounds::BothProofs, Reason::Registered) => self.has_registered(shown, after),
            (Grounds::BothProofs, _) => {
                assert!(shown.proof || shown.app_password, "in without a second proof");
                assert!(!before.must_register_again || shown.temporary, "what is to be replaced has let in");
            }
            (grounds, reason) => panic!("in by {grounds:?} because {reason:?}"),
        }
        Right::First
    }

    fn has_registered(&self, shown: &Shown, after: &Account) {
        let before = self.before;
        let by_opening = self.which == 0;
        let by_contact = before.contacts.iter().any(|contact| contact.set_by != SetBy::User);
        let is_first = before.factors.is_empty() && before.state == State::Enabled;
        let is_open = is_first && (by_opening || by_contact);
        assert!(is_open || shown.proof, "registered by the password alone");
        let is_enforced = after.state == State::Enforced || after.state == before.state;
        assert!(!after.must_register_again && is_enforced);
        let kept = if before.must_register_again { 0 } else { before.factors.len() };
        assert_eq!(after.factors.len(), kept + 1);
    }
}
