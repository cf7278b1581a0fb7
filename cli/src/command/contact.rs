//! `countersign contact`: numbers and addresses where a user hears of changes, and by which the first registration may be
//! proven. No code is sent to them to sign in.

use clap::{Args, Subcommand};
use common::account::{Contact, SetBy};
use common::acts::{Act, Issued};
use common::address::{Address, AddressError, Extension, MailAddress, PhoneNumber};
use common::{ContactId, Username};
use serde::Serialize;

use crate::command::Outcome;
use crate::command::user::{ActDone, Name, account};
use crate::context::Context;
use crate::failure::Failure;
use crate::moment::rfc3339;
use crate::report::Report;
use crate::table::table;
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
            let contacts = account(&office, name)?.contacts;
            context.say(&ContactList(contacts.iter().map(ContactView::new).collect()))?;
        }
    }
    Ok(Outcome::Done)
}

/// All of it: whoever may change it must be able to check it.
pub(crate) fn full(address: &Address) -> String {
    match address {
        Address::Mobile(number) | Address::Office(number, None) => number.to_string(),
        Address::Office(number, Some(extension)) => format!("{number} extension {extension}"),
        Address::Email(address) => address.to_string(),
    }
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

/// One contact.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ContactView {
    id: String,
    kind: &'static str,
    address: String,
    set_by: &'static str,
    added_at: String,
}

impl ContactView {
    fn new(contact: &Contact) -> Self {
        Self {
            id: contact.id.to_string(),
            kind: contact.address.kind(),
            address: full(&contact.address),
            set_by: contact.set_by.name(),
            added_at: rfc3339(contact.added_at),
        }
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
        let row = |contact: &ContactView| {
            let ContactView { id, kind, address, set_by, added_at } = contact;
            vec![id.clone(), (*kind).to_owned(), address.clone(), (*set_by).to_owned(), added_at.clone()]
        };
        table(&["contact", "kind", "address", "set by", "added"], self.0.iter().map(row))
    }
}
