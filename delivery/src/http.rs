//! A gateway that takes a message in one HTTP request. It follows no redirection, asks no proxy, and keeps no connection.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use common::Secret;
use common::gateway::{BodyFormat, Http, Method, Value};
use common::template::Template;
use regex_lite::Regex;
use rustls::crypto::ring;
use ureq::http::{HeaderValue, Request, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Error, Timeout};
use zeroize::Zeroizing;

use crate::authorities::Authorities;
use crate::escape::{Place, put};
use crate::failure::{Blame, Failure, Said, Trouble};
use crate::limits::ANSWER_OCTETS_MAX;
use crate::parcel::{Parcel, SignIn};

/// An HTTP gateway, ready to be asked.
pub(crate) struct HttpGateway {
    described: Http,
    username: Option<String>,
    password: Option<Secret>,
    success: Option<Regex>,
    failure: Option<Regex>,
    agent: Agent,
}

impl HttpGateway {
    /// `None` where a pattern is none; the settings have been checked for that.
    pub(crate) fn new(
        described: Http,
        patience: Duration,
        username: Option<String>,
        password: Option<Secret>,
        authorities: &Authorities,
    ) -> Option<Self> {
        let pattern = |text: &Option<String>| text.as_deref().map(Regex::new).transpose().ok();
        let (success, failure) = (pattern(&described.success_pattern)?, pattern(&described.failure_pattern)?);
        let agent = agent(patience, authorities);
        Some(Self { described, username, password, success, failure, agent })
    }

    /// Whether a message without a code can be said.
    pub(crate) fn says_texts(&self) -> bool {
        self.described.says_texts()
    }

    pub(crate) fn hand_over(&self, parcel: &Parcel) -> Result<Said, Failure> {
        let request = self.request(parcel).ok_or(Failure::new(Trouble::Form, Blame::Message))?;
        let answer = self.agent.run(request).map_err(|error| failure(&error))?;
        let status = answer.status().as_u16();
        let mut body = Zeroizing::new(Vec::new());
        let mut reader = answer.into_body().into_reader().take(ANSWER_OCTETS_MAX);
        let read = reader.read_to_end(&mut body);
        if let Err(error) = read {
            return Err(failure(&Error::from(error)).saying(&body));
        }
        match self.judge(status, &String::from_utf8_lossy(&body)) {
            Ok(()) => Ok(Said::new(&body)),
            Err(failed) => Err(failed.saying(&body)),
        }
    }

    fn judge(&self, status: u16, body: &str) -> Result<(), Failure> {
        if !self.described.success.iter().any(|pattern| pattern.fits(status)) {
            return Err(Failure::new(trouble_of(status), blame_of(status)));
        }
        let succeeds = self.success.as_ref().is_none_or(|pattern| pattern.is_match(body));
        let fails = self.failure.as_ref().is_some_and(|pattern| pattern.is_match(body));
        match succeeds && !fails {
            true => Ok(()),
            false => Err(Failure::new(Trouble::Answer(status), Blame::Unclear)),
        }
    }

    fn request(&self, parcel: &Parcel) -> Option<Request<Vec<u8>>> {
        let described = &self.described;
        let url = self.fill(&described.url, parcel, Place::Url);
        let method = match described.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
        };
        let mut request = Request::builder().method(method).uri(url.as_str());
        for (name, value) in &described.headers {
            let value = self.fill(value, parcel, Place::Header);
            let mut value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
            value.set_sensitive(true);
            request = request.header(name.as_str(), value);
        }
        let body = described.body.as_ref().map(|body| self.fill(body, parcel, Place::Body(described.format)));
        let is_typed = described.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if body.is_some() && !is_typed {
            request = request.header(header::CONTENT_TYPE, content_type(described.format));
        }
        request.body(body.map(|body| body.as_bytes().to_vec()).unwrap_or_default()).ok()
    }

    fn fill(&self, template: &Template<Value>, parcel: &Parcel, place: Place) -> Zeroizing<String> {
        let sign_in = SignIn { username: self.username.as_deref(), password: self.password.as_ref() };
        Zeroizing::new(template.fill(|value, out| parcel.with(value, sign_in, |text| put(text, place, out))))
    }
}

fn agent(patience: Duration, authorities: &Authorities) -> Agent {
    let certificates = authorities.iter().map(|it| Certificate::from_der(it).to_owned());
    let roots: Vec<Certificate<'static>> = certificates.collect();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build();
    // Half of it for each step before anything is said: what runs out then leaves no doubt that nothing was taken.
    let half = patience.checked_div(2);
    let config = Agent::config_builder()
        .timeout_global(Some(patience))
        .timeout_resolve(half)
        .timeout_connect(half)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        // The environment decides nothing here.
        .proxy(None)
        .max_idle_connections(0)
        .user_agent("countersign")
        .tls_config(tls)
        .build();
    Agent::new_with_config(config)
}

const fn content_type(format: BodyFormat) -> &'static str {
    match format {
        BodyFormat::Form => "application/x-www-form-urlencoded",
        BodyFormat::Json => "application/json",
        BodyFormat::Xml => "text/xml; charset=utf-8",
        BodyFormat::Text => "text/plain; charset=utf-8",
    }
}

const fn trouble_of(status: u16) -> Trouble {
    match status {
        401 | 403 | 407 => Trouble::SignIn(status),
        _ => Trouble::Status(status),
    }
}

const fn blame_of(status: u16) -> Blame {
    match status {
        400 | 413 | 422 => Blame::Message,
        429 => Blame::Unclear,
        _ => Blame::Gateway,
    }
}

/// Says nothing of what the library says: its texts may hold the URL.
fn failure(error: &Error) -> Failure {
    use std::io::ErrorKind as Kind;
    let trouble = match error {
        Error::HostNotFound
        | Error::ConnectionFailed
        | Error::Timeout(Timeout::Resolve | Timeout::Connect) => Trouble::Unreachable,
        Error::Timeout(_) => Trouble::TimedOut,
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) => Trouble::Tls,
        Error::Io(error) => match error.kind() {
            Kind::TimedOut | Kind::WouldBlock => Trouble::TimedOut,
            Kind::ConnectionRefused | Kind::HostUnreachable | Kind::NetworkUnreachable => {
                Trouble::Unreachable
            }
            Kind::InvalidData => Trouble::Tls,
            _ => Trouble::BrokenOff,
        },
        Error::BadUri(_) | Error::Http(_) => return Failure::new(Trouble::Form, Blame::Message),
        _ => Trouble::Protocol,
    };
    Failure::new(trouble, Blame::Gateway)
}
