//! What a backup learns from the newer store that it takes the place of: what is used up and counted there stays so.
//!
//! Counts of accounts that the backup does not have are lost with them; what they used up is not.

use std::path::Path;

use rusqlite::Connection;

use crate::{RecoveryCodes, SqliteError, spent};

const CARRY_OVER: &str = "
    BEGIN IMMEDIATE;
    INSERT OR IGNORE INTO once_spent SELECT account, code FROM newer.once_spent;
    INSERT OR IGNORE INTO once_spent SELECT account, code FROM newer.spent_recovery;
    INSERT OR IGNORE INTO spent_recovery
        SELECT once.account, once.code FROM once_spent AS once JOIN accounts ON accounts.id = once.account;
    INSERT INTO spent_totp
        SELECT totp.* FROM newer.spent_totp AS totp JOIN accounts ON accounts.id = totp.account WHERE true
        ON CONFLICT (account, factor) DO UPDATE
        SET step = excluded.step, begins_at = excluded.begins_at, expires_at = excluded.expires_at
        WHERE excluded.step > spent_totp.step;
    INSERT OR IGNORE INTO successes SELECT * FROM newer.successes;
    DELETE FROM lanes;
    INSERT INTO lanes SELECT * FROM newer.lanes;
    INSERT OR REPLACE INTO caps SELECT caps.* FROM newer.caps AS caps JOIN accounts ON accounts.id = caps.account;
    INSERT OR REPLACE INTO known SELECT known.* FROM newer.known AS known JOIN accounts ON accounts.id = known.account;
    INSERT OR REPLACE INTO tallies SELECT * FROM newer.tallies;
    UPDATE meta SET lanes = (SELECT lanes FROM newer.meta), lineage = (SELECT lineage FROM newer.meta),
        floor = max(floor, (SELECT floor FROM newer.meta));
    COMMIT;
    DETACH newer;";

/// Tells the copy of a backup what the store at `newer` knows, and says whether that is all that was used since the backup.
pub(crate) fn carry_over(copy: &Connection, newer: &Path) -> Result<RecoveryCodes, SqliteError> {
    let before = spent::lineage(copy)?;
    copy.execute("ATTACH ?1 AS newer", [newer.to_string_lossy()])?;
    copy.execute_batch(CARRY_OVER)?;
    let is_same = spent::lineage(copy)? == before;
    Ok(if is_same { RecoveryCodes::StaySpent } else { RecoveryCodes::Unknown })
}
