//! What an administrator should hear when it is done, because it leads somewhere else than meant.

use assembly::Office;
use assembly::config::Primary;
use assembly::config::words::Word as _;
use common::account::{Account, State};
use common::lane::LaneKey;
use common::policy::Policy;
use common::ports::{Listing as _, Store as _};

use crate::context::Context;
use crate::failure::Failure;
use crate::stored::{Stored as _, listed};

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
pub(crate) fn warn_of_lockout(context: &Context, office: &Office, account: &Account) -> Result<(), Failure> {
    if account.state_at(office.engine.now()) == State::Enforced && account.factors.is_empty() {
        let name = &account.name;
        let stored = listed(office.store.load(name, &LaneKey::NONE, None)?);
        let has_recovery_codes = stored.is_some_and(|stored| stored.recovery_codes_left() > 0);
        let but_by =
            if has_recovery_codes { "a recovery code or a temporary code" } else { "a temporary code" };
        context.warn(&format!(
            "{name} is enforced and has registered nothing, so that nobody gets in under this name without {but_by}: \
             'countersign user temporary-code {name}' makes one, and 'countersign enroll {name} totp' registers an app"
        ));
    }
    Ok(())
}

/// Whoever registers somebody expects that the second step is asked for from then on.
pub(crate) fn warn_of_no_question(context: &Context, account: &Account) {
    if account.state == State::Disabled && !account.factors.is_empty() {
        let name = &account.name;
        context.warn(&format!(
            "{name} is disabled: nobody is asked for the second step under this name until 'countersign user enforce {name}'"
        ));
    }
}

/// Why nobody registers with a first password and no contact; `None` where the settings open that somewhere.
pub(crate) fn no_way_to_register(policy: &Policy) -> Option<&'static str> {
    let registration = &policy.registration;
    match (registration.at_sign_in, registration.openings.is_empty()) {
        (true, false) => None,
        (true, true) => Some(
            "the settings have no [[registration.opening]], and no contact that you or the directory have set can be reached. \
             'countersign user temporary-code NAME' lets one in at a time; docs/rolling-out.md, \"Before you begin\", says more",
        ),
        (false, _) => Some("nobody is asked at a sign-in, because at-sign-in is false in the settings"),
    }
}

/// Whoever asks somebody to register should hear where that can be done nowhere.
pub(crate) fn warn_of_stranger(context: &Context, office: &Office, account: &Account) {
    let is_asked = account.state_at(office.engine.now()) == State::Enabled;
    if is_asked
        && !office.engine.reaches_contact(account)
        && let Some(why) = no_way_to_register(office.engine.policy())
    {
        context.warn(&format!("{} cannot register alone: {why}", account.name));
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
