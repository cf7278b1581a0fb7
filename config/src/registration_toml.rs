//! Reads `[registration]` and its openings.

use std::collections::HashSet;

use common::account::Scope;
use common::attempt::SELF_SERVICE;
use common::registration::{self, Grace, Opening, Registration};

use crate::keys::{Key, Part};
use crate::limits;
use crate::networks::network;
use crate::registration_keys::{
    APP_PASSWORD_CLIENTS, APP_PASSWORD_SERVICES, APPS, AT_SIGN_IN, DEADLINE_DAYS, OPENING_CLIENTS,
    OPENING_NAME, OPENING_NETWORKS, OPENING_SERVICES, SIGN_INS,
};
use crate::report::Report;
use crate::rules::ClientReference;
use crate::section::{Entry, Section};
use crate::values::{
    Least, Placed, Wrong, boolean, label, list, number_between, plain_name, quoted, service, text,
    without_white_space_at_its_ends,
};

/// Programs for people at the machine itself, who have no address.
const AT_THE_MACHINE: [&str; 6] = [SELF_SERVICE, "login", "su", "su-l", "sudo", "sudo-i"];

/// What holds for people who have not registered, and the clients that are named there.
pub(crate) struct ReadRegistration {
    pub(crate) registration: Option<Registration>,
    pub(crate) references: Vec<ClientReference>,
}

pub(crate) fn read(top: &Section<'_>, report: &mut Report<'_>) -> ReadRegistration {
    let mut references = Vec::new();
    let section = top.table("registration", Part::Registration, report);
    let at_sign_in = section.field(&AT_SIGN_IN, report, boolean).or(true);
    let grace = read_grace(&section, report);
    let apps = section.field(&APPS, report, |entry, report| text(entry, report, apps_text));
    let apps = apps.or(registration::APPS.to_owned());
    let services = read_services(&section, &APP_PASSWORD_SERVICES, report);
    let clients = read_clients(&section, &APP_PASSWORD_CLIENTS, &mut references, report);
    let openings = read_openings(&section, &mut references, report);
    let registration = || {
        Some(Registration {
            at_sign_in: at_sign_in?,
            openings: openings?,
            grace: grace?,
            apps: apps?,
            app_passwords: Scope { services: services?, clients: clients? },
        })
    };
    let registration = registration();
    if let Some(registration) = registration.as_ref().filter(|it| !it.at_sign_in) {
        warn_of_silence(&section, registration, report);
    }
    ReadRegistration { registration, references }
}

fn read_grace(section: &Section<'_>, report: &mut Report<'_>) -> Option<Grace> {
    let up_to = |most: u16| {
        move |entry: &Entry<'_>, report: &mut Report<'_>| {
            number_between(entry, report, 1, most).map(u32::from)
        }
    };
    let days = section.field(&DEADLINE_DAYS, report, up_to(limits::DEADLINE_DAYS_MAX)).optional();
    let sign_ins = section.field(&SIGN_INS, report, up_to(limits::DEADLINE_SIGN_INS_MAX)).optional();
    Some(Grace { days: days?, sign_ins: sign_ins? })
}

/// The text is put into a prompt, and not every VPN client shows more than ASCII.
fn apps_text(text: &str) -> Result<String, Wrong> {
    let is_printable = text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    if text.is_empty() || text.len() > common::limits::APPS_OCTETS_MAX || !is_printable {
        return Err(Wrong::NotAllowed);
    }
    without_white_space_at_its_ends(text)
}

fn read_openings(
    registration: &Section<'_>,
    references: &mut Vec<ClientReference>,
    report: &mut Report<'_>,
) -> Option<Vec<Opening>> {
    let sections = registration.tables("opening", Part::Opening, report);
    let mut names = HashSet::new();
    let mut read = Vec::new();
    for section in &sections {
        read.push(read_opening(section, &mut names, references, report));
    }
    read.into_iter().collect()
}

fn read_opening(
    section: &Section<'_>,
    names: &mut HashSet<String>,
    references: &mut Vec<ClientReference>,
    report: &mut Report<'_>,
) -> Option<Opening> {
    let name = section.own_name(&OPENING_NAME, "openings", names, report, label);
    let services = read_services(section, &OPENING_SERVICES, report);
    let clients = read_clients(section, &OPENING_CLIENTS, references, report);
    let networks =
        section.field(&OPENING_NETWORKS, report, |entry, report| list(entry, report, Least::None, network));
    let networks = networks.or(Vec::new()).map(values);
    let opening = Opening { name: name?, services: services?, clients: clients?, networks: networks? };
    if opening.services.is_empty() && opening.clients.is_empty() {
        let message = "the opening names no place";
        let help = Some("write PAM services into `services`, or RADIUS clients into `clients`");
        report.error(section.remark(&OPENING_SERVICES, message, help));
        return None;
    }
    warn_of_anywhere(section, &opening, report);
    warn_of_shut(section, &opening, report);
    Some(opening)
}

fn read_services(section: &Section<'_>, key: &'static Key, report: &mut Report<'_>) -> Option<Vec<String>> {
    let services = section.field(key, report, |entry, report| list(entry, report, Least::None, service));
    services.or(Vec::new()).map(values)
}

fn read_clients(
    section: &Section<'_>,
    key: &'static Key,
    references: &mut Vec<ClientReference>,
    report: &mut Report<'_>,
) -> Option<Vec<String>> {
    let clients = section.field(key, report, |entry, report| list(entry, report, Least::None, plain_name));
    let clients = clients.or(Vec::new())?;
    references.extend(clients.iter().map(|placed| ClientReference::new(section, key, placed)));
    Some(values(clients))
}

fn values<T>(placed: Vec<Placed<T>>) -> Vec<T> {
    placed.into_iter().map(|placed| placed.value).collect()
}

/// A stolen password is then all that it takes, wherever the thief is; but whoever sits at the machine is nowhere else.
fn warn_of_anywhere(section: &Section<'_>, opening: &Opening, report: &mut Report<'_>) {
    let Opening { services, clients, networks, .. } = opening;
    let is_far = !clients.is_empty() || services.iter().any(|service| !is_at_the_machine(service));
    let is_anywhere = networks.is_empty() || networks.iter().any(|network| network.prefix_len() == 0);
    if is_far && is_anywhere {
        let message = "whoever has a first password can register with it here, from the whole Internet";
        let help = Some("write the networks of your people into `networks`");
        report.warning(section.remark(&OPENING_NETWORKS, message, help));
    }
}

fn is_at_the_machine(service: &str) -> bool {
    AT_THE_MACHINE.contains(&service)
}

/// Who sits at the machine has no address, so that no network holds them.
fn warn_of_shut(section: &Section<'_>, opening: &Opening, report: &mut Report<'_>) {
    let shut = opening.services.iter().find(|service| is_at_the_machine(service));
    if let Some(service) = shut.filter(|_| !opening.networks.is_empty()) {
        let message = format!("at {} the opening stays shut: nobody has an address there", quoted(service));
        let help = Some("write an opening of its own for it, without `networks`");
        report.warning(section.remark(&OPENING_SERVICES, message, help));
    }
}

/// What has no effect, or comes as a surprise, where nobody is asked.
fn warn_of_silence(section: &Section<'_>, registration: &Registration, report: &mut Report<'_>) {
    if !registration.openings.is_empty() {
        let message = "the openings have no effect: nobody is asked to register at a sign-in";
        report.warning(section.remark(&AT_SIGN_IN, message, None));
    }
    if registration.grace != Grace::default() {
        let message = "nobody is told of the deadline: nobody is asked to register at a sign-in";
        report.warning(section.remark(&AT_SIGN_IN, message, None));
    }
}
