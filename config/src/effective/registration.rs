//! `[registration]` as it holds.

use common::registration::{APPS as STANDARD_APPS, Opening, Registration};

use crate::effective::{Line, Table, Value, written};
use crate::keys::Part;
use crate::registration_keys::{
    APP_PASSWORD_CLIENTS, APP_PASSWORD_SERVICES, APPS, AT_SIGN_IN, DEADLINE_DAYS, OPENING_CLIENTS,
    OPENING_NAME, OPENING_NETWORKS, OPENING_SERVICES, SIGN_INS,
};

pub(super) fn tables(registration: &Registration) -> Vec<Table> {
    let limit = |limit: Option<u32>| limit.map_or(Value::Unwritten, |limit| Value::Number(limit.into()));
    let lines = vec![
        Line::new(&AT_SIGN_IN, Value::Flag(registration.at_sign_in)),
        Line::new(&DEADLINE_DAYS, limit(registration.grace.days)),
        Line::new(&SIGN_INS, limit(registration.grace.sign_ins)),
        Line::new(&APPS, registration.apps.as_str()).or(&STANDARD_APPS.into()),
        Line::new(&APP_PASSWORD_SERVICES, Value::list(&registration.app_passwords.services)),
        Line::new(&APP_PASSWORD_CLIENTS, Value::list(&registration.app_passwords.clients)),
    ];
    let mut tables = vec![Table::new(Part::Registration, lines)];
    tables.extend(registration.openings.iter().map(opening));
    tables
}

fn opening(opening: &Opening) -> Table {
    let lines = vec![
        Line::new(&OPENING_NAME, opening.name.as_str()),
        Line::new(&OPENING_SERVICES, Value::list(&opening.services)),
        Line::new(&OPENING_CLIENTS, Value::list(&opening.clients)),
        Line::new(&OPENING_NETWORKS, Value::list(opening.networks.iter().map(written))),
    ];
    Table::new(Part::Opening, lines)
}
