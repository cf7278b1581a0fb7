//! What is wrong with sshd_config where sshd asks a stack with pam_countersign.so in it: for everybody, and for whom each
//! `Match` block is meant.

use std::path::Path;

use common::PrimaryMode;

use super::{Examined, Site};
use crate::finding::{Finding, Kind};
use crate::pam::modules::Part;
use crate::pam::printed::Printed;
use crate::pam::proof::{Atom, Strength, World, strength};
use crate::place::Place;
use crate::sshd::config::{Config, MAIN_FILE};
use crate::sshd::methods::{self, Method};
use crate::view::SshdView;

/// The least that a registration at a sign-in takes (docs/pam.md).
const REGISTRATION_SECONDS: u64 = 300;

/// What was found, and who gets in with what.
#[derive(Default)]
pub(crate) struct Look {
    pub(crate) findings: Vec<Finding>,
    pub(crate) views: Vec<SshdView>,
}

pub(crate) fn look(site: &Site<'_>) -> Look {
    let Some(config) = &site.sshd_config else { return Look::default() };
    let blocks = (0..config.blocks.len()).map(Some);
    let aspects: Vec<Aspect<'_>> =
        std::iter::once(None).chain(blocks).map(|block| Aspect::new(site, config, block)).collect();
    let mut look = Look::default();
    let names = site.sshd_services();
    if names.iter().filter_map(|name| site.service(name)).any(Examined::has_ours) {
        look.findings.extend(flaws(config));
        if let Some((everybody, blocks)) = aspects.split_first() {
            look.findings.extend(everybody.of_everybody());
            for block in blocks {
                look.findings.extend(block.of_block(everybody));
            }
        }
    }
    look.views = aspects.iter().map(Aspect::view).collect();
    look
}

fn flaws(config: &Config) -> Vec<Finding> {
    let instead = "Write the line as sshd_config(5) has it, and try it with 'sshd -t'.";
    let of = |(place, what): &(Place, String)| {
        Finding::new(Kind::SshdBadLine, place.clone(), what.clone(), instead)
    };
    config.flaws.iter().map(of).collect()
}

/// sshd as somebody meets it: everybody, or for whom a block is meant.
struct Aspect<'a> {
    site: &'a Site<'a>,
    config: &'a Config,
    block: Option<usize>,
    service: String,
    /// Each list of methods that can succeed, with the sets of proofs that make it.
    lists: Vec<(Vec<Method>, Vec<World>)>,
}

impl<'a> Aspect<'a> {
    fn new(site: &'a Site<'a>, config: &'a Config, block: Option<usize>) -> Self {
        let written = config.value("pamservicename", block).and_then(|setting| setting.arguments.first());
        let service = written.cloned().unwrap_or_else(|| "sshd".to_owned());
        let mut aspect = Self { site, config, block, service, lists: Vec::new() };
        let lists = methods::lists(config, block);
        aspect.lists = lists.into_iter().map(|list| (list.clone(), aspect.ways(&list))).collect();
        aspect
    }

    fn view(&self) -> SshdView {
        let block = self.block.and_then(|number| self.config.blocks.get(number));
        let mut ways: Vec<World> = Vec::new();
        for way in self.lists.iter().flat_map(|(_, ways)| ways) {
            if !ways.contains(way) {
                ways.push(way.clone());
            }
        }
        let asks_pam = self.config.is_on("usepam", self.block);
        let criteria = block.map(|block| block.criteria.join(" "));
        SshdView::new(criteria, asks_pam.then(|| self.service.clone()), &ways)
    }

    /// What makes a whole list of methods: each method's proofs, one after the other.
    fn ways(&self, list: &[Method]) -> Vec<World> {
        let mut ways = vec![World::new()];
        for (at, method) in list.iter().enumerate() {
            let own = self.ways_of(method, at > 0);
            ways = ways.iter().flat_map(|one| own.iter().map(move |other| one | other)).collect();
        }
        ways
    }

    /// What one method takes; `behind` says whether another one has succeeded before.
    fn ways_of(&self, method: &Method, behind: bool) -> Vec<World> {
        let asks_pam = self.config.is_on("usepam", self.block);
        match method {
            Method::PublicKey => vec![World::from([Atom::Key])],
            Method::Password if !asks_pam => vec![World::from([Atom::Password])],
            Method::Questions if !asks_pam => Vec::new(),
            Method::Password | Method::Questions => {
                let steps =
                    self.examined().map(|examined| examined.service.auth.as_slice()).unwrap_or_default();
                let ways = self.site.ways_of(steps, true, *method == Method::Password);
                let needs = ways.ways.into_iter().map(|way| way.needs);
                let possible = needs.filter(|needs| behind || !needs.contains(&Atom::Key));
                // What stands before it in the list says which method it was.
                possible.map(|needs| needs.into_iter().filter(|atom| *atom != Atom::Key).collect()).collect()
            }
            Method::Other(name) => vec![World::from([Atom::Unknown(format!("sshd's {name}"))])],
        }
    }

    fn examined(&self) -> Option<&Examined> {
        self.site.service(&self.service)
    }

    fn has_ours(&self) -> bool {
        self.examined().is_some_and(Examined::has_ours)
    }

    /// Where a keyword stands, or where it is to be written: before every `Match` and `Include`.
    fn place(&self, keyword: &str) -> Place {
        let written = self.config.value(keyword, self.block).map(|setting| setting.place.clone());
        written.unwrap_or_else(|| Place::new(Path::new(MAIN_FILE), 1))
    }

    /// What stands there, in words.
    fn found(&self, keyword: &str, name: &str) -> String {
        match self.config.value(keyword, self.block) {
            Some(setting) => format!("`{}`", setting.text),
            None => format!("{name} is not written, so it is {:?}", self.config.word(keyword, self.block)),
        }
    }

    fn finding(&self, kind: Kind, keyword: &str, name: &str, instead: &str) -> Finding {
        let instead = match self.config.value(keyword, self.block) {
            Some(_) => format!("Write instead: {instead}"),
            None => {
                format!("Write as the first line of {MAIN_FILE}, above every Include and Match: {instead}")
            }
        };
        Finding::new(kind, self.place(keyword), self.found(keyword, name), instead).of_service(&self.service)
    }

    /// The line that docs/pam.md has for the stack.
    fn methods_wanted(&self) -> &'static str {
        if self.wants_key() {
            "AuthenticationMethods publickey,keyboard-interactive"
        } else {
            "AuthenticationMethods keyboard-interactive"
        }
    }

    fn wants_key(&self) -> bool {
        self.examined().is_some_and(|it| it.ways.parts.contains(&Part::Ours(PrimaryMode::None)))
    }

    fn of_everybody(&self) -> Vec<Finding> {
        if !self.config.is_on("usepam", None) {
            return vec![self.finding(Kind::SshdWithoutPam, "usepam", "UsePAM", "UsePAM yes")];
        }
        if !self.has_ours() {
            return vec![self.finding(
                Kind::OtherPamService,
                "pamservicename",
                "PAMServiceName",
                "PAMServiceName sshd",
            )];
        }
        let mut found = self.without_second_step();
        found.extend(self.locked_out());
        found.extend(self.empty_passwords());
        found.extend(self.password_method());
        found.extend(self.root_shut_out());
        found.extend(self.grace_too_short());
        found.extend(self.forced_command());
        if found.is_empty() && !self.is_printed() {
            found.push(self.finding(
                Kind::SshdNotPrinted,
                "authenticationmethods",
                "AuthenticationMethods",
                self.methods_wanted(),
            ));
        }
        found
    }

    fn of_block(&self, everybody: &Self) -> Vec<Finding> {
        let mut found = Vec::new();
        if everybody.without_second_step().is_empty() {
            found.extend(self.takes_back());
        }
        if found.is_empty()
            && self.own("authenticationmethods").or(self.own("kbdinteractiveauthentication")).is_some()
        {
            found.extend(self.locked_out());
        }
        let own = |keyword: &str, finding: Option<Finding>| finding.filter(|_| self.own(keyword).is_some());
        found.extend(own("permitemptypasswords", self.empty_passwords()));
        found.extend(own("passwordauthentication", self.password_method()));
        found.extend(own("forcecommand", self.forced_command()));
        found
    }

    /// What the block itself says of a keyword.
    fn own(&self, keyword: &str) -> Option<Place> {
        let setting = self.config.value(keyword, self.block)?;
        (setting.block.is_some() && setting.block == self.block).then(|| setting.place.clone())
    }

    /// The lists that let in without asking PAM anything.
    fn without_second_step(&self) -> Vec<Finding> {
        let asks_nothing = |list: &&(Vec<Method>, Vec<World>)| {
            !list.0.iter().any(|method| matches!(method, Method::Password | Method::Questions))
        };
        let lists: Vec<_> = self.lists.iter().filter(asks_nothing).map(|(list, _)| list).collect();
        let finding = |kind| {
            self.finding(kind, "authenticationmethods", "AuthenticationMethods", self.methods_wanted())
        };
        let is_key = |list: &&Vec<Method>| list.iter().all(|method| *method == Method::PublicKey);
        let key = lists.iter().any(is_key).then(|| finding(Kind::KeyAlone));
        let other = lists.iter().any(|list| !is_key(list)).then(|| finding(Kind::MethodAlone));
        key.into_iter().chain(other).collect()
    }

    fn takes_back(&self) -> Option<Finding> {
        let is_too_little =
            |needs: &World| !matches!(strength(needs), Strength::Both | Strength::FirstOfExempt);
        let by_method = !self.without_second_step().is_empty();
        let by_stack = !self.has_ours() && self.lists.iter().flat_map(|(_, ways)| ways).any(is_too_little);
        if !by_method && !by_stack {
            return None;
        }
        let keywords = ["authenticationmethods", "pamservicename", "pubkeyauthentication"];
        let place = keywords.iter().find_map(|keyword| self.own(keyword));
        let block = self.config.blocks.get(self.block?)?;
        let place = place.unwrap_or_else(|| block.place.clone());
        let line = self.config.settings.iter().find(|setting| setting.place == place);
        let said = line.map_or_else(String::new, |setting| format!(": `{}`", setting.text));
        let found = format!("Match {}{said}", block.criteria.join(" "));
        let instead = format!(
            "Write `{}` in this block too, or take the line out of it. For programs, make an app password instead.",
            self.methods_wanted()
        );
        Some(Finding::new(Kind::MatchTakesBack, place, found, instead).of_service(&self.service))
    }

    /// Whether somebody with all proofs gets in, and if not, why not.
    fn locked_out(&self) -> Option<Finding> {
        let is_enough = |needs: &World| matches!(strength(needs), Strength::Both | Strength::FirstAlone);
        if self.lists.iter().flat_map(|(_, ways)| ways).any(is_enough) && self.asks_questions() {
            return None;
        }
        if !self.asks_questions() {
            let keyword = "kbdinteractiveauthentication";
            let name = "KbdInteractiveAuthentication";
            return Some(self.finding(Kind::QuestionsOff, keyword, name, "KbdInteractiveAuthentication yes"));
        }
        // A stack that lets nobody in by itself has a finding of its own.
        if !self.examined().is_some_and(|it| it.ways.let_somebody_in()) {
            return None;
        }
        let kind = if self.wants_key() { Kind::KeyNotAsked } else { Kind::NoMethodLeft };
        Some(self.finding(kind, "authenticationmethods", "AuthenticationMethods", self.methods_wanted()))
    }

    fn asks_questions(&self) -> bool {
        self.config.is_on("kbdinteractiveauthentication", self.block)
    }

    fn empty_passwords(&self) -> Option<Finding> {
        let is_on = self.config.is_on("permitemptypasswords", self.block);
        let finding = || {
            self.finding(
                Kind::EmptyPasswords,
                "permitemptypasswords",
                "PermitEmptyPasswords",
                "PermitEmptyPasswords no",
            )
        };
        is_on.then(finding)
    }

    fn password_method(&self) -> Option<Finding> {
        let is_on = self.config.is_on("passwordauthentication", self.block);
        let keyword = "passwordauthentication";
        is_on.then(|| {
            self.finding(Kind::PasswordMethod, keyword, "PasswordAuthentication", "PasswordAuthentication no")
        })
    }

    /// Root is let in by questions only where that is said, for everybody or for root.
    fn root_shut_out(&self) -> Option<Finding> {
        let is_yes = |block| self.config.word("permitrootlogin", block) == "yes";
        let names_root =
            |criteria: &[String]| criteria.iter().any(|word| word.split(',').any(|name| name == "root"));
        let mut blocks =
            self.config.blocks.iter().enumerate().filter(|(_, block)| names_root(&block.criteria));
        let is_let_in = is_yes(None) || blocks.any(|(number, _)| is_yes(Some(number)));
        let keyword = "permitrootlogin";
        (self.site.facts.root_signs_in && !is_let_in)
            .then(|| self.finding(Kind::RootShutOut, keyword, "PermitRootLogin", "PermitRootLogin yes"))
    }

    fn grace_too_short(&self) -> Option<Finding> {
        let seconds = methods::seconds(&self.config.word("logingracetime", self.block));
        let is_short = seconds.is_some_and(|seconds| seconds > 0 && seconds < REGISTRATION_SECONDS);
        (is_short && (self.site.facts.registers_at)(&self.service)).then(|| {
            self.finding(Kind::GraceTooShort, "logingracetime", "LoginGraceTime", "LoginGraceTime 600")
        })
    }

    fn forced_command(&self) -> Option<Finding> {
        let is_forced = self.config.word("forcecommand", self.block) != "none";
        is_forced.then(|| {
            let instead = "Nothing, where people sit there; for programs, an app password for this service: countersign app-password create NAME --label LABEL --service sshd";
            let found = self.found("forcecommand", "ForceCommand");
            Finding::new(Kind::ForcedCommand, self.place("forcecommand"), found, instead).of_service(&self.service)
        })
    }

    /// Whether the methods are those that docs/pam.md has for the stack.
    fn is_printed(&self) -> bool {
        let printed = self.examined().and_then(|examined| examined.printed);
        let written = methods::written(self.config, self.block).unwrap_or_default();
        match (printed, written.as_slice()) {
            (Some(Printed::A | Printed::B), [list]) => *list == [Method::Questions],
            (Some(Printed::C), [list]) => *list == [Method::PublicKey, Method::Questions],
            // The stack has a finding of its own.
            (None, _) => true,
            (Some(_), _) => false,
        }
    }
}
