//! The settings as they hold, for `countersign config show --effective`. Secrets are hidden.

mod delivery;
mod registration;

use common::policy::Rule;
use serde::Serialize;
use serde_json::json;

use crate::clients::{Client, MessageAuthenticator};
use crate::keys::{
    Absent, BACKEND, BREAK_GLASS_FILE, BREAK_GLASS_USERS, CLIENT_ADDRESSES, CLIENT_APPEND, CLIENT_DIALOGUE,
    CLIENT_KIND, CLIENT_MESSAGE_AUTHENTICATOR, CLIENT_NAME, CLIENT_PREVIOUS_SECRET, CLIENT_SECRET,
    CLIENT_WHEN_BACKEND_FAILS, CLIENTS_FILE, DEFAULT_STATE, FLOOR, FOLD, ISSUER, Key, LISTEN,
    LOCAL_CALLER_SERVICES, LOCAL_CALLER_USER, PAM_SERVICE, PRIVILEGED_SERVICES, Part, RULE_ACTION,
    RULE_CLIENTS, RULE_METHODS, RULE_NAME, RULE_SERVICES, RULE_USERS, SERVICE_APPEND, SERVICE_DIALOGUE,
    SERVICE_FACTOR_OF, STATE_DIRECTORY, SYSLOG_FACILITY, SYSLOG_FORMAT, SYSLOG_TARGET,
};
use crate::services::{Caller, Service};
use crate::settings::{Primary, Settings};
use crate::words::Word as _;

const HIDDEN: &str = "(hidden)";

/// A value as it would be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Flag(bool),
    Number(u128),
    List(Vec<String>),
    /// Nothing is written; what then holds stands in words.
    Unwritten,
}

impl Value {
    fn list(items: impl IntoIterator<Item = impl ToString>) -> Self {
        Self::List(items.into_iter().map(|item| item.to_string()).collect())
    }

    fn toml(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(toml_edit::Value::from(text).to_string()),
            Self::Flag(flag) => Some(flag.to_string()),
            Self::Number(number) => Some(number.to_string()),
            Self::List(items) => Some(toml_edit::Value::from_iter(items).to_string()),
            Self::Unwritten => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

struct Line {
    key: &'static str,
    value: Value,
    /// What holds without the line, as it would be written or in words.
    absent: Option<String>,
}

impl Line {
    fn new(key: &'static Key, value: impl Into<Value>) -> Self {
        let absent = match key.absent {
            Absent::Refused => None,
            Absent::Means(value) => Some(value.to_owned()),
        };
        Self { key: key.name, value: value.into(), absent }
    }

    /// A default that depends on other keys.
    fn or(mut self, absent: &Value) -> Self {
        self.absent = absent.toml();
        self
    }

    fn text(&self) -> String {
        let absent = self.absent.as_deref().unwrap_or("");
        match self.value.toml() {
            Some(value) if value == absent => format!("{} = {value}  # default\n", self.key),
            Some(value) => format!("{} = {value}\n", self.key),
            None => format!("# {}: {absent}  # default\n", self.key),
        }
    }

    fn is_default(&self) -> bool {
        self.value == Value::Unwritten || self.value.toml() == self.absent
    }
}

struct Table {
    header: String,
    lines: Vec<Line>,
}

impl Table {
    fn new(part: Part, lines: Vec<Line>) -> Self {
        Self { header: part.header().to_owned(), lines }
    }

    fn text(&self) -> String {
        let lines: String = self.lines.iter().map(Line::text).collect();
        if self.header.is_empty() { lines } else { format!("\n{}\n{lines}", self.header) }
    }

    fn json(&self) -> serde_json::Value {
        let defaults: Vec<&str> =
            self.lines.iter().filter(|line| line.is_default()).map(|line| line.key).collect();
        let values: serde_json::Map<String, serde_json::Value> =
            self.lines.iter().map(|line| (line.key.to_owned(), json!(line.value))).collect();
        json!({ "table": self.header, "values": values, "defaults": defaults })
    }
}

impl Settings {
    /// The settings as TOML, each value that is a default marked as one. Without its clients, the text is a file
    /// that gives the same settings.
    #[must_use]
    pub fn effective_text(&self) -> String {
        let mut text = format!("# {}\n", self.path.display());
        text.extend(self.tables().iter().map(Table::text));
        if !self.clients.is_empty() {
            text.push_str(&format!("\n# {}\n", self.clients_file.display()));
            text.extend(self.client_tables().iter().map(Table::text));
        }
        text
    }

    /// The same as JSON: a list of tables with header, values, and the names of those that are defaults.
    #[must_use]
    pub fn effective_json(&self) -> serde_json::Value {
        let settings: Vec<serde_json::Value> = self.tables().iter().map(Table::json).collect();
        let clients: Vec<serde_json::Value> = self.client_tables().iter().map(Table::json).collect();
        json!({
            "settings-file": self.path,
            "settings": settings,
            "clients-file": self.clients_file,
            "clients": clients,
        })
    }

    fn tables(&self) -> Vec<Table> {
        let policy = &self.policy;
        let mut tables = vec![
            Table::new(Part::Top, self.top_lines()),
            Table::new(Part::Names, vec![Line::new(&FOLD, policy.folding.word())]),
            Table::new(Part::Primary, self.primary_lines()),
            Table::new(
                Part::Privileged,
                vec![Line::new(&PRIVILEGED_SERVICES, Value::list(&policy.privileged_services))],
            ),
            Table::new(Part::BreakGlass, self.break_glass_lines()),
        ];
        tables.extend(policy.rules.iter().map(|rule| Table::new(Part::Rule, rule_lines(rule))));
        tables.extend(registration::tables(&policy.registration));
        tables.extend(self.service_tables());
        tables.extend(self.callers.iter().map(|caller| Table::new(Part::LocalCaller, caller_lines(caller))));
        tables.push(Table::new(Part::Radius, vec![Line::new(&LISTEN, Value::list(&self.radius.listen))]));
        tables.push(Table::new(Part::Syslog, self.syslog_lines()));
        tables.extend(delivery::tables(self));
        tables
    }

    fn top_lines(&self) -> Vec<Line> {
        let folder = self.path.parent().unwrap_or(&self.path);
        let standard_clients = folder.join(crate::paths::CLIENTS_FILE).display().to_string();
        vec![
            Line::new(&DEFAULT_STATE, self.policy.default_state.word()),
            Line::new(&ISSUER, self.policy.issuer.as_str()),
            Line::new(&STATE_DIRECTORY, Value::Text(self.state_directory.display().to_string())),
            Line::new(&CLIENTS_FILE, Value::Text(self.clients_file.display().to_string()))
                .or(&Value::Text(standard_clients)),
        ]
    }

    fn break_glass_lines(&self) -> Vec<Line> {
        let standard = self.state_directory.join(crate::paths::BREAK_GLASS_FILE).display().to_string();
        vec![
            Line::new(&BREAK_GLASS_USERS, Value::list(&self.policy.break_glass)),
            Line::new(&BREAK_GLASS_FILE, Value::Text(self.break_glass_file.display().to_string()))
                .or(&Value::Text(standard)),
        ]
    }

    fn primary_lines(&self) -> Vec<Line> {
        let mut lines = match &self.primary {
            Primary::Local => vec![Line::new(&BACKEND, "local")],
            Primary::Pam { service } => {
                vec![Line::new(&BACKEND, "pam"), Line::new(&PAM_SERVICE, service.as_str())]
            }
            Primary::None => vec![Line::new(&BACKEND, "none")],
        };
        lines.push(Line::new(&FLOOR, Value::Number(self.policy.floor.as_millis())));
        lines
    }

    fn service_tables(&self) -> Vec<Table> {
        let default = self.services.default;
        let named = self.services.named.iter().map(|(name, service)| (name.as_str(), service, default));
        let all = std::iter::once(("default", &default, Service::default())).chain(named);
        all.map(|(name, service, absent)| Table {
            header: format!("[pam.services.{}]", toml_edit::Key::new(name)),
            lines: service_lines(service, absent),
        })
        .collect()
    }

    fn syslog_lines(&self) -> Vec<Line> {
        let syslog = &self.audit.syslog;
        vec![
            Line::new(&SYSLOG_TARGET, Value::Text(syslog.target.to_string())),
            Line::new(&SYSLOG_FORMAT, syslog.format.word()).or(&syslog.target.usual_format().word().into()),
            Line::new(&SYSLOG_FACILITY, syslog.facility.word()),
        ]
    }

    fn client_tables(&self) -> Vec<Table> {
        self.clients.iter().map(|client| Table::new(Part::Client, client_lines(client))).collect()
    }
}

fn rule_lines(rule: &Rule) -> Vec<Line> {
    let methods = match &rule.methods {
        Some(methods) => Value::list(methods.iter().map(|method| method.word())),
        None => Value::Unwritten,
    };
    vec![
        Line::new(&RULE_NAME, rule.name.as_str()),
        Line::new(&RULE_SERVICES, Value::list(&rule.when.services)),
        Line::new(&RULE_CLIENTS, Value::list(&rule.when.clients)),
        Line::new(&RULE_USERS, Value::list(&rule.when.users)),
        Line::new(&RULE_ACTION, rule.action.word()),
        Line::new(&RULE_METHODS, methods),
    ]
}

fn service_lines(service: &Service, absent: Service) -> Vec<Line> {
    let (profile, usual) = (service.profile, absent.profile);
    let factor_of = match service.factor_of {
        Some(whose) => whose.word().into(),
        None => Value::Unwritten,
    };
    let mut whose = Line::new(&SERVICE_FACTOR_OF, factor_of);
    if let Some(absent) = absent.factor_of {
        whose = whose.or(&absent.word().into());
    }
    vec![
        Line::new(&SERVICE_DIALOGUE, profile.dialogue.word()).or(&usual.dialogue.word().into()),
        Line::new(&SERVICE_APPEND, profile.appended.word()).or(&usual.appended.word().into()),
        whose,
    ]
}

fn caller_lines(caller: &Caller) -> Vec<Line> {
    vec![
        Line::new(&LOCAL_CALLER_USER, caller.user.as_str()),
        Line::new(&LOCAL_CALLER_SERVICES, Value::list(&caller.services)),
    ]
}

fn client_lines(client: &Client) -> Vec<Line> {
    let previous = match client.previous_secret {
        Some(_) => HIDDEN.into(),
        None => Value::Unwritten,
    };
    let append = if client.kind.has_password() { "delimiter" } else { "refused" };
    let required = client.message_authenticator == MessageAuthenticator::Required;
    vec![
        Line::new(&CLIENT_NAME, client.name.as_str()),
        Line::new(&CLIENT_ADDRESSES, Value::list(client.networks.iter().map(written))),
        Line::new(&CLIENT_SECRET, HIDDEN),
        Line::new(&CLIENT_PREVIOUS_SECRET, previous),
        Line::new(&CLIENT_KIND, client.kind.word()),
        Line::new(&CLIENT_DIALOGUE, client.profile.dialogue.word()),
        Line::new(&CLIENT_APPEND, client.profile.appended.word()).or(&append.into()),
        Line::new(&CLIENT_MESSAGE_AUTHENTICATOR, Value::Flag(required)),
        Line::new(&CLIENT_WHEN_BACKEND_FAILS, client.when_backend_fails.word()),
    ]
}

/// A single address is written without its length.
fn written(network: &ipnet::IpNet) -> String {
    if network.prefix_len() == network.max_prefix_len() {
        network.addr().to_string()
    } else {
        network.to_string()
    }
}
