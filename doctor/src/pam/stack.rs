//! The stack of a service: its own lines and those of every file that they include, in the order in which libpam goes
//! through them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::control::Actions;
use super::line::{Control, Entry, Facility, Line, Rule, lines, lines_for};
use crate::limits::{PAM_DEPTH_MAX, STEPS_MAX};
use crate::place::Place;
use crate::tree::{Contents, Tree};

/// Where Linux-PAM looks for stacks, the first file of a name counting (pam.conf(5)).
pub const FOLDERS: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];
/// The file for all services, which is read only where none of the folders is there.
pub const ALL_SERVICES: &str = "/etc/pam.conf";
/// What stands in for a service that has no lines of some kind.
pub const OTHER: &str = "other";

/// One line of a stack, as libpam has it in its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it stands.
    pub place: Place,
    /// The line.
    pub text: String,
    /// How many substacks it is in.
    pub level: usize,
    /// What is called.
    pub call: Call,
    /// What is done about what that returns.
    pub actions: Actions,
}

/// What a line calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// A module with its arguments.
    Module {
        /// Its name or path.
        path: String,
        /// Its arguments.
        arguments: Vec<String>,
    },
    /// Nothing: a substack begins.
    Substack,
    /// Nothing: libpam could not read the line, and takes it for a no.
    Refusal {
        /// Why.
        why: String,
    },
}

/// What is wrong with a line or a file, whatever stands around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where.
    pub place: Place,
    /// The line.
    pub text: String,
    /// What is wrong.
    pub what: String,
    /// Of which kind.
    pub kind: FlawKind,
}

/// A kind of flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlawKind {
    /// libpam cannot read the line.
    BadLine,
    /// A file that is to be included is not there, or cannot be read.
    MissingInclude,
    /// Files include each other too deep, or there are too many lines.
    TooMuch,
}

/// The stacks of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its own file.
    pub file: PathBuf,
    /// The lines about who somebody is.
    pub auth: Vec<Step>,
    /// The lines about whether they may.
    pub account: Vec<Step>,
    /// Lines of the other kinds.
    pub others: Vec<Step>,
    /// What is wrong with lines and files.
    pub flaws: Vec<Flaw>,
    /// The files that it includes.
    pub includes: BTreeSet<String>,
}

/// The file of a service or of an include, where libpam finds it.
#[must_use]
pub fn find(tree: &Tree, name: &str) -> Option<PathBuf> {
    if name.starts_with('/') {
        let path = PathBuf::from(name);
        return tree.metadata(&path).is_some().then_some(path);
    }
    FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|path| tree.metadata(path).is_some())
}

/// All services of a machine: those that have a file, or, where there is no folder for them, a line in /etc/pam.conf.
#[must_use]
pub fn load_all(tree: &Tree) -> Vec<Service> {
    let folders: Vec<&Path> =
        FOLDERS.iter().map(Path::new).filter(|folder| tree.metadata(folder).is_some()).collect();
    if folders.is_empty() {
        return names_of_pam_conf(tree)
            .iter()
            .filter_map(|name| Service::load_from_pam_conf(tree, name))
            .collect();
    }
    let of = |folder: &&Path| {
        let folder = folder.to_path_buf();
        tree.names(&folder).into_iter().filter(move |name| tree.is_file(&folder.join(name)))
    };
    let names: BTreeSet<String> = folders.iter().flat_map(of).collect();
    names.iter().filter_map(|name| Service::load(tree, name)).collect()
}

/// The first words of the lines of /etc/pam.conf.
#[must_use]
pub fn names_of_pam_conf(tree: &Tree) -> BTreeSet<String> {
    let Contents::Text(text) = tree.read(Path::new(ALL_SERVICES)) else { return BTreeSet::new() };
    let words = text.lines().filter_map(|line| line.split_whitespace().next());
    words.filter(|word| !word.starts_with('#')).map(str::to_ascii_lowercase).collect()
}

impl Service {
    /// Reads the stacks of a service; none where it has no file.
    #[must_use]
    pub fn load(tree: &Tree, name: &str) -> Option<Self> {
        let file = find(tree, name)?;
        let mut service = Self { name: name.to_owned(), file: file.clone(), ..Self::default() };
        match tree.read(&file) {
            Contents::Text(text) => {
                Reader { tree, service: &mut service }.file(&file, &lines(&text), Within::NOTHING);
            }
            Contents::Absent => return None,
            Contents::Unreadable(why) => service.flaw(Place::whole(&file), "", why, FlawKind::MissingInclude),
        }
        Some(service)
    }

    /// The stacks of a service in /etc/pam.conf; none where it has no line there.
    #[must_use]
    pub fn load_from_pam_conf(tree: &Tree, name: &str) -> Option<Self> {
        let file = Path::new(ALL_SERVICES);
        let Contents::Text(text) = tree.read(file) else { return None };
        let own = lines_for(&text, name);
        let mut service = Self { name: name.to_owned(), file: file.to_owned(), ..Self::default() };
        Reader { tree, service: &mut service }.file(file, &own, Within::NOTHING);
        (!own.is_empty()).then_some(service)
    }

    fn flaw(&mut self, place: Place, text: &str, what: String, kind: FlawKind) {
        self.flaws.push(Flaw { place, text: text.to_owned(), what, kind });
    }

    fn steps(&mut self, facility: Facility) -> &mut Vec<Step> {
        match facility {
            Facility::Auth => &mut self.auth,
            Facility::Account => &mut self.account,
            Facility::Session | Facility::Password => &mut self.others,
        }
    }
}

struct Reader<'a> {
    tree: &'a Tree,
    service: &'a mut Service,
}

/// Where a file is included.
#[derive(Clone, Copy)]
struct Within {
    /// What the including line is about; nothing where all lines are meant.
    wanted: Option<Facility>,
    /// How many files are around it.
    depth: usize,
    /// How many substacks are.
    level: usize,
}

impl Within {
    const NOTHING: Self = Self { wanted: None, depth: 0, level: 0 };

    fn about(self, facility: Facility) -> Self {
        Self { wanted: Some(facility), ..self }
    }
}

impl Reader<'_> {
    /// Adds the lines of a file; only those about what the including line is about.
    fn file(&mut self, file: &Path, lines: &[Line], within: Within) {
        for line in lines {
            let place = Place::new(file, line.number);
            match &line.entry {
                Entry::IncludeAll(name) => self.include(&place, line, name, within, within.level),
                Entry::Rule(rule) => self.rule(&place, line, rule, within),
                Entry::Unfinished => {
                    let what = "it goes on behind its backslash, and nothing follows";
                    self.service.flaw(place.clone(), &line.text, what.to_owned(), FlawKind::BadLine);
                    self.abort(&place, line, what);
                }
            }
        }
    }

    fn rule(&mut self, place: &Place, line: &Line, rule: &Rule, within: Within) {
        let Within { wanted, level, .. } = within;
        let facility = rule.facility.or(wanted).unwrap_or(Facility::Auth);
        if wanted.is_some_and(|wanted| wanted != facility) {
            return;
        }
        if let Some(why) = rule.broken {
            self.service.flaw(place.clone(), &line.text, why.to_owned(), FlawKind::BadLine);
        }
        let about = within.about(facility);
        let call = match (&rule.control, &rule.target) {
            (Control::Include, Some(name)) => return self.include(place, line, name, about, level),
            (Control::Substack, Some(name)) => {
                self.add(place, line, facility, level, Call::Substack, None);
                return self.include(place, line, name, about, level.saturating_add(1));
            }
            (Control::Actions(_), Some(path)) if rule.facility.is_some() => {
                Call::Module { path: path.clone(), arguments: rule.arguments.clone() }
            }
            (_, _) => Call::Refusal { why: rule.broken.unwrap_or_default().to_owned() },
        };
        let actions = match &rule.control {
            Control::Actions(actions) => Some(actions.clone()),
            Control::Include | Control::Substack => None,
        };
        self.add(place, line, facility, level, call, actions);
    }

    /// The lines of another file stand here, at `level`; where it is not there, libpam takes the line itself for a no.
    fn include(&mut self, place: &Place, line: &Line, name: &str, within: Within, level: usize) {
        self.service.includes.insert(name.to_owned());
        let depth = within.depth.saturating_add(1);
        let too_deep = depth > PAM_DEPTH_MAX || level >= PAM_DEPTH_MAX;
        let found = find(self.tree, name).filter(|_| !too_deep);
        let read = found.map(|file| (self.tree.read(&file), file));
        let (what, kind) = match read {
            Some((Contents::Text(text), file)) => {
                return self.file(&file, &lines(&text), Within { depth, level, ..within });
            }
            Some((Contents::Unreadable(why), file)) => {
                (format!("{} cannot be read: {why}", file.display()), FlawKind::MissingInclude)
            }
            Some((Contents::Absent, _)) | None if !too_deep => {
                (format!("there is no file {name} to include"), FlawKind::MissingInclude)
            }
            Some(_) | None => ("files include each other too deep".to_owned(), FlawKind::TooMuch),
        };
        self.service.flaw(place.clone(), &line.text, what.clone(), kind);
        match within.wanted {
            Some(facility) => {
                self.add(place, line, facility, within.level, Call::Refusal { why: what }, None);
            }
            None => self.abort(place, line, &what),
        }
    }

    /// libpam reads nothing of the service then: whatever stands above, it begins with a no.
    fn abort(&mut self, place: &Place, line: &Line, why: &str) {
        let refusal = Step {
            place: place.clone(),
            text: line.text.clone(),
            level: 0,
            call: Call::Refusal { why: why.to_owned() },
            actions: Actions::of_brackets("default=die").unwrap_or_else(|bad| bad),
        };
        self.service.auth.insert(0, refusal.clone());
        self.service.account.insert(0, refusal);
    }

    fn add(
        &mut self,
        place: &Place,
        line: &Line,
        facility: Facility,
        level: usize,
        call: Call,
        actions: Option<Actions>,
    ) {
        let steps = self.service.steps(facility);
        let is_first_too_many = steps.len() == STEPS_MAX;
        if steps.len() < STEPS_MAX {
            let bad = || Actions::of_brackets("default=bad").unwrap_or_else(|bad| bad);
            steps.push(Step {
                place: place.clone(),
                text: line.text.clone(),
                level,
                call,
                actions: actions.unwrap_or_else(bad),
            });
        } else if is_first_too_many {
            // What is left out may be what refuses: the whole is told of, and is taken for nothing else.
            let what = format!("there are more than {STEPS_MAX} lines");
            if self.service.flaws.iter().all(|flaw| flaw.kind != FlawKind::TooMuch) {
                self.service.flaw(place.clone(), &line.text, what, FlawKind::TooMuch);
            }
        }
    }
}

impl Step {
    /// The module's name without folders, where the line calls one.
    #[must_use]
    pub fn module(&self) -> Option<&str> {
        match &self.call {
            Call::Module { path, .. } => path.rsplit('/').next(),
            Call::Substack | Call::Refusal { .. } => None,
        }
    }

    /// The arguments of its module.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        match &self.call {
            Call::Module { arguments, .. } => arguments,
            Call::Substack | Call::Refusal { .. } => &[],
        }
    }

    /// Whether its module has this argument, alone or before a `=`.
    #[must_use]
    pub fn has_argument(&self, name: &str) -> bool {
        self.arguments().iter().any(|it| it.split('=').next() == Some(name))
    }
}
