//! `countersign enroll NAME hotp`: a token that counts.

use clap::Args;
use common::acts::{Act, HotpProof, Label, NewHotp};
use common::{Secret, hotp, totp};

use super::{Enrolment, Proven, brought_secret};
use crate::failure::Failure;
use crate::terminal;
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
pub(super) fn enroll(enrolment: &Enrolment<'_>, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { label, digits, counter, secret_stdin } = arguments;
    let Enrolment { office, name, .. } = enrolment;
    let (secret, known_counter) = if secret_stdin {
        (brought_secret()?, counter)
    } else {
        let secret = totp::generate_secret(office.engine.random());
        // A secret that nobody has used stands where it begins.
        let counter = counter.unwrap_or(0);
        let issuer = &office.engine.policy().issuer;
        enrolment.offer(&secret, hotp::otpauth_uri(issuer, name.as_str(), digits, counter, &secret))?;
        (secret, Some(counter))
    };
    let proven = enrolment.prove(|| {
        let first = code("Code that it shows: ")?;
        let proof = match known_counter {
            Some(_) => HotpProof::Code(first),
            None => HotpProof::Codes(first, code("The next code: ")?),
        };
        let (label, secret, counter) = (label.clone(), secret.clone(), known_counter.unwrap_or(0));
        Ok(Act::AddHotp(NewHotp { label, digits, secret, counter, proof }))
    })?;
    match proven {
        Proven::Yes => Ok(()),
        Proven::No => Err(Failure::TokenNotRegistered((*name).clone())),
    }
}

fn code(question: &str) -> Result<Secret, Failure> {
    Ok(Secret::from(terminal::answer(question, "code")?))
}
