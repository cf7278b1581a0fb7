//! `countersign client`: the RADIUS clients. The file is changed; a running server hears of it by SIGHUP.

use std::path::Path;

use assembly::SystemRandom;
use assembly::config::edit::{self, NewClient, Rotation};
use assembly::config::words::Word as _;
use assembly::config::{Client, Kind};
use clap::{Args, Subcommand};
use common::attempt::Dialogue;
use common::codes::Shape;
use common::ports::Random;
use common::{Place, Secret};
use serde::Serialize;

use crate::actor::actor;
use crate::command::Outcome;
use crate::context::Context;
use crate::failure::Failure;
use crate::given_out::GivenOut;
use crate::report::Report;
use crate::table::table;
use crate::words::one_of;

/// How a running server takes the change over.
const RELOAD: &str = "A running server takes this over with: systemctl reload countersign-radiusd\n";

/// What is done with RADIUS clients.
#[derive(Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Change(Change),
    /// List the clients, without their secrets.
    List,
}

/// What is done to RADIUS clients.
#[derive(Subcommand)]
pub(crate) enum Change {
    /// Add a client with a strong secret of its own, which is shown once.
    Add(Add),
    /// Give a client a new secret; the old one stays good until --finish.
    RotateSecret(RotateSecret),
    /// Remove a client.
    Remove(Name),
}

/// Arguments of `client add`.
#[derive(Args)]
pub(crate) struct Add {
    /// The name in rules, records and scopes of app passwords.
    name: String,
    /// An address or network that its packets come from; may be given again.
    #[arg(long = "address", value_name = "ADDRESS", required = true)]
    addresses: Vec<String>,
    /// What it can do.
    #[arg(long, value_parser = one_of(Kind::ALL, Kind::word), default_value = Kind::Challenge.word())]
    kind: Kind,
    /// How much its dialogue gives away before the second proof.
    #[arg(long, value_parser = one_of(Dialogue::ALL, Dialogue::word), default_value = Dialogue::Neutral.word())]
    dialogue: Dialogue,
}

/// Arguments of `client rotate-secret`.
#[derive(Args)]
pub(crate) struct RotateSecret {
    /// The client.
    name: String,
    /// Drop the old secret: the client has the new one.
    #[arg(long)]
    finish: bool,
}

/// One client.
#[derive(Args)]
pub(crate) struct Name {
    /// The client.
    name: String,
}

pub(crate) fn run(context: &Context, command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Change(command) => {
            let settings = context.settings_before_change()?;
            change(context, &settings.clients_file, command)?;
            // Such as: nothing of a new client arrives at a server that listens on loopback only.
            context.settings()?;
        }
        Command::List => {
            let settings = context.settings()?;
            let clients = settings.clients.iter().map(|client| ClientLine::new(client));
            context.say(&ClientList(clients.collect()))?;
        }
    }
    Ok(Outcome::Done)
}

fn change(context: &Context, file: &Path, command: Change) -> Result<(), Failure> {
    // First, so that nothing is changed that cannot be recorded.
    let office = context.office()?;
    let changed = match command {
        Change::Add(arguments) => add(file, arguments)?,
        Change::RotateSecret(RotateSecret { name, finish: true }) => {
            edit::drop_previous_secret(file, &name)?;
            Changed {
                client: name,
                change: "rotate-secret finish",
                secret: None,
                done: "only the new secret is good now",
            }
        }
        Change::RotateSecret(RotateSecret { name, finish: false }) => rotate_secret(file, name)?,
        Change::Remove(Name { name }) => {
            edit::remove_client(file, &name)?;
            Changed { client: name, change: "remove", secret: None, done: "removed" }
        }
    };
    let place = Place::Client(changed.client.clone());
    office.engine.record_act(&actor(), place, &format!("client {}", changed.change), changed.done.to_owned());
    context.say(&changed)
}

fn rotate_secret(file: &Path, name: String) -> Result<Changed, Failure> {
    let secret = new_secret(&SystemRandom)?;
    let done = match edit::rotate_secret(file, &name, &secret)? {
        Rotation::Begun => "has a new secret, and the old one stays good for now",
        Rotation::BegunAgain => {
            "has a new secret in place of the one from the change that was not finished; the secret from before that \
             change stays good for now"
        }
    };
    Ok(Changed { client: name, change: "rotate-secret", secret: Some(secret.into()), done })
}

fn add(file: &Path, arguments: Add) -> Result<Changed, Failure> {
    let secret = new_secret(&SystemRandom)?;
    let new = NewClient {
        name: arguments.name.clone(),
        addresses: arguments.addresses,
        secret: secret.clone(),
        kind: arguments.kind,
        dialogue: arguments.dialogue,
    };
    edit::add_client(file, &new)?;
    Ok(Changed { client: arguments.name, change: "add", secret: Some(secret.into()), done: "added" })
}

/// Two app passwords in a row: 40 characters without look-alikes, 198 bits.
fn new_secret(random: &dyn Random) -> Result<Secret, Failure> {
    let half = || Shape::AppPassword.normalise(&Shape::AppPassword.generate(random));
    let (Some(first), Some(second)) = (half(), half()) else { return Err(Failure::NoSecretMade) };
    Ok(Secret::new([first.expose(), second.expose()].concat()))
}

/// A changed client; with its secret where that is new.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Changed {
    client: String,
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<GivenOut>,
    #[serde(skip)]
    done: &'static str,
}

impl Report for Changed {
    fn text(&self) -> String {
        let Self { client, done, .. } = self;
        let secret = self.secret.as_ref();
        let secret = secret.map_or_else(String::new, |secret| {
            format!("Its secret, shown only now:\n\n  {}\n\n", secret.text())
        });
        let finish = if self.change == "rotate-secret" {
            format!("When the client has the new one: countersign client rotate-secret {client} --finish\n")
        } else {
            String::new()
        };
        format!("{client}: {done}.\n{secret}{RELOAD}{finish}")
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ClientLine {
    client: String,
    addresses: Vec<String>,
    kind: &'static str,
    dialogue: &'static str,
    secret_being_changed: bool,
}

impl ClientLine {
    fn new(client: &Client) -> Self {
        Self {
            client: client.name.clone(),
            addresses: client.networks.iter().map(ToString::to_string).collect(),
            kind: client.kind.word(),
            dialogue: client.profile.dialogue.word(),
            secret_being_changed: client.previous_secret.is_some(),
        }
    }

    fn row(&self) -> Vec<String> {
        let secrets = if self.secret_being_changed { "two, being changed" } else { "one" };
        vec![
            self.client.clone(),
            self.addresses.join(" "),
            self.kind.to_owned(),
            self.dialogue.to_owned(),
            secrets.to_owned(),
        ]
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct ClientList(Vec<ClientLine>);

impl Report for ClientList {
    fn text(&self) -> String {
        if self.0.is_empty() {
            return "There are no RADIUS clients. 'countersign client add NAME --address A' adds one.\n"
                .to_owned();
        }
        table(&["client", "addresses", "kind", "dialogue", "secrets"], self.0.iter().map(ClientLine::row))
    }
}

#[cfg(test)]
mod tests {
    use assembly::SystemRandom;

    use super::new_secret;

    #[test]
    fn a_new_secret_is_long_plain_and_new() {
        let secrets = [new_secret(&SystemRandom).unwrap(), new_secret(&SystemRandom).unwrap()];
        for secret in &secrets {
            let text = secret.expose_text().unwrap();
            assert_eq!(text.len(), 40);
            assert!(!text.contains(['0', 'o', '1', 'l', 'i', '-', '"']), "{text}");
        }
        assert!(secrets[0] != secrets[1]);
    }
}
