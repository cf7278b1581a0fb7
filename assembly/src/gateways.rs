//! Gateways with their secrets, from the settings.

use common::causes::with_causes;
use config::delivery::{read_authorities, read_password};
use config::{ConfigError, DeliveryGateway, Settings};
use delivery::{Equipped, Gateways};

/// What is wrong with a gateway's files.
#[derive(Debug, thiserror::Error)]
#[error("gateway {gateway} takes nothing: {problem}")]
pub struct Lacking {
    /// Its name.
    pub gateway: String,
    /// What is wrong, naming the file.
    pub problem: String,
}

/// The gateways of the settings, with what is wrong with their files. One whose file cannot be read takes nothing and says
/// so: that is no reason to turn away whoever signs in by an app.
#[must_use]
pub fn gateways(settings: &Settings, before: Option<&Gateways>) -> (Gateways, Vec<Lacking>) {
    let (equipped, lacking): (Vec<_>, Vec<_>) = settings.delivery.gateways.iter().map(equip).unzip();
    (Gateways::new(equipped, before), lacking.into_iter().flatten().collect())
}

fn equip(configured: &DeliveryGateway) -> (Equipped, Option<Lacking>) {
    let DeliveryGateway { gateway, password_file, ca_file } = configured;
    let password = password_file.as_deref().map(read_password).transpose();
    let authorities = ca_file.as_deref().map(read_authorities).transpose();
    let problem =
        |error: &ConfigError| Lacking { gateway: gateway.name.clone(), problem: with_causes(error) };
    let lacking = password.as_ref().err().or(authorities.as_ref().err()).map(problem);
    let equipped = Equipped {
        gateway: gateway.clone(),
        password: password.ok().flatten(),
        authorities: authorities.ok().flatten(),
        is_lacking: lacking.is_some(),
    };
    (equipped, lacking)
}
