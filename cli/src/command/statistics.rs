//! `countersign stats`: every counter of the RADIUS server, asked over its socket, and the figures of the store.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assembly::Office;
use assembly::config::Settings;
use clap::Args;
use common::UnixTime;
use common::account::State;
use common::ports::{Listing as _, Outbox as _};
use serde::{Deserialize, Serialize};

use crate::command::Outcome;
use crate::context::Context;
use crate::failure::Failure;
use crate::moment::rfc3339;
use crate::report::Report;
use crate::stored::for_each_stored;
use crate::table::{list, table};

/// The server's socket in the state directory (docs/radius.md).
const SOCKET_NAME: &str = "radiusd-stats.sock";
/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Octets of its answer: room for a hundred thousand clients.
const ANSWER_OCTETS_MAX: u64 = 32 << 20;

/// Arguments of `stats`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// With the counters that are zero.
    #[arg(long)]
    all: bool,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<Outcome, Failure> {
    let office = context.office()?;
    let settings = context.settings_without_clients()?;
    let socket = socket(&settings);
    let server = ask_server(&settings)?;
    let zeros = if arguments.all { Zeros::Shown } else { Zeros::Hidden };
    context.say(&Statistics { zeros, socket, server, store: figures(&office)? })?;
    Ok(Outcome::Done)
}

/// Whether people see counters that are zero. JSON has them always.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zeros {
    Shown,
    Hidden,
}

fn socket(settings: &Settings) -> PathBuf {
    settings.state_directory.join(SOCKET_NAME)
}

/// What the server of these settings counts, or `None` where none runs.
pub(crate) fn ask_server(settings: &Settings) -> Result<Option<ServerCounters>, Failure> {
    ask(&socket(settings))
}

/// What the server counts, or `None` where none runs.
fn ask(socket: &Path) -> Result<Option<ServerCounters>, Failure> {
    let mut connection = match UnixStream::connect(socket) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        connected => connected.map_err(Failure::file("ask", socket))?,
    };
    connection.set_read_timeout(Some(PATIENCE)).map_err(Failure::file("ask", socket))?;
    let mut answer = Vec::new();
    let read = connection.by_ref().take(ANSWER_OCTETS_MAX).read_to_end(&mut answer);
    read.map_err(Failure::file("read the answer of", socket))?;
    let counters = serde_json::from_slice(&answer);
    counters.map(Some).map_err(|source| Failure::Unreadable { path: socket.to_owned(), source })
}

fn figures(office: &Office) -> Result<StoreFigures, Failure> {
    let now = office.engine.now();
    let mut figures = StoreFigures::default();
    for state in State::ALL {
        figures.states.insert(state.name(), 0);
    }
    for_each_stored(office, |stored| {
        let account = stored.account;
        count(&mut figures.accounts, 1);
        count(figures.states.entry(account.state.name()).or_default(), 1);
        count(&mut figures.blocked, usize::from(account.is_blocked(now)));
        count(&mut figures.without_factor, usize::from(account.factors.is_empty()));
        count(&mut figures.factors, account.factors.len());
        count(&mut figures.app_passwords, account.app_passwords.len());
        Ok(())
    })?;
    count(&mut figures.closed, office.store.closed(now, u32::MAX)?.len());
    let heads = office.store.heads()?;
    let messages = office.store.figures()?;
    figures.messages_waiting = messages.waiting;
    figures.messages_expired = messages.expired;
    figures.messages_left_out = messages.left_out;
    figures.records = heads.into_iter().map(|head| (head.stream, head.sequence)).collect();
    Ok(figures)
}

fn count(figure: &mut u64, more: usize) {
    *figure = figure.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
}

/// What the server says, as docs/radius.md has it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ServerCounters {
    version: String,
    process_id: u32,
    started_at: u64,
    healthy: bool,
    listen: Vec<String>,
    events: BTreeMap<String, u64>,
    dropped: BTreeMap<String, u64>,
    refused: BTreeMap<String, u64>,
    syslog: BTreeMap<String, u64>,
    #[serde(default)]
    delivery: DeliveryCounters,
    clients: BTreeMap<String, BTreeMap<String, u64>>,
}

/// What the server counts of codes and notices.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct DeliveryCounters {
    messages: BTreeMap<String, u64>,
    gateways: Vec<GatewayFigures>,
}

/// How a gateway fares in the server.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct GatewayFigures {
    pub(crate) name: String,
    channels: Vec<String>,
    pub(crate) healthy: bool,
    pub(crate) sent: u64,
    pub(crate) failed: u64,
    passed_over: u64,
    milliseconds: u64,
    pub(crate) last_trouble: Option<String>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct StoreFigures {
    accounts: u64,
    states: BTreeMap<&'static str, u64>,
    blocked: u64,
    closed: u64,
    without_factor: u64,
    factors: u64,
    app_passwords: u64,
    messages_waiting: u64,
    /// Messages that expired before they could be sent, and notices that were left out: since the store was made.
    messages_expired: u64,
    messages_left_out: u64,
    /// How many records each stream has had.
    records: BTreeMap<String, u64>,
}

/// All figures. `server` is null where none runs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Statistics {
    #[serde(skip)]
    zeros: Zeros,
    #[serde(skip)]
    socket: PathBuf,
    server: Option<ServerCounters>,
    store: StoreFigures,
}

impl Report for Statistics {
    fn text(&self) -> String {
        let server = match &self.server {
            Some(server) => server.text(self.zeros),
            None => format!(
                "The RADIUS server does not run: nobody answers at {}.\n\
                 Start it with 'systemctl start countersign-radiusd'.\n",
                self.socket.display()
            ),
        };
        format!("{server}\n{}", self.store.text())
    }
}

impl ServerCounters {
    /// The gateways alone.
    pub(crate) fn into_gateways(self) -> Vec<GatewayFigures> {
        self.delivery.gateways
    }

    fn text(&self, zeros: Zeros) -> String {
        let head = list(&[
            ("server", format!("countersign-radiusd {}, process {}", self.version, self.process_id)),
            ("since", rfc3339(UnixTime::from_seconds(self.started_at))),
            ("healthy", if self.healthy { "yes" } else { "no: it answers nobody" }.to_owned()),
            ("listens at", self.listen.join(" ")),
        ]);
        let counters = [
            ("event", &self.events),
            ("dropped", &self.dropped),
            ("refused", &self.refused),
            ("lines for syslog", &self.syslog),
            ("messages", &self.delivery.messages),
        ];
        let is_shown = |number: &u64| zeros == Zeros::Shown || *number > 0;
        let all = || counters.iter().flat_map(|(_, numbers)| numbers.values());
        let hidden = all().filter(|number| !is_shown(number)).count();
        let tables = counters.iter().filter(|(_, numbers)| numbers.values().any(is_shown));
        let tables = tables.map(|(title, numbers)| {
            let shown = numbers.iter().filter(|(_, number)| is_shown(number));
            format!("\n{}", counter_table(title, shown))
        });
        let more = if hidden > 0 {
            format!("\n{hidden} more counters are zero: --all shows them.\n")
        } else {
            String::new()
        };
        let gateways = self.gateway_table();
        let clients = if self.clients.is_empty() { String::new() } else { self.client_table() };
        format!("{head}{}{more}{gateways}{clients}", tables.collect::<String>())
    }

    /// One line for each gateway; nothing where there is none.
    fn gateway_table(&self) -> String {
        if self.delivery.gateways.is_empty() {
            return String::new();
        }
        let rows = self.delivery.gateways.iter().map(|it| {
            let health = if it.healthy { "good" } else { "passed over" };
            let counts = [it.sent, it.failed, it.passed_over].map(|count| count.to_string());
            let mut row = vec![it.name.clone(), it.channels.join(" "), health.to_owned()];
            row.extend(counts);
            row
        });
        format!("\n{}", table(&["gateway", "channels", "health", "sent", "failed", "passed over"], rows))
    }

    /// One line for each client, one column for each counter.
    fn client_table(&self) -> String {
        let names: Vec<&str> = self
            .clients
            .values()
            .next()
            .map(|counters| counters.keys().map(String::as_str).collect())
            .unwrap_or_default();
        let titles: Vec<&str> = std::iter::once("client").chain(names.iter().copied()).collect();
        let number = |counters: &BTreeMap<String, u64>, name: &str| {
            counters.get(name).map_or_else(|| "-".to_owned(), u64::to_string)
        };
        let rows = self.clients.iter().map(|(client, counters)| {
            std::iter::once(client.clone()).chain(names.iter().map(|name| number(counters, name))).collect()
        });
        format!("\n{}", table(&titles, rows))
    }
}

fn counter_table<'a>(title: &str, numbers: impl Iterator<Item = (&'a String, &'a u64)>) -> String {
    table(&[title, "count"], numbers.map(|(name, number)| vec![name.clone(), number.to_string()]))
}

impl StoreFigures {
    fn text(&self) -> String {
        let mut rows = vec![vec!["accounts".to_owned(), self.accounts.to_string()]];
        rows.extend(self.states.iter().map(|(state, number)| vec![format!("  {state}"), number.to_string()]));
        rows.push(vec!["  blocked now".to_owned(), self.blocked.to_string()]);
        rows.push(vec!["  closed to codes from new places".to_owned(), self.closed.to_string()]);
        rows.push(vec!["  without a factor".to_owned(), self.without_factor.to_string()]);
        rows.push(vec!["factors".to_owned(), self.factors.to_string()]);
        rows.push(vec!["app passwords".to_owned(), self.app_passwords.to_string()]);
        rows.push(vec!["messages that wait to be sent".to_owned(), self.messages_waiting.to_string()]);
        rows.push(vec!["  expired unsent, ever".to_owned(), self.messages_expired.to_string()]);
        rows.push(vec!["  notices left out, ever".to_owned(), self.messages_left_out.to_string()]);
        let streams = self.records.iter();
        rows.extend(streams.map(|(stream, number)| vec![format!("records of {stream}"), number.to_string()]));
        table(&["store", "count"], rows)
    }
}
