//! Hands codes and notices to gateways: by HTTP, SMTP or a program of this machine. What a gateway has taken is not known
//! to have arrived.
//!
//! Nothing here decides who gets a message or what it says. No error of this crate holds a number, a code or a text, but
//! in [`Failure::said`], which is for the eyes of whoever tries a gateway out.
#![forbid(unsafe_code)]

mod authorities;
mod child;
pub mod dispatch;
mod escape;
mod failure;
mod gateways;
mod health;
mod http;
mod limits;
mod mail;
mod parcel;
mod program;
mod smtp;

pub use dispatch::{Bell, Counted, Current, Dispatcher, Fared, Outcome, Post};
pub use failure::{Blame, Failure, Said, Trouble};
pub use gateways::{Answered, Equipped, Gateways, Tried};
pub use health::Figures;
pub use parcel::Parcel;
