//! Which line is to blame for a way in that should not be there, and what to write instead.

use common::PrimaryMode;

use super::{Examined, is_ours};
use crate::finding::{Finding, Kind};
use crate::pam::code::Code;
use crate::pam::control::Action;
use crate::pam::modules::Part;
use crate::pam::proof::{Atom, Strength, in_words, strength};
use crate::pam::stack::Step;
use crate::pam::ways::Way;

/// The finding for a way in; none where the way is as it is meant to be.
pub(super) fn of(examined: &Examined, way: &Way) -> Option<Finding> {
    let (kind, at) = match strength(&way.needs) {
        Strength::Both | Strength::FirstOfExempt => return None,
        _ if way.needs.contains(&Atom::EmptyPassword) => empty_password(examined, way),
        Strength::SecondAlone => second_alone(examined, way).or_else(|| passed_over(examined, way)),
        Strength::NothingOfExempt | Strength::FirstAlone | Strength::Nothing => passed_over(examined, way),
    }?;
    let step = examined.service.auth.get(at)?;
    let found = format!("`{}`: {} gets in with {}", step.text, examined.service.name, in_words(&way.needs));
    let finding = Finding::new(kind, step.place.clone(), found, advice(kind, step));
    Some(finding.of_service(&examined.service.name))
}

fn empty_password(examined: &Examined, way: &Way) -> Option<(Kind, usize)> {
    let takes_empty =
        |at: &usize| matches!(examined.ways.parts.get(*at), Some(Part::Password { takes_empty: true, .. }));
    way.course.iter().map(|(at, _)| *at).find(takes_empty).map(|at| (Kind::Nullok, at))
}

/// Nobody vouches for the first proof: which mode of ours let that pass?
fn second_alone(examined: &Examined, way: &Way) -> Option<(Kind, usize)> {
    let part = |at: usize| examined.ways.parts.get(at);
    let (ours, mode) = way.course.iter().rev().find_map(|(at, code)| match part(*at) {
        Some(Part::Ours(mode)) if *code == Code::SUCCESS => Some((*at, *mode)),
        _ => None,
    })?;
    match mode {
        PrimaryMode::None => Some((Kind::NobodyVouches, ours)),
        PrimaryMode::Own => Some((Kind::BackendNone, ours)),
        PrimaryMode::Stack | PrimaryMode::Failed => {
            let refused = way.course.iter().rev().find(|(at, code)| {
                *at < ours && *code != Code::SUCCESS && matches!(part(*at), Some(Part::Password { .. }))
            });
            Some((Kind::RefusedPasswordCounts, refused.map_or(ours, |(at, _)| *at)))
        }
    }
}

/// Ours did not decide: was it left out, or was its no passed over?
fn passed_over(examined: &Examined, way: &Way) -> Option<(Kind, usize)> {
    let steps = &examined.service.auth;
    if let Some(told) = second_of_exempt(examined, way).or_else(|| left_out(steps, way)) {
        return Some(told);
    }
    let ours = way.course.iter().find(|(at, _)| steps.get(*at).is_some_and(is_ours));
    let yes = way.course.iter().rev().find(|(_, code)| *code == Code::SUCCESS);
    match (ours, yes) {
        (Some((_, Code::IGNORE)), Some((at, _))) => Some((Kind::ExemptGetIn, *at)),
        (Some((at, code)), _) if *code != Code::SUCCESS => Some((Kind::OursPassedOver, *at)),
        (_, Some((at, _))) => Some((Kind::NoProofAsked, *at)),
        (_, None) => None,
    }
}

/// A user of whom no second step is asked, whose refused password was taken for right.
fn second_of_exempt(examined: &Examined, way: &Way) -> Option<(Kind, usize)> {
    let is_exempt = strength(&way.needs) == Strength::NothingOfExempt;
    let said_yes = way.course.iter().any(|(at, code)| {
        *code == Code::SUCCESS && matches!(examined.ways.parts.get(*at), Some(Part::Ours(_)))
    });
    (is_exempt && said_yes).then(|| second_alone(examined, way)).flatten()
}

/// The line after which a line of ours was left out, where none of ours was asked at all or the jump was over the last.
fn left_out(steps: &[Step], way: &Way) -> Option<(Kind, usize)> {
    let is_asked = way.course.iter().any(|(at, _)| steps.get(*at).is_some_and(is_ours));
    if is_asked {
        return None;
    }
    let next = way.course.iter().skip(1).map(|(at, _)| *at).chain([steps.len()]);
    way.course.iter().zip(next).find_map(|((at, code), next)| {
        let between = steps.get(at.saturating_add(1)..next)?;
        if !between.iter().any(is_ours) {
            return None;
        }
        let is_jump = matches!(steps.get(*at)?.actions.of(*code), Action::Jump(_));
        Some((if is_jump { Kind::JumpsOverOurs } else { Kind::EndsAboveOurs }, *at))
    })
}

fn advice(kind: Kind, step: &Step) -> String {
    let stack_b =
        "Write the three lines of stack (b) of docs/pam.md in this order, with nothing between them.";
    match kind {
        Kind::OursPassedOver => {
            format!("Write `required` as the control of this line, or one of the stacks of docs/pam.md: {}", rest_of(step))
        }
        Kind::EndsAboveOurs => {
            format!("Take this line out, or put it into the place that stack (b) of docs/pam.md has for it. {stack_b}")
        }
        Kind::JumpsOverOurs => {
            format!("Let the jump end at a line of pam_countersign.so, or take it out. {stack_b}")
        }
        Kind::RefusedPasswordCounts => format!("{stack_b} Or write `requisite` as the control of this line."),
        Kind::NobodyVouches => {
            "Write `primary=own`, or stack (b) of docs/pam.md; primary=none is for sshd behind a key alone.".to_owned()
        }
        Kind::BackendNone => {
            "Set `backend` of [primary] in the settings to `local` or `pam`, or write stack (b) of docs/pam.md.".to_owned()
        }
        Kind::Nullok => "Take `nullok` out of this line.".to_owned(),
        _ => "Take this line out: where pam_countersign.so decides, nothing else may say yes.".to_owned(),
    }
}

fn rest_of(step: &Step) -> String {
    let arguments = step.arguments().join(" ");
    format!("auth required {} {arguments}", step.module().unwrap_or_default()).trim_end().to_owned()
}
