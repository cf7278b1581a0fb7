//! The settings, as the rest of the program uses them: read once, whole, and right.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use common::causes::with_causes;
use common::policy::Policy;
use ipnet::IpNet;
use zeroize::Zeroizing;

use crate::clients::{Client, Clients};
use crate::clients_toml;
use crate::countersign_toml::{self, Draft};
use crate::delivery::Delivery;
use crate::error::ConfigError;
use crate::file::{Contents, SourceFile};
use crate::finding::Finding;
use crate::report::{Place, Remark, Report};
use crate::services::{Caller, Services};
use crate::words::{Backend, Facility, SyslogFormat};

/// Everything that the files say.
#[derive(Clone)]
pub struct Settings {
    /// The file that it was read from.
    pub path: PathBuf,
    /// The decisions for all accounts.
    pub policy: Policy,
    /// The folder of the store and the master key.
    pub state_directory: PathBuf,
    /// The file of the break-glass accounts.
    pub break_glass_file: PathBuf,
    /// The file with the RADIUS clients, with its folder.
    pub clients_file: PathBuf,
    /// Who checks the first password.
    pub primary: Primary,
    /// What PAM services can do.
    pub services: Services,
    /// Programs that are not root and may try anybody.
    pub callers: Vec<Caller>,
    /// The RADIUS server.
    pub radius: Radius,
    /// Where records go.
    pub audit: Audit,
    /// Whom codes and notices are handed to.
    pub delivery: Delivery,
    /// The RADIUS clients; empty where they were not asked for.
    pub clients: Clients,
}

/// Who checks the first password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Primary {
    /// Hashes in the store.
    Local,
    /// A PAM service of this machine.
    Pam {
        /// Its name.
        service: String,
    },
    /// Nobody.
    None,
}

impl Primary {
    /// The word for it in the settings.
    #[must_use]
    pub fn backend(&self) -> Backend {
        match self {
            Self::Local => Backend::Local,
            Self::Pam { .. } => Backend::Pam,
            Self::None => Backend::None,
        }
    }
}

/// The RADIUS server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Radius {
    /// Where it listens; at least one address.
    pub listen: Vec<SocketAddr>,
}

impl Radius {
    /// Whether a packet of this client can reach it: a server on loopback only hears none from elsewhere.
    pub(crate) fn hears(&self, client: &Client) -> bool {
        let is_local = |network: &IpNet| {
            network.network().is_loopback()
                || network.contains(&IpAddr::V4(Ipv4Addr::LOCALHOST))
                || network.contains(&IpAddr::V6(Ipv6Addr::LOCALHOST))
        };
        self.listen.iter().any(|address| !address.ip().is_loopback()) || client.networks.iter().any(is_local)
    }
}

/// Where records go, apart from the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// The syslog collector.
    pub syslog: Syslog,
}

/// A syslog collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syslog {
    /// Where it is.
    pub target: SyslogTarget,
    /// How records are written.
    pub format: SyslogFormat,
    /// Under which facility.
    pub facility: Facility,
}

/// Where a syslog collector is. Names are never looked up: that could delay a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyslogTarget {
    /// A Unix socket.
    Unix(PathBuf),
    /// A UDP socket.
    Udp(SocketAddr),
    /// A TCP socket.
    Tcp(SocketAddr),
}

impl SyslogTarget {
    /// The form that a collector takes there without being told: rsyslogd parses no RFC 5424 on its Unix socket,
    /// which is made for syslog(3).
    pub(crate) fn usual_format(&self) -> SyslogFormat {
        match self {
            Self::Unix(_) => SyslogFormat::Rfc3164,
            Self::Udp(_) | Self::Tcp(_) => SyslogFormat::Rfc5424,
        }
    }
}

impl std::fmt::Display for SyslogTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Udp(address) => write!(f, "udp:{address}"),
            Self::Tcp(address) => write!(f, "tcp:{address}"),
        }
    }
}

/// Settings, and what an administrator may want to think about.
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// Warnings, in the order of the files.
    pub warnings: Vec<Finding>,
}

impl Settings {
    /// Reads the settings and the clients file that they name.
    pub fn load(path: &Path) -> Result<Loaded, ConfigError> {
        load(&SourceFile::open(path, Contents::Settings)?, |draft, report| {
            read_clients(draft, report, SourceFile::open)
        })
    }

    /// Reads settings that are tried out away from their place, where there need be no clients beside them: that is a warning.
    pub fn load_copy(path: &Path) -> Result<Loaded, ConfigError> {
        load(&SourceFile::open(path, Contents::Settings)?, |draft, report| match &draft.clients_file {
            Some(clients) if !clients.value.exists() => {
                let message = format!(
                    "there is no {}: the settings are checked without RADIUS clients",
                    clients.value.display()
                );
                report.warning(about_clients(Place::Key(clients.place.clone()), message));
                Ok(ClientsRead::default())
            }
            Some(_) | None => read_clients(draft, report, SourceFile::open),
        })
    }

    /// Reads the settings only: a PAM caller has no business with RADIUS secrets,
    /// and a mistake among them locks nobody out of the machine.
    pub fn load_without_clients(path: &Path) -> Result<Loaded, ConfigError> {
        load(&SourceFile::open(path, Contents::Settings)?, |_, _| Ok(ClientsRead::default()))
    }

    /// Reads texts as if they stood in two files: the settings at `path`, and the clients wherever these say.
    pub fn from_texts(path: &Path, settings: &str, clients: &str) -> Result<Loaded, ConfigError> {
        let text = |text: &str| Zeroizing::new(text.to_owned());
        let clients_at = |path: &Path, contents| Ok(SourceFile::from_text(path, contents, text(clients)));
        load(&SourceFile::from_text(path, Contents::Settings, text(settings)), |draft, report| {
            read_clients(draft, report, clients_at)
        })
    }
}

/// What became of the clients file.
#[derive(Default)]
struct ClientsRead {
    clients: Clients,
    findings: Vec<Finding>,
    errors: usize,
}

fn load(
    file: &SourceFile,
    clients_of: impl FnOnce(&Draft, &mut Report<'_>) -> Result<ClientsRead, ConfigError>,
) -> Result<Loaded, ConfigError> {
    let (mut report, root) = Report::parse(file);
    let draft = countersign_toml::read(&file.path, &root, &mut report);
    let read = clients_of(&draft, &mut report)?;
    let errors = report.errors().saturating_add(read.errors);
    let mut findings = report.into_findings();
    findings.extend(read.findings);
    match draft.settings {
        Some(settings) if errors == 0 => {
            Ok(Loaded { settings: Settings { clients: read.clients, ..settings }, warnings: findings })
        }
        Some(_) | None => Err(ConfigError::Mistakes { findings, errors }),
    }
}

fn read_clients(
    draft: &Draft,
    settings_report: &mut Report<'_>,
    open: impl FnOnce(&Path, Contents) -> Result<SourceFile, ConfigError>,
) -> Result<ClientsRead, ConfigError> {
    let Some(path) = &draft.clients_file else {
        return Ok(ClientsRead::default());
    };
    let file = match open(&path.value, Contents::Secrets) {
        Ok(file) => file,
        Err(error) if settings_report.errors() == 0 => return Err(error),
        Err(error) => {
            settings_report.error(about_clients(Place::Key(path.place.clone()), with_causes(&error)));
            return Ok(ClientsRead::default());
        }
    };
    let (mut report, root) = Report::parse(&file);
    let is_toml = report.errors() == 0;
    let read = clients_toml::read(&root, &mut report);
    if is_toml {
        draft.refuse_unknown_clients(&read.names, settings_report);
    }
    let errors = report.errors();
    if errors == 0 && settings_report.errors() == 0 {
        draft.warn_of_unheard_clients(&read.clients, settings_report);
    }
    Ok(ClientsRead { clients: read.clients, findings: report.into_findings(), errors })
}

fn about_clients(place: Place, message: String) -> Remark {
    Remark { place, key: "clients-file".to_owned(), message, allowed: None, help: None }
}
