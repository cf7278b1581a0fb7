//! `countersign test`: a login through the core, here at the terminal. The door shows what a door shows,
//! and then tells the administrator what no user hears: the reason.

use assembly::Office;
use assembly::config::{Primary, Settings};
use clap::Args;
use common::engine::Reply;
use common::login::{Echo, Prompt};
use common::{
    Answer, Attempt, AttemptId, Door, Grounds, Parties, Place, PrimaryMode, Reason, Secret, Target,
    TypedName, Verdict,
};
use nix::unistd::User;
use serde::Serialize;

use crate::command::Outcome;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::terminal;
use crate::words::one_of;

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
    /// Who has checked the first password, as in the PAM stack; where nothing is said, the backend tells.
    #[arg(long, value_parser = one_of(&PRIMARIES, primary_word), conflicts_with = "client")]
    primary: Option<PrimaryMode>,
}

/// The stacks with a login to try: after `failed` there is none for anybody without an app password.
const PRIMARIES: [PrimaryMode; 3] = [PrimaryMode::Own, PrimaryMode::Stack, PrimaryMode::None];

/// As in a PAM stack.
const fn primary_word(primary: PrimaryMode) -> &'static str {
    match primary {
        PrimaryMode::Own => "own",
        PrimaryMode::Stack => "stack",
        PrimaryMode::Failed => "failed",
        PrimaryMode::None => "none",
    }
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<Outcome, Failure> {
    let attempt = attempt(context, arguments)?;
    let office = context.office().inspect_err(|failure| {
        if failure.store_trouble().is_some() {
            context.warn(
                "no login can be tried without the store. Break-glass accounts get in at PAM services all the same: \
                 'countersign break-glass status' says which",
            );
        }
    })?;
    let (id, verdict) = sign_in(&office, &attempt)?;
    context.say(&Tried::new(&attempt, id, &verdict))?;
    Ok(match verdict {
        Verdict::Accept(_) => Outcome::Done,
        Verdict::Reject(_) | Verdict::Unavailable(_) => Outcome::Refused,
    })
}

/// What the door in question would tell the core.
fn attempt(context: &Context, arguments: &Arguments) -> Result<Attempt, Failure> {
    let typed = TypedName::new(arguments.name.as_bytes());
    let Some(client) = &arguments.client else {
        let settings = context.settings_without_clients()?;
        return Ok(Attempt {
            identity: None,
            door: Door::CommandLine,
            place: Place::Service(arguments.service.clone()),
            typed,
            source: None,
            target: target(User::from_name(&arguments.name)),
            parties: Parties::default(),
            primary: arguments.primary.unwrap_or(implied(&settings)),
            profile: settings.services.profile(&arguments.service),
        });
    };
    let settings = context.settings()?;
    let found = settings.clients.by_name(client).ok_or_else(|| Failure::NoSuchClient(client.clone()))?;
    Ok(Attempt {
        identity: None,
        door: Door::CommandLine,
        place: Place::Client(client.clone()),
        typed,
        source: None,
        target: Target::Ordinary,
        parties: Parties::default(),
        primary: implied(&settings),
        profile: found.profile,
    })
}

/// Where nobody checks passwords here, asking for one could only end in "could not tell".
fn implied(settings: &Settings) -> PrimaryMode {
    match &settings.primary {
        Primary::Local | Primary::Pam { .. } => PrimaryMode::Own,
        Primary::None => PrimaryMode::None,
    }
}

/// As at the PAM door: where nobody can tell whose uid it is, root's rights are assumed to be at stake.
fn target(found: nix::Result<Option<User>>) -> Target {
    match found {
        Ok(Some(user)) if !user.uid.is_root() => Target::Ordinary,
        Ok(None) => Target::Ordinary,
        Ok(Some(_)) | Err(_) => Target::Root,
    }
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
    if let Some(uri) = &prompt.qr {
        terminal::draw(uri)?;
    }
    match prompt.echo {
        Echo::Hide => terminal::secret(prompt.text(), "answer to the next question"),
        Echo::Show => terminal::answer(prompt.text(), "answer to the next question").map(Secret::from),
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
        // Some meanings begin with the verdict, which stands there already; and no other module is here.
        let accepted = ["Accepted, or left to other modules,", "Accepted"];
        let meaning = accepted.iter().find_map(|words| self.meaning.strip_prefix(words));
        let meaning = meaning.map_or_else(|| format!(": {}", self.meaning), str::to_owned);
        let mut text = format!(
            "{verdict} at {}{meaning}\nReason {}, attempt {}.\n",
            self.place, self.reason, self.attempt
        );
        if self.reason == Reason::SkippedDisabled.name() {
            text.push_str(&format!("'countersign user enforce {}' has it asked for.\n", self.user));
        }
        if self.reason.starts_with("store-") || self.reason == Reason::KeyUnavailable.name() {
            text.push_str("'countersign store check' says what to do.\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use common::{Reason, Target};
    use nix::errno::Errno;
    use nix::unistd::User;

    use super::{Tried, target};
    use crate::report::Report as _;

    #[test]
    fn an_accept_without_a_second_step_says_so_and_what_changes_it() {
        let reason = Reason::SkippedDisabled;
        let tried = Tried {
            user: "alice".to_owned(),
            place: "service sshd".to_owned(),
            verdict: "accept",
            grounds: None,
            reason: reason.name(),
            meaning: reason.meaning(),
            attempt: "1".to_owned(),
        };
        let text = tried.text();
        assert!(
            text.starts_with("Accepted at service sshd without a second step: the account's state"),
            "{text}"
        );
        assert!(text.contains("'countersign user enforce alice'"), "{text}");
    }

    #[test]
    fn whose_uid_nobody_can_tell_is_taken_for_root() {
        assert_eq!(target(Err(Errno::EIO)), Target::Root);
        assert_eq!(target(User::from_name("root")), Target::Root);
        assert_eq!(target(User::from_name("nobody")), Target::Ordinary);
        assert_eq!(target(Ok(None)), Target::Ordinary);
    }
}
