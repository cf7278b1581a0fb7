//! The threads of a server, and what the first of them does: it waits for signals and for what is due, until the end.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use common::causes::with_causes;
use nix::poll::PollTimeout;
use nix::sys::eventfd::{EfdFlags, EventFd};
use primary::PamHelper;

use super::limits::{ANCHOR_IN_TROUBLE_INTERVAL, ANCHOR_INTERVAL, STOP_PATIENCE};
use super::notify::{self, State};
use super::{DaemonError, Event, Heads, Log, Signals};

/// Threads that work until their queue is closed and empty.
#[derive(Debug)]
pub struct Workers {
    alive: Sender<Infallible>,
    ended: Receiver<Infallible>,
}

/// Workers that have all been started, as whoever stops the server sees them.
#[derive(Debug)]
pub struct Started {
    /// Disconnected when the last of them has ended; nothing is ever sent.
    pub ended: Receiver<Infallible>,
}

/// The workers, and the one thread that takes requests in for them.
#[derive(Debug)]
pub struct Threads {
    intake: JoinHandle<()>,
    workers: Started,
    stop: Arc<EventFd>,
}

/// What a server does when it is told to, and now and then.
pub trait Serving {
    /// Why it cannot go on.
    type Error: Error + From<DaemonError>;

    /// Puts the configuration in force as it stands in the file by now, and says what is worth saying of it.
    ///
    /// # Errors
    /// It has a mistake, or cannot be put in force.
    fn reload(&self) -> Result<String, Self::Error>;

    /// SIGUSR1 has come.
    fn tell(&self);

    /// What may be due, every second.
    fn look_round(&mut self, now: Instant);

    /// Says where the records end, every minute and at the end; more often while it cannot.
    fn anchor(&self) -> Heads;

    /// No more logins are worked on: what else goes on ends now.
    fn wind_up(&self) {}

    /// The last thing.
    fn flush(&self);
}

impl Default for Workers {
    fn default() -> Self {
        let (alive, ended) = channel();
        Self { alive, ended }
    }
}

impl Workers {
    /// Starts one more.
    ///
    /// # Errors
    /// [`DaemonError::Thread`].
    pub fn start(&self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), DaemonError> {
        let alive = self.alive.clone();
        let work = move || {
            work();
            // Whoever hears of the end may count on it that nothing is held any more.
            drop(alive);
        };
        spawn(name, work).map(drop)
    }

    /// That was the last one.
    #[must_use]
    pub fn started(self) -> Started {
        Started { ended: self.ended }
    }
}

impl Threads {
    /// Starts the thread that takes requests in: it ends when it can read what it is given, and closes the queue of the
    /// workers then, as the last thing that it does.
    ///
    /// # Errors
    /// [`DaemonError::Thread`], [`DaemonError::Kernel`].
    pub fn start(
        workers: Started,
        name: &str,
        intake: impl FnOnce(&EventFd) + Send + 'static,
    ) -> Result<Self, DaemonError> {
        let stop = EventFd::from_value_and_flags(0, EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC);
        let failed = |source| DaemonError::Kernel { operation: "make an event descriptor", source };
        let stop = Arc::new(stop.map_err(failed)?);
        let until = Arc::clone(&stop);
        let intake = spawn(name, move || intake(&until))?;
        Ok(Self { intake, workers, stop })
    }

    /// Serves until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// The thread that takes requests in is lost, or the process that asks PAM has ended.
    pub fn run<S: Serving>(
        self,
        log: Log,
        signals: &Signals,
        helper: Option<&PamHelper>,
        serving: &mut S,
    ) -> Result<(), S::Error> {
        notify::tell(State::Ready);
        let mut anchor = Instant::now();
        let ended = loop {
            match signals.next(PollTimeout::from(1000_u16))? {
                Some(Event::Reload) => reload(log, serving),
                Some(Event::Tell) => serving.tell(),
                Some(Event::Stop) => break Ok(()),
                Some(Event::ChildChanged) | None => {}
            }
            if self.intake.is_finished() {
                break Err(DaemonError::IntakeEnded.into());
            }
            // Another one needs root, which is gone. Whoever started us, systemd mostly, is to start us again.
            if helper.is_some_and(PamHelper::has_ended) {
                break Err(DaemonError::HelperEnded.into());
            }
            let now = Instant::now();
            serving.look_round(now);
            if now >= anchor {
                let interval = match serving.anchor() {
                    Heads::Sent => ANCHOR_INTERVAL,
                    Heads::Waiting => ANCHOR_IN_TROUBLE_INTERVAL,
                };
                anchor = now.checked_add(interval).unwrap_or(now);
            }
        };
        notify::tell(State::Stopping);
        self.stop(log);
        serving.wind_up();
        serving.anchor();
        serving.flush();
        ended
    }

    /// No new requests; those that are here get their answers, for a while. A login that hangs keeps its world.
    fn stop(self, log: Log) {
        // Without the event requests are taken in until the process ends, and nothing is lost but the patience.
        let _ = self.stop.write(1);
        match self.workers.ended.recv_timeout(STOP_PATIENCE) {
            Err(RecvTimeoutError::Disconnected) => {
                // The workers have ended because their queue is closed. With this thread go the sockets.
                let _ = self.intake.join();
                log.info("stopped");
            }
            Ok(never) => match never {},
            Err(RecvTimeoutError::Timeout) => {
                log.warning("stopped; some logins took too long and got no answer");
            }
        }
    }
}

/// A configuration with a mistake never replaces a good one.
fn reload<S: Serving>(log: Log, serving: &S) {
    match serving.reload() {
        Ok(more) => log.info(&format!("the configuration was read again{more}")),
        Err(error) => {
            log.error(&with_causes(&error));
            log.error("the configuration was not taken; the one before stays in force");
        }
    }
}

/// Starts a thread.
///
/// # Errors
/// [`DaemonError::Thread`].
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, DaemonError> {
    Builder::new().name(name.to_owned()).spawn(work).map_err(|source| DaemonError::Thread { source })
}
