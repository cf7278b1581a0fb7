//! `countersign test`: a login through the core, here at the terminal. The door shows what a door shows,
//! and then tells the administrator what no user hears: the reason.

use assembly::Office;
use clap::Args;
use common::attempt::Profile;
use common::engine::Reply;
use common::login::{Echo, Prompt};
use common::{
    Answer, Attempt, AttemptId, Door, Grounds, Place, PrimaryMode, Secret, Target, TypedName, Verdict,
};
use nix::unistd::User;
use serde::Serialize;

use crate::command::Outcome;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::terminal;

/// Arguments of `test`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The user, as it would be typed at a login.
    name: String,
    /// As if at this PAM service.
    #[arg(long, default_value = "sshd")]
    service: String,
    /// As if through this RADIUS client, with its profile, instead of a service.
    #[arg(long, conflicts_with = "service")]
    client: Option<String>,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<Outcome, Failure> {
    let (place, profile) = place(context, arguments)?;
    let office = context.office()?;
    let attempt = Attempt {
        door: Door::CommandLine,
        place,
        typed: TypedName::new(arguments.name.as_bytes()),
        source: None,
        target: target(&arguments.name),
        primary: PrimaryMode::Own,
        profile,
    };
    let (id, verdict) = sign_in(&office, &attempt)?;
    context.say(&Tried::new(&attempt, id, &verdict))?;
    Ok(match verdict {
        Verdict::Accept(_) => Outcome::Done,
        Verdict::Reject(_) | Verdict::Unavailable(_) => Outcome::Refused,
    })
}

fn place(context: &Context, arguments: &Arguments) -> Result<(Place, Profile), Failure> {
    let Some(client) = &arguments.client else {
        let service = arguments.service.clone();
        let profile = context.settings_without_clients()?.services.profile(&service);
        return Ok((Place::Service(service), profile));
    };
    let settings = context.settings()?;
    let found = settings.clients.by_name(client).ok_or_else(|| Failure::NoSuchClient(client.clone()))?;
    Ok((Place::Client(client.clone()), found.profile))
}

fn target(name: &str) -> Target {
    let user = User::from_name(name).ok().flatten();
    if user.is_some_and(|user| user.uid.is_root()) { Target::Root } else { Target::Ordinary }
}

fn sign_in(office: &Office, attempt: &Attempt) -> Result<(AttemptId, Verdict), Failure> {
    let mut reply = office.engine.begin(attempt, None);
    loop {
        let (session, prompt) = match reply {
            Reply::Done(id, verdict) => return Ok((id, verdict)),
            Reply::Ask(session, prompt) => (session, prompt),
        };
        office.store.release();
        let answer = ask(&prompt).inspect_err(|_| office.engine.abandon(attempt, &session))?;
        reply = office.engine.answer(attempt, &session, &Answer::from_octets(answer));
    }
}

fn ask(prompt: &Prompt) -> Result<Secret, Failure> {
    match prompt.echo {
        Echo::Hide => terminal::secret(prompt.text, "answer to the next question"),
        Echo::Show => terminal::answer(prompt.text, "answer to the next question").map(Secret::from),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Tried {
    user: String,
    place: String,
    verdict: &'static str,
    grounds: Option<&'static str>,
    reason: &'static str,
    meaning: &'static str,
    attempt: String,
}

impl Tried {
    fn new(attempt: &Attempt, id: AttemptId, verdict: &Verdict) -> Self {
        let (word, grounds) = match verdict {
            Verdict::Accept(accept) => ("accept", Some(grounds(accept.grounds()))),
            Verdict::Reject(_) => ("reject", None),
            Verdict::Unavailable(_) => ("unavailable", None),
        };
        Self {
            user: attempt.typed.as_str().to_owned(),
            place: attempt.place.to_string(),
            verdict: word,
            grounds,
            reason: verdict.reason().name(),
            meaning: verdict.reason().meaning(),
            attempt: id.to_string(),
        }
    }
}

const fn grounds(grounds: Grounds) -> &'static str {
    match grounds {
        Grounds::BothProofs => "both-proofs",
        Grounds::AppPassword => "app-password",
        Grounds::SecondProof => "second-proof",
        Grounds::PrimaryAlone => "primary-alone",
        Grounds::PolicyAlone => "policy-alone",
    }
}

impl Report for Tried {
    fn text(&self) -> String {
        let verdict = match self.verdict {
            "accept" => "Accepted",
            "reject" => "Refused",
            _ => "Could not tell",
        };
        format!(
            "{verdict} at {}: {}\nReason {}, attempt {}.\n",
            self.place, self.meaning, self.reason, self.attempt
        )
    }
}
