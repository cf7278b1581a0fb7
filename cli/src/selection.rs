//! Which users an act is for: names on the line, in a file, of a group, or all accounts that match. One piece of code for
//! every command that can be done to many.

mod file;
pub(crate) mod filter;

use std::collections::BTreeSet;
use std::path::PathBuf;

use assembly::{Office, primary};
use clap::Args;
use common::Username;
use common::lane::LaneKey;
use common::ports::Store as _;

use crate::context::Context;
use crate::failure::Failure;
use crate::incoming;
use crate::stored::{for_each_stored, listed};
use crate::words::username;
use filter::Filter;

/// Who is meant.
#[derive(Args)]
pub(crate) struct Selection {
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    filter: Filter,
}

/// Where the names come from; several are taken together.
#[derive(Args)]
#[group(required = true, multiple = true)]
struct Who {
    /// The users.
    #[arg(value_name = "NAME", value_parser = username)]
    names: Vec<Username>,
    /// The users of a CSV file: of its column user, upn or name, else of its first column. `-` is standard input.
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
    /// The members of a group of this machine or of a directory, as `getent group` shows them.
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// All accounts that match the options below.
    #[arg(long)]
    all_matching: bool,
}

/// Whom a selection came to.
#[derive(Default)]
pub(crate) struct Selected {
    /// Folded as the settings say.
    pub(crate) names: BTreeSet<Username>,
    /// How many the filters left out.
    pub(crate) left_out: usize,
}

impl Selection {
    /// The one name that stands on the line, where nothing else does: then nobody need be asked whether it is meant.
    pub(crate) fn single(&self) -> Option<&Username> {
        let Who { names, from_file: None, group, all_matching: false } = &self.who else { return None };
        match names.as_slice() {
            [name] if group.is_empty() && self.filter.is_empty() => Some(name),
            _ => None,
        }
    }

    /// Whether the names come over standard input, so that no answer can.
    pub(crate) fn reads_standard_input(&self) -> bool {
        self.who.from_file.as_deref().is_some_and(incoming::is_standard_input)
    }

    /// Finds all of them. Mistakes of a file are said all at once, and nobody is selected then.
    pub(crate) fn find(&self, context: &Context, office: &Office) -> Result<Selected, Failure> {
        let folding = office.engine.policy().folding;
        let mut named: BTreeSet<Username> = self.who.names.iter().map(|name| folding.fold(name)).collect();
        if let Some(path) = &self.who.from_file {
            named.extend(file::read(path, folding)?);
        }
        named.extend(all_members(context, office, &self.who.group)?.into_iter().flatten());
        let mut selected = self.matching(office, named)?;
        if self.who.all_matching {
            for_each_stored(office, |stored| {
                if self.filter.matches(&stored, office.engine.now()) {
                    selected.names.insert(stored.account.name);
                }
                Ok(())
            })?;
        }
        Ok(selected)
    }

    /// Filters narrow what was named, too. Somebody without an account is in no state and has nothing.
    fn matching(&self, office: &Office, named: BTreeSet<Username>) -> Result<Selected, Failure> {
        if self.filter.is_empty() {
            return Ok(Selected { names: named, left_out: 0 });
        }
        let mut selected = Selected::default();
        for name in named {
            let stored = listed(office.store.load(&name, &LaneKey::NONE, None)?);
            if stored.is_some_and(|stored| self.filter.matches(&stored, office.engine.now())) {
                selected.names.insert(name);
            } else {
                selected.left_out = selected.left_out.saturating_add(1);
            }
        }
        Ok(selected)
    }
}

/// The members of all these groups, folded as the settings say; `None` where there is no group.
pub(crate) fn all_members(
    context: &Context,
    office: &Office,
    groups: &[String],
) -> Result<Option<BTreeSet<Username>>, Failure> {
    if groups.is_empty() {
        return Ok(None);
    }
    let folding = office.engine.policy().folding;
    let mut all = BTreeSet::new();
    for group in groups {
        all.extend(members(context, group)?.iter().map(|name| folding.fold(name)));
    }
    Ok(Some(all))
}

/// The members of a group, and a word about those who cannot be users here.
fn members(context: &Context, group: &str) -> Result<BTreeSet<Username>, Failure> {
    let found =
        primary::members(group).map_err(|source| Failure::Group { group: group.to_owned(), source })?;
    let members = found.ok_or_else(|| Failure::NoSuchGroup(group.to_owned()))?;
    if !members.unusable.is_empty() {
        let names = members.unusable.join(", ");
        context
            .warn(&format!("the group {group} has members whose names Countersign does not take: {names}"));
    }
    if members.names.is_empty() {
        context.warn(&format!(
            "the group {group} names no members; users whose primary group it is are found only where \
             'getent passwd' lists them"
        ));
    }
    Ok(members.names)
}
