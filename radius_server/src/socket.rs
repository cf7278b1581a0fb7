//! One listening UDP socket. It never blocks, and replies leave from the address that the request came to: a client
//! believes no other (RFC 2865 §3), and a machine may have several.

use std::io::{IoSlice, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, SockaddrStorage, bind,
    getsockname, recvmsg, sendmsg, setsockopt, socket, sockopt,
};
use radius_protocol::PACKET_OCTETS_MAX;

use crate::error::ServerError;
use crate::limits;

/// One octet more than a packet may have, so that a longer one shows.
pub(crate) type ReceiveBuffer = [u8; PACKET_OCTETS_MAX + 1];

/// Room for one packet-info of either family, aligned generously.
const CONTROL_OCTETS: usize = 128;

/// A listening socket.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    address: SocketAddr,
}

/// The address of ours that a packet was sent to.
#[derive(Clone, Copy, Debug)]
pub enum LocalAddress {
    /// Over IPv4.
    V4(libc::in_pktinfo),
    /// Over IPv6.
    V6(libc::in6_pktinfo),
    /// The kernel did not say.
    Unknown,
}

/// Where a datagram came from, and how long it was.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    /// Octets in the buffer; more than [`PACKET_OCTETS_MAX`] says that it was cut.
    pub octets: usize,
    /// The sender.
    pub peer: SocketAddr,
    /// The receiver.
    pub local: LocalAddress,
}

impl Listener {
    /// Listens on an address. A socket for IPv6 takes IPv6 only, so that `0.0.0.0` and `::` can stand side by side.
    ///
    /// # Errors
    /// [`ServerError::Listen`].
    pub fn open(address: SocketAddr) -> Result<Self, ServerError> {
        open(address).map_err(|source| ServerError::Listen { address, source })
    }

    /// The address, with the port that the kernel chose if it was left to it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes one datagram; `None` if none is waiting. Errors that the kernel reports of earlier replies (a port closed
    /// meanwhile) are nothing to us.
    pub(crate) fn receive(&self, buffer: &mut ReceiveBuffer) -> Option<Received> {
        let mut control = [0; CONTROL_OCTETS];
        let mut parts = [IoSliceMut::new(buffer)];
        let flags = MsgFlags::MSG_DONTWAIT;
        let received = loop {
            match recvmsg::<SockaddrStorage>(self.socket.as_raw_fd(), &mut parts, Some(&mut control), flags) {
                Ok(received) => break received,
                Err(Errno::EINTR | Errno::ECONNREFUSED) => {}
                Err(_) => return None,
            }
        };
        let peer = peer(received.address.as_ref()?)?;
        let local = received.cmsgs().ok().and_then(|mut messages| messages.find_map(|it| local(&it)));
        let local = local.unwrap_or(LocalAddress::Unknown);
        Some(Received { octets: received.bytes, peer, local })
    }

    /// Sends a reply from the address that the request came to. A full socket buffer loses it, as UDP may.
    pub(crate) fn send(&self, octets: &[u8], peer: SocketAddr, from: LocalAddress) -> Result<(), Errno> {
        let parts = [IoSlice::new(octets)];
        let peer = SockaddrStorage::from(peer);
        let socket = self.socket.as_raw_fd();
        let flags = MsgFlags::MSG_DONTWAIT;
        let sent = match from {
            LocalAddress::V4(info) => {
                sendmsg(socket, &parts, &[ControlMessage::Ipv4PacketInfo(&info)], flags, Some(&peer))
            }
            LocalAddress::V6(info) => {
                sendmsg(socket, &parts, &[ControlMessage::Ipv6PacketInfo(&info)], flags, Some(&peer))
            }
            LocalAddress::Unknown => sendmsg(socket, &parts, &[], flags, Some(&peer)),
        };
        sent.map(drop)
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn open(address: SocketAddr) -> Result<Listener, Errno> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(family, SockType::Datagram, flags, None)?;
    match address {
        SocketAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?,
        SocketAddr::V6(_) => {
            setsockopt(&socket, sockopt::Ipv6V6Only, &true)?;
            setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        }
    }
    // Root gets what it asks for, others what the system allows; either will do.
    if setsockopt(&socket, sockopt::RcvBufForce, &limits::SOCKET_BUFFER_OCTETS).is_err() {
        let _ = setsockopt(&socket, sockopt::RcvBuf, &limits::SOCKET_BUFFER_OCTETS);
    }
    bind(socket.as_raw_fd(), &SockaddrStorage::from(address))?;
    let bound = peer(&getsockname(socket.as_raw_fd())?).unwrap_or(address);
    Ok(Listener { socket, address: bound })
}

fn peer(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::from(SocketAddrV4::from(*v4)));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::from(SocketAddrV6::from(*v6))))
}

fn local(message: &ControlMessageOwned) -> Option<LocalAddress> {
    match message {
        // The interface is left to the routes; the address is what counts.
        ControlMessageOwned::Ipv4PacketInfo(info) => {
            Some(LocalAddress::V4(libc::in_pktinfo { ipi_ifindex: 0, ..*info }))
        }
        ControlMessageOwned::Ipv6PacketInfo(info) => Some(LocalAddress::V6(*info)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::time::Duration;

    use super::*;

    /// Sends to a listener on `listen` by its address `reach`, and says from where the echo came back.
    fn echo(listen: &str, reach: &str) -> (SocketAddr, SocketAddr) {
        let listener = Listener::open(listen.parse().unwrap()).unwrap();
        let target = SocketAddr::new(reach.parse().unwrap(), listener.address().port());
        let client = UdpSocket::bind(SocketAddr::new(reach.parse().unwrap(), 0)).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        client.send_to(b"ping", target).unwrap();
        let mut buffer = [0; PACKET_OCTETS_MAX + 1];
        let received = std::iter::repeat_with(|| listener.receive(&mut buffer)).find_map(|it| it).unwrap();
        assert_eq!((received.octets, received.peer), (4, client.local_addr().unwrap()));
        listener.send(b"pong", received.peer, received.local).unwrap();
        let (_, from) = client.recv_from(&mut [0; 16]).unwrap();
        (from, target)
    }

    #[test]
    fn a_reply_leaves_from_the_address_that_was_asked() {
        for (listen, reach) in
            [("0.0.0.0:0", "127.0.0.2"), ("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "::1"), ("[::]:0", "::1")]
        {
            let (from, target) = echo(listen, reach);
            assert_eq!(from, target, "{listen}");
        }
    }

    #[test]
    fn both_families_listen_on_the_same_port() {
        let first = Listener::open("0.0.0.0:0".parse().unwrap()).unwrap();
        let port = first.address().port();
        assert!(Listener::open(SocketAddr::new("::".parse().unwrap(), port)).is_ok());
        assert!(Listener::open(SocketAddr::new("0.0.0.0".parse().unwrap(), port)).is_err());
    }
}
