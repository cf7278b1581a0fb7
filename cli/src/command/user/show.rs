//! `user show`: one account with all that hangs on it, and what it means.

use assembly::{AssemblyError, Office};
use clap::Args;
use common::Username;
use common::account::Account;
use common::lane::{LaneKey, LanesOf};
use common::ports::{Listing as _, Store as _};

use super::account_view::{AccountView, Beside};
use super::device::{DeviceView, damaged};
use crate::context::Context;
use crate::failure::Failure;
use crate::guesses::{CapView, WaitsView};
use crate::number::counted;
use crate::stored::listed;
use crate::view::Contacts;
use crate::words::username;

/// Arguments of `user show`.
#[derive(Args)]
pub(crate) struct Show {
    /// The user.
    #[arg(value_parser = username)]
    name: Username,
    /// Show telephone numbers and mail addresses of contacts whole.
    #[arg(long)]
    full: bool,
}

pub(super) fn show(context: &Context, office: &Office, arguments: &Show) -> Result<(), Failure> {
    let name = office.engine.policy().folding.fold(&arguments.name);
    let loaded = office.store.load(&name, &LaneKey::NONE, None)?;
    let devices = DeviceView::all(&loaded, office.engine.keys(), office.engine.now());
    let unread = damaged(&devices);
    let listed = listed(loaded).ok_or(Failure::NoSuchAccount(name))?;
    if unread > 0 {
        context.warn(&format!(
            "{} cannot be read: somebody has changed what the store says there, or the key file is another one's. \
             'countersign store check' looks at both, 'countersign user reset {} --forget-devices' drops them",
            counted(unread, "remembered device"),
            listed.account.name
        ));
    }
    let contacts = if arguments.full { Contacts::Whole } else { Contacts::Masked };
    let (guesses, waits) = guesses(office, &listed.account)?;
    let beside = Beside { guesses, waits, devices };
    context.say(&AccountView::new(&listed, &office.engine, contacts, beside))
}

/// How guesses at an account stand now.
pub(super) fn guesses(office: &Office, account: &Account) -> Result<(CapView, WaitsView), Failure> {
    let now = office.engine.now();
    let cap = CapView::new(&office.store.cap(account)?, now);
    let lanes = LanesOf::user(office.engine.keys(), account.name.as_str()).map_err(AssemblyError::from)?;
    Ok((cap, WaitsView::new(office.store.waits(&lanes, now)?)))
}
