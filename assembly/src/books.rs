//! All chains of records of this machine: those of the store, and the one of the break-glass file.

use common::account::Account;
use common::chain::ChainPosition;
use common::lane::{LanesOf, Waits};
use common::ports::{Listed, Listing, StoreError, StoredRecord};
use common::throttle::Cap;
use common::{CodeId, UnixTime, Username};
use store::{BREAK_GLASS_STREAM, Sqlite, Survey};

/// The store, with the records of the break-glass file beside its own.
pub struct Books<'a> {
    /// The store.
    pub store: &'a Sqlite,
    /// The file as it is; `None` where it cannot be read.
    pub file: Option<Survey>,
}

impl Books<'_> {
    fn file_of(&self, stream: &str) -> Option<&Survey> {
        self.file.as_ref().filter(|_| stream == BREAK_GLASS_STREAM)
    }

    /// A file in which nothing was ever recorded has no stream.
    fn head(&self) -> Option<&ChainPosition> {
        self.file.as_ref().map(|file| &file.head).filter(|head| head.sequence > 0)
    }
}

impl Listing for Books<'_> {
    fn account(&self, name: &Username) -> Result<Option<Account>, StoreError> {
        self.store.account(name)
    }

    fn accounts(&self, after: Option<&Username>, count: u32) -> Result<Vec<Account>, StoreError> {
        self.store.accounts(after, count)
    }

    fn listed(&self, after: Option<&Username>, count: u32) -> Result<Vec<Listed>, StoreError> {
        self.store.listed(after, count)
    }

    fn spent_codes(&self, account: &Account) -> Result<Vec<CodeId>, StoreError> {
        self.store.spent_codes(account)
    }

    fn cap(&self, account: &Account) -> Result<Cap, StoreError> {
        self.store.cap(account)
    }

    fn waits(&self, lanes: &LanesOf, now: UnixTime) -> Result<Waits, StoreError> {
        self.store.waits(lanes, now)
    }

    fn closed(&self, now: UnixTime, count: u32) -> Result<Vec<Username>, StoreError> {
        self.store.closed(now, count)
    }

    fn records(&self, stream: &str, from: u64, count: u32) -> Result<Vec<StoredRecord>, StoreError> {
        let Some(file) = self.file_of(stream) else { return self.store.records(stream, from, count) };
        let most = usize::try_from(count).unwrap_or(usize::MAX);
        let wanted = file.records.iter().filter(|record| record.sequence >= from).take(most);
        Ok(wanted.cloned().collect())
    }

    fn streams(&self) -> Result<Vec<String>, StoreError> {
        let mut streams = self.store.streams()?;
        streams.extend(self.head().map(|head| head.stream.clone()));
        Ok(streams)
    }

    fn heads(&self) -> Result<Vec<ChainPosition>, StoreError> {
        let mut heads = self.store.heads()?;
        heads.extend(self.head().cloned());
        Ok(heads)
    }

    fn beginning(&self, stream: &str) -> Result<ChainPosition, StoreError> {
        match self.file_of(stream) {
            Some(file) => Ok(file.beginning.clone()),
            None => self.store.beginning(stream),
        }
    }
}
