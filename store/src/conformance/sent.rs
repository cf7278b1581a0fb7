//! Cases about codes that are sent, counters of tokens, temporary codes, and the last sign-in.

use common::account::Account;
use common::bundle::{AccountChange, Bundle, NoticeTexts, Slot};
use common::limits::{
    CODE_DAY_SECONDS, CODE_JOINED_SECONDS, CODE_SECONDS, CODE_TRIES, NOTICE_TEXTS_IN_DAY, SPENT_KEPT_SECONDS,
};
use common::message::Urgency;
use common::sent::Sent;
use common::throttle::Count;

use super::samples::{
    account, applies, bundle, code, code_id, conflicts, counter, counting, envelope, factor, id, insert,
    load, name, new_code, phone, sending, sent_code, spending, step, time, with_codes, with_temporary_code,
};
use super::{Case, Engine, Ground, PURGE_SECONDS, cases};

cases![
    a_code_that_was_sent_is_loaded_and_used_once,
    an_expired_code_is_no_good,
    a_code_is_good_in_its_own_slot_and_under_its_own_name,
    six_tries_from_any_server_are_one_too_many,
    an_answer_is_a_try_at_all_codes_of_its_user_and_of_nobody_else,
    a_code_within_a_minute_of_another_is_a_conflict,
    a_day_has_so_many_codes_over_all_slots,
    notices_by_text_message_have_a_limit_of_their_own_over_all_servers,
    of_a_hundred_parallel_codes_one_is_sent_and_used,
    a_conflict_sends_nothing_and_uses_no_code,
    what_was_sent_under_a_name_goes_with_its_account,
    what_was_sent_is_forgotten_after_a_day,
    a_counter_and_every_earlier_one_conflict,
    a_counter_is_never_forgotten_and_does_not_move_the_floor,
    a_temporary_code_stays_spent_when_its_account_changes,
    the_last_sign_in_is_written_when_asked_and_goes_with_the_account,
    a_list_has_the_last_sign_in_and_what_is_spent,
];

/// Answers counted as tries at the codes of a user.
fn try_codes(store: &dyn Engine, user: &str, at: u64) {
    store.count(&Count { codes_of: Some(name(user)), ..counting(user, at) }).unwrap();
}

fn uses(store: &dyn Engine, user: &str, slot: Slot, number: u8, at: u64) -> bool {
    applies(store, Bundle { spends: vec![sent_code(user, slot, number)], ..bundle(at) })
}

fn a_code_that_was_sent_is_loaded_and_used_once(ground: &dyn Ground) {
    let store = ground.open("main");
    // Nobody of that name has an account yet.
    assert!(applies(&*store, sending("alice", Slot::Registration, 1, 1000)));
    let loaded = load(&*ground.open("radius"), "alice");
    assert_eq!(loaded.sent.codes, [new_code("alice", Slot::Registration, 1, 1000).code]);
    assert_eq!((loaded.account, loaded.sent.sendings.in_day(time(1001))), (None, 1));
    assert!(uses(&*store, "alice", Slot::Registration, 1, 1001));
    assert!(!uses(&*ground.open("radius"), "alice", Slot::Registration, 1, 1002));
    let loaded = load(&*store, "alice");
    assert_eq!((loaded.sent.codes, loaded.sent.sendings.in_day(time(1003))), (vec![], 1));
}

fn an_expired_code_is_no_good(ground: &dyn Ground) {
    let store = ground.open("main");
    assert!(applies(&*store, sending("alice", phone(1), 1, 1000)));
    assert!(!uses(&*store, "alice", phone(1), 1, 1000 + CODE_SECONDS));
    assert!(uses(&*store, "alice", phone(1), 1, 999 + CODE_SECONDS));
}

fn a_code_is_good_in_its_own_slot_and_under_its_own_name(ground: &dyn Ground) {
    let store = ground.open("main");
    assert!(applies(&*store, sending("alice", phone(1), 1, 1000)));
    for (user, slot, number) in [
        ("bob", phone(1), 1),
        ("alice", phone(2), 1),
        ("alice", Slot::Registration, 1),
        ("alice", phone(1), 2),
    ] {
        assert!(!uses(&*store, user, slot, number, 1001), "{user} {slot:?} {number}");
    }
    assert!(uses(&*store, "alice", phone(1), 1, 1001));
}

fn six_tries_from_any_server_are_one_too_many(ground: &dyn Ground) {
    let servers = [ground.open("main"), ground.open("radius")];
    for (slot, tries) in [(phone(1), CODE_TRIES), (phone(2), CODE_TRIES + 1)] {
        assert!(applies(&*servers[0], sending("alice", slot, 1, 1000)));
        for number in 0..tries {
            try_codes(&*servers[usize::from(number % 2)], "alice", 1001);
        }
        assert_eq!(load(&*servers[0], "alice").sent.codes[0].tries, tries);
        assert_eq!(uses(&*servers[1], "alice", slot, 1, 1002), tries == CODE_TRIES);
    }
}

fn an_answer_is_a_try_at_all_codes_of_its_user_and_of_nobody_else(ground: &dyn Ground) {
    let store = ground.open("main");
    for (user, slot) in [("alice", phone(1)), ("alice", Slot::Registration), ("bob", phone(1))] {
        assert!(applies(&*store, sending(user, slot, 1, 1000)));
    }
    try_codes(&*store, "alice", 1001);
    store.count(&counting("alice", 1001)).unwrap();
    try_codes(&*store, "alice", 1000 + CODE_SECONDS);
    let tries = |user| load(&*store, user).sent.codes.iter().map(|code| code.tries).collect::<Vec<_>>();
    assert_eq!((tries("alice"), tries("bob"), tries("carol")), (vec![1, 1], vec![0], vec![]));
}

fn a_code_within_a_minute_of_another_is_a_conflict(ground: &dyn Ground) {
    let store = ground.open("main");
    assert!(applies(&*store, sending("alice", phone(1), 1, 1000)));
    assert!(conflicts(&*ground.open("radius"), sending("alice", phone(1), 2, 999 + CODE_JOINED_SECONDS)));
    assert!(applies(&*store, sending("alice", phone(2), 3, 1000)));
    assert!(applies(&*store, sending("alice", phone(1), 4, 1000 + CODE_JOINED_SECONDS)));
    assert!(!uses(&*store, "alice", phone(1), 1, 1061) && uses(&*store, "alice", phone(1), 4, 1061));
}

fn a_day_has_so_many_codes_over_all_slots(ground: &dyn Ground) {
    let store = ground.open("main");
    for (number, at) in [(1, 1000), (2, 40_000), (3, 80_000)] {
        assert!(applies(&*store, sending("alice", phone(number), number, at)));
    }
    for at in [80_100, 999 + CODE_DAY_SECONDS] {
        assert!(conflicts(&*store, sending("alice", phone(4), 4, at)), "{at}");
        assert!(applies(&*store, sending("bob", phone(1), 1, at)), "{at}");
    }
    assert_eq!(load(&*store, "alice").sent.sendings.in_day(time(80_100)), 3);
    assert!(applies(&*store, sending("alice", phone(4), 4, 1000 + CODE_DAY_SECONDS)));
    assert!(conflicts(&*store, sending("alice", phone(5), 5, 1001 + CODE_DAY_SECONDS)));
}

fn notices_by_text_message_have_a_limit_of_their_own_over_all_servers(ground: &dyn Ground) {
    let stores = [ground.open("main"), ground.open("radius")];
    let telling = |user: &str, count: u32, at: u64| {
        let texts = NoticeTexts { name: name(user), count };
        Bundle { notice_texts: Some(texts), ..bundle(at) }
    };
    for number in 0..NOTICE_TEXTS_IN_DAY - 1 {
        let store = &stores[usize::from(number % 2 == 0)];
        assert!(applies(&**store, telling("alice", 1, 1000)));
    }
    assert!(conflicts(&*stores[0], telling("alice", 2, 1001)), "both or none");
    assert!(applies(&*stores[0], telling("alice", 1, 1001)));
    assert!(conflicts(&*stores[1], telling("alice", 1, 1002)));
    assert!(applies(&*stores[1], telling("bob", 1, 1002)));
    assert_eq!(load(&*stores[1], "alice").sent.notice_texts.in_day(time(1002)), NOTICE_TEXTS_IN_DAY);
    assert!(applies(&*stores[0], sending("alice", phone(1), 1, 1003)), "they take no code from anybody");
    assert!(applies(&*stores[1], telling("alice", 1, 1001 + CODE_DAY_SECONDS)));
}

fn of_a_hundred_parallel_codes_one_is_sent_and_used(ground: &dyn Ground) {
    let in_parallel = |act: &(dyn Fn(&dyn Engine, u8) -> bool + Sync)| -> usize {
        std::thread::scope(|scope| {
            let one = |thread: u8| {
                let store = ground.open("main");
                (0..5).filter(|number| act(&*store, thread * 5 + number)).count()
            };
            let threads: Vec<_> = (0..20).map(|thread| scope.spawn(move || one(thread))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        })
    };
    let sent = in_parallel(&|store, number| applies(store, sending("alice", phone(1), number, 1000)));
    let code = load(&*ground.open("main"), "alice").sent.codes.remove(0);
    let numbers: Vec<u8> = (0..100).filter(|number| code_id(*number) == code.id).collect();
    let used = in_parallel(&|store, _| uses(store, "alice", phone(1), numbers[0], 1001));
    assert_eq!((sent, used), (1, 1));
}

fn a_conflict_sends_nothing_and_uses_no_code(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    assert!(applies(&*store, sending("alice", phone(1), 1, 1000)));
    let late = Bundle {
        spends: vec![sent_code("alice", phone(1), 1)],
        new_code: Some(new_code("alice", phone(2), 2, 1001)),
        messages: vec![envelope(1, "alice", Urgency::Code, 2000)],
        signed_in: Some(id(1)),
        account: Some(AccountChange::Insert(Box::new(account(1, "alice")))),
        ..bundle(1001)
    };
    assert!(conflicts(&*store, late.clone()));
    let loaded = load(&*store, "alice");
    assert_eq!((loaded.sent.codes.len(), loaded.sent.sendings.in_day(time(1001))), (1, 1));
    assert_eq!((loaded.signed_in_at, store.figures().unwrap().waiting), (None, 0));
    assert!(applies(&*store, Bundle { account: None, ..late }));
    assert_eq!(store.figures().unwrap().waiting, 1);
}

fn what_was_sent_under_a_name_goes_with_its_account(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    for change in [
        AccountChange::Update(Box::new(Account { version: 2, ..account(1, "alicia") })),
        AccountChange::Remove(id(1)),
    ] {
        let user = load(&*store, "alice").account.map_or("alicia", |_| "alice");
        assert!(applies(&*store, sending(user, phone(1), 1, 1000)));
        // The user hears of it by text message.
        let notice_texts = Some(NoticeTexts { name: name(user), count: 1 });
        assert!(applies(&*store, Bundle { account: Some(change), notice_texts, ..bundle(1001) }));
        assert_eq!(load(&*store, user).sent, Sent::default(), "{user}");
        assert!(!uses(&*store, user, phone(1), 1, 1002));
    }
    insert(&*store, account(2, "bob"));
    assert!(applies(&*store, sending("bob", phone(1), 1, 1000)));
    let same_name = AccountChange::Update(Box::new(Account { version: 2, ..account(2, "bob") }));
    assert!(applies(&*store, Bundle { account: Some(same_name), ..bundle(1001) }));
    assert!(uses(&*store, "bob", phone(1), 1, 1002));
}

fn what_was_sent_is_forgotten_after_a_day(ground: &dyn Ground) {
    let store = ground.open("main");
    assert!(applies(&*store, sending("alice", phone(1), 1, 1000)));
    let later = 1000 + CODE_DAY_SECONDS + PURGE_SECONDS;
    assert!(applies(&*store, sending("bob", phone(1), 1, later)));
    assert_eq!(load(&*store, "alice").sent.codes.len(), 1);
    assert!(applies(&*store, sending("carol", phone(1), 1, later + 1)));
    let loaded = load(&*store, "alice");
    assert_eq!((loaded.sent.codes, loaded.sent.sendings.in_day(time(1001))), (vec![], 0));
    assert_eq!(load(&*store, "bob").sent.codes.len(), 1);
    assert_eq!(loaded.floor, time(0), "a code that is gone is refused anyway");
}

fn a_counter_and_every_earlier_one_conflict(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    assert!(applies(&*store, spending(counter(1, 1, 0))));
    assert!(conflicts(&*store, spending(counter(1, 1, 0))));
    assert!(applies(&*store, spending(counter(1, 1, 7))));
    for spent in [7, 6, 0] {
        assert!(conflicts(&*store, spending(counter(1, 1, spent))), "{spent}");
    }
    assert!(applies(&*store, spending(counter(1, 2, 7))) && conflicts(&*store, spending(counter(2, 1, 8))));
    assert_eq!(load(&*store, "alice").spent_steps, [(factor(1), 7), (factor(2), 7)]);
}

fn a_counter_is_never_forgotten_and_does_not_move_the_floor(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    assert!(applies(&*store, spending(counter(1, 1, 7))) && applies(&*store, spending(step(1, 2, 40))));
    let years_later = 10 * 366 * 86_400;
    assert!(applies(&*store, bundle(1261 + SPENT_KEPT_SECONDS + PURGE_SECONDS)));
    assert!(applies(&*store, bundle(years_later)));
    let loaded = load(&*store, "alice");
    assert_eq!((loaded.spent_steps, loaded.floor), (vec![(factor(1), 7)], time(1200)));
    let used = |number| Bundle { spends: vec![counter(1, 1, number)], ..bundle(years_later) };
    assert!(conflicts(&*store, used(7)) && applies(&*store, used(8)));
}

fn a_temporary_code_stays_spent_when_its_account_changes(ground: &dyn Ground) {
    let store = ground.open("main");
    let alice = with_temporary_code(with_codes(account(1, "alice"), [1]), 2);
    insert(&*store, alice.clone());
    assert!(applies(&*store, spending(code(1, 2))) && conflicts(&*store, spending(code(1, 2))));
    let changed = |account| Bundle { account: Some(AccountChange::Update(Box::new(account))), ..bundle(100) };
    assert!(applies(&*store, changed(Account { version: 2, ..alice.clone() })));
    assert!(conflicts(&*store, spending(code(1, 2))));
    assert_eq!(load(&*store, "alice").spent_codes, [code_id(2)]);
    assert!(applies(&*store, changed(Account { version: 3, temporary_code: None, ..alice })));
    assert_eq!(load(&*store, "alice").spent_codes, []);
}

fn the_last_sign_in_is_written_when_asked_and_goes_with_the_account(ground: &dyn Ground) {
    let store = ground.open("main");
    insert(&*store, account(1, "alice"));
    let signed_in = |at| Bundle { signed_in: Some(id(1)), ..bundle(at) };
    let loaded = || load(&*store, "alice").signed_in_at;
    assert!(applies(&*store, bundle(900)));
    assert_eq!(loaded(), None);
    assert!(applies(&*store, signed_in(1000)) && applies(&*store, bundle(1100)));
    assert_eq!(loaded(), Some(time(1000)));
    // Another server's clock, or one whose bundle came later.
    assert!(applies(&*store, signed_in(990)));
    assert_eq!(loaded(), Some(time(1000)));
    assert!(applies(&*store, Bundle { account: Some(AccountChange::Remove(id(1))), ..bundle(1100) }));
    assert!(applies(&*store, signed_in(1200)));
    insert(&*store, account(1, "alice"));
    assert_eq!(loaded(), None);
}

fn a_list_has_the_last_sign_in_and_what_is_spent(ground: &dyn Ground) {
    let store = ground.open("main");
    for (number, user) in (1..).zip(["carol", "alice", "bob"]) {
        insert(&*store, with_codes(account(number, user), [1, 2]));
    }
    assert!(applies(&*store, Bundle { signed_in: Some(id(2)), ..spending(code(2, 1)) }));
    assert!(applies(&*store, Bundle { signed_in: Some(id(1)), ..bundle(500) }));
    let page = |after: Option<&str>, count| store.listed(after.map(name).as_ref(), count).unwrap();
    let shown =
        |user: &str| page(None, 3).into_iter().find(|listed| listed.account.name == name(user)).unwrap();
    assert_eq!(
        (shown("alice").signed_in_at, shown("alice").spent_codes),
        (Some(time(100)), vec![code_id(1)])
    );
    assert_eq!((shown("bob").signed_in_at, shown("bob").spent_codes), (None, vec![]));
    assert_eq!(shown("carol").signed_in_at, Some(time(500)));
    let names = |listed: Vec<common::ports::Listed>| -> Vec<String> {
        listed.into_iter().map(|listed| listed.account.name.to_string()).collect()
    };
    assert_eq!(names(page(None, 2)), ["alice", "bob"]);
    assert_eq!(names(page(Some("bob"), 2)), ["carol"]);
}
