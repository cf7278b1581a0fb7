//! Acts on many accounts: what would change is shown first, somebody agrees, it is done, and what failed is told at the end.

mod change;
mod interrupt;
mod plan;
mod progress;
mod report;
mod run;

use assembly::Office;
use clap::Args;
use common::Username;
use common::acts::Act;
use common::lane::LaneKey;
use common::ports::{Identity, Store as _};

use crate::command::Outcome;
use crate::command::break_glass::warn_of_stale_copy;
use crate::context::Context;
use crate::failure::Failure;
use crate::selection::Selection;
use crate::terminal::{self, Consent, Seat};
pub(crate) use change::until;
pub(crate) use plan::Plan;
use progress::Progress;

/// Whether somebody is asked first.
#[derive(Args)]
pub(crate) struct Ask {
    /// Do it without asking, as in a script.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Say what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Many users, and whether somebody is asked first.
#[derive(Args)]
pub(crate) struct Many {
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

/// What is wished for each user.
pub(crate) struct Wish<'a> {
    /// What is done to an account that is there.
    pub(crate) act: &'a Act,
    /// What makes the account of somebody who has none.
    pub(crate) making: Making<'a>,
}

/// What becomes of users who have no account.
#[derive(Clone, Copy)]
pub(crate) enum Making<'a> {
    /// They are failures.
    Nobody,
    /// Those whom the backend of first passwords or this machine knows get one.
    Known(&'a Act),
    /// Everybody gets one.
    Everybody(&'a Act),
}

impl Many {
    /// The one user on the line, unless a rehearsal is asked for: for one there is nothing to count.
    pub(crate) fn single(&self) -> Option<&Username> {
        self.selection.single().filter(|_| !self.ask.dry_run)
    }
}

/// Does to all who are selected what is wished.
pub(crate) fn run(
    context: &Context,
    office: &Office,
    many: &Many,
    wish: &Wish<'_>,
) -> Result<Outcome, Failure> {
    let selected = many.selection.find(context, office)?;
    let mut plan = Plan::new(wish.act.name(), selected.left_out);
    let mut progress = Progress::new("looked at", selected.names.len());
    for name in selected.names {
        progress.step(1);
        add(office, &mut plan, name, wish)?;
    }
    drop(progress);
    let can_ask = !many.selection.reads_standard_input();
    carry_through(context, office, &plan, &many.ask, can_ask)
}

/// Takes one user into a plan.
pub(crate) fn add<'a>(
    office: &Office,
    plan: &mut Plan<'a>,
    name: Username,
    wish: &Wish<'a>,
) -> Result<(), Failure> {
    let load = |name: &Username| Ok::<_, Failure>(office.store.load(name, &LaneKey::NONE, None)?.account);
    if let Some(account) = load(&name)? {
        plan.add(&office.engine, name, Some(&account), wish.act);
        return Ok(());
    }
    match wish.making {
        Making::Nobody => plan.fail(&name, &Failure::NoSuchAccount(name.clone()).to_string()),
        Making::Everybody(act) => plan.add(&office.engine, name, None, act),
        Making::Known(act) => match office.engine.identify_stranger(&name) {
            Identity::Known(canonical) => {
                let account = if canonical == name { None } else { load(&canonical)? };
                let act = if account.is_some() { wish.act } else { act };
                plan.add(&office.engine, canonical, account.as_ref(), act);
            }
            Identity::Unknown => plan.fail(&name, &Failure::UnknownUser(name.clone()).to_string()),
            Identity::Unavailable => plan.fail(&name, &Failure::NobodyKnows(name.clone()).to_string()),
        },
    }
    Ok(())
}

/// Shows a plan, asks, and carries it out.
pub(crate) fn carry_through(
    context: &Context,
    office: &Office,
    plan: &Plan<'_>,
    ask: &Ask,
    can_ask: bool,
) -> Result<Outcome, Failure> {
    let ended = if plan.failures.is_empty() { Outcome::Done } else { Outcome::Refused };
    let is_over = ask.dry_run || plan.orders.is_empty();
    if is_over {
        context.say(&report::Done::planned(plan, ask.dry_run))?;
        return Ok(ended);
    }
    context.tell(&plan.text())?;
    if !ask.yes {
        if !can_ask || terminal::seat() == Seat::Script || context.is_for_programs() {
            return Err(Failure::NobodyToAsk);
        }
        if terminal::consent(&plan.question())? == Consent::Withheld {
            context.tell("Nothing was changed.\n")?;
            return Ok(Outcome::Refused);
        }
    }
    let done = run::run(context, office, plan);
    context.say(&done)?;
    warn(context, office, plan)?;
    Ok(if done.is_whole() { ended } else { Outcome::Refused })
}

/// What an administrator should think about now, of all of them together.
fn warn(context: &Context, office: &Office, plan: &Plan<'_>) -> Result<(), Failure> {
    for text in [plan.lockouts(), plan.strangers(office.engine.policy())].into_iter().flatten() {
        context.warn(&text);
    }
    let counts = office.sink.counts();
    office.tell_of_lost();
    if counts.dropped > 0 {
        let (dropped, all) = (counts.dropped, counts.dropped.saturating_add(counts.sent));
        context.warn(&format!(
            "syslog did not take {dropped} of {all} records at that pace, or does not run; the store has all of them \
             ('countersign audit list')"
        ));
    }
    for name in &office.engine.policy().break_glass {
        if let Some(order) = plan.orders.iter().find(|order| order.name == *name) {
            warn_of_stale_copy(context, office, name)?;
            if matches!(order.act, Act::Block(_)) {
                context.warn(&no_block(context, name));
            }
        }
    }
    Ok(())
}

/// A block of a break-glass account ends at the door of this machine.
pub(crate) fn no_block(context: &Context, name: &Username) -> String {
    format!(
        "[break-glass] names {name}: no block keeps this user out of PAM services. Take the name out of {} to do that",
        context.settings_file.display()
    )
}
