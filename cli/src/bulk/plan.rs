//! What acts on many accounts would come to: how many of each kind, and who.

use std::collections::HashMap;

use common::Username;
use common::account::{Account, State};
use common::acts::{Act, Foreseen};
use common::causes::with_causes;
use common::engine::Engine;
use common::policy::Policy;
use serde::Serialize;

use super::change::describe;
use crate::number::{counted, grouped};
use crate::warning::no_way_to_register;

/// Names that stand for a kind of change.
const EXAMPLES_MAX: usize = 3;

/// What is going to be done, and what cannot be.
pub(crate) struct Plan<'a> {
    /// The act, as records call it.
    pub(super) act: &'static str,
    /// What changes something, in order of name.
    pub(super) orders: Vec<Planned<'a>>,
    pub(super) kinds: Vec<Kind>,
    /// The place of each kind, since moments and new names can make as many as there are users.
    places: HashMap<String, usize>,
    /// Accounts that are as asked already.
    pub(super) as_asked: usize,
    /// The same, by what is said of them.
    untouched: Vec<(&'static str, usize)>,
    /// Named users who do not match the filters.
    pub(super) left_out: usize,
    pub(super) failures: Vec<Failed>,
    lockouts: Kind,
    /// Who shall register and could do it by nothing of their own.
    strangers: Kind,
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
        Self {
            act,
            orders: Vec::new(),
            kinds: Vec::new(),
            places: HashMap::new(),
            as_asked: 0,
            untouched: Vec::new(),
            left_out,
            failures: Vec::new(),
            lockouts: Kind::NOBODY,
            strangers: Kind::NOBODY,
        }
    }

    /// Looks what an act would come to for one account.
    pub(crate) fn add(&mut self, engine: &Engine, name: Username, account: Option<&Account>, act: &'a Act) {
        match engine.foresee(&name, account, act) {
            Ok(Foreseen::AsAsked) => self.leave(account, act),
            Ok(Foreseen::Changed(after) | Foreseen::Made(after)) => {
                match after.state_at(engine.now()) {
                    State::Enforced if after.factors.is_empty() => self.lockouts.take(&name),
                    State::Enabled if !engine.reaches_contact(&after) => self.strangers.take(&name),
                    State::Disabled | State::Enabled | State::Enforced => {}
                }
                self.order(name, describe(account, Some(&after), act), act);
            }
            Ok(Foreseen::Gone) => self.order(name, describe(account, None, act), act),
            Err(refusal) => self.fail(&name, &with_causes(&refusal)),
        }
    }

    fn leave(&mut self, account: Option<&Account>, act: &Act) {
        self.as_asked = self.as_asked.saturating_add(1);
        let why = account.map_or(SO_ALREADY, |account| untouched_because(account, act));
        match self.untouched.iter_mut().find(|(known, _)| *known == why) {
            Some((_, users)) => *users = users.saturating_add(1),
            None => self.untouched.push((why, 1)),
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
        rows.extend(self.untouched.iter().map(|(why, users)| (*users, (*why).to_owned())));
        rows.extend([
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
                "{} of them are enforced and have registered nothing, so that nobody gets in under these names ({who}) \
                 without a temporary code: 'countersign user temporary-code NAME' makes one, and 'countersign enroll NAME \
                 totp' registers an app",
                grouped(users)
            )
        })
    }

    /// Where a password alone registers nobody, those who have no contact wait for something that never comes.
    pub(super) fn strangers(&self, policy: &Policy) -> Option<String> {
        let Kind { users, .. } = self.strangers;
        let why = no_way_to_register(policy).filter(|_| users > 0 && self.act != "user temporary-code")?;
        Some(format!(
            "{} of them ({}) cannot register by themselves: {why}",
            grouped(users),
            self.strangers.who()
        ))
    }
}

/// What is said of most who are as asked.
const SO_ALREADY: &str = "are so already and stay untouched";

/// Why somebody stays as they are.
fn untouched_because(account: &Account, act: &Act) -> &'static str {
    match act {
        Act::SetState(change) if change.state == State::Enabled && account.state == State::Enforced => {
            "are enforced already and stay so"
        }
        Act::Reset(reset) if reset.require_registration && account.factors.is_empty() => {
            "have registered nothing that could be registered again and stay untouched"
        }
        _ => SO_ALREADY,
    }
}

impl Kind {
    const NOBODY: Self = Self { change: String::new(), users: 0, examples: Vec::new() };

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
