//! The domain of Countersign: types that cannot be wrong, the login machine, the ports and the engine.
//!
//! This crate names no file, socket, clock, thread or environment variable. Doors call [`engine::Engine`];
//! stores, primaries, clocks and sinks implement [`ports`]. Only [`login`] can say yes.
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        reason = "an overflow in a test is a failed test"
    )
)]

pub mod account;
pub mod acts;
pub mod address;
pub mod attempt;
pub mod bundle;
pub mod causes;
pub mod chain;
mod closed_list;
pub mod codes;
pub mod engine;
pub mod gateway;
pub mod hotp;
pub mod id;
pub mod keys;
pub mod lane;
pub mod limits;
pub mod login;
pub mod message;
pub mod notices;
pub mod number_rules;
pub mod origin;
pub mod otpauth;
pub mod passphrase;
pub mod policy;
pub mod ports;
pub mod qr;
pub mod random;
pub mod reason;
pub mod record;
pub mod registration;
pub mod secret;
pub mod sent;
pub mod session;
mod shown_as_written;
pub mod tally;
pub mod template;
pub mod text;
pub mod throttle;
pub mod ticket;
pub mod time;
pub mod totp;
pub mod username;
pub mod wording;
#[cfg(test)]
mod world;

pub use attempt::{Answer, Attempt, Door, Parties, Place, PrimaryMode, Profile, Target};
pub use id::{AccountId, AppPasswordId, AttemptId, CodeId, ContactId, FactorId, MessageId, TicketId};
pub use login::{Accept, Grounds, Prompt, Verdict};
pub use reason::Reason;
pub use secret::Secret;
pub use time::UnixTime;
pub use username::{TypedName, Username};
