//! Carrying a plan out, so many accounts at a time, until it is done or somebody stops it.

use assembly::Office;
use common::acts::{Became, Issued, Order};
use common::causes::with_causes;
use common::limits;

use super::interrupt::Interrupt;
use super::plan::{Failed, Plan, Planned};
use super::progress::Progress;
use super::report::Done;
use crate::actor::actor;
use crate::context::Context;

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
        became.for_each(|(became, planned)| note(&mut done, became, planned));
        progress.step(together.len());
        if let Some(error) = many.stopped {
            done.stop(reached, context.advised(&error.into()));
            break;
        }
    }
    done
}

fn note(done: &mut Done<'_>, became: Became, planned: &Planned<'_>) {
    match became {
        Became::Done(Issued::Nothing) => done.changed = done.changed.saturating_add(1),
        // What gives a secret out is not for many at once.
        Became::Done(Issued::Factor(_) | Issued::RecoveryCodes(_) | Issued::AppPassword(..)) => {
            done.changed = done.changed.saturating_add(1);
        }
        Became::AsAsked => done.as_asked = done.as_asked.saturating_add(1),
        Became::Refused(refusal) => {
            done.fail(Failed { user: planned.name.to_string(), error: with_causes(&refusal) });
        }
    }
}
