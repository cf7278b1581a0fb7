//! Where gateways are: the host of a URL, and a mail server with its port.

use std::net::IpAddr;

use crate::values::Wrong;

/// A host as it is written.
pub(crate) struct Host<'a>(&'a str);

impl<'a> Host<'a> {
    pub(crate) const fn of(host: &'a str) -> Self {
        Self(host)
    }

    /// Whether it is this machine for sure. Names but `localhost` are looked up elsewhere.
    pub(crate) fn is_here(&self) -> bool {
        let address = self.0.parse::<IpAddr>();
        self.0 == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

/// The host of a URL, and whether the connection is encrypted. What comes behind the host must have begun, so that no
/// value can change it; a name and password before it would be sent elsewhere than people think.
pub(crate) fn authority(url: &str) -> Option<(Host<'_>, bool)> {
    let (rest, encrypted) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (rest, true),
        (None, Some(rest)) => (rest, false),
        (None, None) => return None,
    };
    let (authority, _) = rest.split_once(['/', '?'])?;
    let (host, _) = host_and_port(authority)?;
    Some((Host(host), encrypted))
}

/// A mail server, and its port where it is written.
pub(crate) fn mail_server(text: &str) -> Result<(String, Option<u16>), Wrong> {
    let (host, port) = host_and_port(text).ok_or(Wrong::NotAllowed)?;
    Ok((host.to_owned(), port))
}

fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let port = |written: &str| written.parse::<u16>().ok().filter(|port| *port > 0);
    if let Some(rest) = text.strip_prefix('[') {
        let (address, behind) = rest.split_once(']')?;
        address.parse::<std::net::Ipv6Addr>().ok()?;
        return match behind.strip_prefix(':') {
            Some(written) => Some((address, Some(port(written)?))),
            None => behind.is_empty().then_some((address, None)),
        };
    }
    let (host, port) = match text.split_once(':') {
        Some((host, written)) => (host, Some(port(written)?)),
        None => (text, None),
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let fits = (1..=253).contains(&host.len()) && host.chars().all(is_plain);
    (fits && !host.starts_with(['-', '.'])).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::{authority, mail_server};

    #[test]
    fn a_url_names_its_host_before_anything_can_be_filled_in() {
        let host = |url| authority(url).map(|(host, encrypted)| (host.0.to_owned(), encrypted));
        assert_eq!(host("https://sms.example.org/send?to="), Some(("sms.example.org".to_owned(), true)));
        assert_eq!(host("http://127.0.0.1:13013/cgi"), Some(("127.0.0.1".to_owned(), false)));
        assert_eq!(host("http://[::1]:80/"), Some(("::1".to_owned(), false)));
        for wrong in [
            "https://",
            "https://sms.example.org",
            "https://user:pw@sms.example.org/",
            "ftp://x/",
            "https:///x",
            "https://x:0/",
            "https://x:99999/",
            "https://a b/",
        ] {
            assert_eq!(host(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_this_machine_is_here() {
        let here = |url| authority(url).is_some_and(|(host, _)| host.is_here());
        for url in ["http://127.0.0.1/", "http://127.9.9.9:1/", "http://[::1]/", "http://localhost/"] {
            assert!(here(url), "{url}");
        }
        for url in ["http://127.0.0.1.example.org/", "http://192.0.2.1/", "http://localhost.example.org/"] {
            assert!(!here(url), "{url}");
        }
    }

    #[test]
    fn a_mail_server_may_have_a_port() {
        let read = |text| mail_server(text).ok();
        assert_eq!(read("mail.example.org"), Some(("mail.example.org".to_owned(), None)));
        assert_eq!(read("mail.example.org:2525"), Some(("mail.example.org".to_owned(), Some(2525))));
        assert_eq!(read("[2001:db8::1]:25"), Some(("2001:db8::1".to_owned(), Some(25))));
        for wrong in ["", ":25", "mail:", "mail:x", "2001:db8::1", "ma il", "-mail", "mail/x", "[mail]:25"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
