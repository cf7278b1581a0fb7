//! `countersign recovery-codes`: single-use codes for the day when the phone is lost, shown once.

use clap::Args;
use common::Username;
use common::acts::{Act, Issued};
use serde::Serialize;

use crate::command::Outcome;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;
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
    let codes = match issued {
        Issued::RecoveryCodes(codes) => codes,
        Issued::Nothing | Issued::Factor(_) | Issued::AppPassword(..) => Vec::new(),
    };
    let text = |code: &common::Secret| code.expose_text().unwrap_or_default().to_owned();
    context.say(&Codes { user: arguments.name.to_string(), codes: codes.iter().map(text).collect() })?;
    Ok(Outcome::Done)
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Codes {
    user: String,
    codes: Vec<String>,
}

impl Report for Codes {
    fn text(&self) -> String {
        let codes: String = self.codes.iter().map(|code| format!("  {code}\n")).collect();
        format!(
            "Recovery codes of {}. Each works once; they are shown only now, and older ones are void.\n\n{codes}",
            self.user
        )
    }
}
