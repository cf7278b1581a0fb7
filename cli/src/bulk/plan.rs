//! What acts on many accounts would come to: how many of each kind, and who.

use std::collections::HashMap;

use common::Username;
use common::account::{Account, State};
use common::acts::{Act, Foreseen};
use common::causes::with_causes;
use common::engine::Engine;
use serde::Serialize;

use super::change::describe;
use crate::number::{counted, grouped};

/// Names that stand for a kind of change.
const EXAMPLES_MAX: usize = 3;

/// What is going to be done, and what cannot be.
pub(crate) struct Plan<'a> {
    /// The act, as records call it.
    pub(super) act: &'static str,
    /// What changes something, in order of name.
    pub(super) orders: Vec<Planned<'a>>,
    pub(super) kinds: Vec<Kind>,
    /// The place of each kind, since labels make as many as there are users.
    places: HashMap<String, usize>,
    /// Accounts that are as asked already.
    pub(super) as_asked: usize,
    /// Named users who do not match the filters.
    pub(super) left_out: usize,
    pub(super) failures: Vec<Failed>,
    lockouts: Kind,
}

/// One account and what is done to it.
pub(super) struct Planned<'a> {
    pub(super) name: Username,
    pub(super) act: &'a Act,
}

/// Accounts that change in the same way.
#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Kind {
    change: String,
    users: usize,
    examples: Vec<String>,
}

/// Somebody for whom it cannot be done.
#[derive(Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Failed {
    pub(super) user: String,
    pub(super) error: String,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(act: &'static str, left_out: usize) -> Self {
        let lockouts = Kind { change: String::new(), users: 0, examples: Vec::new() };
        Self {
            act,
            orders: Vec::new(),
            kinds: Vec::new(),
            places: HashMap::new(),
            as_asked: 0,
            left_out,
            failures: Vec::new(),
            lockouts,
        }
    }

    /// Looks what an act would come to for one account.
    pub(crate) fn add(&mut self, engine: &Engine, name: Username, account: Option<&Account>, act: &'a Act) {
        match engine.foresee(&name, account, act) {
            Ok(Foreseen::AsAsked) => self.as_asked = self.as_asked.saturating_add(1),
            Ok(Foreseen::Changed(after) | Foreseen::Made(after)) => {
                if after.state == State::Enforced && after.factors.is_empty() {
                    self.lockouts.take(&name);
                }
                self.order(name, describe(account, Some(&after), act), act);
            }
            Ok(Foreseen::Gone) => self.order(name, describe(account, None, act), act),
            Err(refusal) => self.fail(&name, &with_causes(&refusal)),
        }
    }

    pub(crate) fn fail(&mut self, name: &Username, error: &str) {
        self.failures.push(Failed { user: name.to_string(), error: error.to_owned() });
    }

    fn order(&mut self, name: Username, change: String, act: &'a Act) {
        let next = self.kinds.len();
        let place = *self.places.entry(change.clone()).or_insert(next);
        if place == next {
            self.kinds.push(Kind { change, ..Kind::default() });
        }
        if let Some(kind) = self.kinds.get_mut(place) {
            kind.take(&name);
        }
        self.orders.push(Planned { name, act });
    }

    /// The plan for people.
    pub(super) fn text(&self) -> String {
        let mut rows: Vec<(usize, String)> =
            self.kinds.iter().map(|kind| (kind.users, kind.text())).collect();
        rows.extend([
            (self.as_asked, "are so already and stay untouched".to_owned()),
            (self.left_out, "do not match the options and stay untouched".to_owned()),
            (self.failures.len(), "cannot be done:".to_owned()),
        ]);
        let rows: Vec<(String, String)> = rows
            .into_iter()
            .filter(|(users, _)| *users > 0)
            .map(|(users, text)| (grouped(users), text))
            .collect();
        let width = rows.iter().map(|(users, _)| users.len()).max().unwrap_or(0);
        let lines: String = rows.iter().map(|(users, text)| format!("{users:>width$}  {text}\n")).collect();
        let failures: String = self.failures.iter().map(Failed::line).collect();
        if lines.is_empty() { "Nobody is selected.\n".to_owned() } else { format!("{lines}{failures}") }
    }

    pub(super) fn question(&self) -> String {
        let accounts = counted(self.orders.len(), "account");
        let others = if self.failures.is_empty() { "" } else { ", without those that cannot be done" };
        format!("{}: change {accounts}{others}?", self.act)
    }

    /// Whoever is enforced without a factor gets in nowhere.
    pub(super) fn lockouts(&self) -> Option<String> {
        let Kind { users, .. } = self.lockouts;
        let who = self.lockouts.who();
        (users > 0).then(|| {
            format!(
                "{} of them are enforced and have no factor, so that nobody gets in under these names ({who}): run \
                 'countersign enroll NAME totp' for each",
                grouped(users)
            )
        })
    }
}

impl Kind {
    fn take(&mut self, name: &Username) {
        self.users = self.users.saturating_add(1);
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(name.to_string());
        }
    }

    fn who(&self) -> String {
        let more = if self.users > self.examples.len() { ", …" } else { "" };
        format!("{}{more}", self.examples.join(", "))
    }

    fn text(&self) -> String {
        format!("{}: {}", self.change, self.who())
    }
}

impl Failed {
    pub(super) fn line(&self) -> String {
        format!("    {}: {}\n", self.user, self.error)
    }
}
