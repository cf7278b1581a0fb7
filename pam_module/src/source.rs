//! Where the user sits. Host names say what a stranger's name server says, so they are no source.

use std::net::IpAddr;

use assembly::local::wire::LOCAL_SOURCE;

use crate::transaction::{Application, Transaction};

/// The address of the user, or [`LOCAL_SOURCE`]; `None` where the application names a host without its address.
pub(crate) fn of(transaction: &mut Transaction<'_>) -> Option<String> {
    if transaction.application() == Application::Sshd {
        let connection = transaction.variable(c"SSH_CONNECTION");
        if let Some(address) = connection.and_then(|octets| client_of_connection(&octets)) {
            return Some(address.to_string());
        }
    }
    match transaction.remote_host() {
        Some(host) if !host.is_empty() => address(&host).map(|address| address.to_string()),
        Some(_) | None => Some(LOCAL_SOURCE.to_owned()),
    }
}

/// The first of the four words in `SSH_CONNECTION` (ssh(1)).
fn client_of_connection(octets: &[u8]) -> Option<IpAddr> {
    let words: Vec<&[u8]> = octets.split(|octet| *octet == b' ').collect();
    match words.as_slice() {
        [client, _port, _server, _server_port] => address(client),
        _ => None,
    }
}

/// An address as getnameinfo(3) writes it, with the zone of a link-local one taken off.
fn address(octets: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(octets).ok()?;
    let without_zone = text.split_once('%').map_or(text, |(address, _)| address);
    without_zone.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::{address, client_of_connection};
    use std::net::IpAddr;

    #[test]
    fn the_client_is_the_first_word_of_four() {
        let client: IpAddr = "192.0.2.7".parse().unwrap();
        assert_eq!(client_of_connection(b"192.0.2.7 50000 192.0.2.1 22"), Some(client));
        assert_eq!(client_of_connection(b"::ffff:192.0.2.7 50000 ::1 22"), Some(client));
        for other in
            [&b""[..], b"192.0.2.7", b"UNKNOWN 65535 UNKNOWN 65535", b"192.0.2.7  50000 192.0.2.1 22"]
        {
            assert_eq!(client_of_connection(other), None, "{other:?}");
        }
    }

    #[test]
    fn only_addresses_are_sources() {
        assert_eq!(address(b"2001:db8::7"), "2001:db8::7".parse().ok());
        assert_eq!(address(b"fe80::7%eth0"), "fe80::7".parse().ok());
        for other in [&b"gate.example.test"[..], b"192.0.2", b"192.0.2.7 ", b"\xff"] {
            assert_eq!(address(other), None, "{other:?}");
        }
    }
}
