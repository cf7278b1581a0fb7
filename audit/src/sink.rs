//! Syslog as a sink of records. A collector that is slow or away delays nobody: what it cannot take is counted.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use common::chain::ChainPosition;
use common::ports::Sink;
use common::record::Record;
use common::{Reason, UnixTime};

use crate::link::{Destination, Link};
use crate::queue::{Line, Queue};
use crate::surplus::Surplus;
use crate::{AuditError, Renderer};

/// All that one process that asks PAM ever waits for one collector over TCP. Other sockets are not waited for.
const TCP_PATIENCE: Duration = Duration::from_millis(40);
/// All that one run of the command line waits for one collector: thousands of acts come faster than it reads.
const COMMAND_PATIENCE: Duration = Duration::from_secs(2);
/// Sends shorter than this do not use patience up.
const PROMPT: Duration = Duration::from_millis(1);

/// What became of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Handed to the kernel.
    pub sent: u64,
    /// Dropped: the collector was away, slow or full.
    pub dropped: u64,
}

/// Records that were not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// How many.
    pub count: u64,
    /// The moment of the first of them.
    pub since: UnixTime,
}

/// Counts, shared with the thread that sends.
#[derive(Default)]
pub(crate) struct Tally {
    sent: AtomicU64,
    dropped: AtomicU64,
    lost: Mutex<Option<Lost>>,
}

impl Tally {
    pub(crate) fn count_sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// `of` is the moment of the record that is lost with the line, where it is one that is counted as lost.
    pub(crate) fn count_dropped(&self, of: Option<UnixTime>) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        let Some(at) = of else { return };
        let mut lost = self.lost();
        let before = lost.unwrap_or(Lost { count: 0, since: at });
        *lost = Some(Lost { count: before.count.saturating_add(1), since: before.since.min(at) });
    }

    pub(crate) fn take_lost(&self) -> Option<Lost> {
        self.lost().take()
    }

    fn lost(&self) -> MutexGuard<'_, Option<Lost>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One collector.
pub struct SyslogSink {
    renderer: Renderer,
    destination: Destination,
    way: Way,
    tally: Arc<Tally>,
    surplus: Surplus,
}

enum Way {
    Direct(Mutex<Direct>),
    Queued(Queue),
}

struct Direct {
    link: Link,
    patience: Duration,
}

impl SyslogSink {
    /// For a process that asks PAM: no thread, no blocking call, no second chance. Let it go before the module returns:
    /// programs such as sudo close descriptors that they do not know.
    #[must_use]
    pub fn direct(destination: Destination, renderer: Renderer) -> Self {
        let patience = match destination {
            Destination::Unix(_) | Destination::Udp(_) => Duration::ZERO,
            Destination::Tcp(_) => TCP_PATIENCE,
        };
        Self::waiting_for(patience, destination, renderer)
    }

    /// For one run of the command line: no thread either, but a little patience.
    #[must_use]
    pub fn of_command(destination: Destination, renderer: Renderer) -> Self {
        Self::waiting_for(COMMAND_PATIENCE, destination, renderer)
    }

    fn waiting_for(patience: Duration, destination: Destination, renderer: Renderer) -> Self {
        let direct = Direct { link: Link::new(destination.clone()), patience };
        Self::by(Way::Direct(Mutex::new(direct)), Arc::default(), destination, renderer)
    }

    fn by(way: Way, tally: Arc<Tally>, destination: Destination, renderer: Renderer) -> Self {
        Self { renderer, destination, way, tally, surplus: Surplus::default() }
    }

    /// For a long-lived server: one thread, a bounded queue, and lines wait in order while the collector is away.
    pub fn queued(destination: Destination, renderer: Renderer) -> Result<Self, AuditError> {
        let tally = Arc::<Tally>::default();
        let way = Way::Queued(Queue::start(destination.clone(), Arc::clone(&tally))?);
        Ok(Self::by(way, tally, destination, renderer))
    }

    /// Sends the head of a chain as it stands now.
    pub fn anchor(&self, position: &ChainPosition, at: UnixTime) {
        self.put(self.renderer.anchor(position, at), None);
    }

    /// Records that were not passed on since the last time that this was asked.
    pub fn take_lost(&self) -> Option<Lost> {
        self.tally.take_lost()
    }

    /// Waits until the lines so far are sent or dropped, or the time is up. Only a queue has something to wait for.
    pub fn flush(&self, within: Duration) {
        self.tell_together(&self.surplus.rest());
        match &self.way {
            Way::Direct(_) => {}
            Way::Queued(queue) => queue.flush(within),
        }
    }

    /// Where it sends to.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// What became of the lines so far. Those that wait in a queue are not in it yet.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            sent: self.tally.sent.load(Ordering::Relaxed),
            dropped: self.tally.dropped.load(Ordering::Relaxed),
        }
    }

    fn tell_together(&self, counted: &[Record]) {
        counted.iter().for_each(|record| self.tell(record, None));
    }

    /// That records were lost is not told of again where it is lost itself: there would be no end to it.
    fn tell(&self, record: &Record, position: Option<&ChainPosition>) {
        let of = (record.reason != Reason::SyslogBehind).then_some(record.at);
        self.put(self.renderer.record(record, position), of);
    }

    fn put(&self, line: io::Result<Vec<u8>>, of: Option<UnixTime>) {
        let taken = match &self.way {
            Way::Direct(direct) => line.and_then(|line| {
                direct.lock().unwrap_or_else(PoisonError::into_inner).send(&line)?;
                self.tally.count_sent();
                Ok(())
            }),
            Way::Queued(queue) => line.and_then(|octets| queue.put(Line { octets, of })),
        };
        if taken.is_err() {
            self.tally.count_dropped(of);
        }
    }
}

impl Direct {
    fn send(&mut self, line: &[u8]) -> io::Result<()> {
        let start = Instant::now();
        let sent = self.link.send(line, self.patience);
        let took = start.elapsed();
        if took >= PROMPT {
            self.patience = self.patience.saturating_sub(took);
        }
        sent
    }
}

impl Sink for SyslogSink {
    fn publish(&self, record: &Record, position: Option<&ChainPosition>) {
        // What has a place in a chain was bounded where it was chained.
        if position.is_some() || self.surplus.tells(record) {
            self.tell(record, position);
        }
        self.settle(record.at);
    }

    fn settle(&self, now: UnixTime) {
        self.tell_together(&self.surplus.due(now));
    }

    /// In a process that asks PAM no socket stays open over a prompt; a server keeps its connection.
    fn release(&self) {
        match &self.way {
            Way::Direct(direct) => direct.lock().unwrap_or_else(PoisonError::into_inner).link.close(),
            Way::Queued(_) => {}
        }
    }
}
