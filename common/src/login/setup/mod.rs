//! Registration at a prompt: choose a way, prove it, keep what opens the door when it is lost. Nothing is written before the
//! last answer: whoever goes away in between has changed nothing. What is shown on the way is made from a seed in the session.

mod added;
mod address;
mod app;
mod choice;
mod complete;
mod extras;
mod warrant;

pub(super) use added::Registered;
pub(super) use complete::{Registration, usual_label};
pub(super) use extras::{in_pairs, places_for, scope_of};
pub(super) use warrant::{Demand, Warrant, can_be_led, demanded, is_possible, may_be_led, warrant};

use serde::{Deserialize, Serialize};

use crate::account::{Account, Factor};
use crate::address::{Address, Channel};
use crate::id::FactorId;
use crate::login::proof::Proof;
use crate::login::write::Spent;
use crate::login::{Evidence, Prompt, Step, View, write};
use crate::random::{Random, Stream};
use crate::record::PrimaryResult;
use crate::session::{Asked, Session, Stage};
use crate::{AccountId, Answer, Reason, Username};

/// Octets of a [`Seed`].
const SEED_OCTETS: usize = 16;

/// Where a registration is, as it is carried in the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// What is known of the first password.
    pub(crate) primary: PrimaryResult,
    /// Why it may be.
    warrant: Warrant,
    seed: Seed,
    /// What the next answer is an answer to.
    at: At,
    /// What will be registered.
    proven: Option<Proven>,
    /// For which of the places of the policy an app password was asked for.
    place: Option<u8>,
    /// Which factor the new one takes the place of.
    replaced: Option<[u8; FactorId::LENGTH]>,
    /// The version of the account that it began with: what a proof has opened is shut by every change since.
    version: u64,
}

/// What secrets are made of that are shown before they count.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seed([u8; SEED_OCTETS]);

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed")
    }
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum At {
    /// Which way.
    Choice,
    /// To get an app.
    Apps(Picture),
    /// A code of the key that was shown.
    Key(Picture),
    /// A number or mail address.
    Address(Channel),
    /// The code that was sent.
    Code(Channel),
    /// To keep the recovery codes.
    RecoveryCodes,
    /// Whether some program cannot ask for codes.
    Program,
    /// To keep the app password.
    AppPassword,
}

/// Whether a key is shown as a picture too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Picture {
    Shown,
    Withheld,
}

/// What was proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Proven {
    /// The key that the seed gives, by the code of this step.
    Key(u64),
    /// This number or address, by a code that was sent there.
    Address(Address),
}

/// Begins. A proof that led here is spent now, but for a temporary code: nobody shall need another one because a line broke.
pub(super) fn begin(
    view: &View<'_>,
    mut session: Session,
    primary: PrimaryResult,
    warrant: Warrant,
    proof: Option<Proof>,
) -> Step {
    let setup = Setup::new(view, primary, warrant, None);
    session.stage = Stage::Setup(setup.clone());
    session.proof = proof.as_ref().map(|proof| proof.name);
    let step = choice::begin(view, session, &setup, "", Some(Reason::RegistrationBegun));
    match (proof, warrant) {
        (Some(proof), Warrant::TemporaryCode(_)) => write::with_proof(view, step, proof, Spent::AtTheEnd),
        (Some(proof), _) => write::with_proof(view, step, proof, Spent::Now),
        (None, _) => step,
    }
}

/// Adds a factor while the user looks after the account, or puts one in the place of another.
pub(super) fn add(
    view: &View<'_>,
    mut session: Session,
    primary: PrimaryResult,
    replaced: Option<FactorId>,
) -> Step {
    let setup = Setup::new(view, primary, Warrant::Own, replaced);
    session.stage = Stage::Setup(setup.clone());
    choice::begin(view, session, &setup, "", None)
}

/// Something was proven that is to be registered.
fn after_proof(view: &View<'_>, session: Session, setup: &Setup, answer: &Answer) -> Step {
    match setup.warrant {
        Warrant::Own => added::added(view, session, setup),
        Warrant::Opening | Warrant::Contact | Warrant::TemporaryCode(_) | Warrant::Proof => {
            extras::recovery_codes(view, session, setup, answer)
        }
    }
}

/// An answer has come.
pub(super) fn answered(
    view: &View<'_>,
    session: Session,
    setup: &Setup,
    answer: &Answer,
    evidence: Evidence,
) -> Step {
    if let Err(reason) = setup.is_warranted(view) {
        return write::reject(view, &session, reason);
    }
    if session.is_last_round() && setup.warrant == Warrant::Own {
        // Who looks after the own account has proven everything before, and is not shut out for having asked much.
        return write::accept_proven(view, &session, setup.primary, answer.typed());
    }
    match setup.at {
        At::Choice => choice::answered(view, session, setup, answer, evidence),
        At::Apps(_) if word(answer) == "b" => choice::back(view, session, setup),
        At::Apps(picture) => app::show_key(view, session, setup, picture, ""),
        At::Key(picture) => app::answered(view, session, setup, picture, answer),
        At::Address(channel) => address::typed(view, session, setup, channel, answer, evidence),
        At::Code(channel) => address::answered(view, session, setup, channel, answer, evidence),
        At::RecoveryCodes => extras::after_recovery_codes(view, session, setup, answer),
        At::Program => extras::program(view, session, setup, answer),
        At::AppPassword => complete::complete(view, &session, setup, answer),
    }
}

impl Setup {
    fn new(view: &View<'_>, primary: PrimaryResult, warrant: Warrant, replaced: Option<FactorId>) -> Self {
        let mut seed = [0; SEED_OCTETS];
        Stream::new(view.entropy, "registration").fill(&mut seed);
        let replaced = replaced.map(|id| *id.as_bytes());
        let version = view.version();
        Self {
            primary,
            warrant,
            seed: Seed(seed),
            at: At::Choice,
            proven: None,
            place: None,
            replaced,
            version,
        }
    }

    /// What its question asks for.
    pub(crate) const fn asked(&self) -> Asked {
        match self.at {
            At::Key(_) | At::Code(_) => Asked::Proof,
            At::Choice | At::Apps(_) | At::Address(_) | At::RecoveryCodes | At::Program | At::AppPassword => {
                Asked::Step
            }
        }
    }

    /// The factor that the new one takes the place of.
    fn replaced<'a>(&self, account: &'a Account) -> Option<&'a Factor> {
        let id = FactorId::from_bytes(self.replaced?);
        account.factors.iter().find(|factor| factor.id == id)
    }

    /// Randomness for one purpose, the same in every round.
    fn stream(&self, purpose: &str) -> Stream {
        Stream::new(&self.seed.0, purpose)
    }

    /// The account's id, also where it is made by this registration.
    fn account_id(&self, view: &View<'_>) -> AccountId {
        let stored = view.loaded.account.as_ref().map(|account| account.id);
        stored.unwrap_or_else(|| AccountId::generate(&self.stream("account")))
    }
}

/// Goes on with another question.
fn ask(
    view: &View<'_>,
    mut session: Session,
    setup: &Setup,
    at: At,
    prompt: Prompt,
    why: Option<Reason>,
) -> Step {
    if session.is_last_round() {
        return write::reject(view, &session, Reason::TooManyRounds);
    }
    session.stage = Stage::Setup(Setup { at, ..setup.clone() });
    write::ask_on(view, session, prompt, why)
}

/// What was typed, as one word in lower case; empty for nothing.
fn word(answer: &Answer) -> String {
    answer.typed().expose_text().unwrap_or_default().trim().to_lowercase()
}

/// The user's canonical name.
fn user<'a>(view: &'a View<'_>) -> Option<&'a Username> {
    view.known()
}

#[cfg(test)]
mod tests {
    use super::{At, Proven, SEED_OCTETS, Seed, Setup, Warrant};
    use crate::address::{Address, Channel, Extension, MailAddress, PhoneNumber};
    use crate::id::CodeId;
    use crate::limits::SETUP_ADDRESS_OCTETS_MAX;
    use crate::login::proof::ProofName;
    use crate::record::PrimaryResult;
    use crate::session::{Session, Stage};
    use crate::world::keys;
    use crate::{AttemptId, UnixTime};

    struct Ones;

    impl crate::random::Random for Ones {
        fn fill(&self, octets: &mut [u8]) {
            octets.fill(255);
        }
    }

    #[test]
    fn the_longest_registration_fits_one_state() {
        let domain = ".example.org";
        let mail = format!("{}@x{domain}", "a".repeat(SETUP_ADDRESS_OCTETS_MAX - domain.len() - 2));
        let longest = [
            Address::Email(MailAddress::parse(&mail).unwrap()),
            Address::Office(
                PhoneNumber::parse("+123456789012345").unwrap(),
                Some(Extension::parse("1234567890").unwrap()),
            ),
        ];
        for address in longest {
            let id = AttemptId::generate(&Ones);
            let mut session = Session::begin(id, UnixTime::from_seconds(u64::from(u32::MAX)));
            session.checked_against = [255; 8];
            session.proof = Some(ProofName::temporary_code(CodeId::from_bytes([255; 8])));
            (session.rounds, session.guesses) = (255, 255);
            session.stage = Stage::Setup(Setup {
                primary: PrimaryResult::NotAsked,
                warrant: Warrant::TemporaryCode([255; 8]),
                seed: Seed([255; SEED_OCTETS]),
                at: At::Code(Channel::Email),
                proven: Some(Proven::Address(address)),
                place: Some(255),
                replaced: Some([255; 8]),
                version: u64::from(u32::MAX),
            });
            assert!(session.seal(&keys(), &Ones, "vpn", "alice").unwrap().len() <= 253);
        }
    }
}
