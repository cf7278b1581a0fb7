//! The way of a long-lived server: a bounded queue and one thread that keeps the order, reconnects with
//! growing pauses and sends again what did not get through.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use common::UnixTime;

use crate::AuditError;
use crate::link::{Destination, Link, is_refused_for_good};
use crate::sink::Tally;

/// Lines that wait for a collector; the next one is dropped and counted.
const LINES_MAX: usize = 4096;
/// Longest wait for one line to be taken.
const SEND_WITHIN: Duration = Duration::from_secs(2);
/// The first pause after a failure; it doubles from there.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A pause never gets longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Lines on their way through a thread. Dropping it sends what waits, unless the collector is away.
pub(crate) struct Queue {
    lines: RwLock<Option<SyncSender<Line>>>,
    stopping: Arc<AtomicBool>,
    pending: Arc<Pending>,
    thread: Option<JoinHandle<()>>,
}

/// A line, and the moment of the record that is lost with it; `None` where it is none that is counted as lost.
pub(crate) struct Line {
    pub(crate) octets: Vec<u8>,
    pub(crate) of: Option<UnixTime>,
}

/// Lines that were put and of which nothing has become yet.
#[derive(Default)]
struct Pending {
    count: Mutex<usize>,
    none_left: Condvar,
}

impl Pending {
    fn add_one(&self) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        *count = count.saturating_add(1);
    }

    fn take_one(&self) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.none_left.notify_all();
        }
    }

    fn wait_for_none(&self, within: Duration) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.none_left.wait_timeout_while(count, within, |count| *count > 0));
    }
}

impl Queue {
    pub(crate) fn start(destination: Destination, tally: Arc<Tally>) -> Result<Self, AuditError> {
        let (lines, waiting) = sync_channel(LINES_MAX);
        let (stopping, pending) = (Arc::new(AtomicBool::new(false)), Arc::<Pending>::default());
        let name = destination.to_string();
        let feeder = Feeder {
            link: Link::new(destination),
            tally,
            stopping: Arc::clone(&stopping),
            pending: Arc::clone(&pending),
            pause: FIRST_PAUSE,
        };
        let thread = thread::Builder::new()
            .name("syslog".to_owned())
            .spawn(move || feeder.run(&waiting))
            .map_err(|source| AuditError::StartThread { destination: name, source })?;
        Ok(Self { lines: RwLock::new(Some(lines)), stopping, pending, thread: Some(thread) })
    }

    /// Puts a line at the end; an error says that it found no room.
    pub(crate) fn put(&self, line: Line) -> io::Result<()> {
        let lines = self.lines.read().unwrap_or_else(PoisonError::into_inner);
        let Some(lines) = lines.as_ref() else { return Err(io::ErrorKind::BrokenPipe.into()) };
        self.pending.add_one();
        lines.try_send(line).map_err(|error| {
            self.pending.take_one();
            match error {
                TrySendError::Full(_) => io::ErrorKind::StorageFull.into(),
                TrySendError::Disconnected(_) => io::ErrorKind::BrokenPipe.into(),
            }
        })
    }

    /// Waits until nothing waits any more, or the time is up.
    pub(crate) fn flush(&self, within: Duration) {
        self.pending.wait_for_none(within);
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        self.lines.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic of the thread has been reported by its hook; there is nobody left to tell here.
            let _ = thread.join();
        }
    }
}

struct Feeder {
    link: Link,
    tally: Arc<Tally>,
    stopping: Arc<AtomicBool>,
    pending: Arc<Pending>,
    pause: Duration,
}

impl Feeder {
    fn run(mut self, waiting: &Receiver<Line>) {
        let mut given_up = false;
        for line in waiting {
            let sent = if given_up { Delivery::GaveUp } else { self.deliver(&line.octets) };
            match sent {
                Delivery::Sent => self.tally.count_sent(),
                Delivery::Refused => self.tally.count_dropped(line.of),
                Delivery::GaveUp => {
                    given_up = true;
                    self.tally.count_dropped(line.of);
                }
            }
            self.pending.take_one();
        }
    }

    /// Tries until the line is out; after the server was told to stop, only once more.
    fn deliver(&mut self, line: &[u8]) -> Delivery {
        loop {
            let is_last_try = self.stopping.load(Ordering::Acquire);
            match self.link.send(line, SEND_WITHIN) {
                Ok(()) => {
                    self.pause = FIRST_PAUSE;
                    return Delivery::Sent;
                }
                Err(error) if is_refused_for_good(&error) => return Delivery::Refused,
                Err(_) if is_last_try => return Delivery::GaveUp,
                Err(_) => self.wait(),
            }
        }
    }

    fn wait(&mut self) {
        if !self.stopping.load(Ordering::Acquire) {
            thread::park_timeout(self.pause);
        }
        self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

enum Delivery {
    Sent,
    Refused,
    GaveUp,
}
