//! What a configuration makes of the server: clients, engine, and who checks first passwords. Exchanged whole.

use common::PrimaryMode;
use common::engine::Engine;

use crate::clients::Clients;

/// One configuration in force.
pub struct World {
    /// Who decides.
    pub engine: Engine,
    /// Who may ask.
    pub clients: Clients,
    /// Who checks first passwords.
    pub primary: PrimaryMode,
}
