//! The keys of `[registration]` and of its openings.

use crate::keys::{CLIENTS, Key, Part, SERVICES};

pub(crate) const AT_SIGN_IN: Key = Key::new(
    Part::Registration,
    "at-sign-in",
    "true or false",
    "Whether people are asked to register at a sign-in. To be asked tells that the first password was right.",
)
.or("true");
pub(crate) const DEADLINE_DAYS: Key = Key::new(
    Part::Registration,
    "deadline-days",
    "a whole number of days, 1 to 3650",
    "So long may somebody `enabled` put it off, from the first sign-in on. Then it takes a temporary code to get in.",
)
.or("no limit");
pub(crate) const SIGN_INS: Key = Key::new(
    Part::Registration,
    "sign-ins",
    "a whole number from 1 to 1000",
    "So often may somebody sign in without it, also where nobody can be asked. With both limits the first one reached counts.",
)
.or("no limit");
pub(crate) const APPS: Key = Key::new(
    Part::Registration,
    "apps",
    "a text of 1 to 200 printable ASCII characters on one line",
    "Which authenticator apps fit and where to get them, shown before the key. Every VPN window can show ASCII.",
)
.or("the text in config/etc/countersign.toml");
pub(crate) const APP_PASSWORD_SERVICES: Key = Key::new(
    Part::Registration,
    "app-password-services",
    SERVICES,
    "PAM services for which people may make an app password themselves, when they register. Both lists empty: they make none.",
)
.or("[]");
pub(crate) const APP_PASSWORD_CLIENTS: Key =
    Key::new(Part::Registration, "app-password-clients", CLIENTS, "RADIUS clients for which they may.")
        .or("[]");
pub(crate) const OPENING_NAME: Key = Key::new(
    Part::Opening,
    "name",
    "a text of 1 to 64 characters that no other opening has",
    "What the opening is called.",
);
pub(crate) const OPENING_SERVICES: Key = Key::new(
    Part::Opening,
    "services",
    SERVICES,
    "PAM services where the first password alone is enough to register; `countersign` is `countersign register` at a shell, which has no address for `networks`. Services and clients are not both empty.",
)
.or("[]");
pub(crate) const OPENING_CLIENTS: Key = Key::new(
    Part::Opening,
    "clients",
    CLIENTS,
    "RADIUS clients where it is enough. Only those of kind `challenge` can ask.",
)
.or("[]");
pub(crate) const OPENING_NETWORKS: Key = Key::new(
    Part::Opening,
    "networks",
    "a list of addresses and networks, such as \"10.0.0.0/8\" or \"2001:db8::/32\", each once",
    "Where the user has to be: the address that sshd sees, or the Calling-Station-Id of a RADIUS client. Empty: anywhere, for whoever has the password.",
)
.or("[]");
