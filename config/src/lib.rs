//! TOML configuration files to [`Settings`]: all mistakes of a file are reported at once, with file, line, key,
//! what was found and what is allowed.
//!
//! What cannot be read is an error, never a default. Nothing here decides a login, and no secret is ever shown.
#![forbid(unsafe_code)]

pub mod accounts;
pub mod clients;
mod clients_toml;
mod countersign_toml;
pub mod delivery;
mod delivery_keys;
mod delivery_toml;
pub mod edit;
pub mod effective;
mod endpoints;
pub mod error;
mod file;
pub mod finding;
mod gateways_toml;
pub mod initial;
pub mod keys;
pub mod limits;
mod networks;
mod part;
pub mod paths;
mod registration_keys;
mod registration_toml;
mod render;
mod report;
mod rules;
mod section;
pub mod services;
pub mod settings;
mod values;
pub mod words;

pub use clients::{BackendFailure, Client, Clients, Kind, MessageAuthenticator};
pub use delivery::{Delivery, DeliveryGateway};
pub use error::ConfigError;
pub use finding::{Finding, Severity};
pub use render::Colour;
pub use services::{Caller, Services};
pub use settings::{Audit, Loaded, Primary, Radius, Settings, Syslog, SyslogTarget};
pub use values::near;
