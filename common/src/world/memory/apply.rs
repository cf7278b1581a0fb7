//! What a bundle does to the store in memory, once nothing stands against it.

use super::Memory;
use crate::UnixTime;
use crate::account::Account;
use crate::bundle::{AccountChange, Bundle, CapEffect, Recognised, Renewal, Spend, TicketChange};
use crate::message::Envelope;
use crate::record::{Ending, Record};
use crate::tally::Tally;

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

    /// Gives back the records as they were written.
    pub(super) fn apply(&mut self, bundle: &Bundle) -> Vec<Record> {
        // Before the account: what was sent under a name goes with whoever gives the name up.
        if let Some(texts) = &bundle.notice_texts {
            let sent = self.sent.entry(texts.name.clone()).or_default();
            assert!(sent.count_notice_texts(texts.count, bundle.at));
        }
        if let Some(change) = &bundle.account {
            self.change(change);
        }
        bundle.tickets.iter().for_each(|change| self.change_tickets(change));
        self.last_spends.clone_from(&bundle.spends);
        bundle.spends.iter().for_each(|spend| self.spend(spend, bundle.at));
        if let Some(new) = &bundle.new_code {
            assert!(self.sent.entry(new.name.clone()).or_default().send(new));
        }
        let left_out = self.put_messages(&bundle.messages);
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
            self.recognise(recognised, bundle.at);
        }
        if let Some(unlocked) = &bundle.unlocked {
            self.caps.remove(&unlocked.account);
            self.lanes.retain(|lane, _| !unlocked.lanes.contains(lane));
        }
        let records = bundle.records_without(left_out).into_owned();
        self.write(&records, bundle.tally);
        records
    }

    fn change(&mut self, change: &AccountChange) {
        let (id, new) = match change {
            AccountChange::Insert(account) | AccountChange::Update(account) => (account.id, Some(account)),
            AccountChange::Remove(id) => (*id, None),
        };
        let before = self.accounts.values().find(|stored| stored.id == id).cloned();
        if let Some(before) = before {
            if new.is_none_or(|new| new.generation != before.generation) {
                self.tickets.remove(&id);
            }
            if new.is_none_or(|new| new.name != before.name) {
                self.sent.remove(&before.name);
            }
            self.accounts.remove(&before.name);
        }
        if let Some(new) = new {
            self.accounts.insert(new.name.clone(), (**new).clone());
        }
    }

    fn change_tickets(&mut self, change: &TicketChange) {
        match change {
            TicketChange::Remember { account, ticket } => {
                self.tickets.entry(*account).or_default().remember((**ticket).clone());
            }
            TicketChange::Forget { account, ticket } => {
                let _ = self.tickets.get_mut(account).is_some_and(|tickets| tickets.forget(*ticket));
            }
        }
    }

    fn spend(&mut self, spend: &Spend, at: UnixTime) {
        match spend {
            Spend::TotpStep { factor, step: place, .. }
            | Spend::HotpCounter { factor, counter: place, .. } => {
                self.steps.insert(*factor, *place);
            }
            Spend::Code { code, .. } => self.codes.push(*code),
            Spend::SentCode { name, slot, code } => {
                let sent = self.sent.get_mut(name);
                assert!(sent.is_some_and(|sent| sent.spend(*slot, *code, at)));
            }
        }
    }

    /// For how many of them there was no room. A code was refused before.
    fn put_messages(&mut self, messages: &[Envelope]) -> u32 {
        if self.outbox_is_full {
            return u32::try_from(messages.len()).unwrap();
        }
        self.outbox.extend(messages.iter().cloned());
        0
    }

    fn recognise(&mut self, recognised: &Recognised, at: UnixTime) {
        self.lanes.remove(&recognised.lane);
        if recognised.cap == CapEffect::EndsRow {
            let cap = self.caps.entry(recognised.account).or_default();
            *cap = cap.after_a_right_one();
        }
        if recognised.renewal == Renewal::Write {
            self.known.insert((recognised.account, recognised.lane), at);
        }
    }

    fn write(&mut self, records: &[Record], tally: Option<Tally>) {
        let is_counted = |record: &&Record| {
            let group = tally.and_then(|tally| tally.group(record));
            record.ending == Ending::Accept && group.is_some()
        };
        self.tallied += records.iter().filter(is_counted).count() as u64;
        self.records.extend_from_slice(records);
    }
}
