//! What comes with a registration: recovery codes, and an app password for a program that cannot ask for codes.

use crate::account::{Account, Role, Scope};
use crate::codes::Shape;
use crate::login::setup::{At, Setup, ask, complete, word};
use crate::login::{Prompt, Step, View};
use crate::policy::Method;
use crate::session::Session;
use crate::{Answer, Place, Secret, limits};

/// Shows the recovery codes, where they are good for anything here.
pub(super) fn recovery_codes(view: &View<'_>, session: Session, setup: &Setup, answer: &Answer) -> Step {
    if !are_given(view) {
        return program_question(view, session, setup, answer);
    }
    let shown = setup.recovery_codes();
    let texts = shown.iter().filter_map(Secret::expose_text);
    let text = format!(
        "Recovery codes for days without your phone:\n{}\n\
         Write them down. Nothing is saved before Enter (or ok): ",
        in_pairs(texts)
    );
    ask(view, session, setup, At::RecoveryCodes, Prompt::made(text), None)
}

/// Two in a line: ten of them fit a small window.
pub(in crate::login) fn in_pairs<'a>(codes: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::with_capacity(limits::PROMPT_OCTETS_MAX);
    for (place, code) in codes.enumerate() {
        match place {
            0 => {}
            _ if place.is_multiple_of(2) => text.push('\n'),
            _ => text.push(' '),
        }
        text.push_str(code);
    }
    text
}

/// They are kept.
pub(super) fn after_recovery_codes(
    view: &View<'_>,
    session: Session,
    setup: &Setup,
    answer: &Answer,
) -> Step {
    program_question(view, session, setup, answer)
}

/// Asks whether some program cannot ask for codes, where users may make app passwords.
fn program_question(view: &View<'_>, session: Session, setup: &Setup, answer: &Answer) -> Step {
    let places = places(view);
    if places.is_empty() {
        return complete::complete(view, &session, setup, answer);
    }
    let listed: Vec<&str> = places.iter().map(Place::name).collect();
    let listed: String = listed.join(", ").chars().take(60).collect();
    let text = format!(
        "Does some program sign in for you that cannot ask for codes, such as mail? It gets a password of its own.\n\
         Type its place ({listed}), or press Enter for none: "
    );
    ask(view, session, setup, At::Program, Prompt::made(text), None)
}

/// Where the user may make app passwords: an administrator nowhere, and nobody who has as many as there may be.
pub(in crate::login) fn places_for(view: &View<'_>, account: &Account) -> Vec<Place> {
    if account.role == Role::Administrator || account.app_passwords.len() >= limits::APP_PASSWORDS_MAX {
        return Vec::new();
    }
    configured(view)
}

/// The same in a registration, which may make the account.
fn places(view: &View<'_>) -> Vec<Place> {
    view.loaded.account.as_ref().map_or_else(|| configured(view), |account| places_for(view, account))
}

fn configured(view: &View<'_>) -> Vec<Place> {
    let Scope { services, clients } = &view.policy.registration.app_passwords;
    let services = services.iter().cloned().map(Place::Service);
    services.chain(clients.iter().cloned().map(Place::Client)).take(usize::from(u8::MAX)).collect()
}

/// The scope of one place.
pub(in crate::login) fn scope_of(place: Place) -> Scope {
    match place {
        Place::Service(name) => Scope { services: vec![name], clients: Vec::new() },
        Place::Client(name) => Scope { services: Vec::new(), clients: vec![name] },
    }
}

/// A place was named, or none.
pub(super) fn program(view: &View<'_>, session: Session, setup: &Setup, answer: &Answer) -> Step {
    let typed = word(answer);
    let named = (0_u8..).zip(places(view)).find(|(_, place)| place.name().eq_ignore_ascii_case(&typed));
    match named {
        Some((number, place)) => {
            let setup = Setup { place: Some(number), ..setup.clone() };
            show_app_password(view, session, &setup, &place)
        }
        None if matches!(typed.as_str(), "" | "n" | "no" | "none") => {
            complete::complete(view, &session, setup, answer)
        }
        None => program_question(view, session, setup, answer),
    }
}

fn show_app_password(view: &View<'_>, session: Session, setup: &Setup, place: &Place) -> Step {
    let password = setup.app_password();
    let name: String = place.name().chars().take(60).collect();
    let text = format!(
        "Password for {name}, shown this once:\n{}\nGive it to that program. Then press Enter, or type ok: ",
        password.expose_text().unwrap_or_default()
    );
    ask(view, session, setup, At::AppPassword, Prompt::made(text), None)
}

impl Setup {
    /// The recovery codes that are shown.
    pub(super) fn recovery_codes(&self) -> Vec<Secret> {
        let stream = self.stream("recovery codes");
        (0..limits::RECOVERY_CODES).map(|_| Shape::RecoveryCode.generate(&stream)).collect()
    }

    /// The app password that is shown.
    pub(super) fn app_password(&self) -> Secret {
        Shape::AppPassword.generate(&self.stream("app password"))
    }

    /// Where the app password is to be good, if one was wished for.
    pub(super) fn app_password_scope(&self, view: &View<'_>) -> Option<Scope> {
        let place = places(view).into_iter().nth(usize::from(self.place?))?;
        Some(scope_of(place))
    }
}

/// Whether recovery codes are a way in at all.
pub(super) fn are_given(view: &View<'_>) -> bool {
    view.known().is_some_and(|name| view.ruling(name).allows(Method::RecoveryCode))
}
