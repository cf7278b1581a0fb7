//! What waits for a worker, in three lines that take turns: root's requests, those of programs with root's rights that a
//! user has called, and those of users' own programs. Each line has bounds of its own, and each user in it: whoever has
//! many uids (subuid(5)) has them in the last line alone.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};

use crate::limits;

/// There is no room for this request.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

/// Who asks: that says which line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asker {
    /// Root.
    Root,
    /// A program with root's rights that this user has called, as su and sudo are.
    Setuid(u32),
    /// A program with no other rights than this user's.
    Own(u32),
}

/// Requests by who asks.
#[derive(Debug)]
pub struct Queue<T> {
    state: Mutex<State<T>>,
}

/// A request that is being worked on, until this goes.
#[derive(Debug)]
pub struct Taken<'a, T> {
    /// The request.
    pub item: T,
    asker: Asker,
    queue: &'a Queue<T>,
}

#[derive(Debug)]
struct State<T> {
    /// The line that was served longest ago comes first.
    lines: [Line<T>; 3],
    /// Requests of each user who is not root.
    of_user: HashMap<Asker, usize>,
    /// Workers that wait. Whoever came last is called first: what it works with is still at hand in its processor.
    idle: Vec<Thread>,
    is_closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Root,
    Setuid,
    Own,
}

#[derive(Debug)]
struct Line<T> {
    kind: Kind,
    waiting: VecDeque<(Asker, T)>,
    at_work: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        let line = |kind| Line { kind, waiting: VecDeque::new(), at_work: 0 };
        let lines = [Kind::Root, Kind::Setuid, Kind::Own].map(line);
        let state = State { lines, of_user: HashMap::new(), idle: Vec::new(), is_closed: false };
        Self { state: Mutex::new(state) }
    }
}

impl Asker {
    /// By the effective uid that the kernel says. A caller with root's rights is believed about who has called it.
    #[must_use]
    pub const fn new(effective: u32, said: u32) -> Self {
        match (effective, said) {
            (0, 0) => Self::Root,
            (0, uid) => Self::Setuid(uid),
            (uid, _) => Self::Own(uid),
        }
    }

    const fn kind(self) -> Kind {
        match self {
            Self::Root => Kind::Root,
            Self::Setuid(_) => Kind::Setuid,
            Self::Own(_) => Kind::Own,
        }
    }
}

impl Kind {
    const fn waiting_max(self) -> usize {
        match self {
            Self::Root => limits::QUEUE_OF_ROOT_MAX,
            Self::Setuid => limits::QUEUE_OF_SETUID_MAX,
            Self::Own => limits::QUEUE_OF_OTHERS_MAX,
        }
    }

    const fn at_work_max(self) -> usize {
        match self {
            Self::Root => limits::WORKERS_OF_ROOT_MAX,
            Self::Setuid => limits::WORKERS_OF_SETUID_MAX,
            Self::Own => limits::WORKERS_OF_OTHERS_MAX,
        }
    }
}

impl<T> Queue<T> {
    /// Puts a request at the end of its line.
    ///
    /// # Errors
    /// [`Full`], with the request: too many wait, or this user has too many, or nothing is taken any more.
    pub fn put(&self, asker: Asker, item: T) -> Result<(), (Full, T)> {
        let mut state = self.state();
        state.put(asker, item)?;
        state.call_one();
        Ok(())
    }

    /// Takes what comes next, and waits for it if need be; `None` when the queue is closed and empty.
    pub fn take(&self) -> Option<Taken<'_, T>> {
        let mut state = self.state();
        loop {
            if let Some((asker, item)) = state.take() {
                return Some(Taken { item, asker, queue: self });
            }
            if state.is_closed && state.lines.iter().all(|line| line.waiting.is_empty()) {
                return None;
            }
            let me = thread::current();
            state.idle.push(me.clone());
            drop(state);
            // Whoever is called meanwhile does not fall asleep; whoever wakes up by itself looks and comes back.
            thread::park();
            state = self.state();
            state.idle.retain(|idle| idle.id() != me.id());
        }
    }

    /// Takes nothing more in. What waits is worked on still.
    pub fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        state.call_all();
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.done(self.asker);
        // The last one of a closed queue lets all others go.
        if state.is_closed {
            state.call_all();
        } else if state.lines.iter().any(Line::is_ready) {
            state.call_one();
        }
    }
}

impl<T> State<T> {
    fn call_one(&mut self) {
        if let Some(worker) = self.idle.pop() {
            worker.unpark();
        }
    }

    fn call_all(&mut self) {
        self.idle.drain(..).for_each(|worker| worker.unpark());
    }

    fn put(&mut self, asker: Asker, item: T) -> Result<(), (Full, T)> {
        let has_too_many = asker != Asker::Root && self.requests_of(asker) >= limits::REQUESTS_PER_USER_MAX;
        let is_closed = self.is_closed;
        let line = self.lines.iter_mut().find(|line| line.kind == asker.kind() && !line.is_full());
        let Some(line) = line.filter(|_| !has_too_many && !is_closed) else {
            return Err((Full, item));
        };
        line.waiting.push_back((asker, item));
        if asker != Asker::Root {
            let requests = self.of_user.entry(asker).or_default();
            *requests = requests.saturating_add(1);
        }
        Ok(())
    }

    fn take(&mut self) -> Option<(Asker, T)> {
        let place = self.lines.iter().position(Line::is_ready)?;
        let line = self.lines.get_mut(place)?;
        line.at_work = line.at_work.saturating_add(1);
        let next = line.waiting.pop_front();
        self.lines.get_mut(place..)?.rotate_left(1);
        next
    }

    fn done(&mut self, asker: Asker) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.kind == asker.kind()) {
            line.at_work = line.at_work.saturating_sub(1);
        }
        if let Some(requests) = self.of_user.get_mut(&asker) {
            *requests = requests.saturating_sub(1);
        }
        if self.requests_of(asker) == 0 {
            self.of_user.remove(&asker);
        }
    }

    fn requests_of(&self, asker: Asker) -> usize {
        self.of_user.get(&asker).copied().unwrap_or(0)
    }
}

impl<T> Line<T> {
    fn is_full(&self) -> bool {
        self.waiting.len() >= self.kind.waiting_max()
    }

    fn is_ready(&self) -> bool {
        !self.waiting.is_empty() && self.at_work < self.kind.at_work_max()
    }
}

#[cfg(test)]
mod tests {
    use super::Asker::{Own, Root, Setuid};
    use super::*;

    /// As many of the items as can be worked on at once.
    fn taken<T>(queue: &Queue<T>) -> Vec<Taken<'_, T>> {
        let next = || {
            let (asker, item) = queue.state().take()?;
            Some(Taken { item, asker, queue })
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn who_asks_is_what_the_kernel_says_and_only_root_is_believed() {
        assert_eq!(Asker::new(0, 0), Root);
        assert_eq!(Asker::new(0, 1000), Setuid(1000));
        assert_eq!((Asker::new(1000, 0), Asker::new(1000, 1001)), (Own(1000), Own(1000)));
    }

    #[test]
    fn the_three_lines_take_turns() {
        let queue = Queue::default();
        for number in 0..3 {
            queue.put(Own(1000), number + 20).unwrap();
            queue.put(Setuid(1000), number + 10).unwrap();
            queue.put(Root, number).unwrap();
        }
        let order: Vec<_> = (0..9).map(|_| queue.take().unwrap().item).collect();
        assert_eq!(order, [0, 10, 20, 1, 11, 21, 2, 12, 22]);
    }

    #[test]
    fn one_user_has_a_few_requests_and_leaves_room_to_the_next() {
        for of in [Setuid, Own] {
            let queue = Queue::default();
            for number in 0..limits::REQUESTS_PER_USER_MAX {
                queue.put(of(1000), number).unwrap();
            }
            assert_eq!(queue.put(of(1000), 99), Err((Full, 99)));
            queue.put(of(1001), 0).unwrap();
            drop(queue.take().unwrap());
            assert_eq!(queue.put(of(1000), 99), Ok(()));
        }
    }

    #[test]
    fn programs_of_a_user_take_nothing_from_the_sudo_of_that_user() {
        let queue = Queue::default();
        for number in 0..limits::REQUESTS_PER_USER_MAX {
            queue.put(Own(1000), number).unwrap();
        }
        assert_eq!(queue.put(Setuid(1000), 99), Ok(()));
    }

    /// As newuidmap(1) gives them to everybody.
    #[test]
    fn sixty_thousand_uids_take_nothing_from_the_sudo_of_others() {
        let queue = Queue::default();
        let turned_away = (100_000..165_536).filter(|uid| queue.put(Own(*uid), *uid).is_err()).count();
        assert_eq!(turned_away, 65_536 - limits::QUEUE_OF_OTHERS_MAX);
        let flood = taken(&queue);
        assert_eq!(flood.len(), limits::WORKERS_OF_OTHERS_MAX);
        queue.put(Setuid(1000), 1000).unwrap();
        assert_eq!(queue.take().unwrap().item, 1000, "at once, though many wait");
        drop(flood);
        queue.put(Setuid(1000), 1000).unwrap();
        assert!((0..2).any(|_| queue.take().unwrap().item == 1000), "it is its turn");
    }

    #[test]
    fn two_lines_that_are_full_leave_workers_to_the_third() {
        let many = |of: fn(u32) -> Asker| (1..=64).map(of).collect::<Vec<_>>();
        let lines = [many(|_| Root), many(Setuid), many(Own)];
        for third in 0..lines.len() {
            let queue = Queue::default();
            let two = lines.iter().enumerate().filter(|(place, _)| *place != third);
            for asker in two.flat_map(|(_, line)| line) {
                queue.put(*asker, ()).unwrap();
            }
            let at_work = taken(&queue);
            assert!(at_work.len() + 2 <= limits::WORKERS, "{third}: {}", at_work.len());
            queue.put(lines[third][0], ()).unwrap();
            assert_eq!(queue.take().unwrap().asker, lines[third][0]);
        }
    }

    #[test]
    fn what_waits_is_bounded_and_nothing_is_left_behind() {
        let queue = Queue::default();
        for uid in 1..=u32::try_from(limits::QUEUE_OF_OTHERS_MAX).unwrap() {
            queue.put(Own(uid), uid).unwrap();
        }
        for uid in 1..=u32::try_from(limits::QUEUE_OF_SETUID_MAX).unwrap() {
            queue.put(Setuid(uid), uid).unwrap();
        }
        assert_eq!(queue.put(Own(100_000), 0), Err((Full, 0)));
        assert_eq!(queue.put(Setuid(100_000), 0), Err((Full, 0)));
        assert_eq!(queue.put(Root, 0), Ok(()));
        queue.close();
        let all = limits::QUEUE_OF_OTHERS_MAX + limits::QUEUE_OF_SETUID_MAX + 1;
        let taken = std::iter::from_fn(|| queue.take().map(|taken| taken.item)).count();
        assert_eq!((taken, queue.state().of_user.len()), (all, 0));
        assert_eq!(queue.put(Root, 0), Err((Full, 0)));
    }
}
