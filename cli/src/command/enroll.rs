//! `countersign enroll`: a factor is shown or brought, and counts once a code of it has come back.

use assembly::Office;
use clap::{Args, Subcommand};
use common::acts::{Act, ActError, EnrolmentProof, Issued, Label, NewTotp};
use common::totp::{self, TotpAlgorithm, TotpParameters};
use common::{Secret, Username};
use serde::Serialize;

use crate::command::Outcome;
use crate::command::user::account;
use crate::context::Context;
use crate::failure::Failure;
use crate::given_out::GivenOut;
use crate::qr;
use crate::report::{Drawing, Report};
use crate::terminal::{self, Seat};
use crate::warning::warn_of_lockout;
use crate::words::{label, one_of, username};

/// Codes that a person may type before the enrolment ends without effect.
const TRIES: u8 = 3;

/// Arguments of `enroll`.
#[derive(Args)]
// What clap says of a kind that there is not names none by itself.
#[command(override_usage = "countersign enroll [OPTIONS] <NAME> totp [OPTIONS]")]
pub(crate) struct Arguments {
    /// The user.
    #[arg(value_parser = username)]
    name: Username,
    #[command(subcommand)]
    kind: Kind,
}

/// The kinds of factor.
#[derive(Subcommand)]
enum Kind {
    /// Register an authenticator app, or a token whose secret is known.
    Totp(Totp),
}

/// Arguments of `enroll NAME totp`.
#[derive(Args)]
struct Totp {
    /// The user's word for it.
    #[arg(long, value_parser = label, default_value = "authenticator")]
    label: Label,
    /// The hash; many apps know sha1 only.
    #[arg(long, value_parser = one_of(&ALGORITHMS, word), default_value = "sha1")]
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

const ALGORITHMS: [TotpAlgorithm; 3] = [TotpAlgorithm::Sha1, TotpAlgorithm::Sha256, TotpAlgorithm::Sha512];

const fn word(algorithm: TotpAlgorithm) -> &'static str {
    match algorithm {
        TotpAlgorithm::Sha1 => "sha1",
        TotpAlgorithm::Sha256 => "sha256",
        TotpAlgorithm::Sha512 => "sha512",
    }
}

pub(crate) fn run(context: &Context, arguments: Arguments) -> Result<Outcome, Failure> {
    let office = context.office()?;
    // Nobody should scan a code for an account that is not there.
    let name = account(&office, &arguments.name)?.name;
    let Kind::Totp(arguments) = arguments.kind;
    let parameters = TotpParameters {
        algorithm: arguments.algorithm,
        digits: arguments.digits,
        period_seconds: arguments.period_seconds,
    };
    let secret = if arguments.secret_stdin {
        brought_secret()?
    } else {
        let secret = totp::generate_secret(office.engine.random());
        show(context, &office, &name, parameters, &secret)?;
        secret
    };
    let proof = EnrolmentProof::Imported;
    prove(context, &office, &name, NewTotp { label: arguments.label, parameters, secret, proof })?;
    warn_of_lockout(context, &account(&office, &name)?);
    Ok(Outcome::Done)
}

fn brought_secret() -> Result<Secret, Failure> {
    let typed = terminal::secret("Secret (base32): ", "secret")?;
    Ok(totp::from_base32(typed.expose_text().unwrap_or_default())?)
}

fn show(
    context: &Context,
    office: &Office,
    name: &Username,
    parameters: TotpParameters,
    secret: &Secret,
) -> Result<(), Failure> {
    let uri = totp::otpauth_uri(&office.engine.policy().issuer, name.as_str(), parameters, secret);
    let base32 = totp::to_base32(secret);
    let picture = terminal::columns_for_pictures().and_then(|columns| qr::for_terminal(&uri, columns));
    context.say(&Offer {
        user: name.to_string(),
        secret: base32.into(),
        uri: uri.into(),
        picture: picture.map(GivenOut::from),
    })
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

fn say_registered(
    context: &Context,
    office: &Office,
    name: &Username,
    issued: &Issued,
) -> Result<(), Failure> {
    let Issued::Factor(id) = issued else { return Ok(()) };
    let factor = id.to_string();
    let state = account(office, name)?.state.name();
    context.say(&Registered { user: name.to_string(), factor, state })
}

/// A secret that waits for its code.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Offer {
    user: String,
    secret: GivenOut,
    uri: GivenOut,
    #[serde(skip)]
    picture: Option<GivenOut>,
}

impl Report for Offer {
    fn text(&self) -> String {
        let scan = self.picture.as_ref().map_or_else(String::new, |picture| {
            format!("Scan this with the authenticator app of {}:\n\n{}\n", self.user, picture.text())
        });
        format!("{scan}Secret:  {}\nURI:     {}\n\n", qr::grouped(self.secret.text()), self.uri.text())
    }

    fn drawing(&self) -> Drawing {
        Drawing::Coloured
    }
}

/// A factor that is proven.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Registered {
    user: String,
    factor: String,
    state: &'static str,
}

impl Report for Registered {
    fn text(&self) -> String {
        format!("{}: registered as factor {}; {}.\n", self.user, self.factor, self.state)
    }
}
