//! What a line says of a record: a closed list of fields, each with a name and a meaning, in one order.

use common::chain::ChainPosition;
use common::record::{ActRecord, DeliveryRecord, Names, Record, Told};
use common::{Place, UnixTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::escape::visible;

common::closed_list! {
    /// One field of a line in syslog, in the order of RFC 3164 lines and of the documentation.
    Field {
        /// `login`, `act` (of an administrator, or of a user on the own account) or `anchor` (the head of a chain, each minute).
        Event = "event",
        /// When it was decided, in UTC (RFC 3339); the stamp of the line is when it was sent.
        Time = "time",
        /// The attempt's id, the same in all its records.
        Attempt = "attempt",
        /// `info`, `notice`, `error` or `alert`.
        Severity = "severity",
        /// `pam`, `radius`, `command-line` or `delivery` (none: a server sent a code or notice).
        Door = "door",
        /// The PAM service.
        Service = "service",
        /// The RADIUS client, by its name in the configuration.
        Client = "client",
        /// The name as typed.
        Typed = "typed",
        /// The canonical name.
        User = "user",
        /// Who called, where one user's program asks: su, sudo, a screen locker.
        Caller = "caller",
        /// Whose rights were asked for, where not the user's own.
        Target = "target",
        /// From where: an address or a Calling-Station-Id.
        Source = "source",
        /// The rule that decided; of a registration, what allowed it: see below.
        Rule = "rule",
        /// What is known of the first password: `right`, `wrong`, `unknown`, `not-checked` (given, not looked at), `unavailable`, `not-asked` or `claimed` (a program of the user says that it was right).
        Primary = "primary",
        /// The second proof.
        Factor = "factor",
        /// `accept`, `reject`, `unavailable`, `challenge` (a question was put), `act` or `finding` (nothing was decided).
        Ending = "ending",
        /// Why: one of the reasons below.
        Reason = "reason",
        /// How many refusals and questions the record stands for, where not for one.
        Count = "count",
        /// When the first of them came (RFC 3339).
        Since = "since",
        /// `several`, where they were of more names than one: name, place and source are then those of the last one.
        Names = "names",
        /// `sms`, `call` or `email`: how a code or notice goes.
        Channel = "channel",
        /// The gateway that took the code or notice, or was the last to fail, by its name in the settings.
        Gateway = "gateway",
        /// Why the last gateway did not take it; never a number, a code or a text.
        Trouble = "trouble",
        /// What an administrator did, or a user with the own account.
        Act = "act",
        /// The administrator's login uid, which survives su and sudo.
        LoginUid = "login-uid",
        /// The administrator's real uid; none where users changed their own account.
        Uid = "uid",
        /// The administrator's terminal.
        Tty = "tty",
        /// The administrator's host.
        Host = "host",
        /// What it was before the act; of an account that goes, `devices` is how many were remembered.
        Before = "before",
        /// What it is after the act; `devices-forgotten` is how many remembered devices the act made strange.
        After = "after",
        /// How many notices were put into the outbox, where it is something that users are told of; `none` where nobody could be told.
        Notices = "notices",
        /// Why nobody could be told: one of the words below.
        Untold = "untold",
        /// The chain that the record stands in.
        Stream = "stream",
        /// The record's place in its chain, from 1.
        Sequence = "seq",
        /// The record's MAC: with stream and seq it anchors the chain.
        Mac = "mac",
    }
}

/// Fields with their values, in the order of [`Field::ALL`], fit for a line but not yet quoted.
pub(crate) type Values = Vec<(Field, String)>;

/// The fields of a record; `position` is `None` where the store could not take it.
pub(crate) fn of_record(record: &Record, position: Option<&ChainPosition>) -> Values {
    let (service, client) = match &record.place {
        Place::Service(name) => (Some(name.as_str()), None),
        Place::Client(name) => (None, Some(name.as_str())),
    };
    let event = if record.act.is_some() { "act" } else { "login" };
    let mut values = Values::new();
    let mut put = |field, value: Option<&str>| values.extend(value.map(|value| (field, visible(value))));
    put(Field::Event, Some(event));
    put(Field::Time, Some(&moment(record.at)));
    put(Field::Attempt, Some(&record.attempt.to_string()));
    put(Field::Severity, Some(crate::render::severity_name(record.severity)));
    put(Field::Door, Some(record.door.name()));
    put(Field::Service, service);
    put(Field::Client, client);
    put(Field::Typed, Some(&record.typed));
    put(Field::User, record.user.as_deref());
    put(Field::Caller, record.caller.as_deref());
    put(Field::Target, record.target.as_deref());
    put(Field::Source, record.source.as_deref());
    put(Field::Rule, record.rule.as_deref());
    put(Field::Primary, Some(record.primary.name()));
    put(Field::Factor, record.factor.as_deref());
    put(Field::Ending, Some(record.ending.name()));
    put(Field::Reason, Some(record.reason.name()));
    put(Field::Count, record.together.map(|together| together.count.to_string()).as_deref());
    put(Field::Since, record.together.map(|together| moment(together.since)).as_deref());
    let is_of_several = record.together.is_some_and(|together| together.names == Names::Several);
    put(Field::Names, is_of_several.then_some("several"));
    values.extend(record.delivery.as_ref().map(of_delivery).unwrap_or_default());
    values.extend(record.act.as_ref().map(of_act).unwrap_or_default());
    values.extend(record.told.map(of_told).unwrap_or_default());
    values.extend(position.map(of_position).unwrap_or_default());
    values
}

/// The fields of an anchor: the head of a chain as it stood at a moment.
pub(crate) fn of_anchor(position: &ChainPosition, at: UnixTime) -> Values {
    let mut values = vec![(Field::Event, "anchor".to_owned()), (Field::Time, moment(at))];
    values.extend(of_position(position));
    values
}

fn of_delivery(delivery: &DeliveryRecord) -> Values {
    let mut values = vec![(Field::Channel, delivery.channel.name().to_owned())];
    let mut put = |field, value: Option<&str>| values.extend(value.map(|value| (field, visible(value))));
    put(Field::Gateway, delivery.gateway.as_deref());
    put(Field::Trouble, delivery.trouble.as_deref());
    values
}

fn of_act(act: &ActRecord) -> Values {
    let mut values = vec![(Field::Act, visible(&act.act))];
    let mut put = |field, value: Option<&str>| values.extend(value.map(|value| (field, visible(value))));
    put(Field::LoginUid, act.actor.login_uid.map(|uid| uid.to_string()).as_deref());
    put(Field::Uid, act.actor.uid.map(|uid| uid.to_string()).as_deref());
    put(Field::Tty, act.actor.tty.as_deref());
    put(Field::Host, Some(&act.actor.host).filter(|host| !host.is_empty()).map(String::as_str));
    put(Field::Before, act.before.as_deref());
    put(Field::After, act.after.as_deref());
    values
}

fn of_told(told: Told) -> Values {
    let count = if told.notices == 0 { "none".to_owned() } else { told.notices.to_string() };
    let untold = told.untold.map(|untold| (Field::Untold, untold.name().to_owned()));
    [(Field::Notices, count)].into_iter().chain(untold).collect()
}

fn of_position(position: &ChainPosition) -> Values {
    vec![
        (Field::Stream, visible(&position.stream)),
        (Field::Sequence, position.sequence.to_string()),
        (Field::Mac, position.mac.to_string()),
    ]
}

/// A moment as RFC 3339 in UTC; one past the calendar is given as seconds.
#[must_use]
pub fn moment(at: UnixTime) -> String {
    i64::try_from(at.seconds())
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(|moment| moment.format(&Rfc3339).ok())
        .unwrap_or_else(|| at.seconds().to_string())
}

#[cfg(test)]
mod tests {
    use common::UnixTime;

    #[test]
    fn moments_are_in_rfc_3339_and_never_fail() {
        assert_eq!(super::moment(UnixTime::from_seconds(1_000_000_000)), "2001-09-09T01:46:40Z");
        assert_eq!(super::moment(UnixTime::from_seconds(u64::MAX)), u64::MAX.to_string());
    }
}
