//! Gateways as they are in the field: ones that say 200 to everything, hang, redirect, answer without end, have a bad
//! certificate, or are not there. And the outbox with them.
#[cfg(test)]
mod http;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod server;
