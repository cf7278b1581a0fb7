//! `countersign contact`: numbers and addresses where a user hears of changes, and by which the first registration may be
//! proven. No code is sent to them to sign in.

use clap::{Args, Subcommand};
use common::account::SetBy;
use common::acts::{Act, Issued};
use common::address::{Address, AddressError, Extension, MailAddress, PhoneNumber};
use common::{ContactId, Username};
use serde::Serialize;

use crate::command::Outcome;
use crate::command::user::{ActDone, Name, account};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::view::{ContactView, Contacts, contact_table, full};
use crate::words::{contact_id, username};

/// What is done to contacts.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add a number or mail address of a user.
    Add(Add),
    /// Remove one.
    Remove(Remove),
    /// List those of a user.
    List(Name),
}

/// Arguments of `contact add`.
#[derive(Args)]
pub(crate) struct Add {
    /// The user.
    #[arg(value_parser = username)]
    name: Username,
    /// A mail address, or a number with its country such as +4915112345678, which is a mobile.
    #[arg(value_parser = reach)]
    address: Reach,
    /// The number is an office telephone, which gets no text messages.
    #[arg(long)]
    office: bool,
    /// What is dialled after the number of an office telephone.
    #[arg(long, value_parser = Extension::parse, requires = "office")]
    extension: Option<Extension>,
}

/// Arguments of `contact remove`.
#[derive(Args)]
pub(crate) struct Remove {
    /// The user.
    #[arg(value_parser = username)]
    name: Username,
    /// The contact, as `contact list` shows it.
    #[arg(value_parser = contact_id)]
    id: ContactId,
}

/// What can be told apart by its looks.
#[derive(Clone)]
enum Reach {
    Number(PhoneNumber),
    Mail(MailAddress),
}

fn reach(text: &str) -> Result<Reach, AddressError> {
    if text.contains('@') {
        return MailAddress::parse(text).map(Reach::Mail);
    }
    PhoneNumber::parse(text).map(Reach::Number)
}

impl Add {
    fn address(&self) -> Result<Address, Failure> {
        match (&self.address, self.office) {
            (Reach::Number(number), false) => Ok(Address::Mobile(number.clone())),
            (Reach::Number(number), true) => Ok(Address::Office(number.clone(), self.extension.clone())),
            (Reach::Mail(address), false) => Ok(Address::Email(address.clone())),
            (Reach::Mail(_), true) => Err(Failure::MailAtTheOffice),
        }
    }
}

pub(crate) fn run(context: &Context, command: &Command) -> Result<Outcome, Failure> {
    let office = context.office()?;
    match command {
        Command::Add(arguments) => {
            let (name, address) = (&arguments.name, arguments.address()?);
            let shown = full(&address);
            let issued =
                context.act(&office, name, &Act::AddContact { address, set_by: SetBy::Administrator })?;
            let Issued::Contact(id) = issued else { return Ok(Outcome::Done) };
            context.say(&Added { user: name.to_string(), contact: id.to_string(), address: shown })?;
        }
        Command::Remove(Remove { name, id }) => {
            let act = Act::RemoveContact(*id);
            context.act(&office, name, &act)?;
            context.say(&ActDone::new(name, &act, format!("{name}: contact {id} is gone.\n")))?;
        }
        Command::List(Name { name }) => {
            let account = account(&office, name)?;
            context.say(&ContactList(ContactView::all(&account, Contacts::Whole)))?;
        }
    }
    Ok(Outcome::Done)
}

/// A contact that is new.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Added {
    user: String,
    contact: String,
    address: String,
}

impl Report for Added {
    fn text(&self) -> String {
        format!("{}: {} is contact {} now.\n", self.user, self.address, self.contact)
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct ContactList(Vec<ContactView>);

impl Report for ContactList {
    fn text(&self) -> String {
        if self.0.is_empty() {
            return "There is no contact. 'countersign contact add NAME ADDRESS' adds one.\n".to_owned();
        }
        contact_table(&self.0)
    }
}
