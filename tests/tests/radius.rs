//! countersign-radiusd under real RADIUS clients: radclient, radtest, pam_radius_auth, and packets that no decent client
//! sends. It is started as root, as systemd does.
#![cfg(test)]

mod gate;
mod site;

use std::process::Command;
use std::sync::OnceLock;

use gate::{
    APP_PASSWORD_ONLY, APPEND, Backend, CHALLENGE, CODE_ONLY, Gateway, PLAIN, Radiusd, SECRET, STRANGER,
    UNSIGNED, Wire, code_and_state, counter, malformed, wait_for_count,
};
use radius_protocol::Code;
use site::{AGAIN, CODE, OWN_PASSWORD, Site, User, WAYS};
use test_ground::{Failure, Outcome, RadiusAnswer, checked};

/// The server that most tests share. Its counters only grow, so that tests do not mind each other.
fn server() -> Result<&'static Radiusd, Failure> {
    static SERVER: OnceLock<Result<Radiusd, Failure>> = OnceLock::new();
    let server = SERVER.get_or_init(|| Radiusd::start(Site::here()?, Backend::Local));
    server.as_ref().map_err(|failure| Failure::Unreadable { what: "server", found: format!("{failure:?}") })
}

/// The site, the shared server and somebody to sign in.
fn world(name: &'static str) -> Result<(&'static Site, &'static Radiusd, User), Failure> {
    let site = Site::here()?;
    Ok((site, server()?, site.add_account(name)?))
}

#[test]
fn a_password_is_challenged_and_a_code_lets_in_once() -> Outcome {
    let (site, server, user) = world("alice")?;
    let gateway = server.from(CHALLENGE);
    let challenge = gateway.login("alice", OWN_PASSWORD)?;
    assert_eq!(challenge.code(), "Access-Challenge");
    assert_eq!(challenge.attribute("Reply-Message"), Some(format!("\"{CODE}\"").as_str()));
    assert_eq!(challenge.attribute("Prompt"), Some("No-Echo"));
    assert!(challenge.attribute("Session-Timeout").is_some(), "{challenge:?}");
    let code = user.code()?;
    assert_eq!(gateway.answer("alice", &code, &challenge)?.code(), "Access-Accept");
    site.wait_for_record("alice", "both-proofs")?;
    let challenge = gateway.login("alice", OWN_PASSWORD)?;
    let again = gateway.answer("alice", &code, &challenge)?;
    assert_eq!(again.code(), "Access-Challenge");
    assert!(again.attribute("Reply-Message").is_some_and(|text| text.contains(AGAIN)), "{again:?}");
    site.wait_for_record("alice", "code-already-used").map(drop)
}

#[test]
fn wrong_codes_are_refused_at_the_third() -> Outcome {
    let (_, server, user) = world("bert")?;
    let gateway = server.from(CHALLENGE);
    let mut heard = gateway.login("bert", OWN_PASSWORD)?;
    for _ in 0..3 {
        assert_eq!(heard.code(), "Access-Challenge");
        heard = gateway.answer("bert", &user.wrong_code()?, &heard)?;
    }
    assert_eq!(heard.code(), "Access-Reject");
    assert_eq!(heard.attribute("Reply-Message"), Some("\"Login refused.\""));
    Ok(())
}

#[test]
fn a_wrong_password_and_an_unknown_name_are_asked_like_everybody_and_refused() -> Outcome {
    let (site, server, user) = world("carol")?;
    let gateway = server.from(CHALLENGE);
    for (name, password) in [("carol", "wrong"), ("stranger", OWN_PASSWORD)] {
        let mut heard = gateway.login(name, password)?;
        for _ in 0..3 {
            assert_eq!(heard.attribute("Prompt"), Some("No-Echo"), "{heard:?}");
            heard = gateway.answer(name, &user.code()?, &heard)?;
        }
        assert_eq!(heard.code(), "Access-Reject");
    }
    site.wait_for_record("stranger", "unknown-user").map(drop)
}

#[test]
fn a_plain_client_refuses_a_wrong_password_at_once() -> Outcome {
    let (_, server, user) = world("sybil")?;
    let gateway = server.from(PLAIN);
    assert_eq!(gateway.login("sybil", "wrong")?.code(), "Access-Reject");
    assert_eq!(gateway.login("stranger", OWN_PASSWORD)?.code(), "Access-Reject");
    assert_eq!(gateway.signs_in(&user, OWN_PASSWORD)?, "Access-Accept");
    Ok(())
}

/// `?` lists the ways, and so does choosing one that is typed: everybody hears the same. A recovery code works once.
#[test]
fn another_way_can_be_chosen_at_the_challenge() -> Outcome {
    let (site, server, user) = world("trent")?;
    let recovery_code = site.recovery_code(&user)?;
    let gateway = server.from(CHALLENGE);
    let challenge = gateway.login("trent", OWN_PASSWORD)?;
    let ways = gateway.answer("trent", "?", &challenge)?;
    let listed = ways.attribute("Reply-Message").unwrap_or_default();
    assert!(listed.contains("2 recovery or temporary code") && listed.contains(WAYS), "{ways:?}");
    let asked = gateway.answer("trent", "recovery", &ways)?;
    assert_eq!(asked.attribute("Reply-Message"), Some(listed));
    assert_eq!(gateway.answer("trent", &recovery_code, &asked)?.code(), "Access-Accept");
    let challenge = gateway.login("trent", OWN_PASSWORD)?;
    assert_eq!(gateway.answer("trent", &recovery_code, &challenge)?.code(), "Access-Challenge");
    site.wait_for_record("trent", "recovery-code-already-used").map(drop)
}

#[test]
fn an_appended_code_lets_in_where_nothing_can_be_asked() -> Outcome {
    let (_, server, user) = world("dave")?;
    let gateway = server.from(APPEND);
    let both = format!("{OWN_PASSWORD},{}", user.code()?);
    assert_eq!(gateway.login("dave", OWN_PASSWORD)?.code(), "Access-Reject");
    assert_eq!(gateway.login("dave", &both)?.code(), "Access-Accept");
    assert_eq!(gateway.login("dave", &both)?.code(), "Access-Reject");
    Ok(())
}

#[test]
fn a_code_alone_lets_in_where_somebody_else_checks_the_password() -> Outcome {
    let (site, server, user) = world("erin")?;
    let gateway = server.from(CODE_ONLY);
    assert_eq!(gateway.login("erin", OWN_PASSWORD)?.code(), "Access-Reject");
    assert_eq!(gateway.login("erin", &user.code()?)?.code(), "Access-Accept");
    site.wait_for_record("erin", "second-proof-alone").map(drop)
}

#[test]
fn an_app_password_lets_in_at_its_client_only() -> Outcome {
    let (site, server, user) = world("frank")?;
    let client = "app-password-only";
    let made = site.answer(&["app-password", "create", "frank", "--label", "tv", "--client", client])?;
    let app_password = made["app-password"].as_str().expect("an app password");
    let gateway = server.from(APP_PASSWORD_ONLY);
    assert_eq!(gateway.login("frank", app_password)?.code(), "Access-Accept");
    assert_eq!(gateway.login("frank", app_password)?.code(), "Access-Accept");
    assert_eq!(gateway.login("frank", &format!("{OWN_PASSWORD},{}", user.code()?))?.code(), "Access-Reject");
    assert_eq!(server.from(APPEND).login("frank", app_password)?.code(), "Access-Reject");
    site.wait_for_record("frank", "app-password-alone").map(drop)
}

#[test]
fn radtest_is_served() -> Outcome {
    let (_, server, user) = world("grace")?;
    let challenge = format!("127.0.0.1:{}", server.port);
    let both = format!("{OWN_PASSWORD},{}", user.code()?);
    let output = checked(Command::new("radtest").args(["grace", &both, &challenge, "0", SECRET]))?;
    assert!(output.contains("Received Access-Accept"), "{output}");
    Ok(())
}

#[test]
fn ipv6_is_served() -> Outcome {
    let (_, server, user) = world("heidi")?;
    let wire = Wire::from("::1", server.port);
    let (code, state) = code_and_state(&wire.exchange(&wire.request(1, "heidi", OWN_PASSWORD, &[])));
    assert_eq!(code, Code::AccessChallenge);
    let reply = wire.exchange(&wire.request(2, "heidi", &user.code()?, &state));
    assert_eq!(code_and_state(&reply).0, Code::AccessAccept);
    let server = format!("[::1]:{}", server.port);
    let again = format!("{OWN_PASSWORD},{}", user.next_code()?);
    let output =
        checked(Command::new("radtest").args(["-6", "heidi", &again, &server, "0", SECRET, "0", "::1"]))?;
    assert!(output.contains("Received Access-Accept"), "{output}");
    Ok(())
}

#[test]
fn the_same_packet_gets_the_same_octets_and_is_decided_once() -> Outcome {
    let (site, server, user) = world("ivan")?;
    let wire = Wire::from(APPEND, server.port);
    let request = wire.request(7, "ivan", &format!("{OWN_PASSWORD},{}", user.code()?), &[]);
    let repeated = counter(site, "events", "answered-again")?;
    let first = wire.exchange(&request);
    assert_eq!(code_and_state(&first).0, Code::AccessAccept);
    assert_eq!(wire.exchange(&request), first);
    assert_eq!(wire.exchange(&request), first);
    wait_for_count(site, "events", "answered-again", repeated.saturating_add(2))
}

#[test]
fn an_answer_lost_on_the_way_is_given_again_and_a_spent_state_is_good_for_nothing_else() -> Outcome {
    let (_, server, user) = world("judy")?;
    let gateway = server.from(CHALLENGE);
    let challenge = gateway.login("judy", OWN_PASSWORD)?;
    let code = user.code()?;
    assert_eq!(gateway.answer("judy", &code, &challenge)?.code(), "Access-Accept");
    assert_eq!(gateway.answer("judy", &code, &challenge)?.code(), "Access-Accept");
    assert_eq!(gateway.answer("judy", &user.next_code()?, &challenge)?.code(), "Access-Reject");
    Ok(())
}

#[test]
fn a_state_is_bound_to_client_and_name_and_a_forged_one_is_refused() -> Outcome {
    let (site, server, user) = world("karl")?;
    let gateway = server.from(CHALLENGE);
    let challenge = gateway.login("karl", OWN_PASSWORD)?;
    let before = counter(site, "refused", "state-invalid")?;
    let code = user.code()?;
    assert_eq!(server.from(APPEND).answer("karl", &code, &challenge)?.code(), "Access-Reject");
    assert_eq!(gateway.answer("carol", &code, &challenge)?.code(), "Access-Reject");
    let forged = [("Message-Authenticator", "0x00"), ("State", "0x0123")];
    assert_eq!(gateway.send("karl", &code, &forged)?.code(), "Access-Reject");
    wait_for_count(site, "refused", "state-invalid", before.saturating_add(3))?;
    assert_eq!(gateway.answer("karl", &code, &challenge)?.code(), "Access-Accept");
    Ok(())
}

#[test]
fn status_server_is_answered() -> Outcome {
    let (_, server, _) = world("leo")?;
    let signed = [("Message-Authenticator", "0x00")];
    let answer = server.from(CHALLENGE).request("status", &signed, 10)?;
    assert_eq!(answer.code(), "Access-Accept");
    Ok(())
}

#[test]
fn proxy_states_come_back_in_order() -> Outcome {
    let (_, server, _) = world("mia")?;
    let states = [("Message-Authenticator", "0x00"), ("Proxy-State", "0x02"), ("Proxy-State", "0x01")];
    let answer = server.from(CHALLENGE).send("mia", OWN_PASSWORD, &states)?;
    let RadiusAnswer::Packet { attributes, .. } = &answer else { panic!("silence") };
    let back: Vec<&str> = attributes
        .iter()
        .filter(|(name, _)| name == "Proxy-State")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(back, ["0x02", "0x01"]);
    assert_eq!(attributes.first().map(|(name, _)| name.as_str()), Some("Message-Authenticator"));
    Ok(())
}

#[test]
fn a_message_authenticator_is_demanded_unless_a_client_says_otherwise() -> Outcome {
    let (site, server, user) = world("nina")?;
    let name = [("User-Name", "\"nina\""), ("User-Password", "\"x\"")];
    let missing = counter(site, "dropped", "message-authenticator-missing")?;
    assert!(server.from(CHALLENGE).is_ignored("auth", &name)?);
    wait_for_count(site, "dropped", "message-authenticator-missing", missing.saturating_add(1))?;
    let unsigned = server.from(UNSIGNED);
    let challenge = unsigned.send("nina", OWN_PASSWORD, &[])?;
    let state = challenge.attribute("State").expect("a state");
    let accepted = unsigned.send("nina", &user.code()?, &[("State", state)])?;
    assert_eq!(accepted.code(), "Access-Accept");
    let RadiusAnswer::Packet { attributes, .. } = &accepted else { panic!("silence") };
    assert_eq!(attributes.first().map(|(name, _)| name.as_str()), Some("Message-Authenticator"));
    assert!(counter(site, "clients/unsigned", "unsigned")? >= 2);
    Ok(())
}

/// What a forger of replies sends through a gateway: a request of his making with room for his octets.
#[test]
fn an_unsigned_request_with_a_proxy_state_is_dropped() -> Outcome {
    let (site, server, _) = world("oscar")?;
    let before = counter(site, "dropped", "proxy-state-unsigned")?;
    let padding = format!("0x{}", "41".repeat(240));
    let attack = [("User-Name", "\"oscar\""), ("User-Password", "\"x\""), ("Proxy-State", padding.as_str())];
    assert!(server.from(UNSIGNED).is_ignored("auth", &attack)?);
    wait_for_count(site, "dropped", "proxy-state-unsigned", before.saturating_add(1))
}

#[test]
fn strangers_and_wrong_secrets_hear_nothing() -> Outcome {
    let (site, server, _) = world("peggy")?;
    let request = [("User-Name", "\"peggy\""), ("User-Password", "\"x\""), ("Message-Authenticator", "0x00")];
    let unknown = counter(site, "dropped", "unknown-client")?;
    assert!(server.from(STRANGER).is_ignored("auth", &request)?);
    wait_for_count(site, "dropped", "unknown-client", unknown.saturating_add(1))?;
    let invalid = counter(site, "dropped", "message-authenticator-invalid")?;
    let gateway = Gateway { secret: "another secret".to_owned(), ..server.from(CHALLENGE) };
    assert!(gateway.is_ignored("auth", &request)?);
    wait_for_count(site, "dropped", "message-authenticator-invalid", invalid.saturating_add(1))
}

#[test]
fn chap_is_refused_by_name() -> Outcome {
    let (site, server, _) = world("quinn")?;
    let before = counter(site, "refused", "chap-not-served")?;
    let chap = [("User-Name", "\"quinn\""), ("CHAP-Password", "\"x\""), ("Message-Authenticator", "0x00")];
    assert_eq!(server.from(CHALLENGE).request("auth", &chap, 10)?.code(), "Access-Reject");
    wait_for_count(site, "refused", "chap-not-served", before.saturating_add(1))
}

#[test]
fn every_malformed_packet_is_dropped_under_its_name() -> Outcome {
    let (site, server, _) = world("rita")?;
    let (gate, unsigned) = (Wire::from(CHALLENGE, server.port), Wire::from(UNSIGNED, server.port));
    let signed = gate.request(1, "rita", "x", &[]);
    let samples = malformed::of_a_signed_request(&signed).into_iter().map(|sample| (&gate, sample));
    let samples = samples.chain(malformed::unsigned().into_iter().map(|sample| (&unsigned, sample)));
    for (wire, (reason, octets)) in samples {
        let before = counter(site, "dropped", reason)?;
        wire.send(&octets);
        wait_for_count(site, "dropped", reason, before.saturating_add(1))?;
    }
    let alive = gate.exchange(&gate.request(200, "rita", OWN_PASSWORD, &[]));
    assert_eq!(code_and_state(&alive).0, Code::AccessChallenge);
    Ok(())
}
