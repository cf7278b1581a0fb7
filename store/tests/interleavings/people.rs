//! Who signs in and how, what an administrator does meanwhile, and what may come of both.

use common::account::{Block, PasswordHash, Role, Scope, State};
use common::acts::{Act, EnrolmentProof, Issued, Label, NewTotp};
use common::attempt::{Door, Parties, Profile};
use common::engine::{Engine, Reply};
use common::record::Actor;
use common::session::Session;
use common::totp::TotpParameters;
use common::{
    Answer, AppPasswordId, Attempt, FactorId, Place, PrimaryMode, Reason, Secret, Target, TypedName,
    Username, Verdict,
};

use crate::world::NOW;

const PASSWORD: &str = "correct horse";
const APP_SECRET: &str = "12345678901234567890";

/// How somebody signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    PasswordThenCode,
    PasswordThenRecoveryCode,
    PasswordThenAppPassword,
    AppPassword,
    /// After a key: nobody asks for a password.
    CodeAlone,
    /// At a RADIUS client, all in one.
    PasswordWithCode,
    /// At a RADIUS client, the right answer that was accepted already, once more.
    Retransmission,
    /// The second step is switched off.
    PasswordAlone,
}

impl Way {
    pub(crate) const ALL: [Self; 8] = [
        Self::PasswordThenCode,
        Self::PasswordThenRecoveryCode,
        Self::PasswordThenAppPassword,
        Self::AppPassword,
        Self::CodeAlone,
        Self::PasswordWithCode,
        Self::Retransmission,
        Self::PasswordAlone,
    ];
}

/// What an administrator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Block,
    Disable,
    Enforce,
    RevokeAppPassword,
    RemoveFactor,
    RenewRecoveryCodes,
    SetPassword,
    MakeAdministrator,
    Rename,
    Remove,
    /// Something that takes nothing from anybody.
    AddAppPassword,
}

impl Deed {
    pub(crate) const ALL: [Self; 11] = [
        Self::Block,
        Self::Disable,
        Self::Enforce,
        Self::RevokeAppPassword,
        Self::RemoveFactor,
        Self::RenewRecoveryCodes,
        Self::SetPassword,
        Self::MakeAdministrator,
        Self::Rename,
        Self::Remove,
        Self::AddAppPassword,
    ];
}

/// What may come of a login whose verdict is written after the act has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// It never gets in.
    Never,
    /// If it gets in, it does for this reason only: it was decided anew.
    AtMostBecause(Reason),
    /// The act is nothing to it: it gets in.
    AsBefore,
}

/// What the act is to the login.
pub(crate) fn afterwards(way: Way, deed: Deed) -> Afterwards {
    let app_password = matches!(way, Way::AppPassword | Way::PasswordThenAppPassword);
    let code = matches!(way, Way::PasswordThenCode | Way::CodeAlone | Way::PasswordWithCode);
    // Nothing of a repeated answer is known again once the account has changed in any way.
    let never_if = |taken: bool| match taken || way == Way::Retransmission {
        true => Afterwards::Never,
        false => Afterwards::AsBefore,
    };
    match deed {
        Deed::Block | Deed::Rename | Deed::Remove => Afterwards::Never,
        Deed::Disable => match way {
            Way::AppPassword | Way::Retransmission => Afterwards::Never,
            Way::PasswordThenCode
            | Way::PasswordThenRecoveryCode
            | Way::PasswordThenAppPassword
            | Way::CodeAlone
            | Way::PasswordWithCode
            | Way::PasswordAlone => Afterwards::AtMostBecause(Reason::SkippedDisabled),
        },
        Deed::Enforce => never_if(way == Way::PasswordAlone),
        Deed::RevokeAppPassword | Deed::MakeAdministrator => never_if(app_password),
        Deed::RemoveFactor => never_if(code),
        Deed::RenewRecoveryCodes => never_if(way == Way::PasswordThenRecoveryCode),
        Deed::SetPassword => never_if(!matches!(way, Way::AppPassword | Way::CodeAlone)),
        Deed::AddAppPassword => never_if(false),
    }
}

/// Somebody with everything that there is to sign in with.
#[derive(Clone)]
pub(crate) struct Person {
    name: String,
    factor: Option<FactorId>,
    recovery_codes: Vec<Secret>,
    app_password: (AppPasswordId, Secret),
}

impl Person {
    /// Makes the account, for somebody who signs in this way.
    pub(crate) fn new(engine: &Engine, name: String, way: Way) -> Self {
        let password = Some(PasswordHash::new(PASSWORD.to_owned()));
        let state = if way == Way::PasswordAlone { State::Disabled } else { State::Enforced };
        act(engine, &name, &Act::Add { state: Some(state), role: Role::User, password, totp: None });
        let Issued::AppPassword(id, secret) = act(engine, &name, &new_app_password()) else { panic!() };
        let app_password = (id, secret);
        let mut person = Self { name, factor: None, recovery_codes: Vec::new(), app_password };
        if way != Way::PasswordAlone {
            let Issued::Factor(factor) = act(engine, &person.name, &new_totp()) else { panic!() };
            person.factor = Some(factor);
            let renewed = act(engine, &person.name, &Act::RenewRecoveryCodes);
            let Issued::RecoveryCodes(codes) = renewed else { panic!() };
            person.recovery_codes = codes;
        }
        person
    }

    /// The act that an administrator does to this account.
    pub(crate) fn act(&self, deed: Deed) -> Option<Act> {
        Some(match deed {
            Deed::Block => Act::Block(Block::Indefinitely),
            Deed::Disable => Act::SetState(State::Disabled.into()),
            Deed::Enforce => Act::SetState(State::Enforced.into()),
            Deed::RevokeAppPassword => Act::RevokeAppPassword(self.app_password.0),
            Deed::RemoveFactor => Act::RemoveFactor(self.factor?),
            Deed::RenewRecoveryCodes => Act::RenewRecoveryCodes,
            Deed::SetPassword => Act::SetPassword(PasswordHash::new("another".to_owned())),
            Deed::MakeAdministrator => Act::SetRole(Role::Administrator),
            Deed::Rename => Act::Rename(Username::parse(&format!("{}-renamed", self.name)).unwrap()),
            Deed::Remove => Act::Remove,
            Deed::AddAppPassword => new_app_password(),
        })
    }

    /// Does an act, to its end.
    pub(crate) fn suffers(&self, engine: &Engine, what: &Act) {
        act(engine, &self.name, what);
    }

    /// Signs in to the end. The number says which of several logins this is: each has proofs of its own.
    pub(crate) fn signs_in(&self, engine: &Engine, way: Way, number: usize) -> Verdict {
        let attempt = self.attempt(way);
        let answers = self.answers(way, number);
        let brings_first = attempt.door == Door::Radius;
        let (first, rest) = answers.split_at(usize::from(brings_first));
        let mut reply = engine.begin(&attempt, first.first());
        let mut rest = rest.iter();
        loop {
            match reply {
                Reply::Done(_, verdict) => return verdict,
                Reply::Ask(session, _) => match rest.next() {
                    Some(answer) => reply = engine.answer(&attempt, &session, answer),
                    None => return Verdict::Reject(Reason::Abandoned),
                },
            }
        }
    }

    /// The session of a login that was accepted already.
    pub(crate) fn signed_in(&self, engine: &Engine) -> Box<Session> {
        let attempt = self.attempt(Way::Retransmission);
        let Reply::Ask(session, _) = engine.begin(&attempt, Some(&answer(PASSWORD))) else { panic!() };
        let Reply::Done(_, Verdict::Accept(_)) = engine.answer(&attempt, &session, &answer(&code())) else {
            panic!()
        };
        session
    }

    /// The same answer to the same session.
    pub(crate) fn says_it_again(&self, engine: &Engine, session: &Session) -> Verdict {
        match engine.answer(&self.attempt(Way::Retransmission), session, &answer(&code())) {
            Reply::Done(_, verdict) => verdict,
            Reply::Ask(..) => Verdict::Reject(Reason::Abandoned),
        }
    }

    fn attempt(&self, way: Way) -> Attempt {
        let radius = matches!(way, Way::PasswordWithCode | Way::Retransmission);
        let (door, place) = match radius {
            true => (Door::Radius, Place::Client("vpn".to_owned())),
            false => (Door::Pam, Place::Service("sshd".to_owned())),
        };
        Attempt {
            identity: None,
            door,
            place,
            typed: TypedName::new(self.name.as_bytes()),
            source: Some("192.0.2.7".to_owned()),
            target: Target::Ordinary,
            parties: Parties::default(),
            primary: if way == Way::CodeAlone { PrimaryMode::None } else { PrimaryMode::Own },
            profile: Profile::default(),
        }
    }

    fn answers(&self, way: Way, number: usize) -> Vec<Answer> {
        let app_password = || Answer::Text(self.app_password.1.clone());
        match way {
            Way::PasswordThenCode | Way::Retransmission => vec![answer(PASSWORD), answer(&code())],
            Way::PasswordThenRecoveryCode => {
                // Whose only app was removed meanwhile is offered to register another one: not now.
                vec![answer(PASSWORD), Answer::Text(self.recovery_codes[number].clone()), answer("n")]
            }
            Way::PasswordThenAppPassword => vec![answer(PASSWORD), app_password()],
            Way::AppPassword => vec![app_password()],
            // Nobody asks for a password; what comes first is the code.
            Way::CodeAlone => vec![answer(&code())],
            Way::PasswordWithCode => vec![answer(&format!("{PASSWORD},{}", code()))],
            Way::PasswordAlone => vec![answer(PASSWORD)],
        }
    }
}

fn act(engine: &Engine, name: &str, act: &Act) -> Issued {
    let actor = Actor { login_uid: None, uid: Some(0), tty: None, host: "test".to_owned() };
    engine.act(&actor, &Username::parse(name).unwrap(), act).unwrap()
}

fn answer(text: &str) -> Answer {
    Answer::from_octets(Secret::from(text))
}

fn code() -> String {
    let totp = totp_rs::Builder::new().with_secret(APP_SECRET.as_bytes().to_vec()).build().unwrap();
    totp.generate(NOW).to_string()
}

fn new_totp() -> Act {
    Act::AddTotp(NewTotp {
        label: Label::parse("phone").unwrap(),
        parameters: TotpParameters::default(),
        secret: Secret::from(APP_SECRET),
        proof: EnrolmentProof::Imported,
    })
}

fn new_app_password() -> Act {
    let scope = Scope { services: vec!["sshd".to_owned()], clients: vec!["vpn".to_owned()] };
    Act::CreateAppPassword { label: Label::parse("script").unwrap(), scope }
}
