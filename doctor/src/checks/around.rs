//! What is wrong beside the stacks that decide: a second service of the same program, lines that nobody reads.

use std::path::Path;

use super::{Site, is_ours};
use crate::finding::{Finding, Kind};
use crate::pam::line::lines_for;
use crate::pam::modules::OURS;
use crate::pam::stack::{ALL_SERVICES, FOLDERS, names_of_pam_conf};
use crate::place::Place;
use crate::tree::Contents;

/// Services of one program, which asks one or the other.
const SIBLINGS: [[&str; 2]; 2] = [["sudo", "sudo-i"], ["su", "su-l"]];

pub(crate) fn findings(site: &Site<'_>) -> Vec<Finding> {
    let pairs = SIBLINGS.iter().flat_map(|[one, other]| [(*one, *other), (*other, *one)]);
    let mut found: Vec<Finding> = pairs.filter_map(|(with, without)| sibling(site, with, without)).collect();
    found.extend(outside_auth(site));
    found.extend(unread(site));
    found
}

fn sibling(site: &Site<'_>, with: &str, without: &str) -> Option<Finding> {
    let with = site.service(with).filter(|it| it.has_ours())?;
    let other = site.service(without).filter(|it| !it.has_ours())?;
    let (with, file) = (&with.service.name, &other.service.file);
    // The line that its own file has; what that includes is not to be changed.
    let line = own_line(site, file);
    let place = Place::new(file, line);
    let found = format!("{with} asks for a second step, and {without} does not");
    let instead = format!("Write the `auth` lines of {with} here too.");
    Some(Finding::new(Kind::SiblingWithout, place, found, instead).of_service(without))
}

/// The first line of a file that is about who somebody is.
fn own_line(site: &Site<'_>, file: &Path) -> u32 {
    use crate::pam::line::{Entry, Facility, lines};
    let Contents::Text(text) = site.tree.read(file) else { return 0 };
    let is_auth = |entry: &Entry| match entry {
        Entry::IncludeAll(name) => {
            name.contains("auth") || site.service(name).is_some_and(|it| !it.service.auth.is_empty())
        }
        Entry::Rule(rule) => rule.facility == Some(Facility::Auth),
        Entry::Unfinished => false,
    };
    lines(&text).iter().find(|line| is_auth(&line.entry)).map_or(0, |line| line.number)
}

/// Lines of ours that do nothing.
fn outside_auth(site: &Site<'_>) -> Vec<Finding> {
    let lines = site.services.iter().flat_map(|it| {
        let steps = it.service.account.iter().chain(&it.service.others).filter(|step| is_ours(step));
        steps.map(|step| {
            let instead = "Take this line out; the second step is asked for in the `auth` lines.";
            let found = format!("`{}`", step.text);
            Finding::new(Kind::OutsideAuth, step.place.clone(), found, instead).of_service(&it.service.name)
        })
    });
    lines.collect()
}

/// Lines of /etc/pam.conf beside folders, for which libpam does not look into it.
fn unread(site: &Site<'_>) -> Option<Finding> {
    let file = Path::new(ALL_SERVICES);
    let is_read = FOLDERS.iter().all(|folder| site.tree.metadata(Path::new(folder)).is_none());
    let Contents::Text(text) = site.tree.read(file) else { return None };
    if is_read {
        return None;
    }
    let ours = names_of_pam_conf(site.tree).into_iter().find_map(|service| {
        let line = lines_for(&text, &service).into_iter().find(|line| line.text.contains(OURS))?;
        Some((service, line))
    });
    let (service, line) = ours?;
    let instead = format!("Write the lines into /etc/pam.d/{service}, without the first word.");
    let found = format!("`{service} {}`", line.text);
    Some(
        Finding::new(Kind::PamConfIgnored, Place::new(file, line.number), found, instead)
            .of_service(&service),
    )
}
