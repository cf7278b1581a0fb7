//! What is wrong with stacks that have pam_countersign.so in them.

use common::PrimaryMode;
use common::attempt::SELF_SERVICE;

use super::{Examined, Site, culprit, is_ours};
use crate::finding::{Finding, Kind};
use crate::pam::modules::{OURS, Part};
use crate::pam::printed::Printed;
use crate::pam::proof::Atom;
use crate::pam::stack::{FlawKind, Step};

/// Programs that people call who are not root.
const CALLED_BY_ANYBODY: [&str; 16] = [
    "doas",
    "gnome-screensaver",
    "hyprlock",
    "i3lock",
    "kde",
    "polkit-1",
    "su",
    "su-l",
    "sudo",
    "sudo-i",
    "swaylock",
    "vlock",
    "xfce4-screensaver",
    "xlock",
    "xscreensaver",
    "xsecurelock",
];

pub(crate) fn findings(site: &Site<'_>) -> Vec<Finding> {
    let with_ours = site.services.iter().filter(|it| it.has_ours() && it.is_for_programs(site));
    with_ours.flat_map(|examined| of_service(site, examined)).collect()
}

fn of_service(site: &Site<'_>, examined: &Examined) -> Vec<Finding> {
    let mut found = of_flaws(examined);
    found.extend(examined.lines().filter_map(|(step, part)| of_line(site, examined, step, part)));
    found.extend(examined.ways.ways.iter().filter_map(|way| culprit::of(examined, way)));
    found.extend(of_whole(site, examined));
    // Whatever we have not thought of is still no stack of ours.
    if found.is_empty() && examined.printed.is_none() {
        let stacks = "Write one of the stacks of docs/pam.md, whole, in the place of these lines.";
        found.extend(at_first_of_ours(examined, Kind::NotPrinted, stacks));
    }
    let name = &examined.service.name;
    found.into_iter().map(|finding| finding.of_service(name)).collect()
}

fn of_flaws(examined: &Examined) -> Vec<Finding> {
    let of_flaw = examined.service.flaws.iter().map(|flaw| {
        let (kind, instead) = match flaw.kind {
            FlawKind::BadLine => (Kind::BadLine, "Write the line as pam.conf(5) has it, or take it out."),
            FlawKind::MissingInclude => {
                (Kind::MissingInclude, "Name a file that is there, or put it back: packages bring theirs.")
            }
            FlawKind::TooMuch => {
                (Kind::TooMuch, "Include less: libpam gives up at 16 files below each other.")
            }
        };
        Finding::new(kind, flaw.place.clone(), format!("`{}`: {}", flaw.text, flaw.what), instead)
    });
    let mut found: Vec<Finding> = of_flaw.collect();
    if !examined.ways.is_whole {
        let advice = "Write one of the stacks of docs/pam.md: what has so many parts nobody can be sure of.";
        found.extend(at_first_of_ours(examined, Kind::TooMuch, advice));
    }
    found
}

/// What one line says that is wrong whatever stands around it.
fn of_line(site: &Site<'_>, examined: &Examined, step: &Step, part: &Part) -> Option<Finding> {
    let is_faillock = step.module() == Some("pam_faillock.so");
    let finding = |kind, why: &str, instead: String| {
        Some(Finding::new(kind, step.place.clone(), format!("`{}`{why}", step.text), instead))
    };
    match part {
        Part::OursMistaken(why) => {
            let instead = "Write one of primary=own, primary=stack, primary=failed and primary=none (docs/pam.md, Arguments).";
            finding(Kind::ModuleArguments, &format!(": {why}"), instead.to_owned())
        }
        Part::Missing if is_ours(step) => {
            let instead = format!("Put the module into the folder of pam_unix.so ('cargo xtask install' does), and write {OURS} without a path.");
            finding(Kind::ModuleMissing, "", instead)
        }
        Part::OtherSecond { .. } => finding(
            Kind::OtherSecondFactor,
            "",
            "Take this line out once its users have registered with Countersign.".to_owned(),
        ),
        Part::Gate | Part::Grudge if is_faillock => finding(
            Kind::FaillockBeside,
            "",
            "Take the lines of pam_faillock.so out of this service: Countersign makes guesses wait by itself, per source."
                .to_owned(),
        ),
        Part::Ours(_) if is_in_common_file(site, examined, step) => finding(
            Kind::InCommonFile,
            "",
            "Take the lines out here, and write them into the file of each service that is meant.".to_owned(),
        ),
        Part::Ours(_) if step.has_argument("socket") && step.arguments().iter().any(|it| it == "socket=off") => {
            let is_called = CALLED_BY_ANYBODY.contains(&examined.service.name.as_str());
            is_called.then(|| finding(Kind::SocketOff, "", "Take `socket=off` out of this line.".to_owned())).flatten()
        }
        _ => None,
    }
}

fn is_in_common_file(site: &Site<'_>, examined: &Examined, step: &Step) -> bool {
    let name =
        step.place.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    step.place.file != examined.service.file && site.included.contains(&name)
}

/// What only the whole stack shows.
fn of_whole(site: &Site<'_>, examined: &Examined) -> Vec<Finding> {
    let name = examined.service.name.as_str();
    let mut found = Vec::new();
    let mut add = |kind, instead: &str| found.extend(at_first_of_ours(examined, kind, instead));
    if name == SELF_SERVICE {
        add(
            Kind::NamedCountersign,
            "Give the file, and the service in the program that asks it, another name.",
        );
    }
    if site.facts.primary_service.as_deref() == Some(name) {
        add(Kind::AsksItself, "Write `auth required pam_unix.so` in the place of this line.");
    }
    if examined.printed == Some(Printed::A) && matches!(name, "su" | "su-l") {
        add(Kind::SuToRoot, "Write stack (b) of docs/pam.md: root's password, then the caller's code.");
    }
    let asks_local = CALLED_BY_ANYBODY.contains(&name)
        && examined.lines().any(|(step, part)| matches!(part, Part::Ours(_)) && !step.has_argument("socket"));
    if asks_local && !site.facts.local_answers {
        add(Kind::LocalAway, "Start it: systemctl enable --now countersign-local.socket");
    }
    if examined.service.account.is_empty() {
        let kind = if site.other_refuses { Kind::AccountMissing } else { Kind::AccountOfOther };
        add(kind, "Put back the `account` lines that the service had: `account required pam_unix.so`, say.");
    }
    let asks_both = |needs: &crate::pam::proof::World| {
        needs.contains(&Atom::Password) && needs.contains(&Atom::OwnPassword)
    };
    if examined.ways.ways.iter().any(|way| asks_both(&way.needs)) {
        found.extend(two_passwords(examined));
    }
    if !examined.ways.let_somebody_in() {
        found.extend(nobody(examined));
    }
    found
}

/// The line by which the first of two passwords is asked for: an include, where one has it.
fn two_passwords(examined: &Examined) -> Option<Finding> {
    let (step, _) = examined.lines().find(|(_, part)| matches!(part, Part::Password { .. }))?;
    let instead = "Write the lines of Countersign in place of `@include common-auth` or `auth include …` in the service's own file; for the system's password alone, stack (b) of docs/pam.md.";
    let found = format!("`{}`, and primary=own below", step.text);
    Some(Finding::new(Kind::TwoPasswords, step.place.clone(), found, instead))
}

/// Nobody gets in: why?
fn nobody(examined: &Examined) -> Option<Finding> {
    let mut parts = examined.lines();
    let is_mistaken = parts.any(|(step, part)| match part {
        Part::OursMistaken(_) => true,
        Part::Missing => is_ours(step),
        _ => false,
    });
    // What is told of already says why.
    if is_mistaken || !examined.service.flaws.is_empty() {
        return None;
    }
    let keeps = examined.lines().find(|(_, part)| matches!(part, Part::Password { hands_on: false, .. }));
    let wants = examined.ways.parts.contains(&Part::Ours(PrimaryMode::Stack));
    match keeps {
        Some((step, _)) if wants => {
            let instead = format!("Write `forward_pass` behind {}.", step.module().unwrap_or_default());
            let found = format!("`{}`", step.text);
            Some(Finding::new(Kind::PasswordNotHandedOn, step.place.clone(), found, instead))
        }
        _ => at_first_of_ours(
            examined,
            Kind::NobodyGetsIn,
            "Write one of the stacks of docs/pam.md, whole: each of its lines counts.",
        ),
    }
}

fn at_first_of_ours(examined: &Examined, kind: Kind, instead: &str) -> Option<Finding> {
    let step = examined.service.auth.iter().find(|step| is_ours(step))?;
    let found = format!("`{}` in the service {}", step.text, examined.service.name);
    Some(Finding::new(kind, step.place.clone(), found, instead))
}
