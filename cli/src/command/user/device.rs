//! The devices that are remembered of a user, as administrators see them.

use common::keys::KeyRing;
use common::ports::Loaded;
use common::ticket::Ticket;
use common::{AccountId, Place, UnixTime};
use serde::Serialize;

use crate::moment::rfc3339;
use crate::number::counted;
use crate::table::table;

/// One device.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct DeviceView {
    id: String,
    service: Option<String>,
    client: Option<String>,
    /// Nothing where its master key has gone: nor is it known by it then.
    device: Option<String>,
    made_at: String,
    expires_at: String,
}

impl DeviceView {
    /// All that are good now.
    pub(super) fn all(loaded: &Loaded, keys: &KeyRing, now: UnixTime) -> Vec<Self> {
        let Some(account) = &loaded.account else { return Vec::new() };
        loaded.tickets.live(account, now).map(|ticket| Self::new(ticket, account.id, keys)).collect()
    }

    fn new(ticket: &Ticket, account: AccountId, keys: &KeyRing) -> Self {
        let described = ticket.describe(keys, account).ok();
        let (place, device) = described.map(|it| (it.place, it.device)).unzip();
        let (service, client) = match place {
            Some(Place::Service(service)) => (Some(service), None),
            Some(Place::Client(client)) => (None, Some(client)),
            None => (None, None),
        };
        Self {
            id: ticket.id().to_string(),
            service,
            client,
            device,
            made_at: rfc3339(ticket.made_at()),
            expires_at: rfc3339(ticket.expires_at()),
        }
    }

    fn row(&self) -> Vec<String> {
        let place = match (&self.service, &self.client) {
            (Some(service), _) => format!("service {service}"),
            (None, Some(client)) => format!("client {client}"),
            (None, None) => "-".to_owned(),
        };
        let device = self.device.clone().unwrap_or_else(|| "(its key has gone)".to_owned());
        vec![self.id.clone(), place, device, self.made_at.clone(), self.expires_at.clone()]
    }
}

/// Devices for people.
pub(super) fn device_table(devices: &[DeviceView]) -> String {
    let titles = ["remembered device", "where", "from", "made", "expires"];
    table(&titles, devices.iter().map(DeviceView::row))
}

/// What a reset says of so many.
pub(crate) fn forgotten(devices: usize) -> String {
    match devices {
        0 => "no device was remembered".to_owned(),
        _ => format!("{} forgotten", counted(devices, "remembered device")),
    }
}
