//! Randomness, handed in: ids, keys and generated secrets are made from it.

/// A source of randomness fit for keys.
pub trait Random: Send + Sync {
    /// Fills all of `octets`. An implementation that cannot must end the process rather than return.
    fn fill(&self, octets: &mut [u8]);
}
