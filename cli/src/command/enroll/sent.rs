//! `countersign enroll NAME mobile`, `office` and `email`: where codes are sent. No code proves it: whoever types the command
//! answers for it, and the record says so.

use clap::Args;
use common::acts::{Act, Label, NewSent};
use common::address::{Address, Extension, MailAddress, PhoneNumber};

use super::Enrolment;
use crate::failure::Failure;
use crate::words::label;

/// Arguments of `enroll NAME mobile`.
#[derive(Args)]
pub(crate) struct Mobile {
    /// The number with its country, such as +4915112345678.
    #[arg(value_parser = PhoneNumber::parse)]
    number: PhoneNumber,
    /// The user's word for it.
    #[arg(long, value_parser = label, default_value = "mobile")]
    label: Label,
}

/// Arguments of `enroll NAME office`.
#[derive(Args)]
pub(crate) struct OfficePhone {
    /// The number with its country, such as +493012345.
    #[arg(value_parser = PhoneNumber::parse)]
    number: PhoneNumber,
    /// What is dialled after it.
    #[arg(long, value_parser = Extension::parse)]
    extension: Option<Extension>,
    /// The user's word for it.
    #[arg(long, value_parser = label, default_value = "office")]
    label: Label,
}

/// Arguments of `enroll NAME email`.
#[derive(Args)]
pub(crate) struct Email {
    /// The mail address.
    #[arg(value_parser = MailAddress::parse)]
    address: MailAddress,
    /// The user's word for it.
    #[arg(long, value_parser = label, default_value = "mail")]
    label: Label,
}

impl From<Mobile> for NewSent {
    fn from(Mobile { number, label }: Mobile) -> Self {
        Self { label, address: Address::Mobile(number) }
    }
}

impl From<OfficePhone> for NewSent {
    fn from(OfficePhone { number, extension, label }: OfficePhone) -> Self {
        Self { label, address: Address::Office(number, extension) }
    }
}

impl From<Email> for NewSent {
    fn from(Email { address, label }: Email) -> Self {
        Self { label, address: Address::Email(address) }
    }
}

/// Registers a number or address on behalf of the user.
pub(super) fn enroll(enrolment: &Enrolment<'_>, sent: NewSent) -> Result<(), Failure> {
    let Enrolment { context, office, name } = enrolment;
    let issued = context.act(office, name, &Act::AddSent(sent))?;
    enrolment.say_registered(&issued)
}
