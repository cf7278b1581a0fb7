//! Reads `[[delivery.gateway]]`. A key that does not fit the kind of gateway is a mistake, so that nobody relies on it.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::address::Channel;
use common::gateway::{Gateway, Http, Plaintext, Program, Sender, Smtp, Way};
use common::template::{Placeholder as _, Template};

use crate::delivery::DeliveryGateway;
use crate::delivery_keys::{
    GATEWAY_ALLOW_PLAINTEXT, GATEWAY_BODY, GATEWAY_BODY_FORMAT, GATEWAY_CA_FILE, GATEWAY_CHANNELS,
    GATEWAY_COMMAND, GATEWAY_FAILURE_PATTERN, GATEWAY_FROM, GATEWAY_HEADERS, GATEWAY_KIND, GATEWAY_METHOD,
    GATEWAY_NAME, GATEWAY_PASSWORD_FILE, GATEWAY_SERVER, GATEWAY_SUCCESS_PATTERN, GATEWAY_SUCCESS_STATUS,
    GATEWAY_TIMEOUT, GATEWAY_TLS, GATEWAY_URL, GATEWAY_USERNAME,
};
use crate::delivery_toml::template;
use crate::endpoints::{Host, authority, mail_server};
use crate::keys::{Key, Part};
use crate::limits;
use crate::report::Report;
use crate::section::{Entry, Section};
use crate::values::{
    Least, Placed, Wrong, boolean, list, number_between, one_word, path, plain_name, text, word,
};
use crate::words::GatewayKind;
use common::gateway::{BodyFormat, Encryption, Method, StatusPattern, Value};

/// Seconds for one message where none are written.
const TIMEOUT_SECONDS: u16 = 10;

/// Keys that only one kind of gateway has, and whether it needs them.
const OF_HTTP: &[&Key] = &[
    &GATEWAY_METHOD,
    &GATEWAY_URL,
    &GATEWAY_HEADERS,
    &GATEWAY_BODY,
    &GATEWAY_BODY_FORMAT,
    &GATEWAY_SUCCESS_STATUS,
    &GATEWAY_SUCCESS_PATTERN,
    &GATEWAY_FAILURE_PATTERN,
];
const OF_SMTP: &[&Key] = &[&GATEWAY_SERVER, &GATEWAY_TLS];
const OF_PROGRAM: &[&Key] = &[&GATEWAY_COMMAND];
const OF_NETWORK: &[&Key] =
    &[&GATEWAY_USERNAME, &GATEWAY_PASSWORD_FILE, &GATEWAY_CA_FILE, &GATEWAY_ALLOW_PLAINTEXT];

pub(crate) fn read(
    delivery: &Section<'_>,
    folder: &Path,
    report: &mut Report<'_>,
) -> Option<Vec<DeliveryGateway>> {
    let sections = delivery.tables("gateway", Part::Gateway, report);
    let mut names = HashSet::new();
    let read: Vec<_> =
        sections.iter().map(|section| read_gateway(section, folder, &mut names, report)).collect();
    if let Some(first) = sections.get(limits::GATEWAYS_MAX) {
        let message = format!("there are more than {} gateways", limits::GATEWAYS_MAX);
        report.error(first.remark(&GATEWAY_NAME, message, None));
        return None;
    }
    read.into_iter().collect()
}

fn read_gateway(
    section: &Section<'_>,
    folder: &Path,
    names: &mut HashSet<String>,
    report: &mut Report<'_>,
) -> Option<DeliveryGateway> {
    let name = section.own_name(&GATEWAY_NAME, "gateways", names, report, plain_name);
    let channels = section.required(&GATEWAY_CHANNELS, report, |entry, report| {
        let channels = list(entry, report, Least::One, one_word::<Channel>)?;
        Some(channels.into_iter().map(|placed| placed.value).collect::<BTreeSet<_>>())
    });
    let kind = section.required(&GATEWAY_KIND, report, word::<GatewayKind>);
    let seconds = section.field(&GATEWAY_TIMEOUT, report, seconds).or(TIMEOUT_SECONDS);
    let username =
        section.field(&GATEWAY_USERNAME, report, |entry, report| text(entry, report, sign_in_name));
    let username = username.optional();
    let password_file =
        section.field(&GATEWAY_PASSWORD_FILE, report, |entry, report| text(entry, report, path));
    let password_file = password_file.optional();
    let ca_file =
        section.field(&GATEWAY_CA_FILE, report, |entry, report| text(entry, report, path)).optional();
    let plaintext = section.field(&GATEWAY_ALLOW_PLAINTEXT, report, boolean).or(false);
    let plaintext = plaintext.map(|allowed| if allowed { Plaintext::Allowed } else { Plaintext::Refused });
    let kind = kind?;
    let fits = refuse_misfits(section, kind, report);
    let way = match kind {
        GatewayKind::Http => read_http(section, plaintext, report).map(|http| Way::Http(Box::new(http))),
        GatewayKind::Smtp => read_smtp(section, channels.as_ref(), plaintext, report).map(Way::Smtp),
        GatewayKind::Program => read_program(section, channels.as_ref(), report).map(Way::Program),
    };
    let at = |file: PathBuf| folder.join(file);
    fits.then_some(())?;
    let (username, password_file) = (username?, password_file?);
    if matches!(kind, GatewayKind::Smtp) && username.is_some() != password_file.is_some() {
        let message = "a mail server needs `username` and `password-file` together, or neither";
        report.error(section.remark(&GATEWAY_USERNAME, message, None));
        return None;
    }
    Some(DeliveryGateway {
        gateway: Gateway {
            name: name?,
            channels: channels?,
            patience: Duration::from_secs(seconds?.into()),
            username,
            plaintext: plaintext?,
            way: way?,
        },
        password_file: password_file.map(at),
        ca_file: ca_file?.map(at),
    })
}

/// Keys of other kinds of gateway.
fn refuse_misfits(section: &Section<'_>, kind: GatewayKind, report: &mut Report<'_>) -> bool {
    let others: &[&[&Key]] = match kind {
        GatewayKind::Http => &[OF_SMTP, OF_PROGRAM, &[&GATEWAY_FROM]],
        GatewayKind::Smtp => &[OF_HTTP, OF_PROGRAM],
        GatewayKind::Program => &[OF_HTTP, OF_SMTP, OF_NETWORK],
    };
    let mut fits = true;
    for key in others.iter().copied().flatten().filter(|key| section.has(key)) {
        let message = format!("`{}` means nothing to a gateway of this kind", key.name);
        report.error(section.remark(key, message, Some("remove the line, or change the kind")));
        fits = false;
    }
    fits
}

fn read_http(section: &Section<'_>, plaintext: Option<Plaintext>, report: &mut Report<'_>) -> Option<Http> {
    let method = section.field(&GATEWAY_METHOD, report, word::<Method>).or(Method::Post);
    let url = needed(section, &GATEWAY_URL, report, |entry, report| {
        text(entry, report, |written| url(written, plaintext))
    });
    let headers = section.field(&GATEWAY_HEADERS, report, |entry, report| {
        let headers = list(entry, report, Least::None, header)?;
        Some(headers.into_iter().take(limits::TEMPLATES_MAX).map(|placed| placed.value).collect::<Vec<_>>())
    });
    let body = section.field(&GATEWAY_BODY, report, |entry, report| {
        text(entry, report, |written| template::<Value>(written, limits::TEMPLATE_CHARACTERS_MAX))
    });
    let format = section.field(&GATEWAY_BODY_FORMAT, report, word::<BodyFormat>).or(BodyFormat::Form);
    let success = section.field(&GATEWAY_SUCCESS_STATUS, report, |entry, report| {
        let read = |written: &str| StatusPattern::parse(written).ok_or(Wrong::NotAllowed);
        let statuses = list(entry, report, Least::One, read)?;
        Some(statuses.into_iter().map(|placed| placed.value).collect())
    });
    let success = success.or(vec![StatusPattern::Class(2)]);
    let success_pattern = section.field(&GATEWAY_SUCCESS_PATTERN, report, read_pattern).optional();
    let failure_pattern = section.field(&GATEWAY_FAILURE_PATTERN, report, read_pattern).optional();
    let (headers, body) = (headers.or(Vec::new()), body.optional());
    if matches!((method, &body), (Some(Method::Get), Some(Some(_)))) {
        report.error(section.remark(&GATEWAY_BODY, "a GET request has no body", None));
        return None;
    }
    let http = Http {
        method: method?,
        url: url?,
        headers: headers?,
        body: body?,
        format: format?,
        success: success?,
        success_pattern: success_pattern?,
        failure_pattern: failure_pattern?,
    };
    refuse_silent(section, &http, report).then_some(http)
}

/// A request that says neither the text nor the code says nothing, and one without an address reaches nobody.
fn refuse_silent(section: &Section<'_>, http: &Http, report: &mut Report<'_>) -> bool {
    let values = http.headers.iter().map(|(_, value)| value);
    let all: Vec<_> = values.chain([&http.url]).chain(&http.body).collect();
    let has = |wanted: &[Value]| all.iter().any(|it| wanted.iter().any(|value| it.has(*value)));
    let missing = match (has(&[Value::Text, Value::Code]), has(&[Value::To, Value::Digits])) {
        (true, true) => return true,
        (false, _) => "neither {text} nor {code} stands in the request: nothing would be said",
        (true, false) => "neither {to} nor {digits} stands in the request: nobody would get it",
    };
    report.error(section.remark(&GATEWAY_URL, missing, Some("write them into `url`, `body` or `headers`")));
    false
}

fn read_smtp(
    section: &Section<'_>,
    channels: Option<&BTreeSet<Channel>>,
    plaintext: Option<Plaintext>,
    report: &mut Report<'_>,
) -> Option<Smtp> {
    let encryption = section.field(&GATEWAY_TLS, report, word::<Encryption>).or(Encryption::StartTls);
    let server = needed(section, &GATEWAY_SERVER, report, |entry, report| text(entry, report, mail_server));
    let from = needed(section, &GATEWAY_FROM, report, read_sender);
    if channels.is_some_and(|channels| channels.iter().any(|it| *it != Channel::Email)) {
        let help = Some("write channels = [\"email\"]");
        report.error(section.remark(&GATEWAY_CHANNELS, "a mail server delivers mail only", help));
        return None;
    }
    let (host, port) = server?;
    let is_open = encryption? == Encryption::None && plaintext? == Plaintext::Refused;
    if is_open && !Host::of(&host).is_here() {
        let message = "codes would go to another machine unencrypted";
        let help = Some("use `tls`, or say allow-plaintext = true");
        report.error(section.remark(&GATEWAY_TLS, message, help));
        return None;
    }
    Some(Smtp { host, port: port.unwrap_or(encryption?.port()), encryption: encryption?, from: from? })
}

fn read_program(
    section: &Section<'_>,
    channels: Option<&BTreeSet<Channel>>,
    report: &mut Report<'_>,
) -> Option<Program> {
    let command =
        needed(section, &GATEWAY_COMMAND, report, |entry, report| list(entry, report, Least::One, argument));
    let from = section.field(&GATEWAY_FROM, report, read_sender).optional();
    let mails = channels.is_some_and(|channels| channels.contains(&Channel::Email));
    if mails && matches!(from, Some(None)) {
        report.error(section.remark(&GATEWAY_FROM, "`from` is missing: mail has to be from somebody", None));
        return None;
    }
    let mut words = command?.into_iter().map(|placed: Placed<Template<Value>>| placed.value);
    let path = words.next()?.as_str().to_owned();
    if !Path::new(&path).is_absolute() || path.contains('{') {
        let help = Some("begin the command with the whole path of the program");
        report.error(section.remark(&GATEWAY_COMMAND, "the program's path has to begin with '/'", help));
        return None;
    }
    Some(Program { path, arguments: words.collect(), from: from? })
}

/// A key that this kind of gateway cannot do without.
fn needed<'a, T>(
    section: &Section<'a>,
    key: &'static Key,
    report: &mut Report<'_>,
    read: impl FnOnce(&Entry<'a>, &mut Report<'_>) -> Option<T>,
) -> Option<T> {
    if !section.has(key) {
        let message = format!("`{}` is missing", section.path_of(key.name));
        let help = format!("add a line `{} = …` with {}", key.name, key.allowed);
        report.error(section.remark(key, message, Some(&help)));
        return None;
    }
    section.field(key, report, read).optional().flatten()
}

fn seconds(entry: &Entry<'_>, report: &mut Report<'_>) -> Option<u16> {
    number_between(entry, report, 1, limits::GATEWAY_SECONDS_MAX)
}

fn url(written: &str, plaintext: Option<Plaintext>) -> Result<Template<Value>, Wrong> {
    let template = template::<Value>(written, limits::TEMPLATE_CHARACTERS_MAX)?;
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '#');
    if !written.chars().all(is_plain) {
        return Err(Wrong::Because(
            "other characters than those of URLs have to be percent-encoded".to_owned(),
        ));
    }
    let (host, encrypted) = authority(template.beginning())
        .ok_or_else(|| Wrong::Because("scheme, host and port come first, without placeholders".to_owned()))?;
    if !encrypted && !host.is_here() && plaintext == Some(Plaintext::Refused) {
        let why =
            "codes would go to another machine unencrypted: use https://, or say allow-plaintext = true";
        return Err(Wrong::Because(why.to_owned()));
    }
    Ok(template)
}

/// `Name: value`, as it stands in a request (RFC 9110 §5).
fn header(written: &str) -> Result<(String, Template<Value>), Wrong> {
    let (name, value) = written.split_once(':').ok_or(Wrong::NotAllowed)?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(is_token) || value.contains(char::is_control) {
        return Err(Wrong::NotAllowed);
    }
    let ours = ["host", "content-length", "transfer-encoding", "connection"];
    if ours.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(Wrong::Because(format!("{name} is set by itself")));
    }
    Ok((name.to_owned(), template(value.trim(), limits::TEMPLATE_CHARACTERS_MAX)?))
}

/// An argument of a program, which other users of this machine can see.
fn argument(written: &str) -> Result<Template<Value>, Wrong> {
    let template = template::<Value>(written, limits::TEMPLATE_CHARACTERS_MAX)?;
    if written.contains('\0') {
        return Err(Wrong::NotAllowed);
    }
    match Value::ALL.iter().find(|value| template.has(**value) && !value.may_be_seen()) {
        Some(value) => {
            let word = value.word();
            Err(Wrong::Because(format!("others can see arguments: {{{word}}} comes on standard input only")))
        }
        None => Ok(template),
    }
}

fn sign_in_name(written: &str) -> Result<String, Wrong> {
    let characters = written.chars().count();
    let fits = (1..=limits::SIGN_IN_NAME_CHARACTERS_MAX).contains(&characters);
    if fits && !written.contains(char::is_control) { Ok(written.to_owned()) } else { Err(Wrong::NotAllowed) }
}

fn read_sender(entry: &Entry<'_>, report: &mut Report<'_>) -> Option<Sender> {
    text(entry, report, |written| Sender::parse(written).ok_or(Wrong::NotAllowed))
}

fn read_pattern(entry: &Entry<'_>, report: &mut Report<'_>) -> Option<String> {
    text(entry, report, |written| {
        let characters = written.chars().count();
        if characters == 0 || characters > limits::PATTERN_CHARACTERS_MAX {
            return Err(Wrong::NotAllowed);
        }
        match regex_lite::Regex::new(written) {
            Ok(_) => Ok(written.to_owned()),
            Err(error) => Err(Wrong::Because(error.to_string())),
        }
    })
}
