//! Cases about devices that are remembered, and what ends that.

use common::account::Account;
use common::bundle::{AccountChange, Bundle, Precondition, TicketChange};
use common::limits::{TICKET_SECONDS_MAX, TICKETS_MAX};
use common::ticket::{Ticket, Tickets};

use super::samples::{
    account, applies, bundle, conflicts, device, id, insert, load, name, remembering, spending, step, ticket,
    time,
};
use super::{Case, Engine, Ground, cases};

cases![
    a_device_is_known_to_every_process_until_its_end,
    a_device_is_forgotten_once_and_for_all,
    devices_of_an_earlier_generation_go_with_the_change_and_no_others_do,
    a_device_of_an_earlier_generation_or_of_nobody_is_a_conflict,
    a_change_and_a_device_of_its_generation_go_together,
    of_an_accounts_devices_the_oldest_go,
    an_account_takes_its_devices_with_it,
    a_conflict_remembers_and_forgets_no_device,
    devices_that_come_at_once_are_all_remembered,
    no_device_comes_behind_an_act_that_forgets_it,
];

/// The devices of somebody that are known at a moment, the oldest first.
fn known(store: &dyn Engine, user: &str, at: u64) -> Vec<Ticket> {
    let loaded = load(store, user);
    let of = |account: &Account, tickets: &Tickets| tickets.live(account, time(at)).cloned().collect();
    loaded.account.as_ref().map_or_else(Vec::new, |account| of(account, &loaded.tickets))
}

fn forgetting(of: u8, ticket: &Ticket) -> Bundle {
    let change = TicketChange::Forget { account: id(of), ticket: ticket.id() };
    Bundle { tickets: vec![change], ..bundle(1000) }
}

/// The account after a change that forgets all devices, or does not.
fn changed(account: &Account, generations: u64) -> Account {
    Account { version: account.version + 1, generation: account.generation + generations, ..account.clone() }
}

fn update(account: &Account) -> Bundle {
    Bundle { account: Some(AccountChange::Update(Box::new(account.clone()))), ..bundle(1000) }
}

fn a_device_is_known_to_every_process_until_its_end(ground: &dyn Ground) {
    let (store, alice) = (ground.open("main"), account(1, "alice"));
    insert(&*store, alice.clone());
    insert(&*store, account(2, "bob"));
    assert!(load(&*store, "alice").tickets.live(&alice, time(1000)).next().is_none());
    assert!(applies(&*store, remembering(&alice, 1, 1000)));
    assert!(applies(&*store, remembering(&alice, 2, 1010)));
    let other = ground.open("radius");
    let (first, second) = (ticket(&alice, 1, 1000), ticket(&alice, 2, 1010));
    assert_eq!(known(&*other, "alice", 1010), [first, second.clone()]);
    assert_eq!(known(&*other, "alice", 1000 + TICKET_SECONDS_MAX), [second]);
    assert!(known(&*other, "alice", 1010 + TICKET_SECONDS_MAX).is_empty());
    assert!(known(&*other, "bob", 1010).is_empty());
    assert!(applies(&*store, spending(step(1, 1, 40))) && applies(&*store, spending(step(1, 2, 40))));
    assert_eq!(known(&*other, "alice", 1010).len(), 2, "whatever else there is of an account");
}

fn a_device_is_forgotten_once_and_for_all(ground: &dyn Ground) {
    let (store, alice) = (ground.open("main"), account(1, "alice"));
    insert(&*store, alice.clone());
    for number in [1, 2] {
        assert!(applies(&*store, remembering(&alice, number, 1000)));
    }
    let (first, second) = (ticket(&alice, 1, 1000), ticket(&alice, 2, 1000));
    for _ in 0..2 {
        assert!(applies(&*store, forgetting(1, &first)), "also where it is strange already");
        assert_eq!(known(&*ground.open("radius"), "alice", 1000), std::slice::from_ref(&second));
    }
    assert!(applies(&*store, forgetting(2, &second)), "nobody has that account");
    assert!(applies(&*store, forgetting(1, &second)));
    assert!(known(&*store, "alice", 1000).is_empty());
    assert!(applies(&*store, remembering(&alice, 1, 1000)), "it may come back");
    assert_eq!(known(&*store, "alice", 1000), [first]);
}

fn devices_of_an_earlier_generation_go_with_the_change_and_no_others_do(ground: &dyn Ground) {
    let (store, alice, bob) = (ground.open("main"), account(1, "alice"), account(2, "bob"));
    for account in [&alice, &bob] {
        insert(&*store, account.clone());
        assert!(applies(&*store, remembering(account, 1, 1000)));
    }
    let renamed = Account { name: name("alicia"), ..changed(&alice, 0) };
    assert!(applies(&*store, update(&renamed)));
    assert_eq!(known(&*store, "alicia", 1000).len(), 1, "another name is no other device");
    let forgotten = changed(&renamed, 1);
    assert!(applies(&*store, update(&forgotten)));
    let loaded = load(&*store, "alicia");
    assert_eq!(loaded.tickets, Tickets::default(), "not even what is not good any more");
    assert_eq!(known(&*store, "bob", 1000).len(), 1);
}

fn a_device_of_an_earlier_generation_or_of_nobody_is_a_conflict(ground: &dyn Ground) {
    let (store, alice) = (ground.open("main"), account(1, "alice"));
    assert!(conflicts(&*store, remembering(&alice, 1, 1000)));
    insert(&*store, alice.clone());
    assert!(applies(&*store, update(&changed(&alice, 1))));
    let any = Bundle { precondition: Precondition::Nothing, ..remembering(&alice, 1, 1000) };
    assert!(conflicts(&*store, any), "whatever else it asks for");
    assert!(known(&*store, "alice", 1000).is_empty());
    assert!(applies(&*store, remembering(&changed(&alice, 1), 1, 1000)));
}

fn a_change_and_a_device_of_its_generation_go_together(ground: &dyn Ground) {
    let (store, alice) = (ground.open("main"), account(1, "alice"));
    insert(&*store, alice.clone());
    assert!(applies(&*store, remembering(&alice, 1, 1000)));
    let after = changed(&alice, 1);
    let Bundle { tickets, .. } = remembering(&after, 2, 1000);
    assert!(applies(&*store, Bundle { tickets, ..update(&after) }));
    assert_eq!(known(&*store, "alice", 1000), [ticket(&after, 2, 1000)]);
}

fn of_an_accounts_devices_the_oldest_go(ground: &dyn Ground) {
    let (store, alice) = (ground.open("main"), account(1, "alice"));
    insert(&*store, alice.clone());
    let count = u64::try_from(TICKETS_MAX).unwrap();
    for number in 0..=count {
        assert!(applies(&*store, remembering(&alice, number, 1000 + number)));
    }
    let expected: Vec<_> = (1..=count).map(|number| ticket(&alice, number, 1000 + number)).collect();
    assert_eq!(known(&*store, "alice", 2000), expected);
    assert!(applies(&*store, remembering(&alice, 7, 2000)));
    let again = known(&*store, "alice", 2000);
    assert_eq!(
        (again.len(), again.last()),
        (TICKETS_MAX, Some(&ticket(&alice, 7, 2000))),
        "one device is one"
    );
}

fn an_account_takes_its_devices_with_it(ground: &dyn Ground) {
    let (store, alice) = (ground.open("main"), account(1, "alice"));
    insert(&*store, alice.clone());
    assert!(applies(&*store, remembering(&alice, 1, 1000)));
    let remove = Bundle { account: Some(AccountChange::Remove(id(1))), ..bundle(1000) };
    assert!(applies(&*store, remove));
    assert!(conflicts(&*store, remembering(&alice, 2, 1000)));
    // As a restore brings an account back.
    insert(&*store, alice);
    assert_eq!(load(&*store, "alice").tickets, Tickets::default());
}

fn a_conflict_remembers_and_forgets_no_device(ground: &dyn Ground) {
    let (store, alice) = (ground.open("main"), account(1, "alice"));
    insert(&*store, alice.clone());
    assert!(applies(&*store, remembering(&alice, 1, 1000)));
    let first = ticket(&alice, 1, 1000);
    let Bundle { tickets: mut both, .. } = forgetting(1, &first);
    both.extend(remembering(&alice, 2, 1000).tickets);
    let late = Precondition::Version { account: id(1), version: 9 };
    assert!(conflicts(&*store, Bundle { tickets: both.clone(), precondition: late, ..bundle(1000) }));
    assert!(applies(&*store, spending(step(1, 1, 40))));
    assert!(conflicts(&*store, Bundle { tickets: both, ..spending(step(1, 1, 40)) }));
    assert_eq!(known(&*store, "alice", 1000), [first]);
}

fn devices_that_come_at_once_are_all_remembered(ground: &dyn Ground) {
    let alice = account(1, "alice");
    insert(&*ground.open("main"), alice.clone());
    std::thread::scope(|scope| {
        for number in 0..u64::try_from(TICKETS_MAX).unwrap() {
            let alice = &alice;
            scope.spawn(move || assert!(applies(&*ground.open("main"), remembering(alice, number, 1000))));
        }
    });
    let store = ground.open("main");
    assert_eq!(known(&*store, "alice", 1000).len(), TICKETS_MAX);
    let keys = super::samples::keys();
    for number in 0..u64::try_from(TICKETS_MAX).unwrap() {
        let candidates = device(number).candidates(&keys, alice.id).unwrap();
        let loaded = load(&*store, "alice");
        assert_eq!(loaded.tickets.bound_to(&candidates, &alice, time(1000)).count(), 1, "{number}");
    }
}

fn no_device_comes_behind_an_act_that_forgets_it(ground: &dyn Ground) {
    let alice = account(1, "alice");
    insert(&*ground.open("main"), alice.clone());
    let remembered: usize = std::thread::scope(|scope| {
        let logins = (0..10).map(|number| {
            let alice = &alice;
            scope.spawn(move || {
                let store = ground.open("main");
                // Those that see the account as it was, and those that ask for nothing.
                let any = Bundle { precondition: Precondition::Nothing, ..remembering(alice, number, 1000) };
                [remembering(alice, number + 100, 1000), any]
                    .into_iter()
                    .filter(|login| applies(&*store, login.clone()))
                    .count()
            })
        });
        let logins: Vec<_> = logins.collect();
        assert!(applies(&*ground.open("main"), update(&changed(&alice, 1))));
        assert!(known(&*ground.open("radius"), "alice", 1000).is_empty(), "from the moment that it returns");
        logins.into_iter().map(|login| login.join().unwrap()).sum()
    });
    println!("  {remembered} of 20 came before");
    assert!(known(&*ground.open("main"), "alice", 1000).is_empty());
}
