//! Reads `countersign.toml`, rules and services apart.

use std::collections::{BTreeSet, HashSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::otpauth::issuer_in_pictures;
use common::policy::Policy;
use common::username::{Folding, Username};
use toml::Spanned;
use toml::de::DeTable;

use crate::clients::Clients;
use crate::delivery_toml;
use crate::keys::{
    BACKEND, BREAK_GLASS_FILE, BREAK_GLASS_USERS, CLIENTS_FILE, DEFAULT_STATE, FLOOR, FOLD, ISSUER, LISTEN,
    PAM_SERVICE, PRIVILEGED_SERVICES, Part, STATE_DIRECTORY, SYSLOG_FACILITY, SYSLOG_FORMAT, SYSLOG_TARGET,
};
use crate::limits;
use crate::networks::{socket_address, syslog_target};
use crate::paths;
use crate::registration_toml;
use crate::report::{Place, Remark, Report};
use crate::rules::{self, ClientReference};
use crate::section::{Entry, Section};
use crate::services;
use crate::settings::{Audit, Primary, Radius, Settings, Syslog, SyslogTarget};
use crate::values::{
    Least, Placed, Wrong, absolute_path, asked_service, issuer, list, near, path, quoted, service, text,
    whole_number, word,
};
use crate::words::{Backend, Facility, SyslogFormat};

/// The floor where none is written: well above what the work of a check takes.
const FLOOR_MILLISECONDS: u16 = 100;

/// What one file gives: settings without clients, and what the clients file will be compared with.
pub(crate) struct Draft {
    pub(crate) settings: Option<Settings>,
    pub(crate) clients_file: Option<Placed<PathBuf>>,
    references: Vec<ClientReference>,
    /// Where `listen` stands, or would.
    listen: Place,
}

impl Draft {
    /// Refuses rules and others that name a client that is not there.
    pub(crate) fn refuse_unknown_clients(&self, names: &HashSet<String>, report: &mut Report<'_>) {
        for reference in self.references.iter().filter(|reference| !names.contains(&reference.client)) {
            let meant = near(&reference.client, names.iter().map(String::as_str));
            report.error(Remark {
                place: Place::Value(reference.place.clone()),
                key: reference.key.clone(),
                message: format!("there is no client {}", quoted(&reference.client)),
                allowed: Some("a client of the clients file".to_owned()),
                help: meant.map(|meant| format!("did you mean \"{meant}\"?")),
            });
        }
    }
}

impl Draft {
    /// Says which clients are elsewhere while the server listens to this machine only.
    pub(crate) fn warn_of_unheard_clients(&self, clients: &Clients, report: &mut Report<'_>) {
        let Some(settings) = &self.settings else { return };
        let unheard = clients.iter().filter(|client| !settings.radius.hears(client));
        let names: Vec<String> = unheard.map(|client| quoted(&client.name)).collect();
        let whose = match names.as_slice() {
            [] => return,
            [only] => format!("client {only}"),
            [first, others @ ..] => format!("client {first} and {} more", others.len()),
        };
        report.warning(Remark {
            place: self.listen.clone(),
            key: "radius.listen".to_owned(),
            message: format!("the RADIUS server listens on loopback only: no packet of {whose} reaches it"),
            allowed: None,
            help: Some(
                "write an address of this machine into `listen` of [radius], and start the server again"
                    .to_owned(),
            ),
        });
    }
}

/// Reads the whole file; what is wrong is in the report, and then there are no settings.
pub(crate) fn read<'a>(file: &Path, root: &'a Spanned<DeTable<'a>>, report: &mut Report<'_>) -> Draft {
    let top = Section::top(root, Part::Top, report);
    let clients_file = read_clients_file(&top, file, report);
    let state_directory = top
        .field(&STATE_DIRECTORY, report, |entry, report| text(entry, report, absolute_path))
        .or(PathBuf::from(paths::STATE_DIRECTORY));
    let (primary, floor) = read_primary(&top, report);
    let break_glass = top.table("break-glass", Part::BreakGlass, report);
    let break_glass_file = break_glass
        .field(&BREAK_GLASS_FILE, report, |entry, report| text(entry, report, absolute_path))
        .optional();
    let (policy, mut references) = read_policy(&top, &break_glass, floor, report);
    let registration = registration_toml::read(&top, report);
    references.extend(registration.references);
    let services = services::read(&top, report);
    let callers = services::read_callers(&top, report);
    let (radius, listen) = read_radius(&top, report);
    let audit = read_audit(&top, report);
    let delivery = delivery_toml::read(&top, file.parent().unwrap_or(Path::new("")), report);
    let settings = || {
        let delivery = delivery?;
        let policy = Policy {
            numbers: delivery.numbers,
            codes_per_day: delivery.codes_per_day,
            notices: delivery.notices,
            registration: registration.registration?,
            ..policy?
        };
        Some(Settings {
            path: file.to_owned(),
            policy,
            break_glass_file: break_glass_file?
                .unwrap_or(state_directory.as_ref()?.join(paths::BREAK_GLASS_FILE)),
            state_directory: state_directory?,
            clients_file: clients_file.as_ref()?.value.clone(),
            primary: primary?,
            services: services?,
            callers: callers?,
            radius: radius?,
            audit: audit?,
            delivery: delivery.delivery,
            clients: Clients::default(),
        })
    };
    Draft { settings: settings(), clients_file, references, listen }
}

fn read_clients_file(top: &Section<'_>, file: &Path, report: &mut Report<'_>) -> Option<Placed<PathBuf>> {
    let written = top.field(&CLIENTS_FILE, report, |entry, report| {
        let value = text(entry, report, path)?;
        Some(Placed { value, place: entry.value.span() })
    });
    let written = written.or(Placed { value: PathBuf::from(paths::CLIENTS_FILE), place: 0..0 })?;
    let folder = file.parent().unwrap_or(Path::new(""));
    Some(Placed { value: folder.join(written.value), place: written.place })
}

fn read_policy(
    top: &Section<'_>,
    break_glass: &Section<'_>,
    floor: Option<Duration>,
    report: &mut Report<'_>,
) -> (Option<Policy>, Vec<ClientReference>) {
    let default_state = top.required(&DEFAULT_STATE, report, word);
    let issuer = top.field(&ISSUER, report, |entry, report| text(entry, report, issuer)).optional();
    warn_of_long_issuer(top, issuer.as_ref().and_then(Option::as_deref), report);
    let names = top.table("names", Part::Names, report);
    let folding = names.field(&FOLD, report, word::<Folding>).or(Folding::Exact);
    let privileged = read_privileged(top, report);
    // Where the folding was refused the names are still read, for their own mistakes.
    let break_glass = read_break_glass(break_glass, folding.unwrap_or_default(), report);
    let read = rules::read(top, folding.unwrap_or_default(), report);
    let policy = || {
        let standard = Policy::new(default_state?);
        Some(Policy {
            folding: folding?,
            rules: read.rules?,
            privileged_services: privileged?.unwrap_or(standard.privileged_services.clone()),
            break_glass: break_glass?,
            floor: floor?,
            issuer: issuer?.unwrap_or(standard.issuer.clone()),
            ..standard
        })
    };
    (policy(), read.references)
}

/// A picture of a registration is as small as a terminal: beside a long name, a long issuer is cut in it.
fn warn_of_long_issuer(top: &Section<'_>, issuer: Option<&str>, report: &mut Report<'_>) {
    let Some((issuer, shown)) = issuer.map(|issuer| (issuer, issuer_in_pictures(issuer))) else { return };
    if shown != issuer {
        report.warning(Remark {
            place: top.place_of(&ISSUER),
            key: ISSUER.name.to_owned(),
            message: format!("a picture that is scanned has room for {} of it, beside a long user name", quoted(shown)),
            allowed: None,
            help: Some(
                "24 letters and digits always fit; a space counts as three of them, other characters as three for each octet"
                    .to_owned(),
            ),
        });
    }
}

fn read_privileged(top: &Section<'_>, report: &mut Report<'_>) -> Option<Option<BTreeSet<String>>> {
    let section = top.table("privileged", Part::Privileged, report);
    section.field(&PRIVILEGED_SERVICES, report, read_service_names).optional()
}

fn read_service_names(entry: &Entry<'_>, report: &mut Report<'_>) -> Option<BTreeSet<String>> {
    let names = list(entry, report, Least::None, service)?;
    Some(names.into_iter().map(|placed| placed.value).collect())
}

fn read_break_glass(
    section: &Section<'_>,
    folding: Folding,
    report: &mut Report<'_>,
) -> Option<BTreeSet<Username>> {
    section
        .field(&BREAK_GLASS_USERS, report, |entry, report| {
            let users = list(entry, report, Least::None, |text| username(text, folding))?;
            Some(users.into_iter().map(|placed| placed.value).collect())
        })
        .or(BTreeSet::new())
}

/// A user name, folded as the names of people who sign in will be.
pub(crate) fn username(text: &str, folding: Folding) -> Result<Username, Wrong> {
    match Username::parse(text) {
        Ok(name) => Ok(folding.fold(&name)),
        Err(why) => Err(Wrong::Because(why.to_string())),
    }
}

fn read_primary(top: &Section<'_>, report: &mut Report<'_>) -> (Option<Primary>, Option<Duration>) {
    let section = top.table("primary", Part::Primary, report);
    let backend = section.field(&BACKEND, report, word::<Backend>).or(Backend::Local);
    let written =
        section.field(&PAM_SERVICE, report, |entry, report| text(entry, report, asked_service)).optional();
    let primary = || match (backend?, written?) {
        (Backend::Pam, named) => {
            Some(Primary::Pam { service: named.unwrap_or("countersign-primary".to_owned()) })
        }
        (Backend::Local, _) => Some(Primary::Local),
        (Backend::None, _) => Some(Primary::None),
    };
    (primary(), read_floor(&section, report))
}

fn read_floor(section: &Section<'_>, report: &mut Report<'_>) -> Option<Duration> {
    let milliseconds = |entry: &Entry<'_>, report: &mut Report<'_>| {
        whole_number(entry, report, limits::FLOOR_MILLISECONDS_MAX)
    };
    let floor = section.field(&FLOOR, report, milliseconds).or(FLOOR_MILLISECONDS)?;
    Some(Duration::from_millis(floor.into()))
}

fn read_radius(top: &Section<'_>, report: &mut Report<'_>) -> (Option<Radius>, Place) {
    let section = top.table("radius", Part::Radius, report);
    let place = section.place_of(&LISTEN);
    let listen = section.field(&LISTEN, report, |entry, report| {
        let addresses = list(entry, report, Least::One, socket_address)?;
        Some(addresses.into_iter().map(|placed| placed.value).collect())
    });
    (listen.or(default_listen()).map(|listen| Radius { listen }), place)
}

pub(crate) fn default_listen() -> Vec<SocketAddr> {
    vec![SocketAddr::from(([127, 0, 0, 1], 1812)), SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 1812))]
}

fn read_audit(top: &Section<'_>, report: &mut Report<'_>) -> Option<Audit> {
    let section = top.table("audit", Part::Audit, report).table("syslog", Part::Syslog, report);
    let target = section.field(&SYSLOG_TARGET, report, |entry, report| text(entry, report, syslog_target));
    let target = target.or(SyslogTarget::Unix(PathBuf::from("/dev/log")));
    let usual = target.as_ref().map_or(SyslogFormat::Rfc5424, SyslogTarget::usual_format);
    let format = section.field(&SYSLOG_FORMAT, report, word).or(usual);
    let facility = section.field(&SYSLOG_FACILITY, report, word).or(Facility::Authpriv);
    Some(Audit { syslog: Syslog { target: target?, format: format?, facility: facility? } })
}
