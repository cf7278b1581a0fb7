//! Randomness, handed in: ids, keys and generated secrets are made from it.

use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A source of randomness fit for keys.
pub trait Random: Send + Sync {
    /// Fills all of `octets`. An implementation that cannot must end the process rather than return.
    fn fill(&self, octets: &mut [u8]);
}

/// Randomness that can be had again: the same seed gives the same octets. The login machine is a pure function, so what it
/// generates comes from a seed that it is given, or that a carried session holds.
pub struct Stream {
    /// A key of HMAC-SHA-256, as long as one block of the hash.
    key: Zeroizing<[u8; 64]>,
    counter: AtomicU64,
}

impl Stream {
    /// The octets of a seed for one purpose. A seed has at least 16 octets of randomness in it.
    #[must_use]
    pub fn new(seed: &[u8], purpose: &str) -> Self {
        let digest = Zeroizing::new(<[u8; 32]>::from(
            Sha256::new().chain_update(seed).chain_update(b"/").chain_update(purpose).finalize(),
        ));
        let mut key = Zeroizing::new([0; 64]);
        key.iter_mut().zip(digest.iter()).for_each(|(octet, of_digest)| *octet = *of_digest);
        Self { key, counter: AtomicU64::new(0) }
    }

    /// HMAC-SHA-256 of a counter under the seed.
    fn block(&self) -> Zeroizing<[u8; 32]> {
        let counter = self.counter.fetch_add(1, Ordering::Relaxed);
        let mut mac = Hmac::<Sha256>::new((&*self.key).into());
        mac.update(&counter.to_be_bytes());
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

impl Random for Stream {
    fn fill(&self, octets: &mut [u8]) {
        for chunk in octets.chunks_mut(32) {
            let block = self.block();
            for (octet, random) in chunk.iter_mut().zip(block.iter()) {
                *octet = *random;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Random as _, Stream};

    fn octets(seed: &[u8], purpose: &str) -> [u8; 40] {
        let mut octets = [0; 40];
        Stream::new(seed, purpose).fill(&mut octets);
        octets
    }

    #[test]
    fn a_seed_gives_the_same_octets_again_and_other_ones_for_another_purpose() {
        assert_eq!(octets(b"0123456789abcdef", "a"), octets(b"0123456789abcdef", "a"));
        assert_ne!(octets(b"0123456789abcdef", "a"), octets(b"0123456789abcdef", "b"));
        assert_ne!(octets(b"0123456789abcdef", "a"), octets(b"0123456789abcdeF", "a"));
        let both = octets(b"0123456789abcdef", "a");
        assert_ne!(both[..8], both[32..], "one block is not the next");
    }
}
