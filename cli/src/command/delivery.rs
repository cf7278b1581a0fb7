//! `countersign delivery`: tries the gateways out, and says how they fare.

use assembly::config::Settings;
use assembly::daemon::Start;
use assembly::delivery::{Gateways, Parcel, Tried};
use assembly::gateways::gateways;
use assembly::places::SYSTEM_USER;
use clap::{Args, Subcommand};
use common::address::{Address, Channel, Extension, MailAddress, PhoneNumber};
use common::message::{Content, Message};
use common::ports::Outbox as _;
use common::{AttemptId, MessageId, Place, Secret, UnixTime};
use serde::Serialize;

use crate::actor::actor;
use crate::command::Outcome;
use crate::command::statistics::{self, GatewayFigures};
use crate::context::Context;
use crate::failure::Failure;
use crate::moment::rfc3339;
use crate::report::Report;
use crate::table::{list, table};

/// A code that is nobody's.
const TRIAL_CODE: &str = "000000";

/// What is done about gateways.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Send a trial code through the gateways, and say what each answered; exit code 1 where none took it.
    Test(Test),
    /// Say which gateways there are, how they fare in the RADIUS server, and how much waits to be sent.
    Status,
}

/// Arguments of `delivery test`.
#[derive(Args)]
pub(crate) struct Test {
    /// How: sms, call or email.
    #[arg(long, value_parser = channel)]
    channel: Channel,
    /// Where to: a number with its country, such as +4915112345678, or a mail address.
    #[arg(long)]
    to: String,
    /// For a call to an office: what is dialled after it has answered.
    #[arg(long)]
    extension: Option<String>,
    /// This gateway only.
    #[arg(long)]
    gateway: Option<String>,
}

pub(crate) fn run(context: &Context, command: &Command) -> Result<Outcome, Failure> {
    match command {
        Command::Test(arguments) => test(context, arguments),
        Command::Status => status(context),
    }
}

fn channel(word: &str) -> Result<Channel, String> {
    Channel::parse(word).ok_or_else(|| "write sms, call or email".to_owned())
}

fn test(context: &Context, arguments: &Test) -> Result<Outcome, Failure> {
    let to = address(arguments)?;
    let settings = context.settings_without_clients()?;
    settings.policy.numbers.check_address(&to).map_err(|why| Failure::Delivery(why.to_string()))?;
    let office = context.office()?;
    // The record names who asked, not whose rights the servers have.
    let asked_by = actor();
    // As the servers do it: with their rights, and so with what they can read and run.
    let start = Start::here(SYSTEM_USER).map_err(Failure::Rights)?;
    start.give_up_rights().map_err(Failure::Rights)?;
    let (gateways, lacking) = gateways(&settings, None);
    lacking.iter().for_each(|it| context.warn(&it.to_string()));
    refuse_missing(&gateways, arguments)?;
    let parcel = trial(&settings, arguments.channel, to, office.engine.random(), office.engine.now());
    let tried = gateways.send(&parcel, arguments.gateway.as_deref());
    let report = TestReport::new(arguments.channel, &tried);
    office.engine.record_act(&asked_by, Place::countersign(), "delivery test", report.words());
    context.say(&report)?;
    Ok(if report.taken_by.is_some() { Outcome::Done } else { Outcome::Refused })
}

fn address(arguments: &Test) -> Result<Address, Failure> {
    let wrong = |error: common::address::AddressError| Failure::Delivery(error.to_string());
    let number = || PhoneNumber::parse(&arguments.to).map_err(wrong);
    let extension = arguments.extension.as_deref().map(Extension::parse).transpose().map_err(wrong)?;
    match (arguments.channel, extension) {
        (Channel::Call, extension @ Some(_)) => Ok(Address::Office(number()?, extension)),
        (_, Some(_)) => Err(Failure::Delivery("only a call can have an extension".to_owned())),
        (Channel::Sms | Channel::Call, None) => Ok(Address::Mobile(number()?)),
        (Channel::Email, None) => Ok(Address::Email(MailAddress::parse(&arguments.to).map_err(wrong)?)),
    }
}

fn refuse_missing(gateways: &Gateways, arguments: &Test) -> Result<(), Failure> {
    let channel = arguments.channel;
    let is_meant = |name: &str| arguments.gateway.as_deref().is_none_or(|meant| meant == name);
    let figures = gateways.figures();
    if figures.iter().any(|(it, _)| it.channels.contains(&channel) && is_meant(&it.name)) {
        return Ok(());
    }
    let named = arguments.gateway.as_deref().map(|name| format!(" with the name {name}")).unwrap_or_default();
    Err(Failure::Delivery(format!(
        "there is no gateway for {}{named}: add one under [[delivery.gateway]] (docs/delivery.md)",
        channel.name()
    )))
}

/// What users get, with a code that is nobody's.
fn trial(
    settings: &Settings,
    channel: Channel,
    to: Address,
    random: &dyn common::ports::Random,
    now: UnixTime,
) -> Parcel {
    let code = Secret::from(TRIAL_CODE);
    let message = Message {
        id: MessageId::generate(random),
        attempt: AttemptId::generate(random),
        user: "test".to_owned(),
        channel,
        to,
        content: Content::Code(code.clone()),
        at: now,
        expires_at: now,
    };
    let written = settings.delivery.wording.write(&message, &settings.policy.issuer, rfc3339);
    Parcel {
        id: message.id,
        channel,
        to: message.to,
        user: message.user,
        subject: written.subject,
        text: written.text,
        code: Some(code),
    }
}

/// What became of a trial.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct TestReport {
    channel: &'static str,
    /// The gateway that took it.
    taken_by: Option<String>,
    tried: Vec<TryReport>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct TryReport {
    gateway: String,
    taken: bool,
    milliseconds: u64,
    trouble: Option<String>,
    said: Option<String>,
}

impl TestReport {
    fn new(channel: Channel, tried: &[Tried]) -> Self {
        let taken_by = tried.iter().find(|it| it.result.is_ok()).map(|it| it.gateway.clone());
        Self { channel: channel.name(), taken_by, tried: tried.iter().map(TryReport::new).collect() }
    }

    /// For the record: neither number nor text.
    fn words(&self) -> String {
        let tries = self.tried.iter().map(|it| {
            let end = it.trouble.as_deref().unwrap_or("taken");
            format!("{}: {end}", it.gateway)
        });
        format!("channel={} {}", self.channel, tries.collect::<Vec<_>>().join("; "))
    }
}

impl TryReport {
    fn new(tried: &Tried) -> Self {
        let (trouble, said) = match &tried.result {
            Ok(answered) => (None, answered.0.expose()),
            Err(failure) => (Some(failure.trouble.to_string()), failure.said.expose()),
        };
        Self {
            gateway: tried.gateway.clone(),
            taken: tried.result.is_ok(),
            milliseconds: u64::try_from(tried.took.as_millis()).unwrap_or(u64::MAX),
            trouble,
            said: said.map(str::to_owned),
        }
    }
}

impl Report for TestReport {
    fn text(&self) -> String {
        let rows = self.tried.iter().map(|it| {
            let end = it.trouble.clone().unwrap_or_else(|| "taken".to_owned());
            vec![
                it.gateway.clone(),
                format!("{} ms", it.milliseconds),
                end,
                it.said.clone().unwrap_or_default(),
            ]
        });
        let tries = table(&["gateway", "took", "result", "it said"], rows);
        let end = match &self.taken_by {
            Some(gateway) => format!(
                "{gateway} took the message. Whether it arrives is not known here: look there. Its code is {TRIAL_CODE}, which is good for nothing.\n"
            ),
            None => "No gateway took the message.\n".to_owned(),
        };
        format!("{tries}\n{end}")
    }
}

/// How the other sender is asked, which has no socket for that.
const OF_LOCAL: &str = "countersign-local sends too and writes its own to its log: systemctl kill -s USR1 countersign-local; \
                        journalctl -u countersign-local";

fn status(context: &Context) -> Result<Outcome, Failure> {
    let office = context.office()?;
    let settings = context.settings_without_clients()?;
    let (_, lacking) = gateways(&settings, None);
    lacking.iter().for_each(|it| context.warn(&it.to_string()));
    let server = statistics::ask_server(&settings)?;
    let figures = office.store.figures()?;
    let health = server.map(statistics::ServerCounters::into_gateways);
    let gateways = settings.delivery.gateways.iter().map(|configured| {
        let gateway = &configured.gateway;
        GatewayView {
            name: gateway.name.clone(),
            channels: gateway.channels.iter().map(|channel| channel.name()).collect(),
            kind: gateway.way.name(),
            timeout_seconds: gateway.patience.as_secs(),
            in_radius_server: health
                .as_ref()
                .and_then(|all| all.iter().find(|it| it.name == gateway.name).cloned()),
        }
    });
    context.say(&Status {
        gateways: gateways.collect(),
        radius_server_runs: health.is_some(),
        waiting: figures.waiting,
        expired: figures.expired,
        left_out: figures.left_out,
    })?;
    Ok(Outcome::Done)
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Status {
    gateways: Vec<GatewayView>,
    radius_server_runs: bool,
    /// Messages in the outbox.
    waiting: u64,
    /// Messages that expired unsent, in all.
    expired: u64,
    /// Notices that found no room, in all.
    left_out: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct GatewayView {
    name: String,
    channels: Vec<&'static str>,
    kind: &'static str,
    timeout_seconds: u64,
    in_radius_server: Option<GatewayFigures>,
}

impl Report for Status {
    fn text(&self) -> String {
        if self.gateways.is_empty() {
            return "There is no gateway: no codes are sent, and no notices. docs/delivery.md has some that work.\n".to_owned();
        }
        let rows = self.gateways.iter().map(|it| {
            let (health, sent, failed, last) = match &it.in_radius_server {
                Some(seen) if seen.healthy => {
                    ("good", seen.sent.to_string(), seen.failed.to_string(), seen.last_trouble.clone())
                }
                Some(seen) => {
                    ("passed over", seen.sent.to_string(), seen.failed.to_string(), seen.last_trouble.clone())
                }
                None => ("-", "-".to_owned(), "-".to_owned(), None),
            };
            vec![
                it.name.clone(),
                it.channels.join(" "),
                it.kind.to_owned(),
                health.to_owned(),
                sent,
                failed,
                last.unwrap_or_default(),
            ]
        });
        let gateways =
            table(&["gateway", "channels", "kind", "in radiusd", "sent", "failed", "last trouble"], rows);
        let whose = match self.radius_server_runs {
            true => "Health and counts are those of countersign-radiusd since it started.",
            false => "countersign-radiusd does not run here, so that nobody tells of health and counts.",
        };
        let outbox = list(&[
            ("waiting to be sent", self.waiting.to_string()),
            ("expired unsent, in all", self.expired.to_string()),
            ("notices left out, in all", self.left_out.to_string()),
        ]);
        format!("{gateways}\n{whose} {OF_LOCAL}\n{outbox}")
    }
}
