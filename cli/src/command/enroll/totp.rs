//! `countersign enroll NAME totp`: an authenticator app, or a token that goes by the clock.

use assembly::Office;
use clap::Args;
use common::acts::{Act, ActError, EnrolmentProof, Label, NewTotp};
use common::totp::{self, TotpAlgorithm, TotpParameters};
use common::{Secret, Username};

use super::{TRIES, brought_secret, offer, say_registered};
use crate::context::Context;
use crate::failure::Failure;
use crate::terminal::{self, Seat};
use crate::words::{label, one_of};

/// Arguments of `enroll NAME totp`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The user's word for it.
    #[arg(long, value_parser = label, default_value = "authenticator")]
    label: Label,
    /// The hash; many apps know sha1 only.
    #[arg(long, value_parser = one_of(&TotpAlgorithm::ALL, TotpAlgorithm::word), default_value = "sha1")]
    algorithm: TotpAlgorithm,
    /// Digits of a code.
    #[arg(long, value_parser = clap::value_parser!(u8).range(6..=8), default_value_t = 6)]
    digits: u8,
    /// Seconds for which a code is shown.
    #[arg(long, value_parser = clap::value_parser!(u32).range(10..=300), default_value_t = 30)]
    period_seconds: u32,
    /// Read the secret in base32 from a line of standard input instead of making one; the code is on the next line.
    #[arg(long)]
    secret_stdin: bool,
}

/// Shows a secret, or reads one, and registers it once a code of it has come back.
pub(super) fn enroll(
    context: &Context,
    office: &Office,
    name: &Username,
    arguments: Arguments,
) -> Result<(), Failure> {
    let parameters = TotpParameters {
        algorithm: arguments.algorithm,
        digits: arguments.digits,
        period_seconds: arguments.period_seconds,
    };
    let secret = if arguments.secret_stdin {
        brought_secret()?
    } else {
        let secret = totp::generate_secret(office.engine.random());
        let uri = totp::otpauth_uri(&office.engine.policy().issuer, name.as_str(), parameters, &secret);
        offer(context, name, &secret, uri)?;
        secret
    };
    let proof = EnrolmentProof::Imported;
    prove(context, office, name, NewTotp { label: arguments.label, parameters, secret, proof })
}

/// Asks for a code until one fits: a person may mistype, a script has one line.
fn prove(context: &Context, office: &Office, name: &Username, mut totp: NewTotp) -> Result<(), Failure> {
    let tries = match terminal::seat() {
        Seat::Terminal => TRIES,
        Seat::Script => 1,
    };
    for left in (0..tries).rev() {
        let code = terminal::answer("Code that it shows now: ", "code")?;
        totp.proof = EnrolmentProof::Code(Secret::from(code));
        match context.act(office, name, &Act::AddTotp(totp.clone())) {
            Err(Failure::Act(wrong @ ActError::WrongCode)) if left > 0 => context.warn(&wrong.to_string()),
            Err(Failure::Act(ActError::WrongCode)) => break,
            Err(failure) => return Err(failure),
            Ok(issued) => return say_registered(context, office, name, &issued),
        }
    }
    Err(Failure::NotRegistered(name.clone()))
}
