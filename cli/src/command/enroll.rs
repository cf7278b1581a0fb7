//! `countersign enroll`: a factor is shown or brought, and counts once a code of it has come back.

mod hotp;
mod sent;
mod totp;

use assembly::Office;
use clap::{Args, Subcommand};
use common::account::FactorKind;
use common::acts::{Act, ActError, Issued};
use common::totp::from_base32;
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
use crate::warning::warn_of_no_question;
use crate::words::username;

/// Codes that a person may type before the enrolment ends without effect.
const TRIES: u8 = 3;

/// Arguments of `enroll`.
#[derive(Args)]
// What clap says of a kind that there is not names none by itself.
#[command(override_usage = "countersign enroll [OPTIONS] <NAME> <totp|hotp|mobile|office|email> [OPTIONS]")]
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
    Totp(totp::Arguments),
    /// Register a token that counts, or an app that does.
    Hotp(hotp::Arguments),
    /// Register a mobile for codes by text message or call, on your word that it is the user's.
    Mobile(sent::Mobile),
    /// Register an office telephone for codes by call, on your word that it is the user's.
    Office(sent::OfficePhone),
    /// Register a mail address for codes, on your word that it is the user's.
    Email(sent::Email),
}

pub(crate) fn run(context: &Context, arguments: Arguments) -> Result<Outcome, Failure> {
    let office = context.office()?;
    // Nobody should scan a code for an account that is not there.
    let before = account(&office, &arguments.name)?;
    let name = before.name;
    let enrolment = Enrolment { context, office: &office, name: &name };
    match arguments.kind {
        Kind::Totp(arguments) => totp::enroll(&enrolment, arguments)?,
        Kind::Hotp(arguments) => hotp::enroll(&enrolment, arguments)?,
        Kind::Mobile(mobile) => sent::enroll(&enrolment, mobile.into())?,
        Kind::Office(phone) => sent::enroll(&enrolment, phone.into())?,
        Kind::Email(email) => sent::enroll(&enrolment, email.into())?,
    }
    if before.must_register_again {
        context.warn(&format!(
            "{name} had to register again: all that was registered before is void, with recovery codes and app passwords"
        ));
    }
    warn_of_no_question(context, &account(&office, &name)?);
    Ok(Outcome::Done)
}

fn brought_secret() -> Result<Secret, Failure> {
    let typed = terminal::secret("Secret (base32): ", "secret")?;
    Ok(from_base32(typed.expose_text().unwrap_or_default())?)
}

/// Whose factor is registered, and where.
struct Enrolment<'a> {
    context: &'a Context,
    office: &'a Office,
    name: &'a Username,
}

impl Enrolment<'_> {
    /// Shows a secret that was made for this.
    fn offer(&self, secret: &Secret, uri: Secret) -> Result<(), Failure> {
        let base32 = common::totp::to_base32(secret);
        let picture = terminal::columns_for_pictures().and_then(|columns| qr::for_terminal(&uri, columns));
        self.context.say(&Offer {
            user: self.name.to_string(),
            secret: base32.into(),
            uri: uri.into(),
            picture: picture.map(GivenOut::from),
        })
    }

    /// Tries codes until they fit: a person may mistype, a script has its lines once. Says whether they did.
    fn prove(&self, mut ask: impl FnMut() -> Result<Act, Failure>) -> Result<Proven, Failure> {
        let tries = match terminal::seat() {
            Seat::Terminal => TRIES,
            Seat::Script => 1,
        };
        for left in (0..tries).rev() {
            match self.context.act(self.office, self.name, &ask()?) {
                Err(Failure::Act(wrong @ (ActError::WrongCode | ActError::WrongCodes))) => {
                    if left > 0 {
                        self.context.warn(&wrong.to_string());
                    }
                }
                Err(failure) => return Err(failure),
                Ok(issued) => return self.say_registered(&issued).map(|()| Proven::Yes),
            }
        }
        Ok(Proven::No)
    }

    fn say_registered(&self, issued: &Issued) -> Result<(), Failure> {
        let Issued::Factor(id) = issued else { return Ok(()) };
        let Self { context, office, name } = self;
        let account = account(office, name)?;
        let factor = account.factors.iter().find(|factor| factor.id == *id);
        let weak_secret = factor.is_some_and(common::account::Factor::is_weak);
        let is_sent = factor.is_some_and(|factor| matches!(factor.kind, FactorKind::Sent { .. }));
        let (user, state) = (name.to_string(), account.state.name());
        context.say(&Registered { user, factor: id.to_string(), state, weak_secret })?;
        if weak_secret {
            context.warn(&format!(
                "the secret of factor {id} has less than 128 bits, which is weak: register one that is made here when you can"
            ));
        }
        if is_sent {
            context.warn(&format!("no code has proven that this reaches {name}: it counts on your word"));
        }
        Ok(())
    }
}

/// Whether a code belonged to the secret.
#[must_use]
enum Proven {
    Yes,
    No,
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
    weak_secret: bool,
}

impl Report for Registered {
    fn text(&self) -> String {
        format!("{}: registered as factor {}; {}.\n", self.user, self.factor, self.state)
    }
}
