//! What the user hears of at the addresses that were known before: codes for the worst day that were used, registrations.

use crate::AttemptId;
use crate::bundle::{Bundle, Spend};
use crate::keys::KeyError;
use crate::login::View;
use crate::message::{By, Event};
use crate::notices::{Circumstances, Happening, Means, Notices};
use crate::random::Stream;

/// What a bundle uses up that the user should hear of.
pub(super) fn of_spends(view: &View<'_>, bundle: &Bundle) -> Vec<Happening> {
    let temporary = view.loaded.account.as_ref().and_then(|account| account.temporary_code.as_ref());
    let happening = |spend: &Spend| match spend {
        Spend::Code { code, .. } => {
            let is_temporary = temporary.is_some_and(|temporary| temporary.id == *code);
            let event = if is_temporary { Event::TemporaryCodeUsed } else { Event::RecoveryCodeUsed };
            Some(Happening::new(event, String::new()))
        }
        Spend::TotpStep { .. } | Spend::HotpCounter { .. } | Spend::SentCode { .. } => None,
    };
    bundle.spends.iter().filter_map(happening).collect()
}

/// Who did it, where and when: the user, or whoever could sign in as the user.
pub(super) fn circumstances<'a>(view: &'a View<'_>, attempt: AttemptId, place: &'a str) -> Circumstances<'a> {
    Circumstances { attempt, by: By::User, place, source: view.attempt.source.as_deref(), at: view.now }
}

/// Puts the notices into the bundle, and says so in its first record; an account that is only just made has no address to
/// send them to.
pub(super) fn tell(view: &View<'_>, bundle: &mut Bundle, happenings: &[Happening]) -> Result<(), KeyError> {
    let place = view.attempt.place.to_string();
    let circumstances = circumstances(view, bundle.attempt, &place);
    let random = Stream::new(view.entropy, "notices");
    let (policy, keys, texts) = (view.policy, view.keys, &view.loaded.sent.notice_texts);
    let means = Means { policy, keys, random: &random, texts };
    let notices = Notices::of(happenings, view.loaded.account.as_ref(), &circumstances, means)?;
    let told = notices.put_into(bundle);
    if let Some(record) = bundle.records.first_mut() {
        record.told = told;
    }
    Ok(())
}
