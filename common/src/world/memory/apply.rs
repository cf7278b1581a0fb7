//! What a bundle does to the store in memory, once nothing stands against it.

use super::Memory;
use crate::account::Account;
use crate::bundle::{AccountChange, Bundle, CapEffect, Renewal, Spend, TicketChange};
use crate::record::Record;

impl Memory {
    /// What stands between a device and its being remembered.
    pub(super) fn may_remember(&self, change: &TicketChange, bundle: &Bundle) -> bool {
        let TicketChange::Remember { account: id, ticket } = change else { return true };
        let of_it = |account: &&Account| account.id == *id;
        let account = match &bundle.account {
            Some(AccountChange::Insert(account) | AccountChange::Update(account)) => {
                Some(&**account).filter(of_it)
            }
            Some(AccountChange::Remove(_)) => None,
            None => self.accounts.values().find(of_it),
        };
        account.is_some_and(|account| account.generation == ticket.generation())
    }

    pub(super) fn apply(&mut self, bundle: &Bundle) {
        match &bundle.account {
            None => {}
            Some(AccountChange::Insert(account) | AccountChange::Update(account)) => {
                let before = self.accounts.values().find(|stored| stored.id == account.id);
                if before.is_some_and(|before| before.generation != account.generation) {
                    self.tickets.remove(&account.id);
                }
                self.accounts.retain(|_, stored| stored.id != account.id);
                self.accounts.insert(account.name.clone(), (**account).clone());
            }
            Some(AccountChange::Remove(id)) => {
                self.tickets.remove(id);
                self.accounts.retain(|_, stored| stored.id != *id);
            }
        }
        for change in &bundle.tickets {
            match change {
                TicketChange::Remember { account, ticket } => {
                    self.tickets.entry(*account).or_default().remember((**ticket).clone());
                }
                TicketChange::Forget { account, ticket } => {
                    let _ = self.tickets.get_mut(account).is_some_and(|tickets| tickets.forget(*ticket));
                }
            }
        }
        self.last_spends.clone_from(&bundle.spends);
        for spend in &bundle.spends {
            match spend {
                Spend::TotpStep { factor, step, .. } => {
                    self.steps.insert(*factor, *step);
                }
                Spend::HotpCounter { factor, counter, .. } => {
                    self.steps.insert(*factor, *counter);
                }
                Spend::Code { code, .. } => self.codes.push(*code),
                Spend::SentCode { name, slot, code } => {
                    let sent = self.sent.get_mut(name);
                    assert!(sent.is_some_and(|sent| sent.spend(*slot, *code, bundle.at)));
                }
            }
        }
        if let Some(new) = &bundle.new_code {
            assert!(self.sent.entry(new.name.clone()).or_default().send(new));
        }
        if let Some(texts) = &bundle.notice_texts {
            assert!(self.sent.entry(texts.name.clone()).or_default().tell(texts.count, bundle.at));
        }
        self.outbox.extend(bundle.messages.iter().cloned());
        if let Some(account) = bundle.signed_in {
            self.signed_in.insert(account, bundle.at);
        }
        if let Some(success) = &bundle.success {
            self.successes.insert(success.session, success.clone());
        }
        if let Some(taken_back) = &bundle.taken_back {
            let lane = self.lanes.entry(taken_back.lane).or_default();
            *lane = taken_back.undo(*lane);
        }
        if let Some(recognised) = &bundle.recognised {
            self.lanes.remove(&recognised.lane);
            if recognised.cap == CapEffect::EndsRow {
                let cap = self.caps.entry(recognised.account).or_default();
                *cap = cap.after_a_right_one();
            }
            if recognised.renewal == Renewal::Write {
                self.known.insert((recognised.account, recognised.lane), bundle.at);
            }
        }
        if let Some(unlocked) = &bundle.unlocked {
            self.caps.remove(&unlocked.account);
            self.lanes.retain(|lane, _| !unlocked.lanes.contains(lane));
        }
        let is_counted = |record: &&Record| {
            let group = bundle.tally.and_then(|tally| tally.group(record));
            record.ending == crate::record::Ending::Accept && group.is_some()
        };
        self.tallied += bundle.records.iter().filter(is_counted).count() as u64;
        self.records.extend(bundle.records.iter().cloned());
    }
}
