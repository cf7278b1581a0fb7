//! An authenticator app: the key is shown, and a code of it comes back.

use crate::acts::{ActError, prove};
use crate::login::setup::{At, Picture, Proven, Setup, after_proof, ask, choice, user, word};
use crate::login::{Prompt, Step, View, write};
use crate::random::Stream;
use crate::session::Session;
use crate::totp::{self, TotpError, TotpKey, TotpParameters};
use crate::{Answer, Door, Reason, Secret, limits, otpauth};

/// What stands above the key after a code that was not right.
const WRONG: &str = "That is no code of this key. Is the phone's clock right?\n";

/// Says which apps fit, before the key is shown: one may have to be installed first.
pub(super) fn offer(view: &View<'_>, session: Session, setup: &Setup, picture: Picture) -> Step {
    let text = format!("{}\nPress Enter, or type ok, when you have one: ", view.policy.registration.apps);
    ask(view, session, setup, At::Apps(picture), Prompt::made(text), None)
}

/// Shows the key and asks for a code of it.
pub(super) fn show_key(
    view: &View<'_>,
    session: Session,
    setup: &Setup,
    picture: Picture,
    before: &str,
) -> Step {
    let Some(user) = user(view) else { return write::reject(view, &session, Reason::UnknownUser) };
    let secret = setup.key();
    let base32 = totp::to_base32(&secret);
    let grouped = grouped(base32.expose_text().unwrap_or_default());
    let parameters = TotpParameters::default();
    let uri = totp::otpauth_uri(&view.policy.issuer, user.as_str(), parameters, &secret);
    let question = format!("{before}Key: {grouped}\nCode that the app shows now (b: back): ");
    let with_link = || {
        format!(
            "{before}Key: {grouped}\n{}\nCode that the app shows now (b: back): ",
            uri.expose_text().unwrap_or_default()
        )
    };
    let text = match view.attempt.door {
        Door::Radius => {
            Some(with_link()).filter(|text| text.len() <= limits::PROMPT_OCTETS_MAX).unwrap_or(question)
        }
        Door::Pam | Door::CommandLine | Door::Delivery => question,
    };
    let mut prompt = Prompt::made(text);
    prompt.qr = match picture {
        Picture::Shown => otpauth::scannable(&view.policy.issuer, user.as_str(), parameters, &secret),
        Picture::Withheld => None,
    };
    ask(view, session, setup, At::Key(picture), prompt, None)
}

/// In groups of four: people read it and type it.
fn grouped(base32: &str) -> String {
    let mut text = String::with_capacity(base32.len().saturating_mul(2));
    for (place, character) in base32.chars().enumerate() {
        if place > 0 && place.is_multiple_of(4) {
            text.push(' ');
        }
        text.push(character);
    }
    text
}

/// A code has come. Nobody guesses it: whoever is asked has just been shown the key.
pub(super) fn answered(
    view: &View<'_>,
    session: Session,
    setup: &Setup,
    picture: Picture,
    answer: &Answer,
) -> Step {
    if word(answer) == "b" {
        return choice::back(view, session, setup);
    }
    let entropy = Stream::new(view.entropy, "proof");
    let step = setup.totp().map_err(ActError::from);
    match step.and_then(|key| prove(&view.desk(&entropy), &key, answer.typed())) {
        Ok(step) => {
            let proven = Setup { proven: Some(Proven::Key(step)), ..setup.clone() };
            after_proof(view, session, &proven, answer)
        }
        Err(_) => show_key(view, session, setup, picture, WRONG),
    }
}

impl Setup {
    /// The secret that is shown, the same in every round.
    pub(super) fn key(&self) -> Secret {
        totp::generate_secret(&self.stream("totp"))
    }

    /// What gives its codes.
    pub(super) fn totp(&self) -> Result<TotpKey, TotpError> {
        TotpKey::new(TotpParameters::default(), &self.key())
    }
}
