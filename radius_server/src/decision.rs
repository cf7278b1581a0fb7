//! One login request to one decision: asks the engine, and turns what it says into what a RADIUS client hears.

use std::time::Duration;

use assembly::config::BackendFailure;
use common::engine::{Engine, Reply};
use common::login::{self, Accept, Echo};
use common::session::Session;
use common::{Attempt, Door, Grounds, Parties, Place, PrimaryMode, Prompt, Reason, Target, Verdict, text};
use radius_protocol::{Code, Error, Packet, PacketBuffer, ReplyBuilder, SharedSecret};

use crate::clients::Client;
use crate::exit::{Dropped, Refused};
use crate::health::Health;
use crate::request::{Exit, LoginRequest};

/// What a client hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Access-Accept, with this Reply-Message where there is something that the user should hear. Many clients show none.
    Accept(Option<String>),
    /// Access-Reject with this Reply-Message.
    Reject(&'static str),
    /// Access-Challenge.
    Challenge {
        /// What is asked.
        prompt: Prompt,
        /// The sealed session.
        state: Vec<u8>,
        /// Seconds for the answer.
        seconds: u32,
    },
    /// Nothing.
    Silence(Dropped),
}

/// A decision, and how soon it may be heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What the client hears.
    pub decision: Decision,
    /// It leaves no earlier than this after the request came.
    pub floor: Duration,
}

/// What decisions need besides the request.
pub struct Desk<'a> {
    /// Who decides.
    pub engine: &'a Engine,
    /// Who checks first passwords.
    pub primary: PrimaryMode,
    /// Told what the engine could do.
    pub health: &'a Health,
}

impl Desk<'_> {
    /// Decides one request. It blocks as long as the store and the primary do.
    ///
    /// # Errors
    /// The State is not one of ours for this client and name.
    pub fn decide(&self, client: &Client, request: LoginRequest<'_>) -> Result<Decided, Exit> {
        let LoginRequest { typed, answer, state, source } = request;
        let attempt = Attempt {
            identity: None,
            door: Door::Radius,
            place: Place::Client(client.settings.name.clone()),
            typed,
            source,
            target: Target::Ordinary,
            parties: Parties::default(),
            primary: self.primary,
            profile: client.settings.profile,
        };
        let session = state.map(|sealed| self.open(client, &attempt, sealed)).transpose()?;
        let reply = match &session {
            None => self.engine.begin(&attempt, Some(&answer)),
            Some(session) => self.engine.answer(&attempt, session, &answer),
        };
        let decision = self.heard(client, &attempt, &reply);
        let floor = match &decision {
            Decision::Challenge { .. } | Decision::Reject(_) => {
                login::floor(self.engine.policy(), &attempt, session.as_ref())
            }
            Decision::Accept(_) | Decision::Silence(_) => Duration::ZERO,
        };
        Ok(Decided { decision, floor })
    }

    fn open(&self, client: &Client, attempt: &Attempt, sealed: &[u8]) -> Result<Session, Exit> {
        let (keys, now) = (self.engine.keys(), self.engine.now());
        let opened = Session::open(keys, now, &client.settings.name, attempt.typed.as_str(), sealed);
        opened.map_err(|_| Refused::StateInvalid.into())
    }

    fn heard(&self, client: &Client, attempt: &Attempt, reply: &Reply) -> Decision {
        match reply {
            Reply::Done(_, verdict) => {
                self.health.saw(verdict);
                of_verdict(verdict, client.settings.when_backend_fails)
            }
            Reply::Ask(session, prompt) => {
                let (keys, random) = (self.engine.keys(), self.engine.random());
                match session.seal(keys, random, &client.settings.name, attempt.typed.as_str()) {
                    Ok(state) => {
                        let seconds = session.expires_at().seconds_since(self.engine.now());
                        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
                        Decision::Challenge { prompt: prompt.clone(), state, seconds }
                    }
                    Err(_) => Decision::Silence(Dropped::Undecidable),
                }
            }
        }
    }
}

/// Verdict to packet, the only place where it is done.
fn of_verdict(verdict: &Verdict, when_backend_fails: BackendFailure) -> Decision {
    match verdict {
        Verdict::Accept(accept) => match accept.grounds() {
            Grounds::BothProofs | Grounds::AppPassword | Grounds::SecondProof | Grounds::PrimaryAlone => {
                Decision::Accept(said(accept))
            }
            // Nobody else decides behind a RADIUS server: nothing proven is a no.
            Grounds::PolicyAlone => Decision::Reject(text::REFUSED),
        },
        Verdict::Reject(_) => Decision::Reject(text::REFUSED),
        Verdict::Unavailable(Reason::BackendUnavailable) => match when_backend_fails {
            BackendFailure::Reject => Decision::Reject(text::UNAVAILABLE),
            BackendFailure::Silence => Decision::Silence(Dropped::BackendSilence),
        },
        Verdict::Unavailable(_) => Decision::Silence(Dropped::Undecidable),
    }
}

/// A last word to somebody who is in.
fn said(accept: &Accept) -> Option<String> {
    accept.few_codes().map(|left| format!("{} {}", text::few_codes(left), text::NEW_CODES))
}

impl Decision {
    /// Builds the reply; `None` where there is none.
    ///
    /// # Errors
    /// The reply does not fit behind the request's Proxy-States.
    pub fn build<'b>(
        &self,
        request: &Packet<'_>,
        secret: &SharedSecret,
        buffer: &'b mut PacketBuffer,
    ) -> Result<Option<&'b [u8]>, Error> {
        let code = match self {
            Self::Accept(_) => Code::AccessAccept,
            Self::Reject(_) => Code::AccessReject,
            Self::Challenge { .. } => Code::AccessChallenge,
            Self::Silence(_) => return Ok(None),
        };
        let mut reply = ReplyBuilder::new(buffer, secret, request, code);
        match self {
            Self::Accept(None) | Self::Silence(_) => {}
            Self::Accept(Some(text)) => {
                reply.reply_message(text)?;
            }
            Self::Reject(text) => {
                reply.reply_message(text)?;
            }
            Self::Challenge { prompt, state, seconds } => {
                reply.reply_message(prompt.text())?.state(state)?;
                reply.prompt(echo(prompt.echo))?.session_timeout(*seconds)?;
            }
        }
        reply.finish().map(Some)
    }
}

const fn echo(echo: Echo) -> radius_protocol::Prompt {
    match echo {
        Echo::Hide => radius_protocol::Prompt::NoEcho,
        Echo::Show => radius_protocol::Prompt::Echo,
    }
}

#[cfg(test)]
mod tests {
    use common::session::SEALED_OCTETS;
    use common::{Secret, limits};
    use radius_protocol::dictionary::{MESSAGE_AUTHENTICATOR, PROMPT, PROXY_STATE, REPLY_MESSAGE};
    use radius_protocol::{MessageAuthenticatorDemand, ReplyVerdict, RequestBuilder};

    use super::*;

    #[test]
    fn what_cannot_be_decided_is_silence_and_a_lost_backend_is_what_the_client_wants() {
        let lost = Verdict::Unavailable(Reason::BackendUnavailable);
        assert_eq!(of_verdict(&lost, BackendFailure::Reject), Decision::Reject(text::UNAVAILABLE));
        let silence = Decision::Silence(Dropped::BackendSilence);
        assert_eq!(of_verdict(&lost, BackendFailure::Silence), silence);
        for reason in [Reason::StoreUnavailable, Reason::KeyUnavailable, Reason::ClockBehind] {
            let verdict = Verdict::Unavailable(reason);
            assert_eq!(of_verdict(&verdict, BackendFailure::Reject), Decision::Silence(Dropped::Undecidable));
        }
    }

    #[test]
    fn every_refusal_says_the_same() {
        for reason in Reason::ALL {
            let decision = of_verdict(&Verdict::Reject(*reason), BackendFailure::Reject);
            assert_eq!(decision, Decision::Reject(text::REFUSED), "{reason:?}");
        }
    }

    #[test]
    fn the_longest_question_is_one_message_and_a_picture_stays_here() {
        let secret = SharedSecret::new(b"a secret of the gate").unwrap();
        let (mut request, mut reply) = ([0; 4096], [0; 4096]);
        let mut builder = RequestBuilder::access_request(&mut request, &secret, 7, [9; 16]);
        builder.user_name("alice").unwrap();
        let request = Packet::parse(builder.finish()).unwrap();
        let longest: &str = "ü".repeat(limits::PROMPT_OCTETS_MAX / 2).leak();
        let mut prompt = Prompt::hidden(longest);
        (prompt.echo, prompt.qr) = (Echo::Show, Some(Secret::from("otpauth://totp/x")));
        let decision = Decision::Challenge { prompt, state: vec![5; SEALED_OCTETS], seconds: 300 };
        let octets = decision.build(&request, &secret, &mut reply).unwrap().unwrap();
        let reply = Packet::parse(octets).unwrap();
        let values = |kind| reply.all(kind).map(radius_protocol::Attribute::value).collect::<Vec<_>>();
        assert_eq!(values(REPLY_MESSAGE), [longest.as_bytes()]);
        assert_eq!(values(PROMPT), [1_u32.to_be_bytes()]);
        assert!(!octets.windows(7).any(|part| part == b"otpauth"));
    }

    #[test]
    fn a_challenge_is_signed_first_and_carries_proxy_states_in_order() {
        let secret = SharedSecret::new(b"a secret of the gate").unwrap();
        let (mut request, mut reply) = ([0; 4096], [0; 4096]);
        let mut builder = RequestBuilder::access_request(&mut request, &secret, 7, [9; 16]);
        builder.user_name("alice").unwrap().attribute(PROXY_STATE, b"first").unwrap();
        let octets = builder.attribute(PROXY_STATE, b"second").map(|_| ());
        octets.unwrap();
        let request = Packet::parse(builder.finish()).unwrap();
        let prompt = Prompt::hidden(text::CODE);
        let decision = Decision::Challenge { prompt, state: vec![5; 104], seconds: 300 };
        let octets = decision.build(&request, &secret, &mut reply).unwrap().unwrap();
        let reply = Packet::parse(octets).unwrap();
        let verdict = reply.verify_reply(&request, &secret, MessageAuthenticatorDemand::Required);
        assert_eq!((reply.code(), verdict), (Code::AccessChallenge, ReplyVerdict::Genuine));
        assert_eq!(
            reply.attributes().next().map(radius_protocol::Attribute::kind),
            Some(MESSAGE_AUTHENTICATOR)
        );
        let proxy_states: Vec<_> = reply.all(PROXY_STATE).map(radius_protocol::Attribute::value).collect();
        assert_eq!(proxy_states, [b"first".as_slice(), b"second"]);
    }
}
