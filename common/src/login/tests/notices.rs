//! What users hear of that happens at a login: of each event it is decided here, at each door.

use super::registration::{open, sent_code};
use super::*;
use crate::account::SetBy;
use crate::acts::Issued;
use crate::address::{Address, MailAddress};
use crate::attempt::{LOCAL_SOURCE, Parties, SELF_SERVICE, Word};
use crate::message::{Content, Event, Message};
use crate::record::Told;
use crate::world::{code_of, keys};

/// One answer.
enum Say {
    Text(&'static str),
    /// What the test app shows.
    Code,
    /// What the app shows that has just got the key of the prompt.
    CodeOfKey,
    /// The code that was sent.
    SentCode,
    /// A code that was given out before.
    Given(String),
}

use Say::{Code, CodeOfKey, Given, SentCode, Text};

/// Where somebody comes in.
struct Door {
    attempt: Attempt,
    to_the_proof: fn() -> Vec<Say>,
    to_the_menu: fn() -> Vec<Say>,
}

fn doors() -> [Door; 3] {
    let password = || vec![Text("pw")];
    let menu = || vec![Text("pw"), Text("manage"), Code];
    let parties = Parties { word: Word::OfUser, ..Parties::default() };
    let place = crate::Place::Service(SELF_SERVICE.to_owned());
    let source = Some(LOCAL_SOURCE.to_owned());
    let at_shell = Attempt { parties, place, source, primary: PrimaryMode::None, ..at_sshd("alice") };
    [
        Door { attempt: at_sshd("alice"), to_the_proof: password, to_the_menu: menu },
        Door { attempt: at_vpn("alice"), to_the_proof: password, to_the_menu: menu },
        Door { attempt: at_shell, to_the_proof: Vec::new, to_the_menu: || vec![Code] },
    ]
}

/// What brings an event about at a login; nothing for those that only administrators bring about.
fn script(event: Event, door: &Door, world: &World) -> Option<Vec<Say>> {
    let commands = |more: Vec<Say>| Some((door.to_the_menu)().into_iter().chain(more).collect());
    let proof = |more: Vec<Say>| Some((door.to_the_proof)().into_iter().chain(more).collect());
    let app = || vec![Text("1"), Text("ok"), CodeOfKey];
    let number = || vec![Text("3"), Text("+4915112345678"), SentCode];
    match event {
        Event::FactorAdded => commands([vec![Text("add")], number()].into_iter().flatten().collect()),
        Event::FactorRemoved => commands(vec![Text("remove 2")]),
        Event::AppPasswordCreated => commands(vec![Text("password imap")]),
        Event::RecoveryCodesRenewed => commands(vec![Text("codes")]),
        Event::RecoveryCodeUsed => proof(vec![Given(world.recovery_codes("alice").swap_remove(0))]),
        Event::TemporaryCodeUsed => proof(vec![Given(world.temporary_code("alice", 600))]),
        Event::Registered => {
            world.require_registration("alice");
            let steps = [vec![Code], app(), vec![Text("ok"), Text("n")]];
            proof(steps.into_iter().flatten().collect())
        }
        Event::ContactAdded
        | Event::ContactRemoved
        | Event::TemporaryCodeIssued
        | Event::RegistrationRequired
        | Event::AccountRemoved => None,
    }
}

/// Plays it until it is over or there is nothing more to say.
fn play(world: &World, attempt: &Attempt, script: Vec<Say>) {
    let mut script = script.into_iter().peekable();
    let text = |say: Say, prompt: &str| match say {
        Text(text) => text.to_owned(),
        Code => world.code(),
        CodeOfKey => {
            let (_, rest) = prompt.split_once("Key: ").unwrap_or_else(|| panic!("{prompt}"));
            code_of(&crate::totp::from_base32(rest.lines().next().unwrap()).unwrap(), world.now())
        }
        SentCode => sent_code(world),
        Given(code) => code,
    };
    let first = script.next_if(|_| attempt.primary != PrimaryMode::None).map(|say| text(say, ""));
    let mut reply = world.engine.begin(attempt, first.map(|text| text_answer(&text)).as_ref());
    while let (Reply::Ask(session, prompt), Some(say)) = (&reply, script.next()) {
        let answer = text_answer(&text(say, prompt.text()));
        reply = world.engine.answer(attempt, session, &answer);
    }
}

/// Alice with two apps and a mail address.
fn alice() -> World {
    let mut policy = open();
    policy.registration.app_passwords.services = vec!["imap".to_owned()];
    let world = World::with_alice(policy);
    let address = Address::Email(MailAddress::parse("alice@example.org").unwrap());
    let Issued::Contact(_) = world.act("alice", &Act::AddContact { address, set_by: SetBy::Administrator })
    else {
        panic!()
    };
    let crate::acts::Act::AddTotp(totp) = crate::world::add_totp() else { panic!() };
    let secret = crate::Secret::from("an app of its own...");
    world.act("alice", &Act::AddTotp(crate::acts::NewTotp { secret, ..totp }));
    world
}

/// Notices since the last time.
fn heard(world: &World) -> Vec<(Event, String)> {
    let sealed = std::mem::take(&mut world.memory.0.lock().unwrap().outbox);
    let told = |message: Message| match message.content {
        Content::Notice(notice) => Some((notice.event, message.to.masked())),
        Content::Code(_) => None,
    };
    sealed.iter().filter_map(|envelope| told(envelope.open(&keys()).unwrap())).collect()
}

/// How many notices the records speak of since then.
fn recorded(world: &World, since: usize) -> u32 {
    let records = &world.memory.0.lock().unwrap().records;
    records[since..].iter().filter_map(|record| record.told).map(|Told { notices, .. }| notices).sum()
}

#[test]
fn of_each_event_at_each_door_a_notice_goes_to_the_address_known_before() {
    for (event, door) in Event::ALL.iter().flat_map(|event| doors().map(|door| (*event, door))) {
        let world = alice();
        let Some(script) = script(event, &door, &world) else { continue };
        let _ = heard(&world);
        world.wait(60);
        let before = world.memory.0.lock().unwrap().records.len();
        play(&world, &door.attempt, script);
        let heard = heard(&world);
        let place = format!("{} at {}", event.name(), door.attempt.place);
        assert!(heard.contains(&(event, "a...@example.org".to_owned())), "{place}: {heard:?}");
        assert_eq!(heard.iter().filter(|it| it.0 == event).count(), 1, "{place}: {heard:?}");
        assert_eq!(recorded(&world, before) as usize, heard.len(), "{place}");
    }
}

/// The record of a registration names what allowed it, and says that nobody could be told where nobody was known.
#[test]
fn a_registration_is_recorded_with_what_allowed_it() {
    let mobile = "+4915112345678";
    let app = || vec![Text("1"), Text("ok"), CodeOfKey, Text("ok")];
    let registered = |world: &World, attempt: &Attempt, script: Vec<Say>| {
        play(world, attempt, script);
        let record = world.last_record();
        assert_eq!(record.reason, Reason::Registered);
        (record.rule.unwrap(), record.told.unwrap())
    };
    for attempt in [at_sshd("alice"), at_vpn("alice")] {
        let begin = |more: Vec<Say>| [Text("pw"), Text("y")].into_iter().chain(more).collect::<Vec<_>>();
        let world = World::new(open());
        world.add("alice", State::Enabled);
        let (rule, told) = registered(&world, &attempt, begin(app()));
        assert_eq!((rule.as_str(), told.notices), ("opening office", 0));
        assert_eq!(told.untold, Some(crate::record::Untold::NoAddress));

        for set_by in [SetBy::Administrator, SetBy::Directory] {
            let world = World::new(policy());
            world.add("alice", State::Enabled);
            let address = Address::Mobile(crate::address::PhoneNumber::parse(mobile).unwrap());
            world.act("alice", &Act::AddContact { address, set_by });
            let by_contact = vec![Text("1"), SentCode, Text("ok")];
            let (rule, told) = registered(&world, &attempt, begin(by_contact));
            assert_eq!((rule, told.notices), (format!("contact {}", set_by.name()), 1));
        }

        let world = World::new(policy());
        world.add("alice", State::Enforced);
        let code = world.temporary_code("alice", 600);
        let id = world.account("alice").temporary_code.unwrap().id;
        let by_code = [vec![Text("pw"), Given(code)], app()].into_iter().flatten().collect();
        assert_eq!(registered(&world, &attempt, by_code).0, format!("temporary-code {id}"));

        let world = World::with_alice(policy());
        world.require_registration("alice");
        let by_proof = [vec![Text("pw"), Code], app()].into_iter().flatten().collect();
        assert_eq!(registered(&world, &attempt, by_proof).0, "proof");
    }
}

/// Users and administrators register by the same words.
#[test]
fn what_users_register_themselves_is_recorded_like_what_is_registered_for_them() {
    let world = alice();
    let [door, ..] = doors();
    let script = script(Event::FactorAdded, &door, &world).unwrap();
    play(&world, &door.attempt, script);
    let factor = world.account("alice").factors[2].id;
    let act = world.last_record().act.unwrap();
    assert_eq!(act.act, "enroll mobile");
    let after = act.after.unwrap();
    let words = format!("factor={factor} kind=mobile address=...5678 label=\"mobile\" proof=code");
    assert!(after.ends_with(&words), "{after}");
    world.wait(90);
    let more = ["change 3", "3", "+4915187654321"].map(Text);
    let change = (door.to_the_menu)().into_iter().chain(more).chain([SentCode]).collect();
    play(&world, &door.attempt, change);
    let act = world.last_record().act.unwrap();
    assert!(act.after.unwrap().ends_with(&format!(" instead-of={factor}")));
}
