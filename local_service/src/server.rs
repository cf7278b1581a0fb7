//! What all threads of the service share: what is counted, and the configuration in force.

use std::sync::{Arc, PoisonError, RwLock};

use assembly::daemon::World;

use crate::counters::Counters;
use crate::refusals::Refusals;

/// The service.
pub struct Server {
    /// What was counted.
    pub counters: Counters,
    /// Refusals that anybody can cause.
    pub refusals: Refusals,
    world: RwLock<Arc<World>>,
}

impl Server {
    /// A service that nobody has asked yet.
    #[must_use]
    pub fn new(world: World) -> Self {
        Self {
            counters: Counters::default(),
            refusals: Refusals::default(),
            world: RwLock::new(Arc::new(world)),
        }
    }

    /// The configuration in force. A request that has begun with one ends with it.
    #[must_use]
    pub fn world(&self) -> Arc<World> {
        Arc::clone(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another configuration in force.
    pub fn replace_world(&self, world: World) {
        *self.world.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(world);
    }
}
