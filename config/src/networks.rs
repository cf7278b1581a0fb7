//! Addresses and networks as they are written: of RADIUS clients, listeners and syslog collectors.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::settings::SyslogTarget;
use crate::values::{Wrong, absolute_path};

/// An address, or a network without host bits.
pub(crate) fn network(text: &str) -> Result<IpNet, Wrong> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse().map_err(|_| Wrong::NotAllowed)?,
    };
    if network.trunc() != network {
        let meant = network.trunc();
        return Err(Wrong::Because(format!(
            "for the whole network write \"{meant}\", for one address leave /{} out",
            network.prefix_len()
        )));
    }
    refuse_mapped(network)
}

/// Packets over IPv4 are looked up as IPv4, also on a socket for both.
fn refuse_mapped(network: IpNet) -> Result<IpNet, Wrong> {
    let IpAddr::V6(address) = network.addr() else {
        return Ok(network);
    };
    match address.to_ipv4_mapped() {
        Some(plain) => Err(Wrong::Because(format!("write it as IPv4: \"{plain}\""))),
        None => Ok(network),
    }
}

/// An address with a port.
pub(crate) fn socket_address(text: &str) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => Wrong::Because(format!("add the port: \"{address}:1812\"")),
        Ok(IpAddr::V6(address)) => Wrong::Because(format!("add brackets and the port: \"[{address}]:1812\"")),
        Err(_) => Wrong::NotAllowed,
    })
}

/// `unix:PATH`, `udp:ADDRESS:PORT` or `tcp:ADDRESS:PORT`.
pub(crate) fn syslog_target(text: &str) -> Result<SyslogTarget, Wrong> {
    let (kind, place) = text.split_once(':').ok_or(Wrong::NotAllowed)?;
    let address = || {
        place
            .parse()
            .map_err(|_| Wrong::Because("give an IP address and a port: names are not looked up".to_owned()))
    };
    match kind {
        "unix" => absolute_path(place).map(SyslogTarget::Unix),
        "udp" => address().map(SyslogTarget::Udp),
        "tcp" => address().map(SyslogTarget::Tcp),
        _ => Err(Wrong::NotAllowed),
    }
}
