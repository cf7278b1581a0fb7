//! A person at a VPN client: each question is an Access-Challenge, each answer the next Access-Request, sent by radclient.

use test_ground::{Authenticator, Failure, Outcome, RadiusAnswer};

use super::window::{BLUFF, COLUMNS, Questions, Registered, recovery_codes};
use crate::gate::Gateway;

/// Octets of a value (RFC 2865 §5): what gateways are sure to show, and to send back.
const VALUE_OCTETS_MAX: usize = 253;

/// A sign-in through the gateway.
pub(crate) struct Conversation<'a> {
    gateway: &'a Gateway,
    name: String,
    from: Option<String>,
    last: RadiusAnswer,
}

impl<'a> Conversation<'a> {
    /// Name and password, from this address if the gateway tells one.
    pub(crate) fn begin(
        gateway: &'a Gateway,
        name: &str,
        password: &str,
        from: Option<&str>,
    ) -> Result<Self, Failure> {
        let from = from.map(|from| format!("\"{from}\""));
        let mut begun = Self { gateway, name: name.to_owned(), from, last: RadiusAnswer::Silence };
        begun.send(password)?;
        Ok(begun)
    }

    /// Sees that the gateway shows these words.
    pub(crate) fn sees(self, words: &str) -> Result<Self, Failure> {
        let shown = self.shown();
        if shown.contains(words) {
            return Ok(self);
        }
        let found = format!("{words:?} not in {shown:?}, {:?}", self.last);
        Err(Failure::Unreadable { what: "a challenge", found })
    }

    pub(crate) fn types(mut self, answer: &str) -> Result<Self, Failure> {
        assert_eq!(self.last.code(), "Access-Challenge", "{:?}", self.last);
        self.send(answer)?;
        Ok(self)
    }

    /// What the gateway shows.
    pub(crate) fn shown(&self) -> String {
        let printed = self.last.attribute("Reply-Message").unwrap_or_default();
        printed.trim_matches('"').replace("\\n", "\n").replace("\\\"", "\"")
    }

    /// As [`super::Window::finds_no_way`].
    pub(crate) fn finds_no_way(self, questions: Questions) -> Outcome {
        let mut asked = self;
        for (question, answer) in questions.into_iter().zip(BLUFF) {
            asked = asked.sees(question)?.types(answer)?;
        }
        assert_eq!(asked.code(), "Access-Reject", "{:?}", asked.last);
        Ok(())
    }

    /// How the last answer was answered.
    pub(crate) fn code(&self) -> &str {
        self.last.code()
    }

    /// From the list of ways to the end: the key is typed into an app, and the recovery codes are written down.
    pub(crate) fn registers(self) -> Result<Registered, Failure> {
        let asked = self.sees("Choose:")?.sees("1 authenticator app\n")?.types("1")?;
        let asked = asked.sees("when you have one: ")?.types("ok")?.sees("Code that the app shows now")?;
        let mut app = Authenticator::new(&key(&asked.shown()));
        let asked = asked.types(&app.code()?)?.sees("Nothing is saved before Enter (or ok): ")?;
        let recovery_codes = recovery_codes(&asked.shown());
        let ended = asked.types("ok")?;
        assert_eq!(ended.code(), "Access-Accept", "{:?}", ended.last);
        Ok(Registered { app, recovery_codes })
    }

    fn send(&mut self, answer: &str) -> Result<(), Failure> {
        let state = self.last.attribute("State").map(str::to_owned);
        let mut more = vec![("Message-Authenticator", "0x00")];
        more.extend(state.as_deref().map(|state| ("State", state)));
        more.extend(self.from.as_deref().map(|from| ("Calling-Station-Id", from)));
        self.last = self.gateway.send(&self.name, answer, &more)?;
        println!("> {answer}\n{}: {}", self.code(), self.shown());
        self.fits();
        Ok(())
    }

    /// One text and one State, each of one attribute.
    fn fits(&self) {
        let RadiusAnswer::Packet { code, attributes } = &self.last else { return };
        let count = |name: &str| attributes.iter().filter(|(own, _)| own == name).count();
        let state = self.last.attribute("State").and_then(|it| it.strip_prefix("0x")).unwrap_or_default();
        assert!(state.len() / 2 <= VALUE_OCTETS_MAX, "{:?}", self.last);
        assert!(self.shown().len() <= VALUE_OCTETS_MAX, "{:?}", self.last);
        if code == "Access-Challenge" {
            assert_eq!(
                (count("Reply-Message"), count("State"), count("Prompt")),
                (1, 1, 1),
                "{:?}",
                self.last
            );
            let long = self.shown().lines().find(|line| line.len() > COLUMNS).map(str::to_owned);
            assert_eq!(long.filter(|line| !line.starts_with("otpauth:")), None, "{:?}", self.last);
        }
    }
}

/// The key as it is shown: groups behind `Key: `.
fn key(shown: &str) -> String {
    let line = shown.lines().find_map(|line| line.strip_prefix("Key: "));
    line.unwrap_or_else(|| panic!("a key in {shown}")).split_whitespace().collect()
}
