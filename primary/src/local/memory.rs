//! The working memory of argon2: lent to as many checks at once as there are cores, while the others wait for their turn.
//! More at once would be no faster, and an allocator that serves many threads gives hardly any of it back.

use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::available_parallelism;

use argon2::Block;
use zeroize::Zeroize as _;

/// What a hash of our own needs, a block being 1 KiB. A larger piece, as an imported hash may ask for, is given back.
const BLOCKS_KEPT_MAX: usize = 19 * 1024;

/// What becomes of memory that is no longer needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Afterwards {
    /// The system has it back: the process lives for one login or command.
    #[default]
    GivenBack,
    /// The next check gets it, wiped.
    Kept,
}

/// The memory of one process.
pub(super) struct Pool {
    places: OnceLock<usize>,
    state: Mutex<State>,
    returned: Condvar,
}

struct State {
    lent: usize,
    kept: Vec<Vec<Block>>,
}

/// Memory for one check. It is wiped when it goes.
pub(super) struct Lent<'pool> {
    blocks: Vec<Block>,
    afterwards: Afterwards,
    pool: &'pool Pool,
}

impl Pool {
    pub(super) const fn new() -> Self {
        let state = State { lent: 0, kept: Vec::new() };
        Self { places: OnceLock::new(), state: Mutex::new(state), returned: Condvar::new() }
    }

    /// Lends so many blocks, after waiting for a place. `None` where a limit of the process does not allow so many: that
    /// must not end in an abort.
    pub(super) fn lend(&self, blocks: usize, afterwards: Afterwards) -> Option<Lent<'_>> {
        let mut lent = Lent { blocks: self.take_place(), afterwards, pool: self };
        let missing = blocks.saturating_sub(lent.blocks.len());
        lent.blocks.try_reserve_exact(missing).ok()?;
        lent.blocks.resize(blocks, Block::new());
        Some(lent)
    }

    fn take_place(&self) -> Vec<Block> {
        let mut state = self.state();
        while state.lent > 0 && state.lent >= self.places() {
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.lent = state.lent.saturating_add(1);
        state.kept.pop().unwrap_or_default()
    }

    fn take_back(&self, blocks: Option<Vec<Block>>) {
        let mut state = self.state();
        state.lent = state.lent.saturating_sub(1);
        state.kept.extend(blocks);
        drop(state);
        self.returned.notify_one();
    }

    fn places(&self) -> usize {
        *self.places.get_or_init(|| available_parallelism().map_or(1, usize::from))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lent<'_> {
    pub(super) fn blocks(&mut self) -> &mut [Block] {
        &mut self.blocks
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut blocks = std::mem::take(&mut self.blocks);
        blocks.iter_mut().for_each(Block::zeroize);
        let is_kept = self.afterwards == Afterwards::Kept && blocks.len() <= BLOCKS_KEPT_MAX;
        self.pool.take_back(is_kept.then_some(blocks));
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn pool(places: usize) -> Pool {
        Pool { places: OnceLock::from(places), ..Pool::new() }
    }

    fn lent_and_kept(pool: &Pool) -> (usize, usize) {
        let state = pool.state();
        (state.lent, state.kept.len())
    }

    #[test]
    fn more_checks_than_cores_wait_for_their_turn() {
        let pool = pool(2);
        let (first, second) = (pool.lend(8, Afterwards::Kept), pool.lend(8, Afterwards::Kept));
        thread::scope(|scope| {
            let third = scope.spawn(|| pool.lend(8, Afterwards::Kept).is_some());
            assert_eq!((third.is_finished(), lent_and_kept(&pool)), (false, (2, 0)));
            drop(first);
            assert!(third.join().unwrap());
        });
        assert_eq!(lent_and_kept(&pool), (1, 1));
        drop(second);
        assert_eq!(lent_and_kept(&pool), (0, 2));
    }

    #[test]
    fn memory_comes_back_wiped() {
        let pool = pool(1);
        let mut lent = pool.lend(8, Afterwards::Kept).unwrap();
        lent.blocks().iter_mut().for_each(|block| block.as_mut().fill(7));
        let place = lent.blocks().as_ptr();
        drop(lent);
        let mut again = pool.lend(4, Afterwards::Kept).unwrap();
        assert_eq!(again.blocks().as_ptr(), place);
        let state: Vec<_> = again.blocks().iter().flat_map(|block| block.as_ref().to_vec()).collect();
        assert_eq!(state, [0; 4 * 128]);
    }

    #[test]
    fn a_process_that_soon_ends_and_a_hash_that_asks_for_much_keep_nothing() {
        let pool = pool(1);
        drop(pool.lend(8, Afterwards::GivenBack));
        drop(pool.lend(BLOCKS_KEPT_MAX + 1, Afterwards::Kept));
        assert_eq!(lent_and_kept(&pool), (0, 0));
        assert_eq!(u32::try_from(BLOCKS_KEPT_MAX), Ok(crate::local::MEMORY_KIB));
    }

    #[test]
    fn what_cannot_be_had_takes_no_place() {
        let pool = pool(1);
        assert!(pool.lend(usize::MAX / 2048, Afterwards::Kept).is_none());
        assert!(pool.lend(8, Afterwards::Kept).is_some());
    }
}
