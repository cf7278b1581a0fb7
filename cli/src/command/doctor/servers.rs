//! The servers and the gateways, as `delivery status` and `stats` see them.

use std::path::Path;

use assembly::SystemClock;
use assembly::config::Settings;
use assembly::doctor::{Finding, Kind, Place};
use assembly::gateways::gateways;
use common::UnixTime;
use common::causes::with_causes;
use common::ports::Clock as _;

use crate::command::statistics::{self, ServerCounters};
use crate::moment::rfc3339;

/// What waits longer than this was not just written.
const WAITING_SECONDS: u64 = 600;

pub(super) fn findings(settings: &Settings) -> Vec<Finding> {
    let (_, lacking) = gateways(settings, None);
    let mut found: Vec<Finding> = lacking
        .iter()
        .map(|it| of_delivery(settings, it.to_string(), "Put the file right: see docs/delivery.md."))
        .collect();
    match statistics::ask_server(settings) {
        Ok(Some(server)) => found.extend(passed_over(settings, server)),
        Ok(None) if settings.clients.iter().next().is_some() => {
            let what = "there are RADIUS clients, and no countersign-radiusd answers at its socket";
            found.push(of_radius(settings, what));
        }
        Ok(None) => {}
        Err(failure) => found.push(of_radius(settings, &with_causes(&failure))),
    }
    found
}

/// Messages that no server has come for in a while.
pub(super) fn waiting(settings: &Settings, since: UnixTime) -> Option<Finding> {
    let waited = SystemClock.now().seconds_since(since);
    let found = format!("messages have waited for a server since {}", rfc3339(since));
    let instead = "countersign-local and countersign-radiusd send them: systemctl status countersign-local countersign-radiusd";
    (waited > WAITING_SECONDS).then(|| of_delivery(settings, found, instead))
}

fn passed_over(settings: &Settings, server: ServerCounters) -> Vec<Finding> {
    let sick = server.into_gateways().into_iter().filter(|gateway| !gateway.healthy);
    let told = sick.map(|gateway| {
        let trouble = gateway.last_trouble.unwrap_or_default();
        let found = format!("countersign-radiusd passes the gateway {} over: {trouble}", gateway.name);
        of_delivery(settings, found, "Try it: countersign delivery test --channel CHANNEL --to ADDRESS")
    });
    told.collect()
}

fn of_delivery(settings: &Settings, found: String, instead: &str) -> Finding {
    Finding::new(Kind::Delivery, Place::whole(&settings.path), found, instead)
}

fn of_radius(settings: &Settings, found: &str) -> Finding {
    let file: &Path = &settings.clients_file;
    let instead = "systemctl enable --now countersign-radiusd, or take the clients out of the file";
    Finding::new(Kind::RadiusAway, Place::whole(file), found, instead)
}
