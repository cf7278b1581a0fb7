//! Acts on many accounts: each is one bundle with its own record, and up to `limits::ACTS_TOGETHER` of them are written
//! together. What is as asked already is not written at all.

#[cfg(test)]
mod tests;

use crate::account::Account;
use crate::acts::run::{Minutes, Prepared};
use crate::acts::{Act, ActError, Desk, Issued, carry_out};
use crate::bundle::{AccountChange, Bundle, Outcome};
use crate::engine::Engine;
use crate::ports::{Identity, Loaded, StoreError, Stored};
use crate::record::Actor;
use crate::username::Username;
use crate::{AttemptId, Reason, limits};

/// One act on one account.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// Whose account.
    pub name: &'a Username,
    /// What is done to it.
    pub act: &'a Act,
}

/// What became of one order.
#[must_use]
pub enum Became {
    /// It was carried out.
    Done(Issued),
    /// The account was so already: nothing was written.
    AsAsked,
    /// It was refused, and the others were not.
    Refused(ActError),
}

/// What became of many orders.
#[must_use]
pub struct Many {
    /// Of each in order, as far as they were reached.
    pub became: Vec<Became>,
    /// Why the others were not: a store that does not answer.
    pub stopped: Option<StoreError>,
}

/// What an act would come to.
#[must_use]
pub enum Foreseen {
    /// The account is so already.
    AsAsked,
    /// It would be like this.
    Changed(Box<Account>),
    /// There would be one.
    Made(Box<Account>),
    /// It would be gone.
    Gone,
}

impl Engine {
    /// Carries out one act on each of many accounts. What was done is durable with its records before this returns.
    pub fn act_many(&self, actor: &Actor, orders: &[Order<'_>]) -> Many {
        let mut many = Many { became: Vec::with_capacity(orders.len()), stopped: None };
        for together in orders.chunks(limits::ACTS_TOGETHER) {
            match self.act_together(actor, together) {
                Ok(became) => many.became.extend(became),
                Err(error) => {
                    many.stopped = Some(error);
                    break;
                }
            }
        }
        many
    }

    /// What an act would come to, without doing it. Proofs that it brings are looked at as if the store had no floor.
    pub fn foresee(
        &self,
        name: &Username,
        account: Option<&Account>,
        act: &Act,
    ) -> Result<Foreseen, ActError> {
        let name = self.policy().folding.fold(name);
        let nothing = Loaded::default();
        let desk = Desk {
            policy: self.policy(),
            keys: self.keys(),
            random: self.random(),
            now: self.now(),
            loaded: &nothing,
        };
        let done = carry_out(&desk, &name, account.cloned(), act)?;
        if act.shows_in_account() && account.is_some_and(|before| done.leaves(before)) {
            return Ok(Foreseen::AsAsked);
        }
        Ok(match done.change {
            AccountChange::Insert(account) => Foreseen::Made(account),
            AccountChange::Update(account) => Foreseen::Changed(account),
            AccountChange::Remove(_) => Foreseen::Gone,
        })
    }

    /// Who somebody is whom the store does not know: what the backend of first passwords says, else the names of this
    /// machine.
    pub fn identify_stranger(&self, name: &Username) -> Identity {
        let folded = |identity| match identity {
            Identity::Known(name) => Identity::Known(self.policy().folding.fold(&name)),
            Identity::Unknown => Identity::Unknown,
            Identity::Unavailable => Identity::Unavailable,
        };
        match self.parts.primary.identify(name, Stored::No) {
            Identity::Unknown => folded(self.parts.names.identify(name, Stored::No)),
            identity => folded(identity),
        }
    }

    /// An error says that it is not known what of these was written; before the commit it is nothing.
    fn act_together(&self, actor: &Actor, orders: &[Order<'_>]) -> Result<Vec<Became>, StoreError> {
        let folding = self.policy().folding;
        let names: Vec<Username> = orders.iter().map(|order| folding.fold(order.name)).collect();
        let minutes = names.iter().zip(orders).map(|(name, order)| Minutes {
            id: AttemptId::generate(self.random()),
            actor,
            name,
            act: order.act,
        });
        let minutes: Vec<Minutes<'_>> = minutes.collect();
        let written =
            self.write_together(&minutes).inspect_err(|error| self.tell_stopped(&minutes, error))?;
        Ok(written
            .into_iter()
            .zip(minutes.iter().zip(orders))
            .map(|(fate, (minutes, order))| match fate {
                Fate::Over(became) => became,
                Fate::Written(issued) => {
                    self.copy_after(minutes.name, order.act);
                    Became::Done(issued)
                }
                Fate::Alone => self.act_alone(minutes, *order),
            })
            .collect())
    }

    /// Prepares all, then commits what is to be written at once.
    fn write_together(&self, minutes: &[Minutes<'_>]) -> Result<Vec<Fate>, StoreError> {
        let mut bundles = Vec::with_capacity(minutes.len());
        let mut fates = Vec::with_capacity(minutes.len());
        for minutes in minutes {
            fates.push(self.take_up(minutes, &mut bundles)?);
        }
        if bundles.is_empty() {
            return Ok(fates);
        }
        let mut outcomes = self.parts.store.commit(&bundles)?.into_iter().zip(&bundles);
        let written = fates.into_iter().zip(minutes).map(|(fate, minutes)| match fate {
            Fate::Written(issued) => match self.published(&mut outcomes) {
                Some(bundle) => {
                    // Where the file cannot follow, its waits end by themselves.
                    let _ = self.unlock_for_break_glass(minutes.name, bundle);
                    Fate::Written(issued)
                }
                None => Fate::Alone,
            },
            Fate::Over(Became::Refused(refusal)) => {
                let _ = self.published(&mut outcomes);
                Fate::Over(Became::Refused(refusal))
            }
            fate => fate,
        });
        Ok(written.collect())
    }

    /// Prepares one; the bundle of what is to be written joins the others. A refusal is recorded too.
    fn take_up(&self, minutes: &Minutes<'_>, bundles: &mut Vec<Bundle>) -> Result<Fate, StoreError> {
        if matches!(minutes.act, Act::Rename(_)) {
            return Ok(Fate::Alone);
        }
        match self.prepare(minutes) {
            Ok(Prepared { is_as_asked: true, .. }) => Ok(Fate::Over(Became::AsAsked)),
            Ok(Prepared { bundle, issued, .. }) => {
                bundles.push(bundle);
                Ok(Fate::Written(issued))
            }
            Err(ActError::Store(error)) => Err(error),
            Err(refusal) => {
                let now = self.now();
                let record = minutes.record(now, Reason::ActRefused, None, Some(refusal.to_string()));
                bundles.push(Bundle::of_records(minutes.id, now, vec![record]));
                Ok(Fate::Over(Became::Refused(refusal)))
            }
        }
    }

    /// Publishes the records of the next bundle, if it was written.
    fn published<'b>(
        &self,
        outcomes: &mut impl Iterator<Item = (Outcome, &'b Bundle)>,
    ) -> Option<&'b Bundle> {
        let (outcome, bundle) = outcomes.next()?;
        let Outcome::Applied(entries) = outcome else { return None };
        for entry in entries {
            self.parts.sink.publish(&entry.record, entry.position.as_ref());
        }
        Some(bundle)
    }

    /// Somebody was faster, and may have done what is asked.
    fn act_alone(&self, minutes: &Minutes<'_>, order: Order<'_>) -> Became {
        if let (Ok(prepared), false) = (self.prepare(minutes), matches!(order.act, Act::Rename(_)))
            && prepared.is_as_asked
        {
            return Became::AsAsked;
        }
        match self.act(minutes.actor, order.name, order.act) {
            Ok(issued) => Became::Done(issued),
            Err(refusal) => Became::Refused(refusal),
        }
    }

    /// Those that the store could not take are told where records go besides it.
    fn tell_stopped(&self, minutes: &[Minutes<'_>], error: &StoreError) {
        for minutes in minutes {
            let said = Some(error.to_string());
            self.parts.sink.publish(&minutes.record(self.now(), Reason::ActRefused, None, said), None);
        }
    }
}

/// What is known of one order.
enum Fate {
    /// Nothing more is to be done.
    Over(Became),
    /// Its bundle is among those that are written together.
    Written(Issued),
    /// It is tried alone.
    Alone,
}
