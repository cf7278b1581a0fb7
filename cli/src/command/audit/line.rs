//! Records as lines for people: the moments readable, what an act changed, and several that say the same of one attempt in one.

use std::collections::BTreeSet;

use common::attempt::{Place, SELF_SERVICE};
use common::record::{ActRecord, DeliveryRecord, Ending, Names, Record, Together, Untold};
use common::{Door, Reason, UnixTime};

use super::{Listed, word};
use crate::moment::rfc3339;
use crate::table::fitted_around;

/// Those first that matter most: where a terminal is narrow, the last ones go first.
const TITLES: [&str; 8] = ["time", "user", "ending", "reason", "detail", "place", "from", "severity"];
/// The column that takes what the others leave.
const DETAIL: usize = 4;
/// Words of an account that are as of most, and say nothing of one that is new.
const USUAL: [&str; 5] = ["role=user", "blocked=no", "factors=0", "recovery-codes=0", "app-passwords=0"];

/// All of them as a table that fits so many columns.
pub(super) fn table(listed: &[Listed], columns: Option<usize>) -> String {
    let fitted = fitted_around(&TITLES, &rows(listed), columns, DETAIL);
    let note = fitted.note.map_or_else(String::new, |note| format!("{note} --json has all of it.\n"));
    format!("{}{note}", fitted.text)
}

/// What stands one after the other and says the same of one attempt is one row, with their count.
fn rows(listed: &[Listed]) -> Vec<Vec<String>> {
    let attempt = |listed: &Listed| listed.record.as_ref().map(|record| record.attempt);
    let rows: Vec<_> = listed.iter().map(|listed| (attempt(listed), row(listed))).collect();
    let is_same = |one: &(Option<_>, Vec<String>), other: &(Option<_>, Vec<String>)| {
        one.0.is_some() && one.0 == other.0 && one.1.iter().skip(1).eq(other.1.iter().skip(1))
    };
    let joined = rows.chunk_by(is_same).filter_map(|same| {
        let (_, mut row) = same.first()?.clone();
        if same.len() > 1
            && let Some(detail) = row.get_mut(DETAIL)
        {
            *detail = format!("{detail} ×{}", same.len()).trim_start().to_owned();
        }
        Some(row)
    });
    joined.collect()
}

/// A cell for each of [`TITLES`].
fn row(listed: &Listed) -> Vec<String> {
    let Some(record) = &listed.record else {
        let (sequence, stream) = (listed.sequence, &listed.stream);
        let place = format!("record {sequence} of {stream} cannot be read: run 'countersign audit verify'");
        let [user, ending, reason] = ["-"; 3].map(str::to_owned);
        let [source, place_of, severity] = [""; 3].map(str::to_owned);
        return vec![rfc3339(listed.at), user, ending, reason, place, place_of, source, severity];
    };
    vec![
        rfc3339(record.at),
        people(record),
        record.ending.name().to_owned(),
        record.reason.name().to_owned(),
        detail(record),
        record.place.to_string(),
        record.source.clone().unwrap_or_else(|| "-".to_owned()),
        word(record.severity).to_owned(),
    ]
}

/// The user; `caller -> target` where one user's program asks for another one, as su and sudo; or that there were many.
fn people(record: &Record) -> String {
    if record.together.is_some_and(|together| together.names == Names::Several) {
        return "(several)".to_owned();
    }
    let user = record.user.as_ref().unwrap_or(&record.typed);
    // Where the proof is the caller's, the other one is whose rights are asked for; else whose name is tried.
    let wanted = record.target.as_ref().unwrap_or(user);
    match &record.caller {
        Some(caller) if caller != wanted => format!("{caller} -> {wanted}"),
        Some(_) | None => user.clone(),
    }
}

/// What it was, and whether the user was told.
fn detail(record: &Record) -> String {
    let told = record.told.map(|told| match (told.notices, told.untold) {
        (0, untold) => format!("nobody told ({})", untold.map_or("", Untold::name)),
        (1, _) => "1 notice".to_owned(),
        (count, _) => format!("{count} notices"),
    });
    [what_it_was(record)]
        .into_iter()
        .filter(|what| !what.is_empty())
        .chain(told)
        .collect::<Vec<_>>()
        .join(", ")
}

/// What was done by whom in an act, and what that changed; how many a record stands for; what became of a message; else
/// whether nobody came in by it, and the factor of a login or the rule that decided.
fn what_it_was(record: &Record) -> String {
    if let Some(act) = &record.act {
        let by = act.actor.login_uid.or(act.actor.uid);
        let by = by.map_or_else(|| "the user".to_owned(), |uid| format!("uid {uid}"));
        let changed = changed(act);
        let separator = if changed.is_empty() { "" } else { ": " };
        return format!("{} by {by}{separator}{changed}", act.act);
    }
    if let (Some(Together { count, since, names: _ }), Reason::SyslogBehind) =
        (record.together, record.reason)
    {
        return format!("{count} records since {}", rfc3339(since));
    }
    if let Some(Together { count, since, names: _ }) = record.together {
        return format!("{count} since {}; place and source of the last one", rfc3339(since));
    }
    let rule = || record.rule.as_ref().map(|rule| format!("rule {rule}"));
    let decided = record.factor.clone().or_else(rule);
    let message = record.delivery.as_ref().map(message);
    no_sign_in(record)
        .map(str::to_owned)
        .into_iter()
        .chain(message)
        .chain(decided)
        .collect::<Vec<_>>()
        .join(", ")
}

/// How a message went, and why it was not taken.
fn message(delivery: &DeliveryRecord) -> String {
    let through = delivery.gateway.as_ref().map(|gateway| format!(" through {gateway}")).unwrap_or_default();
    let trouble = delivery.trouble.as_ref().map(|trouble| format!(": {trouble}")).unwrap_or_default();
    format!("{}{through}{trouble}", delivery.channel.name())
}

/// What nobody comes in by, however it ends: `countersign test`, and users who look after their own account.
fn no_sign_in(record: &Record) -> Option<&'static str> {
    let is_login = match record.ending {
        Ending::Accept | Ending::Reject | Ending::Unavailable | Ending::Challenge => true,
        Ending::Act | Ending::Finding => false,
    };
    let is_own = matches!(&record.place, Place::Service(service) if service == SELF_SERVICE);
    match (is_login, record.door) {
        (true, Door::CommandLine) => Some("test"),
        (true, _) if is_own => Some("own account, no sign-in"),
        (_, _) => None,
    }
}

/// The words of an account that are other than before, and of a new one those that are not as of most.
fn changed(act: &ActRecord) -> String {
    let words = |text: &Option<String>| -> Vec<String> {
        text.iter().flat_map(|text| text.split(' ')).map(str::to_owned).collect()
    };
    let (before, after) = (words(&act.before), words(&act.after));
    let key = |word: &str| word.split_once('=').map(|(key, _)| key.to_owned());
    let kept: BTreeSet<Option<String>> = after.iter().map(|word| key(word)).collect();
    let is_new =
        |word: &&String| !before.contains(word) && (act.before.is_some() || !USUAL.contains(&word.as_str()));
    let gone = before.iter().filter_map(|word| key(word)).filter(|word| !kept.contains(&Some(word.clone())));
    let gone = gone.filter(|_| act.after.is_some()).map(|key| format!("{key}=none"));
    let new = after.iter().filter(is_new).map(|word| readable(word));
    new.chain(gone).collect::<Vec<_>>().join(" ")
}

/// A moment that stands in a record as seconds, as people write it.
fn readable(word: &str) -> String {
    let moment = word.split_once("=@").and_then(|(key, seconds)| Some((key, seconds.parse().ok()?)));
    moment.map_or_else(
        || word.to_owned(),
        |(key, seconds)| format!("{key}={}", rfc3339(UnixTime::from_seconds(seconds))),
    )
}

#[cfg(test)]
mod tests {
    use common::record::Record;
    use serde_json::{Value, json};

    use super::{Listed, rows};

    /// A refusal of alice, with what else it says.
    fn listed(more: &Value) -> Listed {
        let mut record = json!({
            "at": 1_795_348_860, "attempt": "00".repeat(16), "severity": "notice", "door": "pam",
            "place": {"service": "sudo"}, "typed": "alice", "user": "alice", "source": "local",
            "primary": "right", "ending": "reject", "reason": "wrong-code",
        });
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let record: Record = serde_json::from_value(record).unwrap();
        Listed { stream: "main".to_owned(), sequence: 1, at: record.at, record: Some(record) }
    }

    fn cell(more: &Value, title: &str) -> String {
        let place = super::TITLES.iter().position(|it| *it == title).unwrap();
        super::row(&listed(more))[place].clone()
    }

    fn act(before: Option<&str>, after: &str) -> String {
        let actor = json!({"login-uid": 1000, "uid": 0, "tty": null, "host": "host"});
        let act = json!({"act": "user enable", "actor": actor, "before": before, "after": after});
        cell(&json!({"ending": "act", "reason": "act-done", "act": act}), "detail")
    }

    #[test]
    fn who_called_for_whom_is_said_where_they_are_two() {
        let user = |more: Value| cell(&more, "user");
        assert_eq!(user(json!({})), "alice");
        assert_eq!(user(json!({"caller": "alice"})), "alice", "sudo says no more");
        assert_eq!(user(json!({"caller": "alice", "target": "root"})), "alice -> root", "su to root");
        assert_eq!(user(json!({"caller": "bob"})), "bob -> alice", "su to somebody else");
    }

    #[test]
    fn many_say_how_many_they_are_and_since_when() {
        let together = |names: &str| {
            let more = json!({
                "reason": "counted-together",
                "together": {"count": 17, "since": 1_795_348_800, "names": names},
            });
            (cell(&more, "user"), cell(&more, "detail"))
        };
        let detail = "17 since 2026-11-22T12:00:00Z; place and source of the last one";
        assert_eq!(together("one"), ("alice".to_owned(), detail.to_owned()));
        assert_eq!(together("several"), ("(several)".to_owned(), detail.to_owned()));
    }

    #[test]
    fn an_act_says_what_it_changed_with_moments_that_can_be_read() {
        let before = "name=alice state=disabled role=user factors=0 sign-ins=3";
        let after = "name=alice state=enabled role=user factors=0 deadline=@1795348800";
        let said = "user enable by uid 1000: state=enabled deadline=2026-11-22T12:00:00Z sign-ins=none";
        assert_eq!(act(Some(before), after), said);
        assert_eq!(act(Some(before), before), "user enable by uid 1000");
        let new = "user enable by uid 1000: name=alice state=disabled sign-ins=3";
        assert_eq!(act(None, before), new, "what most are is left out");
        assert_eq!(act(None, "there is no account"), "user enable by uid 1000: there is no account");
    }

    #[test]
    fn a_message_that_was_not_sent_says_why() {
        let delivery = json!({"channel": "sms", "gateway": "kannel", "trouble": "it does not answer"});
        let said =
            cell(&json!({"ending": "finding", "reason": "message-not-sent", "delivery": delivery}), "detail");
        assert_eq!(said, "sms through kannel: it does not answer");
    }

    #[test]
    fn who_looks_after_the_own_account_comes_in_nowhere() {
        let own =
            json!({"place": {"service": "countersign"}, "ending": "accept", "reason": "skipped-disabled"});
        assert_eq!(cell(&own, "detail"), "own account, no sign-in");
    }

    #[test]
    fn like_lines_of_one_attempt_are_one_with_their_count() {
        let at = |seconds: u64| listed(&json!({"at": seconds}));
        let other = listed(&json!({"attempt": "11".repeat(16)}));
        let rows = rows(&[at(1), at(2), at(3), other, at(4)]);
        let details: Vec<&str> = rows.iter().map(|row| row[super::DETAIL].as_str()).collect();
        assert_eq!(details, ["×3", "", ""]);
        assert_eq!(rows[0][0], "1970-01-01T00:00:01Z", "when it began");
    }
}
