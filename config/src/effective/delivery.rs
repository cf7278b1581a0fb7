//! `[delivery]` as it holds. Files with passwords are named, not read.

use std::path::PathBuf;

use common::gateway::{Gateway, Http, Plaintext, Program, Smtp, Way};
use common::template::Template;

use crate::delivery::DeliveryGateway;
use crate::delivery_keys::{
    CODES_PER_DAY, COUNTRIES, EVENTS, FORBIDDEN_NUMBERS, GATEWAY_ALLOW_PLAINTEXT, GATEWAY_BODY,
    GATEWAY_BODY_FORMAT, GATEWAY_CA_FILE, GATEWAY_CHANNELS, GATEWAY_COMMAND, GATEWAY_FAILURE_PATTERN,
    GATEWAY_FROM, GATEWAY_HEADERS, GATEWAY_KIND, GATEWAY_METHOD, GATEWAY_NAME, GATEWAY_PASSWORD_FILE,
    GATEWAY_SERVER, GATEWAY_SUCCESS_PATTERN, GATEWAY_SUCCESS_STATUS, GATEWAY_TIMEOUT, GATEWAY_TLS,
    GATEWAY_URL, GATEWAY_USERNAME, NOTICES, TEXTS,
};
use crate::effective::{Line, Table, Value};
use crate::keys::{Key, Part};
use crate::settings::Settings;
use crate::words::Word as _;

pub(super) fn tables(settings: &Settings) -> Vec<Table> {
    let wording = &settings.delivery.wording;
    let texts = TEXTS.iter().map(|(text, key)| of_text(key, wording.text(*text), text.standard()));
    let events = EVENTS.iter().map(|(event, key)| of_text(key, wording.event(*event), event.standard()));
    let mut tables = vec![
        Table::new(Part::Delivery, delivery_lines(settings)),
        Table::new(Part::DeliveryTexts, texts.collect()),
        Table::new(Part::DeliveryEvents, events.collect()),
    ];
    let gateways = settings.delivery.gateways.iter();
    tables.extend(gateways.map(|gateway| Table::new(Part::Gateway, gateway_lines(gateway))));
    tables
}

fn delivery_lines(settings: &Settings) -> Vec<Line> {
    let numbers = &settings.policy.numbers;
    let countries = numbers.countries.as_ref().map_or(Value::Unwritten, Value::list);
    vec![
        Line::new(&CODES_PER_DAY, Value::Number(settings.policy.codes_per_day.into())),
        Line::new(&NOTICES, Value::list(settings.policy.notices.wanted.iter().map(|it| it.word()))),
        Line::new(&COUNTRIES, countries),
        Line::new(&FORBIDDEN_NUMBERS, Value::list(&numbers.forbidden)),
    ]
}

fn of_text(key: &'static Key, text: &str, standard: &str) -> Line {
    Line::new(key, text).or(&standard.into())
}

fn gateway_lines(configured: &DeliveryGateway) -> Vec<Line> {
    let DeliveryGateway { gateway, password_file, ca_file } = configured;
    let Gateway { name, channels, patience, username, plaintext, way } = gateway;
    let mut lines = vec![
        Line::new(&GATEWAY_NAME, name.as_str()),
        Line::new(&GATEWAY_CHANNELS, Value::list(channels.iter().map(|channel| channel.word()))),
        Line::new(&GATEWAY_KIND, way.name()),
        Line::new(&GATEWAY_TIMEOUT, Value::Number(patience.as_secs().into())),
    ];
    match way {
        Way::Http(http) => lines.extend(http_lines(http)),
        Way::Smtp(smtp) => lines.extend(smtp_lines(smtp)),
        Way::Program(program) => lines.extend(program_lines(program)),
    }
    if !matches!(way, Way::Program(_)) {
        let path = |path: &Option<PathBuf>| written(path.as_ref().map(|path| path.display()));
        lines.push(Line::new(&GATEWAY_USERNAME, written(username.as_ref())));
        lines.push(Line::new(&GATEWAY_PASSWORD_FILE, path(password_file)));
        lines.push(Line::new(&GATEWAY_CA_FILE, path(ca_file)));
        let allowed = *plaintext == Plaintext::Allowed;
        lines.push(Line::new(&GATEWAY_ALLOW_PLAINTEXT, Value::Flag(allowed)));
    }
    lines
}

fn http_lines(http: &Http) -> Vec<Line> {
    let headers = http.headers.iter().map(|(name, value)| format!("{name}: {}", value.as_str()));
    vec![
        Line::new(&GATEWAY_METHOD, http.method.word()),
        Line::new(&GATEWAY_URL, http.url.as_str()),
        Line::new(&GATEWAY_HEADERS, Value::list(headers)),
        Line::new(&GATEWAY_BODY, written(http.body.as_ref().map(Template::as_str))),
        Line::new(&GATEWAY_BODY_FORMAT, http.format.word()),
        Line::new(&GATEWAY_SUCCESS_STATUS, Value::list(&http.success)),
        Line::new(&GATEWAY_SUCCESS_PATTERN, written(http.success_pattern.as_ref())),
        Line::new(&GATEWAY_FAILURE_PATTERN, written(http.failure_pattern.as_ref())),
    ]
}

fn smtp_lines(smtp: &Smtp) -> Vec<Line> {
    let host = if smtp.host.contains(':') { format!("[{}]", smtp.host) } else { smtp.host.clone() };
    vec![
        Line::new(&GATEWAY_SERVER, Value::Text(format!("{host}:{}", smtp.port))),
        Line::new(&GATEWAY_TLS, smtp.encryption.word()),
        Line::new(&GATEWAY_FROM, Value::Text(smtp.from.to_string())),
    ]
}

fn program_lines(program: &Program) -> Vec<Line> {
    let arguments = program.arguments.iter().map(Template::as_str);
    let mut lines = vec![Line::new(
        &GATEWAY_COMMAND,
        Value::list(std::iter::once(program.path.as_str()).chain(arguments)),
    )];
    lines.extend(program.from.as_ref().map(|from| Line::new(&GATEWAY_FROM, Value::Text(from.to_string()))));
    lines
}

fn written(value: Option<impl ToString>) -> Value {
    value.map_or(Value::Unwritten, |value| Value::Text(value.to_string()))
}
