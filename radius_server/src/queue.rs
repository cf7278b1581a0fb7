//! Requests that wait for a worker. Clients take turns, and none has all workers: a gateway whose logins are slow, or
//! that is flooded, does not stop the others.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::limits;

/// A bounded queue, shared by the receiver and the workers.
#[derive(Debug)]
pub struct Queue<T> {
    state: Mutex<State<T>>,
    /// Told when there may be something to take.
    changed: Condvar,
}

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Something to work on. Its client has a worker less to itself until this is dropped.
#[derive(Debug)]
pub struct Taken<'q, T> {
    /// What was put.
    pub item: T,
    client: Arc<str>,
    queue: &'q Queue<T>,
}

#[derive(Debug)]
struct State<T> {
    lines: HashMap<Arc<str>, Line<T>>,
    /// Every client with something waiting, once, in the order of their turns.
    turns: VecDeque<Arc<str>>,
    waiting: usize,
    entrance: Entrance,
}

/// What one client has.
#[derive(Debug)]
struct Line<T> {
    waiting: VecDeque<T>,
    worked_on: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entrance {
    Open,
    Closed,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        let (lines, turns) = (HashMap::new(), VecDeque::new());
        let state = State { lines, turns, waiting: 0, entrance: Entrance::Open };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl<T> Queue<T> {
    /// Puts something in its client's line. It never waits.
    ///
    /// # Errors
    /// [`Full`]: as much is waiting as may.
    pub fn put(&self, client: &Arc<str>, item: T) -> Result<(), Full> {
        self.state().put(client, item)?;
        self.changed.notify_one();
        Ok(())
    }

    /// Takes what comes next, and waits for it if need be; `None` when the queue is closed and empty.
    pub fn take(&self) -> Option<Taken<'_, T>> {
        let mut state = self.state();
        loop {
            if let Some((client, item)) = state.take() {
                return Some(Taken { item, client, queue: self });
            }
            if state.entrance == Entrance::Closed && state.waiting == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes nothing more in. What waits is worked on still.
    pub fn close(&self) {
        self.state().entrance = Entrance::Closed;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.done(&self.client);
        // The last one of a closed queue lets all others go.
        if state.entrance == Entrance::Closed {
            self.queue.changed.notify_all();
        } else {
            self.queue.changed.notify_one();
        }
    }
}

impl<T> State<T> {
    fn put(&mut self, client: &Arc<str>, item: T) -> Result<(), Full> {
        if self.waiting >= limits::QUEUE_MAX || self.entrance == Entrance::Closed {
            return Err(Full);
        }
        let line = self.lines.entry(Arc::clone(client)).or_default();
        if line.waiting.is_empty() {
            self.turns.push_back(Arc::clone(client));
        }
        line.waiting.push_back(item);
        self.waiting = self.waiting.saturating_add(1);
        Ok(())
    }

    /// The next item of the first client in turn that may have another worker.
    fn take(&mut self) -> Option<(Arc<str>, T)> {
        let place =
            self.turns.iter().position(|client| self.lines.get(client).is_some_and(Line::is_eligible))?;
        let client = self.turns.remove(place)?;
        let line = self.lines.get_mut(&client)?;
        let item = line.waiting.pop_front()?;
        line.worked_on = line.worked_on.saturating_add(1);
        self.waiting = self.waiting.saturating_sub(1);
        if !line.waiting.is_empty() {
            self.turns.push_back(Arc::clone(&client));
        }
        Some((client, item))
    }

    fn done(&mut self, client: &Arc<str>) {
        let Some(line) = self.lines.get_mut(client) else { return };
        line.worked_on = line.worked_on.saturating_sub(1);
        if line.worked_on == 0 && line.waiting.is_empty() {
            self.lines.remove(client);
        }
    }
}

impl<T> Line<T> {
    fn is_eligible(&self) -> bool {
        self.worked_on < limits::WORKERS_PER_CLIENT_MAX
    }
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), worked_on: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(name: &str) -> Arc<str> {
        Arc::from(name)
    }

    #[test]
    fn clients_take_turns() {
        let queue = Queue::default();
        for number in 0..3 {
            queue.put(&client("busy"), ("busy", number)).unwrap();
        }
        queue.put(&client("calm"), ("calm", 0)).unwrap();
        let order: Vec<_> = (0..4).map(|_| queue.take().unwrap().item).collect();
        assert_eq!(order, [("busy", 0), ("calm", 0), ("busy", 1), ("busy", 2)]);
    }

    #[test]
    fn a_slow_client_leaves_workers_to_the_others() {
        let queue = Queue::default();
        for number in 0..limits::WORKERS {
            queue.put(&client("slow"), number).unwrap();
        }
        let mut taken: Vec<_> = (0..limits::WORKERS_PER_CLIENT_MAX).map(|_| queue.take().unwrap()).collect();
        queue.put(&client("calm"), 1000).unwrap();
        let next = queue.take().unwrap();
        assert_eq!(next.item, 1000);
        taken.pop();
        assert_eq!(queue.take().unwrap().item, limits::WORKERS_PER_CLIENT_MAX);
    }

    #[test]
    fn what_waits_is_bounded_and_nothing_is_left_behind() {
        let queue = Queue::default();
        for number in 0..limits::QUEUE_MAX {
            queue.put(&client(&number.to_string()), number).unwrap();
        }
        assert_eq!(queue.put(&client("one more"), 0), Err(Full));
        queue.close();
        let taken = std::iter::from_fn(|| queue.take().map(|taken| taken.item)).count();
        assert_eq!((taken, queue.state().lines.len()), (limits::QUEUE_MAX, 0));
        assert_eq!(queue.put(&client("late"), 0), Err(Full));
    }

    #[test]
    fn a_waiting_worker_is_woken_by_work_and_by_the_end() {
        let queue = Queue::default();
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| (queue.take().map(|taken| taken.item), queue.take().is_none()));
            queue.put(&client("gate"), 7).unwrap();
            queue.close();
            assert_eq!(worker.join().unwrap(), (Some(7), true));
        });
    }
}
