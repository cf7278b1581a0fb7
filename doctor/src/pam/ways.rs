//! Who gets in with what: every mix of proofs and conditions is taken through the stack, with everything that the
//! modules may say, and the smallest mixes that some course lets in are the answer.

use std::collections::{BTreeSet, VecDeque};

use super::code::Code;
use super::dispatch::Course;
use super::modules::{Part, Setting};
use super::proof::{Atom, World};
use super::stack::Step;
use crate::limits::{ATOMS_MAX, SITUATIONS_MAX};

/// What lets somebody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// What is needed; nothing of it can be left out.
    pub needs: World,
    /// The lines that were asked, and what each said.
    pub course: Vec<(usize, Code)>,
}

/// All that lets somebody in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// The smallest sets.
    pub ways: Vec<Way>,
    /// What each line is.
    pub parts: Vec<Part>,
    /// Whether everything could be tried.
    pub is_whole: bool,
}

/// Takes every mix through a stack.
#[must_use]
pub fn ways(steps: &[Step], setting: &Setting<'_>) -> Ways {
    let parts: Vec<Part> = steps.iter().map(|step| setting.part(step)).collect();
    let all: BTreeSet<Atom> =
        steps.iter().zip(&parts).flat_map(|(step, part)| setting.atoms(step, part)).collect();
    let mut found = Ways { is_whole: all.len() <= ATOMS_MAX, ..Ways::default() };
    // Conditions stand last in the order of atoms, so that those are left out first which are no proofs.
    let atoms: Vec<Atom> = all.into_iter().take(ATOMS_MAX).collect();
    for world in mixes(&atoms) {
        if found.ways.iter().any(|way| way.needs.is_subset(&world)) {
            continue;
        }
        match course(steps, &parts, setting, &world) {
            Search::In(course) => found.ways.push(Way { needs: world, course }),
            Search::Out => {}
            Search::TooMuch => found.is_whole = false,
        }
    }
    found.parts = parts;
    found
}

/// All subsets, small ones first.
fn mixes(atoms: &[Atom]) -> Vec<World> {
    let mut mixes: Vec<World> = vec![World::new()];
    for atom in atoms {
        let with: Vec<World> =
            mixes.iter().map(|mix| mix.iter().cloned().chain([atom.clone()]).collect()).collect();
        mixes.extend(with);
    }
    mixes.sort_by_key(BTreeSet::len);
    mixes
}

enum Search {
    In(Vec<(usize, Code)>),
    Out,
    TooMuch,
}

/// A stack half-way, and whether a password was typed.
type Situation = (Course, bool);

/// One that was reached, from which, and by what.
struct Reached {
    situation: Situation,
    from: Option<usize>,
    said: Option<(usize, Code)>,
}

/// Looks for a course that lets these in, the shortest first.
fn course(steps: &[Step], parts: &[Part], setting: &Setting<'_>, world: &World) -> Search {
    let begin = (Course::begin(steps), false);
    let mut seen = BTreeSet::from([begin.clone()]);
    let mut reached = vec![Reached { situation: begin, from: None, said: None }];
    let mut open = VecDeque::from([0_usize]);
    while let Some(number) = open.pop_front() {
        let Some(Reached { situation: (course, typed), .. }) = reached.get(number) else { break };
        let (course, typed) = (course.clone(), *typed);
        let Some((at, step)) = course.step(steps) else {
            if course.verdict() == Code::SUCCESS {
                return Search::In(said_up_to(&reached, number));
            }
            continue;
        };
        let part = parts.get(at).unwrap_or(&Part::Refusal);
        for (code, typed) in setting.outcomes(step, part, world, typed) {
            let next = (course.clone().returns(steps, code), typed);
            if seen.insert(next.clone()) {
                open.push_back(reached.len());
                reached.push(Reached { situation: next, from: Some(number), said: Some((at, code)) });
            }
        }
        if reached.len() > SITUATIONS_MAX {
            return Search::TooMuch;
        }
    }
    Search::Out
}

fn said_up_to(reached: &[Reached], end: usize) -> Vec<(usize, Code)> {
    let mut said = Vec::new();
    let mut at = Some(end);
    while let Some(here) = at.and_then(|number| reached.get(number)) {
        said.extend(here.said);
        at = here.from;
    }
    said.reverse();
    said
}
