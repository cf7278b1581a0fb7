//! `countersign enroll NAME totp`: an authenticator app, or a token that goes by the clock.

use clap::Args;
use common::Secret;
use common::acts::{Act, EnrolmentProof, Label, NewTotp};
use common::totp::{self, TotpAlgorithm, TotpParameters};

use super::{Enrolment, Proven, brought_secret};
use crate::failure::Failure;
use crate::terminal;
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
pub(super) fn enroll(enrolment: &Enrolment<'_>, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { label, algorithm, digits, period_seconds, secret_stdin } = arguments;
    let parameters = TotpParameters { algorithm, digits, period_seconds };
    let Enrolment { office, name, .. } = enrolment;
    let secret = if secret_stdin {
        brought_secret()?
    } else {
        let secret = totp::generate_secret(office.engine.random());
        let uri = totp::otpauth_uri(&office.engine.policy().issuer, name.as_str(), parameters, &secret);
        enrolment.offer(&secret, uri)?;
        secret
    };
    let proven = enrolment.prove(|| {
        let code = terminal::answer("Code that it shows now: ", "code")?;
        let proof = EnrolmentProof::Code(Secret::from(code));
        Ok(Act::AddTotp(NewTotp { label: label.clone(), parameters, secret: secret.clone(), proof }))
    })?;
    match proven {
        Proven::Yes => Ok(()),
        Proven::No => Err(Failure::NotRegistered((*name).clone())),
    }
}
