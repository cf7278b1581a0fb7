//! What PAM services do, and which programs may try anybody at them: `[pam.services.NAME]` and `[[local.callers]]`.

use std::collections::{BTreeMap, BTreeSet};

use common::Username;
use common::attempt::{Appended, Dialogue, Profile, SELF_SERVICE};
use toml::Spanned;
use toml::de::DeString;

use crate::keys::{
    LOCAL_CALLER_SERVICES, LOCAL_CALLER_USER, Part, SERVICE, SERVICE_APPEND, SERVICE_DIALOGUE,
    SERVICE_FACTOR_OF,
};
use crate::report::{Place, Remark, Report};
use crate::section::Section;
use crate::values::{Least, Wrong, list, quoted, service, text, word};
use crate::words::FactorOf;

/// What PAM services can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services {
    pub(crate) default: Service,
    pub(crate) named: BTreeMap<String, Service>,
}

/// One `[pam.services.NAME]`, with what it has from `[pam.services.default]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) profile: Profile,
    /// `None`: the service's name decides.
    pub(crate) factor_of: Option<FactorOf>,
}

impl Services {
    /// The profile of a PAM service: its own, or that of `[pam.services.default]`.
    #[must_use]
    pub fn profile(&self, service: &str) -> Profile {
        self.of(service).profile
    }

    /// Whose second proof a PAM service asks for.
    #[must_use]
    pub fn factor_of(&self, service: &str) -> FactorOf {
        self.of(service).factor_of.unwrap_or(match service {
            "sudo" | "sudo-i" => FactorOf::Caller,
            "su" | "su-l" => FactorOf::CallerForRoot,
            _ => FactorOf::Target,
        })
    }

    fn of(&self, service: &str) -> Service {
        self.named.get(service).copied().unwrap_or(self.default)
    }
}

/// A program that is not root and may try anybody at some PAM services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user that it runs as.
    pub user: Username,
    /// The PAM services.
    pub services: BTreeSet<String>,
}

pub(crate) fn read(top: &Section<'_>, report: &mut Report<'_>) -> Option<Services> {
    let parent = top.table("pam", Part::Pam, report).table("services", Part::PamServices, report);
    let sections = parent.named_tables(Part::Service, report);
    let default = sections.iter().find(|(name, _)| name.get_ref() == "default");
    let default = match default {
        Some((_, section)) => read_service(section, Service::default(), report),
        None => Some(Service::default()),
    };
    let mut named = Some(BTreeMap::new());
    for (name, section) in sections.iter().filter(|(name, _)| name.get_ref() != "default") {
        let service = read_service(section, default.unwrap_or_default(), report);
        let name = read_service_name(name, section, report);
        match (name, service, &mut named) {
            (Some(name), Some(service), Some(named)) => drop(named.insert(name, service)),
            (_, _, named) => *named = None,
        }
    }
    Some(Services { default: default?, named: named? })
}

fn read_service_name(
    name: &Spanned<DeString<'_>>,
    section: &Section<'_>,
    report: &mut Report<'_>,
) -> Option<String> {
    let help = match service(name.get_ref()) {
        Ok(name) => return Some(name),
        Err(Wrong::Because(why)) => Some(why),
        Err(Wrong::NotAllowed) => None,
    };
    report.error(Remark {
        place: Place::Key(name.span()),
        key: section.path().to_owned(),
        message: format!("{} is no PAM service", quoted(name.get_ref())),
        allowed: Some(SERVICE.to_owned()),
        help,
    });
    None
}

fn read_service(section: &Section<'_>, absent: Service, report: &mut Report<'_>) -> Option<Service> {
    let dialogue = section.field(&SERVICE_DIALOGUE, report, word::<Dialogue>).or(absent.profile.dialogue);
    let appended = section.field(&SERVICE_APPEND, report, word::<Appended>).or(absent.profile.appended);
    let factor_of = section.field(&SERVICE_FACTOR_OF, report, word::<FactorOf>).optional();
    let profile = Profile { dialogue: dialogue?, appended: appended?, ..absent.profile };
    Some(Service { profile, factor_of: factor_of?.or(absent.factor_of) })
}

pub(crate) fn read_callers(top: &Section<'_>, report: &mut Report<'_>) -> Option<Vec<Caller>> {
    let local = top.table("local", Part::Local, report);
    let sections = local.tables("callers", Part::LocalCaller, report);
    let read: Vec<_> = sections.iter().map(|section| read_caller(section, report)).collect();
    read.into_iter().collect()
}

fn read_caller(section: &Section<'_>, report: &mut Report<'_>) -> Option<Caller> {
    let user = section.required(&LOCAL_CALLER_USER, report, |entry, report| text(entry, report, user));
    let services = section.required(&LOCAL_CALLER_SERVICES, report, |entry, report| {
        let names = list(entry, report, Least::One, service)?;
        Some(names.into_iter().map(|placed| placed.value).collect())
    });
    let services: BTreeSet<String> = services?;
    if services.contains(SELF_SERVICE) {
        let message = format!("{} has no effect: it is each user's own shell", quoted(SELF_SERVICE));
        report.warning(Remark {
            place: section.place_of(&LOCAL_CALLER_SERVICES),
            key: section.path_of(LOCAL_CALLER_SERVICES.name),
            message,
            allowed: None,
            help: None,
        });
    }
    Some(Caller { user: user?, services })
}

/// A name as the system has it: never folded.
fn user(text: &str) -> Result<Username, Wrong> {
    Username::parse(text).map_err(|why| Wrong::Because(why.to_string()))
}
