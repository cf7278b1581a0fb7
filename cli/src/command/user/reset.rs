//! `user reset`: what is called "manage user settings" elsewhere: register again, lose app passwords, be asked again.

use assembly::Office;
use clap::Args;
use common::acts::{Act, Reset};

use super::many;
use crate::bulk::Many;
use crate::command::Outcome;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `user reset`.
#[derive(Args)]
pub(crate) struct ResetArguments {
    #[command(flatten)]
    many: Many,
    #[command(flatten)]
    parts: Parts,
}

/// What is reset; at least one of them.
#[derive(Args)]
#[group(required = true, multiple = true)]
struct Parts {
    /// Every way to sign in must be registered again; the old ones open that, and nothing else.
    #[arg(long)]
    require_registration: bool,
    /// All app passwords are void.
    #[arg(long)]
    delete_app_passwords: bool,
    /// Remembered devices are asked again.
    #[arg(long)]
    forget_devices: bool,
}

pub(super) fn reset(
    context: &Context,
    office: &Office,
    arguments: &ResetArguments,
) -> Result<Outcome, Failure> {
    let Parts { require_registration, delete_app_passwords, forget_devices } = arguments.parts;
    let reset = Reset { require_registration, delete_app_passwords, forget_devices };
    many::act(context, office, &arguments.many, &Act::Reset(reset))
}
