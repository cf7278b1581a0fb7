//! The devices that are remembered of a user, as administrators see them.

use common::keys::{KeyError, KeyRing};
use common::ports::Loaded;
use common::ticket::Ticket;
use common::{AccountId, Place, UnixTime};
use serde::Serialize;

use crate::moment::rfc3339;
use crate::number::counted;
use crate::table::table;

/// Why nobody can tell which device it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Unread {
    /// The master key that it was remembered under is not in the key file any more, as after a rotation.
    KeyGone,
    /// It does not open, or is nothing of ours.
    Damaged,
}

impl Unread {
    const fn of(error: &KeyError) -> Self {
        match error {
            KeyError::UnknownKey(_) => Self::KeyGone,
            KeyError::DoesNotOpen | KeyError::DoesNotSeal => Self::Damaged,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::KeyGone => "(its key has gone)",
            Self::Damaged => "(cannot be read)",
        }
    }
}

/// One device.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct DeviceView {
    id: String,
    service: Option<String>,
    client: Option<String>,
    device: Option<String>,
    /// Why nothing is said of it, where that is so: nor is it known then.
    unread: Option<Unread>,
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
        let (place, device, unread) = match ticket.describe(keys, account) {
            Ok(it) => (Some(it.place), Some(it.device), None),
            Err(error) => (None, None, Some(Unread::of(&error))),
        };
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
            unread,
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
        let device = self.device.clone().or_else(|| self.unread.map(|why| why.words().to_owned()));
        vec![
            self.id.clone(),
            place,
            device.unwrap_or_default(),
            self.made_at.clone(),
            self.expires_at.clone(),
        ]
    }
}

/// How many do not open although their key is there, which should not be.
pub(super) fn damaged(devices: &[DeviceView]) -> usize {
    devices.iter().filter(|device| device.unread == Some(Unread::Damaged)).count()
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

#[cfg(test)]
mod tests {
    use common::keys::{KeyError, KeyId};

    use super::Unread;

    #[test]
    fn a_key_that_has_gone_is_another_matter_than_a_value_that_does_not_open() {
        assert_eq!(Unread::of(&KeyError::UnknownKey(KeyId(1))), Unread::KeyGone);
        assert_eq!(Unread::of(&KeyError::DoesNotOpen), Unread::Damaged);
        assert_ne!(Unread::KeyGone.words(), Unread::Damaged.words());
    }
}
