//! `user temporary-code`: a code for somebody whose second proof is lost or not there yet, shown once and good once.

use assembly::Office;
use clap::Args;
use common::acts::{Act, Issued};
use common::{Username, limits};
use serde::Serialize;

use super::{ActDone, many};
use crate::bulk::Many;
use crate::command::Outcome;
use crate::context::Context;
use crate::failure::Failure;
use crate::given_out::GivenOut;
use crate::moment::{Span, rfc3339};
use crate::report::Report;

/// Arguments of `user temporary-code`.
#[derive(Args)]
pub(crate) struct TemporaryCode {
    #[command(flatten)]
    many: Many,
    /// For so long, at most 7d; without it, for 24h.
    #[arg(long = "for", value_name = "SPAN", value_parser = Span::parse, conflicts_with = "revoke")]
    span: Option<Span>,
    /// Take the code back instead.
    #[arg(long)]
    revoke: bool,
}

/// The codes of many are said one by one, as they are made.
pub(super) fn run(context: &Context, office: &Office, arguments: &TemporaryCode) -> Result<Outcome, Failure> {
    let life_seconds = arguments.span.map_or(limits::TEMPORARY_CODE_SECONDS, |span| span.seconds);
    match (arguments.many.single(), arguments.revoke) {
        (Some(name), true) => revoke(context, office, name)?,
        (Some(name), false) => issue(context, office, name, life_seconds)?,
        (None, true) => return many::act(context, office, &arguments.many, &Act::RevokeTemporaryCode),
        (None, false) => {
            return many::act(context, office, &arguments.many, &Act::IssueTemporaryCode { life_seconds });
        }
    }
    Ok(Outcome::Done)
}

fn issue(context: &Context, office: &Office, name: &Username, life_seconds: u64) -> Result<(), Failure> {
    let issued = context.act(office, name, &Act::IssueTemporaryCode { life_seconds })?;
    let Issued::TemporaryCode { code, expires_at } = issued else { return Ok(()) };
    let (user, expires_at) = (name.to_string(), rfc3339(expires_at));
    context.say(&Given { user, temporary_code: code.into(), expires_at })
}

fn revoke(context: &Context, office: &Office, name: &Username) -> Result<(), Failure> {
    let act = Act::RevokeTemporaryCode;
    context.act(office, name, &act)?;
    context.say(&ActDone::new(name, &act, format!("{name}: the temporary code is void.\n")))
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Given {
    user: String,
    temporary_code: GivenOut,
    expires_at: String,
}

impl Report for Given {
    fn text(&self) -> String {
        format!(
            "Temporary code of {}, good once, until {}. It is shown only now, and an older one is void.\n\n  {}\n",
            self.user,
            self.expires_at,
            self.temporary_code.text()
        )
    }
}
