//! Tells systemd how far we are (sd_notify(3)). Without systemd there is nobody to tell.

use std::env;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// What systemd may hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Logins are served.
    Ready,
    /// No more logins are taken.
    Stopping,
}

/// Says it. A manager that is not there, or does not listen, is no reason to stop.
pub(super) fn tell(state: State) {
    let Some(name) = env::var_os("NOTIFY_SOCKET") else { return };
    let address = match name.as_bytes().split_first() {
        Some((b'@', rest)) => SocketAddr::from_abstract_name(rest),
        Some(_) | None => SocketAddr::from_pathname(&name),
    };
    let message: &[u8] = match state {
        State::Ready => b"READY=1",
        State::Stopping => b"STOPPING=1",
    };
    let socket = UnixDatagram::unbound();
    let _ = address.and_then(|address| socket?.send_to_addr(message, &address));
}
