//! HTTP gateways: what is asked, what counts as taken, and what becomes of bad ones.

use std::time::{Duration, Instant};

use common::address::{Address, Channel, PhoneNumber};
use common::gateway::{BodyFormat, Gateway, Http, Method, Plaintext, StatusPattern, Way};
use common::template::Template;
use common::{MessageId, Secret};
use delivery::{Equipped, Gateways, Parcel, Tried, Trouble};

use crate::server::{Does, Server, answer, closed_port, connects};

pub(crate) fn parcel(text: &str, code: Option<&str>) -> Parcel {
    Parcel {
        id: MessageId::from_bytes([7; 16]),
        channel: Channel::Sms,
        to: Address::Mobile(PhoneNumber::parse("+4915112345678").unwrap()),
        user: "alice\"&\r\nX: y".to_owned(),
        subject: String::new(),
        text: Secret::from(text),
        code: code.map(Secret::from),
    }
}

pub(crate) fn http(url: &str) -> Http {
    Http {
        method: Method::Post,
        url: Template::parse(url).unwrap(),
        headers: Vec::new(),
        body: Some(Template::parse("to={to}&text={text}").unwrap()),
        format: BodyFormat::Form,
        success: vec![StatusPattern::Class(2)],
        success_pattern: None,
        failure_pattern: None,
    }
}

pub(crate) fn gateway(name: &str, http: Http) -> Equipped {
    Equipped {
        gateway: Gateway {
            name: name.to_owned(),
            channels: [Channel::Sms].into(),
            patience: Duration::from_millis(1500),
            username: Some("us:er".replace(':', "")),
            plaintext: Plaintext::Refused,
            way: Way::Http(Box::new(http)),
        },
        password: Some(Secret::from("hunter2")),
        authorities: None,
        is_lacking: false,
    }
}

pub(crate) fn at(port: u16) -> String {
    format!("http://127.0.0.1:{port}/send")
}

fn send(equipped: Vec<Equipped>) -> Vec<Tried> {
    Gateways::new(equipped, None).send(&parcel("Your code is 123456", Some("123456")), None)
}

fn trouble(tried: &Tried) -> Option<Trouble> {
    tried.result.as_ref().err().map(|failure| failure.trouble)
}

fn fails_with(http: Http, expected: Trouble) {
    let tried = send(vec![gateway("g", http)]);
    assert_eq!(trouble(&tried[0]), Some(expected));
}

#[test]
fn a_form_is_filled_and_nothing_leaves_its_field() {
    let server = Server::new(answer(202, "0: Accepted"));
    let described = Http {
        url: Template::parse(&format!("{}?user={{user}}&id={{id}}", at(server.port))).unwrap(),
        headers: vec![
            ("Authorization".to_owned(), Template::parse("{basic}").unwrap()),
            ("X-User".to_owned(), Template::parse("{user}").unwrap()),
        ],
        body: Some(Template::parse("to={to}&text={text}&pw={password}").unwrap()),
        ..http("http://x/")
    };
    let tried = send(vec![gateway("g", described)]);
    assert!(tried[0].result.is_ok(), "{tried:?}");
    let request = &server.requests()[0];
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /send?user=alice%22%26%0D%0AX%3A%20y&id=0707070707070707"), "{head}");
    let has = |line: &str| head.lines().any(|one| one.eq_ignore_ascii_case(line));
    assert!(has("authorization: Basic dXNlcjpodW50ZXIy"), "{head}");
    assert!(has("x-user: alice\"&  X: y") && !has("X: y"), "{head}");
    assert!(has("content-type: application/x-www-form-urlencoded"), "{head}");
    assert_eq!(body, "to=%2B4915112345678&text=Your%20code%20is%20123456&pw=hunter2");
}

#[test]
fn json_stays_json_whatever_is_in_a_name() {
    let server = Server::new(answer(200, "{}"));
    let body = r#"{"to":["{digits}"],"text":"{text}","user":"{user}","n":{}}"#;
    let described = Http {
        format: BodyFormat::Json,
        body: Some(Template::parse(body).unwrap()),
        ..http(&at(server.port))
    };
    assert!(send(vec![gateway("g", described)])[0].result.is_ok());
    let request = server.requests().remove(0);
    assert!(request.to_ascii_lowercase().contains("content-type: application/json"), "{request}");
    let expected =
        r#"{"to":["4915112345678"],"text":"Your code is 123456","user":"alice\"&\u000d\u000aX: y","n":{}}"#;
    assert_eq!(request.split_once("\r\n\r\n").unwrap().1, expected);
}

#[test]
fn a_status_of_200_is_not_enough_where_the_answer_says_otherwise() {
    let error = Server::new(answer(200, "ERROR: no credit"));
    let said = Server::new(answer(200, "{\"status\": \"queued\"}"));
    let failure = || Some("(?i)error".to_owned());
    let success = || Some("\"status\" *: *\"queued\"".to_owned());
    fails_with(Http { failure_pattern: failure(), ..http(&at(error.port)) }, Trouble::Answer(200));
    fails_with(Http { success_pattern: success(), ..http(&at(error.port)) }, Trouble::Answer(200));
    let both = Http { failure_pattern: failure(), success_pattern: success(), ..http(&at(said.port)) };
    assert!(send(vec![gateway("g", both)])[0].result.is_ok());
    let bad = Server::new(answer(500, ""));
    fails_with(http(&at(bad.port)), Trouble::Status(500));
    let closed = Server::new(answer(401, ""));
    fails_with(http(&at(closed.port)), Trouble::SignIn(401));
    let two_hundred =
        Http { success: vec![StatusPattern::One(200)], ..http(&at(Server::new(answer(202, "")).port)) };
    fails_with(two_hundred, Trouble::Status(202));
}

#[test]
fn a_redirection_is_not_followed_with_the_secrets() {
    let elsewhere = Server::new(answer(200, "ok"));
    for status in [301, 302, 303, 307, 308] {
        let text =
            format!("HTTP/1.1 {status} X\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", at(elsewhere.port));
        fails_with(http(&at(Server::new(Does::Answers(text)).port)), Trouble::Status(status));
    }
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn the_next_gateway_takes_what_the_first_did_not_and_the_first_is_passed_over() {
    let (error, hangs, dies) =
        (Server::new(answer(200, "ERROR")), Server::new(Does::Hangs), Server::new(Does::HangsUp));
    let good = Server::new(answer(200, "OK"));
    let failing = Http { failure_pattern: Some("ERROR".to_owned()), ..http(&at(error.port)) };
    let gateways = Gateways::new(
        vec![
            gateway("error", failing),
            gateway("hangs", http(&at(hangs.port))),
            gateway("dies", http(&at(dies.port))),
            gateway("gone", http(&at(closed_port()))),
            gateway("good", http(&at(good.port))),
        ],
        None,
    );
    let begun = Instant::now();
    let tried = gateways.send(&parcel("x", Some("1")), None);
    let names: Vec<_> = tried.iter().map(|it| (it.gateway.as_str(), trouble(it))).collect();
    let expected = [
        ("error", Some(Trouble::Answer(200))),
        ("hangs", Some(Trouble::TimedOut)),
        ("dies", Some(Trouble::BrokenOff)),
        ("gone", Some(Trouble::Unreachable)),
        ("good", None),
    ];
    assert_eq!(names, expected);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert!(connects(hangs.port));
    let again = gateways.send(&parcel("x", Some("1")), None);
    let names: Vec<_> = again.iter().map(|it| it.gateway.as_str()).collect();
    assert_eq!(
        names,
        ["error", "good"],
        "one bad answer may be the message's fault; the others are passed over"
    );
    let figures = gateways.figures();
    let (_, of_hangs) = figures[1];
    assert_eq!((of_hangs.failed, of_hangs.passed_over, of_hangs.is_good), (1, 1, false));
    assert_eq!(figures[4].1.sent, 2);
    let kept = Gateways::new(vec![gateway("hangs", http(&at(hangs.port)))], Some(&gateways));
    assert!(!kept.figures()[0].1.is_good, "new settings forget nothing of a gateway of that name");
}

#[test]
fn what_runs_out_before_anything_is_said_leaves_no_doubt() {
    let silent = Server::new(Does::Hangs);
    let url = at(silent.port).replace("http:", "https:");
    let tried = send(vec![gateway("g", http(&url))]);
    let trouble = trouble(&tried[0]).unwrap();
    assert_eq!((trouble, trouble.leaves_doubt()), (Trouble::Unreachable, false));
    assert!(tried[0].took < Duration::from_millis(1400), "{tried:?}");
}

#[test]
fn where_all_have_failed_lately_all_are_tried_nevertheless() {
    let port = closed_port();
    let gateways = Gateways::new(vec![gateway("g", http(&at(port)))], None);
    assert!(gateways.send(&parcel("x", None), None)[0].result.is_err());
    assert_eq!(gateways.send(&parcel("x", None), None).len(), 1);
}

#[test]
fn an_answer_without_end_is_looked_at_as_far_as_its_limit() {
    let flood = Server::new(Does::Floods("HTTP/1.1 200 X\r\n\r\nOK ".to_owned()));
    let begun = Instant::now();
    let tried =
        send(vec![gateway("g", Http { success_pattern: Some("^OK".to_owned()), ..http(&at(flood.port)) })]);
    assert!(tried[0].result.is_ok() && begun.elapsed() < Duration::from_secs(1), "{tried:?}");
}

#[test]
fn only_a_certificate_of_the_right_authority_and_name_is_believed() {
    let (server, authority) = Server::with_tls(answer(200, "OK"), "localhost");
    let (_, other) = Server::with_tls(answer(200, "OK"), "localhost");
    let named = |url: String, authority: &str| {
        let authorities = Some(authority.to_owned());
        send(vec![Equipped { authorities, ..gateway("g", http(&url)) }])
    };
    let url = format!("https://localhost:{}/", server.port);
    assert!(named(url.clone(), &authority)[0].result.is_ok());
    assert_eq!(trouble(&named(url.clone(), &other)[0]), Some(Trouble::Tls));
    let by_address = format!("https://127.0.0.1:{}/", server.port);
    assert_eq!(trouble(&named(by_address, &authority)[0]), Some(Trouble::Tls));
    assert_eq!(
        trouble(&send(vec![gateway("g", http(&url))])[0]),
        Some(Trouble::Tls),
        "the system knows it not"
    );
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn what_is_said_of_a_failure_has_neither_number_nor_code_nor_text() {
    let echo = Server::new(answer(500, "could not send 'Your code is 123456' to +4915112345678"));
    for url in [at(echo.port), at(closed_port()), "http://no-such-host.invalid/".to_owned()] {
        let described =
            Http { method: Method::Get, body: None, ..http(&format!("{url}?t={{to}}&x={{text}}")) };
        let tried = send(vec![gateway("g", described)]);
        let failure = tried[0].result.as_ref().err().unwrap();
        let shown = format!("{failure:?} {} {tried:?}", failure.trouble);
        for secret in ["123456", "4915112345678", "code", "hunter2"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn a_gateway_for_codes_takes_no_notice_and_one_without_its_password_takes_nothing() {
    let server = Server::new(answer(200, "OK"));
    let codes =
        Http { body: Some(Template::parse("to={to}&code={code}").unwrap()), ..http(&at(server.port)) };
    let gateways =
        Gateways::new(vec![gateway("codes", codes), gateway("texts", http(&at(server.port)))], None);
    let of = |parcel: &Parcel| gateways.send(parcel, None).iter().map(trouble).collect::<Vec<_>>();
    assert_eq!(of(&parcel("a notice", None)), [Some(Trouble::CodesOnly), None]);
    assert_eq!(of(&parcel("a code", Some("123456"))), [None]);
    let lacking = Equipped { is_lacking: true, ..gateway("g", http(&at(server.port))) };
    assert_eq!(trouble(&send(vec![lacking])[0]), Some(Trouble::NotEquipped));
}
