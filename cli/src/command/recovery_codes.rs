//! `countersign recovery-codes`: single-use codes for the day when the phone is lost, shown once.

use clap::Args;
use common::Username;
use common::acts::{Act, Issued};
use serde::Serialize;

use crate::command::Outcome;
use crate::command::user::account;
use crate::context::Context;
use crate::failure::Failure;
use crate::given_out::GivenOut;
use crate::report::Report;
use crate::warning::warn_of_no_question;
use crate::words::username;

/// Arguments of `recovery-codes`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The user.
    #[arg(value_parser = username)]
    name: Username,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<Outcome, Failure> {
    let office = context.office()?;
    let issued = context.act(&office, &arguments.name, &Act::RenewRecoveryCodes)?;
    let Issued::RecoveryCodes(codes) = issued else { return Ok(Outcome::Done) };
    let codes = codes.into_iter().map(GivenOut::from).collect();
    context.say(&Codes { user: arguments.name.to_string(), codes })?;
    warn_of_no_question(context, &account(&office, &arguments.name)?);
    Ok(Outcome::Done)
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Codes {
    user: String,
    codes: Vec<GivenOut>,
}

impl Report for Codes {
    fn text(&self) -> String {
        let codes: String = self.codes.iter().map(|code| format!("  {}\n", code.text())).collect();
        format!(
            "Recovery codes of {}. Each works once; they are shown only now, and older ones are void.\n\n{codes}",
            self.user
        )
    }
}
