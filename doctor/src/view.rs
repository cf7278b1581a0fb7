//! What there is to say about services that is no finding: who gets in with what.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;

use crate::checks::Examined;
use crate::pam::printed::Printed;
use crate::pam::proof::{Atom, World, in_words};
use crate::pam::ways::Ways;

/// A PAM service.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ServiceView {
    /// Its name.
    pub service: String,
    /// Its file.
    pub file: PathBuf,
    /// Whether pam_countersign.so is asked there.
    pub second_step: bool,
    /// Which stack of docs/pam.md it has, by its letter.
    pub stack: Option<&'static str>,
    /// Each set of proofs that lets in; nothing of a set can be left out.
    pub gets_in_with: Vec<BTreeSet<String>>,
    /// The same in words.
    #[serde(skip)]
    pub words: Vec<String>,
}

impl ServiceView {
    pub(crate) fn of(examined: &Examined) -> Self {
        let needs = || examined.ways.ways.iter().map(|way| &way.needs);
        Self {
            service: examined.service.name.clone(),
            file: examined.service.file.clone(),
            second_step: examined.has_ours(),
            stack: examined.printed.map(Printed::letter),
            gets_in_with: needs().map(names).collect(),
            words: needs().map(in_words).collect(),
        }
    }
}

/// sshd, for everybody or for whom a block is meant.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SshdView {
    /// The criteria of the block; null outside of blocks.
    #[serde(rename = "match")]
    pub criteria: Option<String>,
    /// The PAM service that it asks; null where it asks none.
    pub service: Option<String>,
    /// Each set of proofs that lets in.
    pub gets_in_with: Vec<BTreeSet<String>>,
    /// The same in words.
    #[serde(skip)]
    pub words: Vec<String>,
}

impl SshdView {
    pub(crate) fn new(criteria: Option<String>, service: Option<String>, ways: &[World]) -> Self {
        Self {
            criteria,
            service,
            gets_in_with: ways.iter().map(names).collect(),
            words: ways.iter().map(in_words).collect(),
        }
    }
}

fn names(world: &World) -> BTreeSet<String> {
    world.iter().map(Atom::name).collect()
}

impl Ways {
    /// Whether somebody gets in of whom a second step is asked.
    #[must_use]
    pub fn let_somebody_in(&self) -> bool {
        let is_special = |needs: &World| needs.contains(&Atom::Root) || needs.contains(&Atom::NotAsked);
        self.ways.iter().any(|way| !is_special(&way.needs))
    }
}
