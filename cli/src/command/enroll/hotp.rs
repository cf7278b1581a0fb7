//! `countersign enroll NAME hotp`: a token that counts.

use assembly::Office;
use clap::Args;
use common::acts::{Act, ActError, HotpProof, Label, NewHotp};
use common::{Secret, Username, hotp, totp};

use super::{TRIES, brought_secret, offer, say_registered};
use crate::context::Context;
use crate::failure::Failure;
use crate::terminal::{self, Seat};
use crate::words::label;

/// Arguments of `enroll NAME hotp`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The user's word for it.
    #[arg(long, value_parser = label, default_value = "token")]
    label: Label,
    /// Digits of a code.
    #[arg(long, value_parser = clap::value_parser!(u8).range(6..=8), default_value_t = 6)]
    digits: u8,
    /// The counter of the next code, where it is known: one code is proof then. Without it, two codes in a row.
    #[arg(long)]
    counter: Option<u64>,
    /// Read the secret in base32 from a line of standard input instead of making one; the codes are on the next lines.
    #[arg(long)]
    secret_stdin: bool,
}

/// Shows a secret, or reads one, and registers it once codes of it have come back.
pub(super) fn enroll(
    context: &Context,
    office: &Office,
    name: &Username,
    arguments: Arguments,
) -> Result<(), Failure> {
    let Arguments { label, digits, counter, secret_stdin } = arguments;
    let (secret, counter) = if secret_stdin {
        (brought_secret()?, counter)
    } else {
        let secret = totp::generate_secret(office.engine.random());
        // A secret that nobody has used stands where it begins.
        let counter = counter.unwrap_or(0);
        let issuer = &office.engine.policy().issuer;
        offer(context, name, &secret, hotp::otpauth_uri(issuer, name.as_str(), digits, counter, &secret))?;
        (secret, Some(counter))
    };
    let proof = HotpProof::Imported;
    let hotp = NewHotp { label, digits, secret, counter: counter.unwrap_or(0), proof };
    prove(context, office, name, hotp, counter.is_some())
}

/// Asks until it fits: a person may mistype, a script has its lines once.
fn prove(
    context: &Context,
    office: &Office,
    name: &Username,
    mut hotp: NewHotp,
    is_counter_known: bool,
) -> Result<(), Failure> {
    let tries = match terminal::seat() {
        Seat::Terminal => TRIES,
        Seat::Script => 1,
    };
    for left in (0..tries).rev() {
        hotp.proof = if is_counter_known {
            HotpProof::Code(code("Code that it shows: ")?)
        } else {
            HotpProof::Codes(code("Code that it shows: ")?, code("The next code: ")?)
        };
        match context.act(office, name, &Act::AddHotp(hotp.clone())) {
            Err(Failure::Act(wrong @ (ActError::WrongCode | ActError::WrongCodes))) if left > 0 => {
                context.warn(&wrong.to_string());
            }
            Err(Failure::Act(ActError::WrongCode | ActError::WrongCodes)) => break,
            Err(failure) => return Err(failure),
            Ok(issued) => return say_registered(context, office, name, &issued),
        }
    }
    Err(Failure::TokenNotRegistered(name.clone()))
}

fn code(question: &str) -> Result<Secret, Failure> {
    Ok(Secret::from(terminal::answer(question, "code")?))
}
