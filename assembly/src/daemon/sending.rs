//! The sender of a server, and what there is to say about it.

use std::sync::Arc;

use delivery::{Bell, Current, Dispatcher, Figures, Post};
use serde::Serialize;

use super::{DaemonError, Desk};

/// The sender of a server.
pub struct Sending(Dispatcher);

/// What was counted of codes and notices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SendingReport {
    /// By event.
    pub messages: std::collections::BTreeMap<&'static str, u64>,
    /// By gateway.
    pub gateways: Vec<GatewayReport>,
}

/// What was counted of one gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GatewayReport {
    /// Its name.
    pub name: String,
    /// What it delivers.
    pub channels: Vec<&'static str>,
    /// Whether it is taken next time, or passed over for a while.
    pub healthy: bool,
    /// Messages that it took.
    pub sent: u64,
    /// Messages that it did not take.
    pub failed: u64,
    /// Messages for which it was passed over.
    pub passed_over: u64,
    /// Milliseconds that all its tries took together.
    pub milliseconds: u64,
    /// What went wrong last.
    pub last_trouble: Option<String>,
}

impl Sending {
    /// Starts to send. `desk` asks for the configuration in force.
    ///
    /// # Errors
    /// [`DaemonError::Thread`].
    pub fn start(
        desk: impl Fn() -> Arc<Desk> + Send + Sync + 'static,
        bell: Arc<Bell>,
    ) -> Result<Self, DaemonError> {
        let current: Current = Arc::new(move || -> Arc<dyn Post> { desk() });
        Dispatcher::start(current, bell).map(Self).map_err(|source| DaemonError::Thread { source })
    }

    /// Stops, when what is being handed over is, or takes too long.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// What there is to say.
    #[must_use]
    pub fn report(&self, desk: &Desk) -> SendingReport {
        let counted = self.0.counted();
        let messages = [
            ("sent", counted.sent),
            ("not-sent", counted.not_sent),
            ("given-up", counted.given_up),
            ("unreadable", counted.unreadable),
            ("outbox-failed", counted.store_failed),
        ];
        let gateways = desk.known_gateways().figures().into_iter();
        let gateways = gateways.map(|(gateway, figures)| {
            let channels = gateway.channels.iter().map(|channel| channel.name()).collect();
            gateway_report(gateway.name.clone(), channels, &figures)
        });
        SendingReport { messages: messages.into(), gateways: gateways.collect() }
    }

    /// The same in one line for a log.
    #[must_use]
    pub fn line(&self, desk: &Desk) -> String {
        let report = self.report(desk);
        let messages = report.messages.iter().map(|(name, number)| format!("messages-{name}={number}"));
        let gateways = report.gateways.iter().map(|it| {
            let health = if it.healthy { "good" } else { "passed-over" };
            format!("gateway-{}={health},sent:{},failed:{}", it.name, it.sent, it.failed)
        });
        messages.chain(gateways).collect::<Vec<_>>().join(" ")
    }
}

fn gateway_report(name: String, channels: Vec<&'static str>, figures: &Figures) -> GatewayReport {
    GatewayReport {
        name,
        channels,
        healthy: figures.is_good,
        sent: figures.sent,
        failed: figures.failed,
        passed_over: figures.passed_over,
        milliseconds: figures.milliseconds,
        last_trouble: figures.last_trouble.map(|trouble| trouble.to_string()),
    }
}
