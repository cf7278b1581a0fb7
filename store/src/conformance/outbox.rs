//! Cases about messages that wait to be sent.

use common::bundle::{AccountChange, Bundle, Outcome};
use common::limits::{NOTICES_WAITING_PER_USER_MAX, SPENT_KEPT_SECONDS};
use common::message::{Envelope, Urgency};
use common::ports::{Fate, OutboxFigures, StoredRecord};
use common::record::{Record, Told, Untold};

use super::samples::{
    account, applies, bundle, conflicts, envelope, id, insert, is_applied, load, message, moments, new_code,
    phone, record, success, time, verified,
};
use super::{Case, Engine, Ground, PURGE_SECONDS, cases};

cases![
    a_message_is_given_as_it_was_put_in,
    a_message_is_with_one_server_for_the_time_of_its_lease,
    servers_that_claim_at_once_share_the_messages,
    a_settled_message_is_gone,
    a_message_that_is_to_be_tried_again_waits_until_then,
    who_lets_the_lease_end_does_not_decide_when_it_is_tried_again,
    codes_go_first_and_then_what_has_waited_longest,
    expired_messages_are_dropped_and_told_of,
    expired_messages_go_although_no_server_comes,
    too_many_notices_of_one_user_are_left_out_and_the_first_ones_stay,
    a_record_says_how_many_notices_there_was_room_for,
    a_message_comes_with_its_bundle_or_not_at_all,
    messages_of_an_account_that_goes_are_sent_all_the_same,
    of_a_group_of_256_each_stands_for_itself,
];

const LEASE: u64 = 60;

fn put(store: &dyn Engine, messages: impl IntoIterator<Item = Envelope>, at: u64) {
    let messages = messages.into_iter().collect();
    assert!(applies(store, Bundle { messages, ..bundle(at) }));
}

fn notice(number: u64) -> Envelope {
    envelope(number, "alice", Urgency::Notice, 10_000)
}

fn claim(store: &dyn Engine, at: u64) -> Vec<Envelope> {
    store.claim(time(at), LEASE, 100).unwrap()
}

fn claims(store: &dyn Engine, at: u64) -> usize {
    claim(store, at).len()
}

fn a_message_is_given_as_it_was_put_in(ground: &dyn Ground) {
    let store = ground.open("main");
    assert_eq!(claim(&*store, 1000), []);
    let messages = [envelope(1, "alice", Urgency::Code, 1300), envelope(2, "José", Urgency::Notice, 9000)];
    put(&*store, messages.clone(), 1000);
    assert_eq!(store.figures().unwrap(), OutboxFigures { waiting: 2, expired: 0, left_out: 0 });
    assert_eq!(claim(&*ground.open("radius"), 1000), messages);
}

fn a_message_is_with_one_server_for_the_time_of_its_lease(ground: &dyn Ground) {
    let servers = [ground.open("main"), ground.open("radius")];
    put(&*servers[0], [notice(1)], 1000);
    assert_eq!(claims(&*servers[0], 1000), 1);
    for at in [1000, 1030, 999 + LEASE] {
        assert_eq!((claims(&*servers[0], at), claims(&*servers[1], at)), (0, 0), "{at}");
    }
    assert_eq!(servers[1].figures().unwrap().waiting, 1);
    assert_eq!((claims(&*servers[1], 1000 + LEASE), claims(&*servers[0], 1000 + LEASE)), (1, 0));
}

fn servers_that_claim_at_once_share_the_messages(ground: &dyn Ground) {
    let user = |number: u64| format!("user{}", number / 50);
    for first in (0..200).step_by(50) {
        let messages =
            (first..first + 50).map(|number| envelope(number, &user(number), Urgency::Notice, 9000));
        put(&*ground.open("main"), messages, 1000);
    }
    let serve = |stream: &str| {
        let store = ground.open(stream);
        let mut given = Vec::new();
        loop {
            let claimed = store.claim(time(1000), LEASE, 7).unwrap();
            if claimed.is_empty() {
                return given;
            }
            given.extend(claimed.iter().map(|envelope| envelope.id));
            claimed.iter().for_each(|envelope| store.settle(envelope.id, Fate::Over).unwrap());
        }
    };
    let mut given = std::thread::scope(|scope| {
        let servers = ["main", "radius", "local", "other"].map(|stream| scope.spawn(move || serve(stream)));
        servers.map(|server| server.join().unwrap()).concat()
    });
    given.sort_unstable();
    assert_eq!(given, (0..200).map(message).collect::<Vec<_>>());
    assert_eq!(ground.open("main").figures().unwrap().waiting, 0);
}

fn a_settled_message_is_gone(ground: &dyn Ground) {
    let store = ground.open("main");
    put(&*store, [notice(1), notice(2)], 1000);
    assert_eq!(claims(&*store, 1000), 2);
    for _ in 0..2 {
        store.settle(message(1), Fate::Over).unwrap();
        assert_eq!(store.figures().unwrap().waiting, 1);
    }
    let left: Vec<_> = claim(&*store, 1000 + LEASE).into_iter().map(|envelope| envelope.id).collect();
    assert_eq!(left, [message(2)]);
}

fn a_message_that_is_to_be_tried_again_waits_until_then(ground: &dyn Ground) {
    let store = ground.open("main");
    put(&*store, [notice(1), notice(2)], 1000);
    assert_eq!(claims(&*store, 1000), 2);
    store.settle(message(1), Fate::Again(time(1005))).unwrap();
    store.settle(message(2), Fate::Again(time(2000))).unwrap();
    let given =
        |at| claim(&*ground.open("radius"), at).into_iter().map(|envelope| envelope.id).collect::<Vec<_>>();
    assert_eq!((given(1004), given(1005)), (vec![], vec![message(1)]));
    assert_eq!((given(1999), given(2000)), (vec![message(1)], vec![message(2)]));
}

fn who_lets_the_lease_end_does_not_decide_when_it_is_tried_again(ground: &dyn Ground) {
    let (slow, other) = (ground.open("main"), ground.open("radius"));
    put(&*slow, [notice(1)], 1000);
    assert_eq!((claims(&*slow, 1000), claims(&*other, 1000 + LEASE)), (1, 1));
    slow.settle(message(1), Fate::Again(time(1065))).unwrap();
    assert_eq!(claims(&*slow, 1070), 0, "the other one still has it");
    other.settle(message(1), Fate::Again(time(1075))).unwrap();
    assert_eq!(claims(&*slow, 1075), 1);
    // What was sent was sent, whoever says so.
    other.settle(message(1), Fate::Over).unwrap();
    assert_eq!(slow.figures().unwrap().waiting, 0);
}

fn codes_go_first_and_then_what_has_waited_longest(ground: &dyn Ground) {
    let store = ground.open("main");
    for (number, urgency) in
        [(1, Urgency::Notice), (2, Urgency::Notice), (3, Urgency::Code), (4, Urgency::Code)]
    {
        put(&*store, [envelope(number, "alice", urgency, 9000)], 1010 - number);
    }
    let order: Vec<_> = (0..2).flat_map(|_| store.claim(time(1100), LEASE, 3).unwrap()).collect();
    assert_eq!(order.iter().map(|envelope| envelope.id).collect::<Vec<_>>(), [4, 3, 2, 1].map(message));
}

fn expired_messages_are_dropped_and_told_of(ground: &dyn Ground) {
    let store = ground.open("main");
    let code = |number, expires_at| envelope(number, "alice", Urgency::Code, expires_at);
    put(&*store, [code(1, 1300), code(2, 1301), code(3, 1300)], 1000);
    let given: Vec<_> = store.claim(time(1300), LEASE, 1).unwrap();
    assert_eq!(given, [code(2, 1301)]);
    assert_eq!(claims(&*store, 1300), 0);
    assert_eq!(store.figures().unwrap(), OutboxFigures { waiting: 1, expired: 2, left_out: 0 });
    assert_eq!(claims(&*store, 1300 + LEASE), 0);
    assert_eq!(store.figures().unwrap(), OutboxFigures { waiting: 0, expired: 3, left_out: 0 });
}

fn expired_messages_go_although_no_server_comes(ground: &dyn Ground) {
    let store = ground.open("main");
    put(&*store, [envelope(1, "alice", Urgency::Code, 1300), notice(2)], 1000);
    put(&*store, [notice(3)], 1299);
    assert_eq!(store.figures().unwrap().waiting, 3);
    put(&*store, [notice(4)], 1300);
    assert_eq!(store.figures().unwrap(), OutboxFigures { waiting: 3, expired: 1, left_out: 0 });
    // Nothing is sent any more, but logins go on.
    let remembered = success(1, 1300);
    let overdue = 10_000 + remembered.expires_at.seconds() + SPENT_KEPT_SECONDS + PURGE_SECONDS;
    assert!(applies(&*store, Bundle { success: Some(remembered), ..bundle(1300) }));
    assert!(applies(&*store, bundle(overdue)));
    assert_eq!(store.figures().unwrap(), OutboxFigures { waiting: 0, expired: 4, left_out: 0 });
}

fn too_many_notices_of_one_user_are_left_out_and_the_first_ones_stay(ground: &dyn Ground) {
    let store = ground.open("main");
    let most = u64::from(NOTICES_WAITING_PER_USER_MAX);
    put(&*store, (0..most + 3).map(notice), 1000);
    assert_eq!(store.figures().unwrap(), OutboxFigures { waiting: most, expired: 0, left_out: 3 });
    let code = envelope(1000, "alice", Urgency::Code, 9000);
    put(&*store, [code, envelope(1001, "bob", Urgency::Notice, 9000)], 1000);
    let mut given: Vec<_> = store.claim(time(1000), LEASE, 1000).unwrap();
    given.sort_unstable_by_key(|envelope| envelope.id);
    let expected = (0..most).chain([1000, 1001]).map(message);
    assert_eq!(given.iter().map(|envelope| envelope.id).collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    store.settle(message(5), Fate::Over).unwrap();
    put(&*store, [notice(2000), notice(2001)], 1001);
    let figures = store.figures().unwrap();
    assert_eq!((figures.waiting, figures.left_out), (most + 2, 4), "a place is free again");
}

fn a_record_says_how_many_notices_there_was_room_for(ground: &dyn Ground) {
    let store = ground.open("main");
    let says = |from: u64, until: u64| {
        let messages: Vec<_> = (from..until).map(notice).collect();
        let made = Told { notices: u32::try_from(messages.len()).unwrap(), untold: None };
        let records = vec![Record { told: Some(made), ..record(1000) }, record(1000)];
        let outcome = store.commit(&[Bundle { messages, records, ..bundle(1000) }]).unwrap().remove(0);
        assert!(is_applied(&outcome));
        let entries = if let Outcome::Applied(entries) = outcome { entries } else { Vec::new() };
        let kept = store.records("main", 1, 1000).unwrap();
        let told: Vec<_> = entries.iter().map(|entry| entry.record.told).collect();
        let of = |kept: &StoredRecord| serde_json::from_slice::<Record>(&kept.body).unwrap().told;
        assert_eq!(kept[kept.len() - 2..].iter().map(of).collect::<Vec<_>>(), told);
        told
    };
    let most = u64::from(NOTICES_WAITING_PER_USER_MAX);
    let all = Told { notices: NOTICES_WAITING_PER_USER_MAX - 1, untold: None };
    assert_eq!(says(0, most - 1), [Some(all), None]);
    assert_eq!(says(most, most + 2), [Some(Told { notices: 1, untold: None }), None]);
    let nobody = Told { notices: 0, untold: Some(Untold::OutboxFull) };
    assert_eq!(says(most + 2, most + 4), [Some(nobody), None]);
}

fn a_message_comes_with_its_bundle_or_not_at_all(ground: &dyn Ground) {
    let store = ground.open("main");
    let code = |number| Bundle {
        new_code: Some(new_code("alice", phone(1), 1, 1000)),
        messages: vec![envelope(number, "alice", Urgency::Code, 1300)],
        ..bundle(1000)
    };
    assert!(applies(&*store, code(1)) && conflicts(&*store, code(2)));
    let again = Bundle { messages: vec![notice(3), notice(1)], ..bundle(1000) };
    assert!(conflicts(&*store, again), "an id is used once");
    assert_eq!(store.figures().unwrap().waiting, 1);
    assert_eq!(claim(&*store, 1000), [envelope(1, "alice", Urgency::Code, 1300)]);
}

fn messages_of_an_account_that_goes_are_sent_all_the_same(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    put(&*store, [notice(1)], 1000);
    let gone = AccountChange::Remove(id(1));
    assert!(applies(&*store, Bundle { account: Some(gone), messages: vec![notice(2)], ..bundle(1000) }));
    assert_eq!(claims(&*store, 1000), 2);
}

fn of_a_group_of_256_each_stands_for_itself(ground: &dyn Ground) {
    let store = ground.open("main");
    let user = |number: u8| format!("user{number:03}");
    let is_taken = |number: &u8| number.is_multiple_of(3);
    for number in (0..=255_u8).filter(is_taken) {
        insert(&*store, account(number, &user(number)));
    }
    let make = |number: u8| Bundle {
        new_code: Some(new_code(&user(number), phone(1), number, 1000)),
        messages: vec![envelope(u64::from(number), &user(number), Urgency::Notice, 9000)],
        signed_in: Some(id(number)),
        records: vec![record(u64::from(number))],
        account: Some(AccountChange::Insert(Box::new(account(number, &user(number))))),
        ..bundle(1000)
    };
    let outcomes = store.commit(&(0..=255).map(make).collect::<Vec<_>>()).unwrap();
    let applied: Vec<u8> =
        (0..=255).zip(&outcomes).filter(|(_, it)| is_applied(it)).map(|(it, _)| it).collect();
    let free: Vec<u8> = (0..=255).filter(|number| !is_taken(number)).collect();
    assert_eq!(applied, free);
    assert_eq!(moments(&*store, "main"), free.iter().copied().map(u64::from).collect::<Vec<_>>());
    assert_eq!(verified(&*store, "main").len(), free.len());
    assert_eq!(store.figures().unwrap().waiting, u64::try_from(free.len()).unwrap());
    for listed in store.listed(None, 1000).unwrap() {
        let number = (0..=255).find(|number| id(*number) == listed.account.id).unwrap();
        let loaded = load(&*store, &user(number));
        let has_sent = (loaded.sent.codes.len(), loaded.signed_in_at.is_some());
        assert_eq!(has_sent, if is_taken(&number) { (0, false) } else { (1, true) }, "{number}");
    }
}
