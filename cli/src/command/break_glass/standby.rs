//! Who gets in by the break-glass file while the store lets nobody in, for commands that are about the store.

use std::path::PathBuf;

use assembly::config::Settings;
use assembly::store::{BreakGlassFile, Kept, Trouble};

use common::Username;

use super::report::{Findings, codes_left};

/// The file and those whom it lets in.
pub(crate) struct Standby {
    pub(crate) file: PathBuf,
    /// What is wrong with the file or missing in it, and what to do.
    pub(crate) findings: Vec<(String, String)>,
    /// What keeps the file from being read or written.
    pub(crate) trouble: Option<Trouble>,
    /// Accounts of the settings that get in.
    pub(crate) getting_in: Vec<String>,
    /// How many accounts the settings name.
    pub(crate) named: usize,
}

impl Standby {
    /// The file is written again as it is: whoever gets in has to be recorded there.
    pub(crate) fn look(settings: &Settings, file: &BreakGlassFile) -> Self {
        let users = &settings.policy.break_glass;
        let survey = file.survey();
        let probed = survey.as_ref().ok().map(|_| file.probe());
        let mut findings = Findings::default();
        findings.of_file(&survey, probed.as_ref());
        let refusal = survey.as_ref().err().or_else(|| probed.as_ref()?.as_ref().err());
        let trouble = refusal.map(Trouble::of);
        let kept = survey.as_ref().map_or(&[][..], |survey| &survey.kept);
        let gets_in = |name: &Username| kept.iter().any(|kept| kept.account.name == *name && has_proof(kept));
        let (inside, outside): (Vec<_>, Vec<_>) =
            users.iter().partition(|name| trouble.is_none() && gets_in(name));
        let names = |names: Vec<&Username>| names.into_iter().map(ToString::to_string).collect();
        let (getting_in, missing): (Vec<String>, Vec<String>) = (names(inside), names(outside));
        if trouble.is_none() && !missing.is_empty() {
            findings.add(
                format!("it would not let in {}", missing.join(", ")),
                "run 'countersign break-glass status', which says what each account needs",
            );
        }
        // Without accounts that need it, the file may be missing.
        let is_wanted = !users.is_empty() || trouble != Some(Trouble::Absent);
        let findings = if is_wanted { findings.into_pairs() } else { Vec::new() };
        Self { file: file.path().to_owned(), findings, trouble, getting_in, named: users.len() }
    }

    /// One sentence about the time until the store is mended.
    pub(crate) fn meanwhile(&self) -> String {
        let file = self.file.display();
        match (self.getting_in.as_slice(), self.findings.first()) {
            ([], _) if self.named == 0 => {
                "No break-glass account gets in meanwhile: [break-glass] names none.\n".to_owned()
            }
            ([], Some((what, _))) => format!(
                "No break-glass account gets in meanwhile: {what}. 'countersign break-glass status' says what to do.\n"
            ),
            ([], None) => "No break-glass account gets in meanwhile.\n".to_owned(),
            ([one], _) => {
                format!("While others cannot sign in, {one} gets in by the break-glass file {file}.\n")
            }
            (several, _) => {
                let names = several.join(", ");
                format!("While others cannot sign in, {names} get in by the break-glass file {file}.\n")
            }
        }
    }
}

fn has_proof(kept: &Kept) -> bool {
    !kept.account.factors.is_empty() || codes_left(kept) > 0
}
