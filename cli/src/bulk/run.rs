//! Carrying a plan out, so many accounts at a time, until it is done or somebody stops it.

use assembly::Office;
use common::acts::{Became, Issued, Order};
use common::causes::with_causes;
use common::limits;
use serde::Serialize;

use super::interrupt::Interrupt;
use super::plan::{Failed, Plan, Planned};
use super::progress::Progress;
use super::report::Done;
use crate::actor::actor;
use crate::context::Context;
use crate::failure::Failure;
use crate::given_out::GivenOut;
use crate::moment::rfc3339;
use crate::report::Report;

/// What was done is done, whatever comes after it.
pub(super) fn run<'p>(context: &Context, office: &Office, plan: &'p Plan<'p>) -> Done<'p> {
    let actor = actor();
    let mut done = Done::begun(plan);
    let mut progress = Progress::new("changed", plan.orders.len());
    let interrupt = Interrupt::hold();
    let mut reached: usize = 0;
    for together in plan.orders.chunks(limits::ACTS_TOGETHER) {
        if interrupt.came() {
            done.stop(reached, "somebody interrupted it".to_owned());
            break;
        }
        let orders: Vec<Order<'_>> =
            together.iter().map(|planned| Order { name: &planned.name, act: planned.act }).collect();
        let many = office.engine.act_many(&actor, &orders);
        reached = reached.saturating_add(many.became.len());
        let became = many.became.into_iter().zip(together);
        let heard = became.map(|(became, planned)| note(context, &mut done, became, planned));
        // What cannot be shown is lost: nothing more is given out then.
        let unheard = heard.fold(None, |unheard, heard| unheard.or(heard.err()));
        progress.step(together.len());
        if let Some(failure) = many.stopped.map(Failure::from).or(unheard) {
            done.stop(reached, context.advised(&failure));
            break;
        }
    }
    done
}

fn note(
    context: &Context,
    done: &mut Done<'_>,
    became: Became,
    planned: &Planned<'_>,
) -> Result<(), Failure> {
    match became {
        Became::Done(issued) => {
            done.changed = done.changed.saturating_add(1);
            done.forgotten(&issued);
            give_out(context, planned, issued)?;
        }
        Became::AsAsked => done.as_asked = done.as_asked.saturating_add(1),
        Became::Refused(refusal) => {
            done.fail(Failed { user: planned.name.to_string(), error: with_causes(&refusal) });
        }
    }
    Ok(())
}

/// What is given out is said at once, a line for each: it is kept nowhere.
fn give_out(context: &Context, planned: &Planned<'_>, issued: Issued) -> Result<(), Failure> {
    match issued {
        Issued::TemporaryCode { code, expires_at } => context.say(&CodeOf {
            user: planned.name.as_str(),
            temporary_code: code.into(),
            expires_at: rfc3339(expires_at),
        }),
        // Nothing of this is for many at once.
        Issued::Nothing
        | Issued::Factor(_)
        | Issued::Contact(_)
        | Issued::DevicesForgotten(_)
        | Issued::RecoveryCodes(_)
        | Issued::AppPassword(..) => Ok(()),
    }
}

/// A temporary code of one of many.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct CodeOf<'a> {
    user: &'a str,
    temporary_code: GivenOut,
    expires_at: String,
}

impl Report for CodeOf<'_> {
    fn text(&self) -> String {
        format!("{}  {}  until {}\n", self.user, self.temporary_code.text(), self.expires_at)
    }
}
