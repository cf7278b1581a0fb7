//! A login as a conversation, prompt by prompt: each session is carried as RADIUS carries it.

use super::*;
use crate::session::Session;
use crate::world::code_of;
use crate::{Secret, Verdict};

/// A conversation, prompt by prompt.
pub(super) struct Talk<'a> {
    pub(super) world: &'a World,
    pub(super) attempt: Attempt,
    pub(super) session: Option<Box<Session>>,
    pub(super) prompt: String,
    pub(super) qr: Option<Secret>,
    pub(super) verdict: Option<Verdict>,
}

impl<'a> Talk<'a> {
    pub(super) fn begin(world: &'a World, attempt: Attempt, password: &str) -> Self {
        let reply = world.engine.begin(&attempt, Some(&text_answer(password)));
        let mut talk = Self { world, attempt, session: None, prompt: String::new(), qr: None, verdict: None };
        talk.hear(reply);
        talk
    }

    fn hear(&mut self, reply: Reply) {
        match reply {
            Reply::Ask(session, prompt) => {
                assert!(prompt.text().len() <= crate::limits::PROMPT_OCTETS_MAX, "{}", prompt.text());
                fits_a_window(prompt.text());
                self.prompt = prompt.text().to_owned();
                self.qr = prompt.qr.clone();
                let keys = crate::world::keys();
                let sealed = session.seal(&keys, self.world.engine.random(), "vpn", "alice").unwrap();
                assert!(sealed.len() <= 253, "a State has at most 253 octets");
                let opened = Session::open(&keys, self.world.engine.now(), "vpn", "alice", &sealed).unwrap();
                assert_eq!(opened, *session);
                self.session = Some(session);
            }
            Reply::Done(_, verdict) => {
                self.session = None;
                self.verdict = Some(verdict);
            }
        }
    }

    pub(super) fn say(&mut self, text: &str) -> &str {
        let session = self.session.take().unwrap_or_else(|| panic!("it is over: {:?}", self.verdict));
        let reply = self.world.engine.answer(&self.attempt, &session, &text_answer(text));
        self.hear(reply);
        &self.prompt
    }

    pub(super) fn verdict(&self) -> Result<Grounds, Reason> {
        short(self.verdict.as_ref().unwrap_or_else(|| panic!("still asking: {}", self.prompt)))
    }

    /// The key that is shown.
    fn key(&self) -> Secret {
        let (_, rest) = self.prompt.split_once("Key: ").unwrap_or_else(|| panic!("{}", self.prompt));
        crate::totp::from_base32(rest.lines().next().unwrap()).unwrap()
    }

    pub(super) fn code_of_key(&self) -> String {
        code_of(&self.key(), self.world.now())
    }

    /// From the invitation to the end, with an app.
    pub(super) fn register_an_app(&mut self) -> Secret {
        self.say("1");
        self.say("ok");
        let key = self.key();
        let code = code_of(&key, self.world.now());
        assert!(self.say(&code).contains("Write them down"), "{}", self.prompt);
        self.say("ok");
        key
    }
}

/// No line is broken in the middle of a word, also where ssh puts a name before the first.
pub(in crate::login) fn fits_a_window(text: &str) {
    for (number, line) in text.lines().enumerate() {
        let columns = if number == 0 { 60 } else { 78 };
        let fits = line.trim_end().chars().count() <= columns || !line.trim_end().contains(' ');
        assert!(fits, "{line:?} in {text}");
    }
}
