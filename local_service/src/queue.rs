//! What waits for a worker: root's requests and those of all others in two lines that take turns, each with a bound on
//! workers, and each user with a bound on requests.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::limits;

/// There is no room for this request.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

/// Requests by the real uid of whoever calls.
#[derive(Debug)]
pub struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

/// A request that is being worked on, until this goes.
#[derive(Debug)]
pub struct Taken<'a, T> {
    /// The request.
    pub item: T,
    uid: u32,
    queue: &'a Queue<T>,
}

#[derive(Debug)]
struct State<T> {
    root: Line<T>,
    others: Line<T>,
    /// Requests of each user who is not root.
    of_user: HashMap<u32, usize>,
    /// Whose turn it is where both could go on.
    turn: Turn,
    is_closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Roots,
    Others,
}

#[derive(Debug)]
struct Line<T> {
    waiting: VecDeque<(u32, T)>,
    at_work: usize,
    waiting_max: usize,
    at_work_max: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        let line = |waiting_max, at_work_max| Line {
            waiting: VecDeque::new(),
            at_work: 0,
            waiting_max,
            at_work_max,
        };
        let state = State {
            root: line(limits::QUEUE_OF_ROOT_MAX, limits::WORKERS_OF_ROOT_MAX),
            others: line(limits::QUEUE_OF_OTHERS_MAX, limits::WORKERS_OF_OTHERS_MAX),
            of_user: HashMap::new(),
            turn: Turn::Roots,
            is_closed: false,
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl<T> Queue<T> {
    /// Puts a request at the end of its line.
    ///
    /// # Errors
    /// [`Full`], with the request: too many wait, or this user has too many, or nothing is taken any more.
    pub fn put(&self, uid: u32, item: T) -> Result<(), (Full, T)> {
        self.state().put(uid, item)?;
        self.changed.notify_one();
        Ok(())
    }

    /// Takes what comes next, and waits for it if need be; `None` when the queue is closed and empty.
    pub fn take(&self) -> Option<Taken<'_, T>> {
        let mut state = self.state();
        loop {
            if let Some((uid, item)) = state.take() {
                return Some(Taken { item, uid, queue: self });
            }
            if state.is_closed && state.root.waiting.is_empty() && state.others.waiting.is_empty() {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes nothing more in. What waits is worked on still.
    pub fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.done(self.uid);
        // The last one of a closed queue lets all others go.
        if state.is_closed {
            self.queue.changed.notify_all();
        } else {
            self.queue.changed.notify_one();
        }
    }
}

impl<T> State<T> {
    fn put(&mut self, uid: u32, item: T) -> Result<(), (Full, T)> {
        let is_full = match uid {
            0 => self.root.is_full(),
            _ => self.others.is_full() || self.requests_of(uid) >= limits::REQUESTS_PER_USER_MAX,
        };
        if is_full || self.is_closed {
            return Err((Full, item));
        }
        if uid != 0 {
            let requests = self.of_user.entry(uid).or_default();
            *requests = requests.saturating_add(1);
        }
        self.line(uid).waiting.push_back((uid, item));
        Ok(())
    }

    fn take(&mut self) -> Option<(u32, T)> {
        let (line, next) = match (self.root.is_ready(), self.others.is_ready(), self.turn) {
            (true, false, _) | (true, true, Turn::Roots) => (&mut self.root, Turn::Others),
            (false, true, _) | (true, true, Turn::Others) => (&mut self.others, Turn::Roots),
            (false, false, _) => return None,
        };
        self.turn = next;
        line.at_work = line.at_work.saturating_add(1);
        line.waiting.pop_front()
    }

    fn done(&mut self, uid: u32) {
        let line = self.line(uid);
        line.at_work = line.at_work.saturating_sub(1);
        if let Some(requests) = self.of_user.get_mut(&uid) {
            *requests = requests.saturating_sub(1);
        }
        if self.requests_of(uid) == 0 {
            self.of_user.remove(&uid);
        }
    }

    fn requests_of(&self, uid: u32) -> usize {
        self.of_user.get(&uid).copied().unwrap_or(0)
    }

    fn line(&mut self, uid: u32) -> &mut Line<T> {
        if uid == 0 { &mut self.root } else { &mut self.others }
    }
}

impl<T> Line<T> {
    fn is_full(&self) -> bool {
        self.waiting.len() >= self.waiting_max
    }

    fn is_ready(&self) -> bool {
        !self.waiting.is_empty() && self.at_work < self.at_work_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_the_others_take_turns() {
        let queue = Queue::default();
        for number in 0..3 {
            queue.put(0, number).unwrap();
            queue.put(1000, number + 10).unwrap();
        }
        let order: Vec<_> = (0..6).map(|_| queue.take().unwrap().item).collect();
        assert_eq!(order, [0, 10, 1, 11, 2, 12]);
    }

    #[test]
    fn one_user_has_a_few_requests_and_leaves_room_to_the_next() {
        let queue = Queue::default();
        for number in 0..limits::REQUESTS_PER_USER_MAX {
            queue.put(1000, number).unwrap();
        }
        assert_eq!(queue.put(1000, 99), Err((Full, 99)));
        queue.put(1001, 0).unwrap();
        drop(queue.take().unwrap());
        assert_eq!(queue.put(1000, 99), Ok(()));
    }

    #[test]
    fn many_users_leave_workers_to_root_and_root_some_to_them() {
        let queue = Queue::default();
        for uid in 1..=u32::try_from(limits::WORKERS).unwrap() {
            queue.put(uid, 1).unwrap();
        }
        let others: Vec<_> = (0..limits::WORKERS_OF_OTHERS_MAX).map(|_| queue.take().unwrap()).collect();
        queue.put(0, 0).unwrap();
        assert_eq!(queue.take().unwrap().item, 0);
        drop(others);
        for _ in 0..limits::WORKERS {
            queue.put(0, 0).unwrap();
        }
        let taken: Vec<_> = (0..limits::WORKERS).map(|_| queue.take().unwrap()).collect();
        assert!(taken.iter().any(|taken| taken.item == 1));
    }

    #[test]
    fn what_waits_is_bounded_and_nothing_is_left_behind() {
        let queue = Queue::default();
        for uid in 1..=u32::try_from(limits::QUEUE_OF_OTHERS_MAX).unwrap() {
            queue.put(uid, uid).unwrap();
        }
        assert_eq!(queue.put(100_000, 0), Err((Full, 0)));
        assert_eq!(queue.put(0, 0), Ok(()));
        queue.close();
        let taken = std::iter::from_fn(|| queue.take().map(|taken| taken.item)).count();
        assert_eq!((taken, queue.state().of_user.len()), (limits::QUEUE_OF_OTHERS_MAX + 1, 0));
        assert_eq!(queue.put(0, 0), Err((Full, 0)));
    }
}
