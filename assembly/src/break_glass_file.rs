//! The file of the break-glass accounts, from the settings and the keys.

use common::keys::{KeyError, KeyRing, Purpose};
use config::Settings;
use store::{BreakGlassFile, BreakGlassKey};

use crate::{AssemblyError, places};

/// The file of the break-glass accounts, which need not be there.
pub(crate) fn of(settings: &Settings, keys: &KeyRing) -> Result<BreakGlassFile, AssemblyError> {
    let key = |id| {
        let (slots, chain) = (keys.derive(id, Purpose::BreakGlass)?, keys.derive(id, Purpose::Chain)?);
        Ok::<_, KeyError>(BreakGlassKey { id, slots, chain })
    };
    let keys = keys.ids().map(key).collect::<Result<_, _>>()?;
    Ok(BreakGlassFile::new(places::break_glass(settings), places::owner(settings)?, keys))
}
