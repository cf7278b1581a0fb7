//! Codes and notices on their way: Kannel with its fake SMS centre, exim with STARTTLS and names, a SIP telephone, and
//! HTTP gateways that lie, hang and die.
#![cfg(test)]

mod gate;
mod gateways;
mod site;

use gateways::bad::{Bad, Late};
use gateways::telephone::Telephone;
use gateways::{Bench, Exim, Kannel, code_in};
use test_ground::{Failure, Outcome, wait_for};

#[test]
fn a_code_goes_out_by_text_message_after_the_challenge_and_lets_in_once() -> Outcome {
    let kannel = Kannel::here()?;
    let bench = Bench::new(&kannel.gateway("kannel"))?;
    bench.add_user("alice")?;
    bench.countersign(&["enroll", "alice", "mobile", "+4915112345678"])?;
    let gateway = bench.gateway();
    let first = gateway.login("alice", gateways::PASSWORD)?;
    assert_eq!(first.code(), "Access-Challenge", "{first:?}");
    let asked = gateway.answer("alice", "sms", &first)?;
    assert_eq!(asked.code(), "Access-Challenge", "{asked:?}");
    let text = kannel.wait_for_text("+4915112345678")?;
    let accepted = gateway.answer("alice", &code_in(&text), &asked)?;
    assert_eq!(accepted.code(), "Access-Accept", "{accepted:?}");
    let again = gateway.login("alice", gateways::PASSWORD)?;
    let again = gateway.answer("alice", &code_in(&text), &again)?;
    assert_ne!(again.code(), "Access-Accept", "a code works once");
    let record = bench.wait_for_record("alice", "message-sent")?;
    assert_eq!(record["delivery"]["gateway"], "kannel", "{record}");
    let records = bench.countersign(&["--json", "audit", "list"])?;
    for secret in ["15112345678", code_in(&text).as_str()] {
        assert!(!records.contains(secret), "{secret} in {records}");
    }
    Ok(())
}

#[test]
fn the_next_gateway_takes_over_from_ones_that_lie_hang_and_die() -> Outcome {
    let kannel = Kannel::here()?;
    let bad = Bad::start();
    let settings = [bad.gateways(), kannel.gateway("kannel")].concat();
    let bench = Bench::new(&settings)?;
    let test = ["--json", "delivery", "test", "--channel", "sms", "--to", "+4915100000001"];
    let said: serde_json::Value = bench.answer(&test)?;
    let tried = said["tried"].as_array().expect("a list");
    let of =
        |name: &str| tried.iter().find(|it| it["gateway"] == name).expect("it was tried")["trouble"].clone();
    assert!(of("liar").as_str().is_some_and(|it| it.contains("says that it took nothing")), "{said}");
    assert_eq!(of("hanging"), "no answer in time");
    assert_eq!(of("dead"), "it cannot be reached");
    assert_eq!(said["taken-by"], "kannel", "{said}");
    let records = bench.answer(&["--json", "audit", "list"])?;
    let records = records.as_array().expect("a list");
    let act = |record: &&serde_json::Value| record["record"]["act"]["act"] == "delivery test";
    let trial = records.iter().find(act).expect("a record of the trial");
    assert_eq!(trial["record"]["act"]["actor"]["uid"], 0, "who asked, not whose rights it had: {trial}");
    assert!(kannel.wait_for_text("+4915100000001")?.contains("000000"));
    // The same in the server, which remembers who failed.
    bench.add_user("bob")?;
    bench.countersign(&["enroll", "bob", "mobile", "+4915100000002"])?;
    let gateway = bench.gateway();
    let asked = gateway.login("bob", gateways::PASSWORD)?;
    gateway.answer("bob", "sms", &asked)?;
    kannel.wait_for_text("+4915100000002")?;
    let status = bench.answer(&["--json", "delivery", "status"])?;
    let health = |name: &str| {
        let all = status["gateways"].as_array().expect("a list");
        all.iter().find(|it| it["name"] == name).expect("a gateway")["in-radius-server"].clone()
    };
    assert_eq!(health("hanging")["healthy"], false, "{status}");
    assert_eq!(health("kannel")["sent"], 1, "{status}");
    Ok(())
}

/// A gateway that takes messages and says so too late may cost one message more, and never a dozen.
#[test]
fn what_a_late_gateway_may_have_sent_is_tried_at_the_next_one_and_never_again() -> Outcome {
    let (kannel, late) = (Kannel::here()?, Late::start());
    let bench = Bench::new(&[late.gateway(), kannel.gateway("kannel")].concat())?;
    bench.add_user("gina")?;
    bench.countersign(&["enroll", "gina", "mobile", "+4915100000011"])?;
    let gateway = bench.gateway();
    let asked = gateway.login("gina", gateways::PASSWORD)?;
    let asked = gateway.answer("gina", "sms", &asked)?;
    let code = code_in(&kannel.wait_for_text("+4915100000011")?);
    assert!(late.taken().len() == 1 && late.taken()[0].contains(&code), "the same code: {:?}", late.taken());
    assert_eq!(gateway.answer("gina", &code, &asked)?.code(), "Access-Accept");

    // Where there is no other one, it is over, and the record says why.
    let late = Late::start();
    let bench = Bench::new(&late.gateway())?;
    bench.add_user("hugo")?;
    bench.countersign(&["enroll", "hugo", "mobile", "+4915100000012"])?;
    let gateway = bench.gateway();
    let asked = gateway.login("hugo", gateways::PASSWORD)?;
    let asked = gateway.answer("hugo", "sms", &asked)?;
    let record = bench.wait_for_record("hugo", "message-given-up")?;
    assert_eq!(record["delivery"]["trouble"], "it may have been sent: no answer in time", "{record}");
    let status = bench.answer(&["--json", "delivery", "status"])?;
    assert_eq!((late.taken().len(), &status["waiting"]), (1, &serde_json::json!(0)), "{status}");
    // It was sent indeed: late, and not in vain.
    assert_eq!(gateway.answer("hugo", &code_in(&late.taken()[0]), &asked)?.code(), "Access-Accept");
    Ok(())
}

/// Servers carry their sessions in State and count in the store: whoever replays one finds five tries, on however many
/// servers.
#[test]
fn one_state_replayed_on_two_servers_gives_five_tries_of_its_code_in_all() -> Outcome {
    let kannel = Kannel::here()?;
    let bench = Bench::new(&kannel.gateway("kannel"))?;
    let (other, second) = bench.another_server()?;
    let servers = [bench.gateway(), second];
    for (user, number, wrong) in
        [("ida", "+4915100000021", 4), ("jack", "+4915100000022", 5), ("kim", "+4915100000023", 100)]
    {
        bench.add_user(user)?;
        bench.countersign(&["enroll", user, "mobile", number])?;
        let asked = servers[0].login(user, gateways::PASSWORD)?;
        let asked = servers[0].answer(user, "sms", &asked)?;
        let right = code_in(&kannel.wait_for_text(number)?);
        for (try_of, server) in (0..wrong).zip(servers.iter().cycle()) {
            let station = format!("192.0.2.{try_of}");
            let guess = format!("{:06}", (right.parse::<u32>().expect("digits") + 1 + try_of) % 1_000_000);
            let heard = server.answer_from((user, &station), &guess, &asked)?;
            assert_ne!(heard.code(), "Access-Accept", "{user}: {guess}");
        }
        // So that nothing but the tries of the code can keep anybody out.
        bench.countersign(&["user", "unlock", user])?;
        let in_time = wrong < 5;
        for (place, server) in servers.iter().rev().enumerate() {
            let station = format!("198.51.100.{place}");
            let heard = server.answer_from((user, &station), &right, &asked)?;
            assert_eq!(heard.code() == "Access-Accept", in_time, "{user} at server {place}: {heard:?}");
        }
        let reasons = bench.reasons(user)?;
        let accepts = |reason: &str| reasons.iter().filter(|it| *it == reason).count();
        let expected = if in_time { (1, 1) } else { (0, 0) };
        assert_eq!((accepts("both-proofs"), accepts("retransmission")), expected, "{user}: {reasons:?}");
        // In another login it is no good either way.
        let again = servers[1].login(user, gateways::PASSWORD)?;
        let heard = servers[1].answer_from((user, "198.51.100.9"), &right, &again)?;
        assert_ne!(heard.code(), "Access-Accept", "{user}");
    }
    drop(other);
    Ok(())
}

#[test]
fn mail_crosses_an_encrypted_connection_with_name_and_password_or_not_at_all() -> Outcome {
    let exim = Exim::here()?;
    let right = exim.gateway("mail", "mailpw", &exim.authority());
    let trial = |settings: &str, to: &str| {
        let bench = Bench::new(settings)?;
        bench.trial(&["delivery", "test", "--channel", "email", "--to", to])
    };
    assert_eq!(trial(&right, "carol@example.test")?["taken-by"], "mail");
    let mail = exim.wait_for_mail("carol@example.test")?;
    for line in ["Auto-Submitted: auto-generated", "From: Countersign <mfa@example.test>", "Subject: Your "] {
        assert!(mail.contains(line), "{line} in {mail}");
    }
    assert!(mail.contains("000000"), "{mail}");
    let trouble =
        |said: &serde_json::Value| said["tried"][0]["trouble"].as_str().unwrap_or_default().to_owned();
    let wrong = trial(&exim.gateway("mail", "wrong", &exim.authority()), "carol@example.test")?;
    assert_eq!(trouble(&wrong), "it did not take name and password (status 535)");
    let stranger = trial(&exim.gateway("mail", "mailpw", &exim.other_authority()), "carol@example.test")?;
    assert_eq!(trouble(&stranger), "its encryption or certificate is not good");
    let refused = trial(&right, "reject@example.test")?;
    assert_eq!(trouble(&refused), "it answered with status 550");
    Ok(())
}

#[test]
fn a_notice_goes_to_the_address_known_before() -> Outcome {
    let exim = Exim::here()?;
    let bench = Bench::new(&exim.gateway("mail", "mailpw", &exim.authority()))?;
    bench.add_user("dave")?;
    bench.countersign(&["contact", "add", "dave", "dave@example.test"])?;
    bench.countersign(&["app-password", "create", "dave", "--label", "backup", "--service", "sshd"])?;
    let mail = exim.wait_for_mail("dave@example.test")?;
    assert!(mail.contains("an app password was made") && mail.contains("dave"), "{mail}");
    bench.wait_for_record("dave", "message-sent").map(drop)
}

#[test]
fn a_call_is_made_by_a_program_and_says_the_digits_one_by_one() -> Outcome {
    let telephone = Telephone::here()?;
    let bench = Bench::new(&telephone.gateway("telephone"))?;
    bench.add_user("erin")?;
    bench.countersign(&["enroll", "erin", "office", "+493012345678"])?;
    let gateway = bench.gateway();
    let asked = gateway.login("erin", gateways::PASSWORD)?;
    let asked = gateway.answer("erin", "call", &asked)?;
    assert_eq!(asked.code(), "Access-Challenge", "{asked:?}");
    telephone.wait_for_call("+493012345678")?;
    let spoken = telephone.spoken()?;
    let digits: String =
        spoken.split(". Again").next().unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    let one_by_one = digits.chars().map(String::from).collect::<Vec<_>>().join(", ");
    assert_eq!(spoken.matches(&one_by_one).count(), 3, "{spoken}");
    let accepted = gateway.answer("erin", &digits, &asked)?;
    assert_eq!(accepted.code(), "Access-Accept", "{accepted:?}");
    Ok(())
}

#[test]
fn a_password_file_that_others_can_read_makes_a_gateway_useless_and_hinders_nobody() -> Outcome {
    let kannel = Kannel::here()?;
    let bench = Bench::new(&kannel.gateway("kannel"))?;
    bench.open_passwords()?;
    let said = bench.trial(&["delivery", "test", "--channel", "sms", "--to", "+4915100000003"])?;
    assert_eq!(said["taken-by"], serde_json::Value::Null, "{said}");
    bench.relaunch()?;
    wait_for("the complaint", 10, || {
        let log = bench.log().map_err(|failure: Failure| failure.to_string())?;
        if log.contains("gateway kannel takes nothing") { Ok(()) } else { Err(log) }
    })?;
    bench.add_user("frank")?;
    let first = bench.gateway().login("frank", gateways::PASSWORD)?;
    assert_eq!(first.code(), "Access-Challenge", "{first:?}");
    Ok(())
}
