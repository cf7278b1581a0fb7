//! What an administrator should hear when it is done, because it leads somewhere else than meant.

use assembly::Office;
use assembly::config::Primary;
use assembly::config::words::Word as _;
use common::account::{Account, State};
use common::ports::Listing as _;

use crate::context::Context;
use crate::failure::Failure;

/// Whoever sets a password expects it to be asked for.
pub(crate) fn warn_of_unused_passwords(context: &Context) -> Result<(), Failure> {
    let settings = context.settings_without_clients()?;
    let instead = match &settings.primary {
        Primary::Local => return Ok(()),
        Primary::Pam { service } => {
            format!("the PAM service {service:?} checks first passwords, with those of the system")
        }
        Primary::None => "nobody asks for a first password".to_owned(),
    };
    context.warn(&format!(
        "a password that is set here will not be used: {instead} (backend = {:?} in {})",
        settings.primary.backend().word(),
        context.settings_file.display()
    ));
    Ok(())
}

/// An enforced account without a factor lets nobody in; whoever made it so should hear it now.
pub(crate) fn warn_of_lockout(context: &Context, account: &Account) {
    if account.state == State::Enforced && account.factors.is_empty() {
        let name = &account.name;
        context.warn(&format!(
            "{name} is enforced and has no factor, so that nobody gets in under this name: \
             run 'countersign enroll {name} totp'"
        ));
    }
}

/// Without an account there is no second proof, and the day of need is no time to find that out.
pub(crate) fn warn_of_missing_break_glass(context: &Context, office: &Office) -> Result<(), Failure> {
    for name in &office.engine.policy().break_glass {
        if office.store.account(name)?.is_none() {
            context.warn(&format!(
                "[break-glass] names {name}, and there is no such account: run 'countersign user add {name}', \
                 then 'countersign enroll {name} totp'"
            ));
        }
    }
    Ok(())
}
