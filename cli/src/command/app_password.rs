//! `countersign app-password`: generated passwords for programs that cannot answer a second question.

use assembly::Office;
use clap::{Args, Subcommand};
use common::account::{Role, Scope};
use common::acts::{Act, Issued, Label};
use common::{AppPasswordId, Username};
use serde::Serialize;

use crate::command::Outcome;
use crate::command::user::{ActDone, Name, account};
use crate::context::Context;
use crate::failure::Failure;
use crate::given_out::GivenOut;
use crate::pam_services;
use crate::report::Report;
use crate::view::{AppPasswordView, app_password_table};
use crate::words::{app_password_id, label, username};

/// What is done to app passwords.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make an app password; it is shown once.
    Create(Create),
    /// List the app passwords of a user.
    List(Name),
    /// Revoke an app password.
    Revoke(Revoke),
}

/// Arguments of `app-password create`.
#[derive(Args)]
pub(crate) struct Create {
    /// The user.
    #[arg(value_parser = username)]
    name: Username,
    /// What it is for, such as "backup script".
    #[arg(long, value_parser = label)]
    label: Label,
    #[command(flatten)]
    scope: ScopeArguments,
}

/// Where it is good; at least one place.
#[derive(Args)]
#[group(required = true, multiple = true)]
struct ScopeArguments {
    /// A PAM service where it is good, such as sshd; may be given again.
    #[arg(long = "service", value_name = "SERVICE")]
    services: Vec<String>,
    /// A RADIUS client where it is good; may be given again.
    #[arg(long = "client", value_name = "CLIENT")]
    clients: Vec<String>,
}

/// Arguments of `app-password revoke`.
#[derive(Args)]
pub(crate) struct Revoke {
    /// The user.
    #[arg(value_parser = username)]
    name: Username,
    /// The app password, as `app-password list` shows it.
    #[arg(value_parser = app_password_id)]
    id: AppPasswordId,
}

pub(crate) fn run(context: &Context, command: Command) -> Result<Outcome, Failure> {
    let office = context.office()?;
    match command {
        Command::Create(arguments) => create(context, &office, arguments)?,
        Command::List(Name { name }) => {
            let passwords = account(&office, &name)?.app_passwords;
            context.say(&PasswordList(passwords.iter().map(AppPasswordView::new).collect()))?;
        }
        Command::Revoke(Revoke { name, id }) => {
            let act = Act::RevokeAppPassword(id);
            context.act(&office, &name, &act)?;
            context.say(&ActDone::new(&name, &act, format!("{name}: app password {id} is revoked.\n")))?;
        }
    }
    Ok(Outcome::Done)
}

fn create(context: &Context, office: &Office, arguments: Create) -> Result<(), Failure> {
    let ScopeArguments { services, clients } = arguments.scope;
    warn_of_places(context, office, &arguments.name, &services, &clients)?;
    let scope = Scope { services: services.clone(), clients: clients.clone() };
    let act = Act::CreateAppPassword { label: arguments.label, scope };
    let issued = context.act(office, &arguments.name, &act)?;
    let Issued::AppPassword(id, password) = issued else { return Ok(()) };
    let id = id.to_string();
    let app_password = GivenOut::from(password);
    context.say(&Created { user: arguments.name.to_string(), id, app_password, services, clients })
}

/// An app password that is refused everywhere would only puzzle its user later.
fn warn_of_places(
    context: &Context,
    office: &Office,
    name: &Username,
    services: &[String],
    clients: &[String],
) -> Result<(), Failure> {
    let privileged = &office.engine.policy().privileged_services;
    for service in services.iter().filter(|service| privileged.contains(*service)) {
        context.warn(&format!(
            "{service} is privileged: an app password is good there only where a rule names the method"
        ));
    }
    for service in services.iter().filter(|service| !pam_services::is_there(service)) {
        context.warn(&pam_services::absence(service));
    }
    if account(office, name)?.role == Role::Administrator {
        context.warn(&format!(
            "{name} is an administrator: an app password is good only where a rule names the method"
        ));
    }
    if !clients.is_empty() {
        let settings = context.settings()?;
        for client in clients.iter().filter(|client| settings.clients.by_name(client).is_none()) {
            context
                .warn(&format!("there is no RADIUS client {client} yet: 'countersign client add' makes one"));
        }
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(transparent)]
struct PasswordList(Vec<AppPasswordView>);

impl Report for PasswordList {
    fn text(&self) -> String {
        if self.0.is_empty() {
            return "There is no app password. 'countersign app-password create NAME' makes one.\n"
                .to_owned();
        }
        app_password_table(&self.0)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Created {
    user: String,
    id: String,
    app_password: GivenOut,
    services: Vec<String>,
    clients: Vec<String>,
}

impl Report for Created {
    fn text(&self) -> String {
        let services = self.services.iter().map(|service| format!("service {service}"));
        let places: Vec<_> =
            services.chain(self.clients.iter().map(|client| format!("client {client}"))).collect();
        format!(
            "App password {} of {}, good at {}. It is shown only now; capitals and hyphens do not matter.\n\n  {}\n",
            self.id,
            self.user,
            places.join(", "),
            self.app_password.text()
        )
    }
}
