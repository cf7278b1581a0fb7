//! What the file says of itself, for administrators and auditors.

use common::CodeId;
use common::account::Account;
use common::chain::ChainPosition;
use common::ports::StoredRecord;

use crate::break_glass::page::Page;
use crate::break_glass::ring;

/// The file as it is.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The copies.
    pub kept: Vec<Kept>,
    /// Slots that cannot be read. Of one, the other slot of its pair has the same; of a pair, what stood there is lost.
    pub damaged_slots: usize,
    /// What the oldest record is chained to.
    pub beginning: ChainPosition,
    /// The place of the newest record.
    pub head: ChainPosition,
    /// The records from the oldest on, as they stand there.
    pub records: Vec<StoredRecord>,
}

/// One copy.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The account, without its app passwords.
    pub account: Account,
    /// Its spent recovery codes, as far as the file knows.
    pub spent_codes: Vec<CodeId>,
}

pub(super) fn survey(page: &Page<'_>) -> Survey {
    let head = page.head();
    let kept = page
        .kept()
        .map(|(_, copy)| Kept { account: copy.account.clone(), spent_codes: copy.spent_codes.clone() });
    Survey {
        kept: kept.collect(),
        damaged_slots: page.damaged_slots(),
        beginning: ring::beginning(page.file(), head).position(),
        head: head.position(),
        records: ring::page(page.file(), head, 1, u32::MAX),
    }
}
