//! Acts that are as good for many users as for one.

use assembly::Office;
use clap::Args;
use common::Username;
use common::account::{Block, State};
use common::acts::{Act, ActError, DeadlineChange, IfAbsent, Limit, StateChange};
use common::ports::{Identity, Listing as _};

use super::{ActDone, account, done};
use crate::bulk::{self, Making, Many, Wish, no_block};
use crate::command::Outcome;
use crate::context::Context;
use crate::failure::Failure;
use crate::moment::{Span, Until, rfc3339};
use crate::terminal::{self, Consent, Seat};
use crate::warning::warn_of_missing_break_glass;

/// Arguments of `user enforce`, and a part of those of `user enable` and `user disable`.
#[derive(Args)]
pub(crate) struct StateArguments {
    #[command(flatten)]
    many: Many,
    /// Make accounts also for names that neither the backend of first passwords nor this machine knows.
    #[arg(long)]
    create: bool,
}

/// Arguments of `user enable`.
#[derive(Args)]
pub(crate) struct EnableArguments {
    #[command(flatten)]
    state: StateArguments,
    /// Registration may be put off until then: a day such as 2026-12-24, a moment, a span from now such as 14d, or none.
    /// Left out, it stays as the account has it, and of one that has none as the settings have it.
    #[arg(long, value_name = "MOMENT", value_parser = |text: &str| limit(text, Until::parse))]
    deadline: Option<Limit<Until>>,
    /// Registration may be put off so many times, or none for no such limit. Left out, it stays, too.
    #[arg(long, value_name = "COUNT", value_parser = |text: &str| limit(text, sign_ins))]
    sign_ins: Option<Limit<u32>>,
}

/// Arguments of `user disable`.
#[derive(Args)]
pub(crate) struct DisableArguments {
    #[command(flatten)]
    state: StateArguments,
    /// For so long, such as 4h: then it is again as before, and app passwords, which rest until then, too.
    #[arg(long = "for", value_name = "SPAN", value_parser = Span::parse)]
    span: Option<Span>,
}

/// Arguments of `user block`.
#[derive(Args)]
pub(crate) struct BlockArguments {
    #[command(flatten)]
    many: Many,
    /// For so long, such as 30m, 2h or 7d; without it, until `user unblock`.
    #[arg(long = "for", value_name = "SPAN", value_parser = Span::parse)]
    span: Option<Span>,
}

/// Sets the state of one or many. Users who have no account get one: a directory knows them, and this store not yet.
pub(super) fn enforce(
    context: &Context,
    office: &Office,
    arguments: &StateArguments,
) -> Result<Outcome, Failure> {
    set_state(context, office, arguments, StateChange::new(State::Enforced))
}

/// The same, with a deadline where one is given; without one, that of the settings.
pub(super) fn enable(
    context: &Context,
    office: &Office,
    arguments: &EnableArguments,
) -> Result<Outcome, Failure> {
    let now = office.engine.now();
    let by = arguments.deadline.unwrap_or(Limit::Kept).map(|deadline| deadline.moment(now));
    if matches!(by, Limit::Set(by) if by <= now) {
        return Err(ActError::Past.into());
    }
    let deadline = DeadlineChange { by, sign_ins: arguments.sign_ins.unwrap_or(Limit::Kept) };
    set_state(context, office, &arguments.state, StateChange { deadline, ..State::Enabled.into() })
}

fn limit<T>(text: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<Limit<T>, String> {
    if text == "none" { Ok(Limit::Lifted) } else { parse(text).map(Limit::Set) }
}

fn sign_ins(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "write a whole number, or none".to_owned())
}

/// The same, for ever or for a while.
pub(super) fn disable(
    context: &Context,
    office: &Office,
    arguments: &DisableArguments,
) -> Result<Outcome, Failure> {
    let Some(span) = arguments.span else {
        return set_state(context, office, &arguments.state, StateChange::new(State::Disabled));
    };
    let until = office.engine.now().plus_seconds(span.seconds);
    let act = Act::DisableUntil { until, if_absent: IfAbsent::Refuse };
    let add = Act::DisableUntil { until, if_absent: IfAbsent::Create };
    making(context, office, &arguments.state, &act, &add)
}

fn set_state(
    context: &Context,
    office: &Office,
    arguments: &StateArguments,
    change: StateChange,
) -> Result<Outcome, Failure> {
    let act = Act::SetState(change);
    let add = Act::SetState(StateChange { if_absent: IfAbsent::Create, ..change });
    making(context, office, arguments, &act, &add)
}

fn making(
    context: &Context,
    office: &Office,
    arguments: &StateArguments,
    act: &Act,
    add: &Act,
) -> Result<Outcome, Failure> {
    let making = if arguments.create { Making::Everybody(add) } else { Making::Known(add) };
    carry_out(context, office, &arguments.many, &Wish { act, making })
}

/// One act on one or many accounts that are there.
pub(super) fn act(context: &Context, office: &Office, many: &Many, act: &Act) -> Result<Outcome, Failure> {
    carry_out(context, office, many, &Wish { act, making: Making::Nobody })
}

fn carry_out(context: &Context, office: &Office, many: &Many, wish: &Wish<'_>) -> Result<Outcome, Failure> {
    let Some(name) = many.single() else { return bulk::run(context, office, many, wish) };
    let (name, act) = one(office, name, wish)?;
    done(context, office, &name, act)?;
    Ok(Outcome::Done)
}

/// Which act is the one for a user, and under which name.
fn one<'a>(office: &Office, name: &Username, wish: &Wish<'a>) -> Result<(Username, &'a Act), Failure> {
    let name = office.engine.policy().folding.fold(name);
    let is_there = |name: &Username| Ok::<_, Failure>(office.store.account(name)?.is_some());
    if is_there(&name)? {
        return Ok((name, wish.act));
    }
    match wish.making {
        Making::Nobody => Ok((name, wish.act)),
        Making::Everybody(act) => Ok((name, act)),
        Making::Known(act) => match office.engine.identify_stranger(&name) {
            Identity::Known(canonical) if is_there(&canonical)? => Ok((canonical, wish.act)),
            Identity::Known(canonical) => Ok((canonical, act)),
            Identity::Unknown => Err(Failure::UnknownUser(name)),
            Identity::Unavailable => Err(Failure::NobodyKnows(name)),
        },
    }
}

/// Blocks one or many, and says of one until when.
pub(super) fn block(
    context: &Context,
    office: &Office,
    arguments: &BlockArguments,
) -> Result<Outcome, Failure> {
    let end = arguments.span.map(|span| office.engine.now().plus_seconds(span.seconds));
    let act = Act::Block(end.map_or(Block::Indefinitely, Block::Until));
    let Some(name) = arguments.many.single() else {
        return bulk::run(context, office, &arguments.many, &Wish { act: &act, making: Making::Nobody });
    };
    context.act(office, name, &act)?;
    let until = end.map_or_else(|| "it is unblocked".to_owned(), rfc3339);
    let policy = office.engine.policy();
    let is_break_glass = policy.break_glass.contains(&policy.folding.fold(name));
    let doors = if is_break_glass { "the RADIUS server" } else { "every door" };
    let text = format!("{name}: {doors} refuses this user until {until}.\n");
    context.say(&ActDone::new(name, &act, text))?;
    if is_break_glass {
        context.warn(&no_block(context, name));
    }
    Ok(Outcome::Done)
}

/// What hangs on an account comes back with nothing but a backup.
pub(super) fn remove(context: &Context, office: &Office, many: &Many) -> Result<Outcome, Failure> {
    if let Some(name) = many.single().filter(|_| !many.ask.yes) {
        let name = account(office, name)?.name;
        if terminal::seat() == Seat::Script || context.is_for_programs() {
            return Err(Failure::NobodyToAsk);
        }
        let question = format!("Remove {name} with factors, recovery codes and app passwords?");
        if terminal::consent(&question)? == Consent::Withheld {
            context.tell("Nothing was removed.\n")?;
            return Ok(Outcome::Refused);
        }
    }
    let outcome = act(context, office, many, &Act::Remove)?;
    warn_of_missing_break_glass(context, office)?;
    Ok(outcome)
}
