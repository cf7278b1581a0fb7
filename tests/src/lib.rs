//! The test ground, and what the suites against real programs are written with.
//!
//! [`ground`] makes throw-away copies of the machine. Everything else works inside such a copy only: it starts from a
//! [`Machine`], and there is none outside. A file `tests/SUITE.rs` is a suite; `cargo xtask test SUITE` runs it in a copy
//! of its own, so its tests share that copy with each other only.

mod daemon;
mod datagram;
mod drawing;
mod failure;
pub mod ground;
mod machine;
mod measured;
mod oath;
mod radclient;
mod rsyslogd;
mod scanning;
mod screen;
mod ssh;
mod terminal;

pub use daemon::{Daemon, wait_for};
pub use datagram::receive;
pub use drawing::DRAWN;
pub use failure::{Failure, Outcome, checked};
pub use machine::Machine;
pub use measured::{IN_SHORT, MEASURED, in_short, measured};
pub use oath::{Authenticator, hotp_code, totp_code};
pub use radclient::{RadiusAnswer, RadiusRequest};
pub use rsyslogd::{LogLine, Rsyslogd, SocketForm};
pub use screen::{Colours, Picture, Screen};
pub use ssh::{Sshd, SshdOptions};
pub use terminal::{Ended, Form, Letters, Terminal};
