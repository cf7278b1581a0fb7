//! Reads the `[[rule]]` tables of `countersign.toml`.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use common::policy::{Action, Conditions, Method, Rule};
use common::username::Folding;

use crate::countersign_toml::username;
use crate::keys::{Key, Part, RULE_ACTION, RULE_CLIENTS, RULE_METHODS, RULE_NAME, RULE_SERVICES, RULE_USERS};
use crate::report::{Remark, Report};
use crate::section::Section;
use crate::values::{Least, Placed, label, list, one_word, plain_name, service, word};

/// A client that a rule or another table names.
pub(crate) struct ClientReference {
    pub(crate) client: String,
    pub(crate) key: String,
    pub(crate) place: Range<usize>,
}

impl ClientReference {
    pub(crate) fn new(section: &Section<'_>, key: &Key, client: &Placed<String>) -> Self {
        Self { client: client.value.clone(), key: section.path_of(key.name), place: client.place.clone() }
    }
}

/// The rules, and the clients that they name.
pub(crate) struct ReadRules {
    pub(crate) rules: Option<Vec<Rule>>,
    pub(crate) references: Vec<ClientReference>,
}

pub(crate) fn read(top: &Section<'_>, folding: Folding, report: &mut Report<'_>) -> ReadRules {
    let mut references = Vec::new();
    let mut names = HashSet::new();
    let mut read = Vec::new();
    let sections = top.tables("rule", Part::Rule, report);
    for section in &sections {
        let name = section.own_name(&RULE_NAME, "rules", &mut names, report, label);
        let when = read_conditions(section, folding, &mut references, report);
        read.push(read_rule(section, name, when, report));
    }
    warn_of_unreachable(&sections, &read, report);
    ReadRules { rules: read.into_iter().collect(), references }
}

fn read_rule(
    section: &Section<'_>,
    name: Option<String>,
    when: Option<Conditions>,
    report: &mut Report<'_>,
) -> Option<Rule> {
    let action = section.required(&RULE_ACTION, report, word::<Action>);
    let methods = section.field(&RULE_METHODS, report, |entry, report| {
        let methods = list(entry, report, Least::One, one_word::<Method>)?;
        Some(methods.into_iter().map(|placed| placed.value).collect::<BTreeSet<Method>>())
    });
    let methods = methods.optional();
    if matches!(methods, Some(Some(_))) && matches!(action, Some(Action::Skip | Action::Deny)) {
        report.warning(section.remark(
            &RULE_METHODS,
            "the methods have no effect: this rule asks for none",
            None,
        ));
    }
    Some(Rule { name: name?, when: when?, action: action?, methods: methods? })
}

fn read_conditions(
    section: &Section<'_>,
    folding: Folding,
    references: &mut Vec<ClientReference>,
    report: &mut Report<'_>,
) -> Option<Conditions> {
    let services =
        section.field(&RULE_SERVICES, report, |entry, report| list(entry, report, Least::None, service));
    let clients =
        section.field(&RULE_CLIENTS, report, |entry, report| list(entry, report, Least::None, plain_name));
    let users = section.field(&RULE_USERS, report, |entry, report| {
        list(entry, report, Least::None, |text| username(text, folding))
    });
    let clients = clients.or(Vec::new());
    let named = clients.iter().flatten();
    references.extend(named.map(|placed| ClientReference::new(section, &RULE_CLIENTS, placed)));
    Some(Conditions {
        services: values(services.or(Vec::new())?),
        clients: values(clients?),
        users: values(users.or(Vec::new())?),
    })
}

fn values<T>(placed: Vec<Placed<T>>) -> Vec<T> {
    placed.into_iter().map(|placed| placed.value).collect()
}

/// The first match decides, so nothing after a rule without conditions is ever looked at.
fn warn_of_unreachable(sections: &[Section<'_>], rules: &[Option<Rule>], report: &mut Report<'_>) {
    let for_all = |rule: &Option<Rule>| rule.as_ref().is_some_and(|rule| rule.when == Conditions::default());
    let Some(first) = rules.iter().position(for_all) else {
        return;
    };
    if let Some(after) = sections.get(first.saturating_add(1)) {
        let message = "no login ever reaches this rule and those after it";
        let help = format!("rule {} has no conditions and decides first", first.saturating_add(1));
        report.warning(Remark { help: Some(help), ..after.remark(&RULE_NAME, message, None) });
    }
}
