//! The words of messages, as they are sent.

use super::{Shown, Text, Wording, can_show_in_event};
use crate::address::{Address, Channel, MailAddress, PhoneNumber};
use crate::message::{By, Content, Event, Message, Notice};
use crate::template::{Placeholder as _, Template};
use crate::{AttemptId, MessageId, Secret, UnixTime};

fn message(channel: Channel, content: Content) -> Message {
    Message {
        id: MessageId::from_bytes([1; 16]),
        attempt: AttemptId::from_bytes([2; 16]),
        user: "alice".to_owned(),
        channel,
        to: match channel {
            Channel::Sms | Channel::Call => Address::Mobile(PhoneNumber::parse("+4915112345678").unwrap()),
            Channel::Email => Address::Email(MailAddress::parse("alice@example.org").unwrap()),
        },
        content,
        at: UnixTime::from_seconds(1_700_000_000),
        expires_at: UnixTime::from_seconds(1_700_000_300),
    }
}

fn notice(event: Event, detail: &str) -> Content {
    let place = "sshd".to_owned();
    let source = Some("192.0.2.7".to_owned());
    Content::Notice(Notice { event, detail: detail.to_owned(), by: By::User, place, source })
}

fn written(wording: &Wording, message: &Message) -> (String, String) {
    let written = wording.write(message, "Example", |at| format!("at {}", at.seconds()));
    (written.subject, written.text.expose_text().unwrap().to_owned())
}

#[test]
fn a_code_stands_in_its_text_and_never_in_the_subject() {
    let code = || Content::Code(Secret::from("123456"));
    for channel in [Channel::Sms, Channel::Email] {
        let (subject, text) = written(&Wording::default(), &message(channel, code()));
        assert!(text.contains("123456") && text.contains("5 minutes") && text.contains("Example"), "{text}");
        assert!(!subject.contains("123456"), "{subject}");
    }
    let (_, text) = written(&Wording::default(), &message(Channel::Sms, code()));
    assert!(text.len() <= 160 && text.is_ascii(), "one text message is enough: {text}");
}

#[test]
fn a_call_says_the_digits_one_by_one_and_again() {
    let (_, text) =
        written(&Wording::default(), &message(Channel::Call, Content::Code(Secret::from("104506"))));
    assert_eq!(text.matches("1, 0, 4, 5, 0, 6").count(), 3, "{text}");
    assert!(!text.contains("104506"), "{text}");
}

#[test]
fn every_event_has_words_that_tell_what_it_is_about() {
    for event in Event::ALL {
        let (subject, text) = written(&Wording::default(), &message(Channel::Email, notice(*event, "phone")));
        assert!(subject.len() > "Your Example account: ".len() && text.contains("alice"), "{text}");
        assert!(text.contains("192.0.2.7") && text.contains("at 1700000000"), "{text}");
        assert!(!text.contains('{'), "{text}");
    }
    let (_, text) = written(&Wording::default(), &message(Channel::Sms, notice(Event::FactorAdded, "phone")));
    assert!(text.contains("a way to sign in was added: phone (by you"), "{text}");
}

#[test]
fn a_label_ends_no_line() {
    let content = notice(Event::FactorAdded, "x\r\nBcc: mallory@example.org");
    let (subject, text) = written(&Wording::default(), &message(Channel::Email, content));
    assert!(!subject.contains(['\r', '\n']) && !text.contains(['\r', '\n']), "{subject} {text}");
}

#[test]
fn a_site_says_it_in_its_own_words() {
    let wording = Wording::new(
        |text| (text == Text::CodeSms).then(|| "Ihr Code: {code}".to_owned()),
        |event| (event == Event::Registered).then(|| "fertig".to_owned()),
    );
    let wording = wording.unwrap();
    let (_, text) = written(&wording, &message(Channel::Sms, Content::Code(Secret::from("123456"))));
    assert_eq!(text, "Ihr Code: 123456");
    let (_, text) = written(&wording, &message(Channel::Sms, notice(Event::Registered, "")));
    assert!(text.contains("account alice: fertig ("), "{text}");
}

#[test]
fn the_standard_texts_hold_what_they_need_and_nothing_that_they_cannot_show() {
    for text in Text::ALL {
        let template = Template::<Shown>::parse(text.standard()).unwrap();
        assert!(text.needs().iter().all(|needed| template.has(*needed)), "{}", text.name());
        let shown = Shown::ALL.iter().filter(|shown| template.has(**shown));
        assert!(shown.copied().all(|shown| text.can_show(shown)), "{}", text.name());
    }
    for event in Event::ALL {
        let template = Template::<Shown>::parse(event.standard()).unwrap();
        let mut shown = Shown::ALL.iter().filter(|shown| template.has(**shown));
        assert!(shown.all(|shown| can_show_in_event(*shown)), "{}", event.name());
    }
}

#[test]
fn the_page_for_administrators_has_the_standard_texts() {
    let page = include_str!("../../../docs/delivery.md");
    let rows: Vec<&str> = page
        .lines()
        .skip_while(|line| *line != "| text | standard |")
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    let texts = Text::ALL.iter().map(|text| (text.name(), text.standard()));
    let events = Event::ALL.iter().map(|event| (event.name(), event.standard()));
    let expected: Vec<String> =
        texts.chain(events).map(|(name, text)| format!("| `{name}` | {text} |")).collect();
    assert_eq!(rows, expected);
}
