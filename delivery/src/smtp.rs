//! A mail server (RFC 5321), with STARTTLS that never falls back (RFC 3207), TLS from the first octet (RFC 8314), or neither.

use std::time::{Duration, Instant};

use common::Secret;
use common::gateway::{Encryption, Smtp};
use lettre::Address as MailboxAddress;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    Certificate, CertificateStore, SmtpConnection, TlsParameters, TlsVersion,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, MailBodyParameter, MailParameter};

use crate::authorities::Authorities;
use crate::failure::{Blame, Failure, Said, Trouble};
use crate::mail::mail;
use crate::parcel::Parcel;

/// What [`CertificateStore`] and mechanisms are tried in this order; the password crosses an encrypted connection only,
/// or stays on this machine.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// A mail server, ready to be spoken to.
pub(crate) struct SmtpGateway {
    described: Smtp,
    patience: Duration,
    credentials: Option<Credentials>,
    tls: Option<TlsParameters>,
    hello: ClientId,
}

/// What is tried, and so what an answer means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Hello,
    Tls,
    SignIn,
    Envelope,
    Content,
}

impl SmtpGateway {
    /// `None` where the authorities make no TLS.
    pub(crate) fn new(
        described: Smtp,
        patience: Duration,
        username: Option<String>,
        password: Option<&Secret>,
        authorities: &Authorities,
    ) -> Option<Self> {
        let tls = match described.encryption {
            Encryption::StartTls | Encryption::Implicit => Some(parameters(&described.host, authorities)?),
            Encryption::None => None,
        };
        let password = password.and_then(Secret::expose_text);
        let credentials =
            username.zip(password).map(|(name, password)| Credentials::new(name, password.to_owned()));
        Some(Self { described, patience, credentials, tls, hello: hello() })
    }

    pub(crate) fn hand_over(&self, parcel: &Parcel) -> Result<Said, Failure> {
        let form = Failure::new(Trouble::Form, Blame::Message);
        let mail = mail(parcel, &self.described.from).ok_or_else(|| form.clone())?;
        let (from, to) = (mail.envelope().from().cloned(), mail.envelope().to().first().cloned());
        let content = zeroize::Zeroizing::new(mail.formatted());
        let until = Deadline::after(self.patience);
        let mut connection = self.connect(&until)?;
        self.sign_in(&mut connection, &until)?;
        send(&mut connection, &until, from, to.ok_or(form)?, &content)
    }

    fn connect(&self, until: &Deadline) -> Result<SmtpConnection, Failure> {
        let Smtp { host, port, encryption, .. } = &self.described;
        let at_once = self.tls.as_ref().filter(|_| *encryption == Encryption::Implicit);
        let server = (host.as_str(), *port);
        let connected = SmtpConnection::connect(server, Some(until.left()?), &self.hello, at_once, None);
        let mut connection = connected.map_err(|error| failure(&error, Stage::Hello))?;
        if let (Encryption::StartTls, Some(tls)) = (encryption, &self.tls) {
            if !connection.can_starttls() {
                connection.abort();
                return Err(Failure::new(Trouble::NoStartTls, Blame::Gateway));
            }
            until.set(&mut connection)?;
            connection.starttls(tls, &self.hello).map_err(|error| failure(&error, Stage::Tls))?;
        }
        Ok(connection)
    }

    fn sign_in(&self, connection: &mut SmtpConnection, until: &Deadline) -> Result<(), Failure> {
        let Some(credentials) = &self.credentials else { return Ok(()) };
        until.set(connection)?;
        let answer =
            connection.auth(&MECHANISMS, credentials).map_err(|error| failure(&error, Stage::SignIn))?;
        match answer.is_positive() {
            true => Ok(()),
            false => Err(Failure::new(Trouble::SignIn(answer.code().into()), Blame::Gateway)),
        }
    }
}

fn send(
    connection: &mut SmtpConnection,
    until: &Deadline,
    from: Option<MailboxAddress>,
    to: MailboxAddress,
    content: &[u8],
) -> Result<Said, Failure> {
    let is_ascii = content.is_ascii();
    let eight_bits = (!is_ascii).then_some(MailParameter::Body(MailBodyParameter::EightBitMime));
    let of = |stage| move |error: Error| failure(&error, stage);
    until.set(connection)?;
    connection.command(Mail::new(from, eight_bits.into_iter().collect())).map_err(of(Stage::Envelope))?;
    until.set(connection)?;
    connection.command(Rcpt::new(to, Vec::new())).map_err(of(Stage::Envelope))?;
    until.set(connection)?;
    connection.command(Data).map_err(of(Stage::Envelope))?;
    until.set(connection)?;
    let answer = connection.message(content).map_err(of(Stage::Content))?;
    let said = Said::new(answer.message().collect::<Vec<_>>().join(" ").as_bytes());
    // The mail is theirs by now; a farewell that fails changes nothing.
    let _ = connection.set_timeout(Some(Duration::from_secs(1)));
    let _ = connection.quit();
    Ok(said)
}

/// One limit for all of it: the library knows one for each wait only.
struct Deadline(Instant);

impl Deadline {
    fn after(patience: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_add(patience).unwrap_or(now))
    }

    fn left(&self) -> Result<Duration, Failure> {
        let left = self.0.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(Failure::new(Trouble::TimedOut, Blame::Gateway)) } else { Ok(left) }
    }

    fn set(&self, connection: &mut SmtpConnection) -> Result<(), Failure> {
        let set = connection.set_timeout(Some(self.left()?));
        set.map_err(|_| Failure::new(Trouble::BrokenOff, Blame::Gateway))
    }
}

fn parameters(host: &str, authorities: &Authorities) -> Option<TlsParameters> {
    let builder = TlsParameters::builder(host.to_owned())
        .certificate_store(CertificateStore::None)
        .set_min_tls_version(TlsVersion::Tlsv12);
    // The system's own may hold some that cannot be parsed; those are left out.
    let parsed = authorities.iter().filter_map(|it| Certificate::from_der(it.to_vec()).ok());
    parsed
        .fold(builder, lettre::transport::smtp::client::TlsParametersBuilder::add_root_certificate)
        .build_rustls()
        .ok()
}

/// Our name, where it is a whole one (RFC 5321 §4.1.4).
fn hello() -> ClientId {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    match name.filter(|name| name.contains('.') && name.chars().all(is_plain)) {
        Some(name) => ClientId::Domain(name),
        None => ClientId::Ipv4(std::net::Ipv4Addr::LOCALHOST),
    }
}

fn failure(error: &Error, stage: Stage) -> Failure {
    let said = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let status = error.status().map(u16::from);
    let (trouble, blame) = match (status, stage) {
        (Some(status), Stage::SignIn) => (Trouble::SignIn(status), Blame::Gateway),
        (Some(status), Stage::Hello | Stage::Tls) => (Trouble::Status(status), Blame::Gateway),
        // A server that has no room for one mail has none for the next; of 5xx it is mostly the address.
        (Some(status), Stage::Envelope | Stage::Content) if error.is_permanent() => {
            (Trouble::Status(status), Blame::Message)
        }
        (Some(status), Stage::Envelope | Stage::Content) => (Trouble::Status(status), Blame::Unclear),
        (None, stage) => (without_status(error, stage), Blame::Gateway),
    };
    Failure::new(trouble, blame).saying(said.as_bytes())
}

fn without_status(error: &Error, stage: Stage) -> Trouble {
    use std::io::ErrorKind as Kind;
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    match source.map(std::io::Error::kind) {
        _ if error.is_timeout() => Trouble::TimedOut,
        Some(Kind::TimedOut | Kind::WouldBlock) => Trouble::TimedOut,
        Some(Kind::InvalidData) => Trouble::Tls,
        _ if error.is_tls() || stage == Stage::Tls => Trouble::Tls,
        Some(Kind::ConnectionRefused | Kind::HostUnreachable | Kind::NetworkUnreachable) => {
            Trouble::Unreachable
        }
        Some(Kind::UnexpectedEof | Kind::ConnectionReset | Kind::BrokenPipe) => Trouble::BrokenOff,
        // What is left of names that are not found has no kind of its own.
        Some(_) if stage == Stage::Hello => Trouble::Unreachable,
        Some(_) => Trouble::BrokenOff,
        None if stage == Stage::SignIn => Trouble::SignIn(504),
        None => Trouble::Protocol,
    }
}
