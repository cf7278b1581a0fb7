//! `countersign client`: the RADIUS clients. The file is changed; a running server hears of it by SIGHUP.

use assembly::SystemRandom;
use assembly::config::edit::{self, NewClient};
use assembly::config::words::Word as _;
use assembly::config::{Client, Kind};
use clap::{Args, Subcommand};
use common::Secret;
use common::attempt::Dialogue;
use common::codes::Shape;
use common::ports::Random;
use serde::Serialize;

use crate::command::Outcome;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::table::table;
use crate::words::one_of;

/// How a running server takes the change over.
const RELOAD: &str = "A running server takes this over with: systemctl reload countersign-radiusd\n";

/// What is done to RADIUS clients.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add a client with a strong secret of its own, which is shown once.
    Add(Add),
    /// List the clients, without their secrets.
    List,
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
    let settings = context.settings()?;
    let file = &settings.clients_file;
    match command {
        Command::Add(arguments) => {
            let secret = new_secret(&SystemRandom)?;
            let client = NewClient {
                name: arguments.name.clone(),
                addresses: arguments.addresses,
                secret: secret.clone(),
                kind: arguments.kind,
                dialogue: arguments.dialogue,
            };
            edit::add_client(file, &client)?;
            say_secret(context, arguments.name, &secret, "")?;
        }
        Command::List => {
            context
                .say(&ClientList(settings.clients.iter().map(|client| ClientLine::new(client)).collect()))?;
        }
        Command::RotateSecret(RotateSecret { name, finish: true }) => {
            edit::drop_previous_secret(file, &name)?;
            let text = format!("{name}: only the new secret is good now.\n{RELOAD}");
            context.say(&ClientChanged { client: name, change: "rotate-secret finish", text })?;
        }
        Command::RotateSecret(RotateSecret { name, finish: false }) => {
            let secret = new_secret(&SystemRandom)?;
            edit::rotate_secret(file, &name, &secret)?;
            let finish = format!(
                "The old secret stays good. When the client has the new one, run:\n\
                 countersign client rotate-secret {name} --finish\n"
            );
            say_secret(context, name, &secret, &finish)?;
        }
        Command::Remove(Name { name }) => {
            edit::remove_client(file, &name)?;
            let text = format!("{name}: removed.\n{RELOAD}");
            context.say(&ClientChanged { client: name, change: "remove", text })?;
        }
    }
    Ok(Outcome::Done)
}

/// Two app passwords in a row: 40 characters without look-alikes, 198 bits.
fn new_secret(random: &dyn Random) -> Result<Secret, Failure> {
    let half = || Shape::AppPassword.normalise(&Shape::AppPassword.generate(random));
    let (Some(first), Some(second)) = (half(), half()) else { return Err(Failure::NoSecretMade) };
    Ok(Secret::new([first.expose(), second.expose()].concat()))
}

fn say_secret(context: &Context, client: String, secret: &Secret, finish: &str) -> Result<(), Failure> {
    let secret = secret.expose_text().unwrap_or_default().to_owned();
    context.say(&ClientSecret { client, secret, finish: finish.to_owned() })
}

/// A client whose secret is new.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ClientSecret {
    client: String,
    secret: String,
    #[serde(skip)]
    finish: String,
}

impl Report for ClientSecret {
    fn text(&self) -> String {
        format!("Secret of {}, shown only now:\n\n  {}\n\n{}{RELOAD}", self.client, self.secret, self.finish)
    }
}

/// Another change of a client.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ClientChanged {
    client: String,
    change: &'static str,
    #[serde(skip)]
    text: String,
}

impl Report for ClientChanged {
    fn text(&self) -> String {
        self.text.clone()
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
