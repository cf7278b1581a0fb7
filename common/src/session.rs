//! A begun login, carried by the door: in memory by PAM, sealed into `State` (RFC 2865 §5.24) by RADIUS.
//!
//! Nothing that must be counted is in it: whoever replays it gains nothing.

use serde::{Deserialize, Serialize};

use crate::keys::{KeyError, KeyRing, Purpose, decrypt, encrypt};
use crate::login::manage::{Manage, Wish};
use crate::login::proof::ProofName;
use crate::login::setup::Setup;
use crate::random::Random;
use crate::record::PrimaryResult;
use crate::{AttemptId, Reason, Secret, UnixTime, limits};

/// Octets of every sealed session: one length for all, so that it tells nothing.
pub const SEALED_OCTETS: usize = 24 + PLAIN_OCTETS + 16;
const PLAIN_OCTETS: usize = 212;
const SECONDS_OF_DAY: u64 = 86_400;

/// What the next answer is an answer to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// The first password.
    Password,
    /// The second proof; what is known of the first password.
    Second(PrimaryResult),
    /// Whether to register now or later; what is known of the first password.
    Invited(PrimaryResult),
    /// Registration.
    Setup(Setup),
    /// Looking after the own account.
    Manage(Manage),
}

/// Why a first password was not looked at. Whether its lane still waits when the next answer comes says nothing of that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Unchecked {
    /// It was none.
    #[default]
    NotAnAnswer,
    /// Too many wrong answers before it.
    Throttled,
}

impl Unchecked {
    pub(crate) const fn reason(self) -> Reason {
        match self {
            Self::NotAnAnswer => Reason::NotAnAnswer,
            Self::Throttled => Reason::Throttled,
        }
    }
}

/// A begun login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub(crate) id: [u8; AttemptId::LENGTH],
    pub(crate) stage: Stage,
    /// Where the first password was not looked at.
    pub(crate) unchecked: Unchecked,
    pub(crate) began_at: UnixTime,
    pub(crate) rounds: u8,
    pub(crate) guesses: u8,
    /// What a right proof leads to.
    pub(crate) wish: Wish,
    /// The proof that has led beyond the questions of a sign-in.
    pub(crate) proof: Option<ProofName>,
    /// Against what the first password was checked; all zero where the session began after it.
    pub(crate) checked_against: CheckedAgainst,
}

/// A short keyed digest of an account and its password hash.
pub(crate) type CheckedAgainst = [u8; 8];

/// What the last question of a login asks for, for doors that lead through more than a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asked {
    /// A password or code.
    Proof,
    /// Whether to register now; a temporary code may be the answer.
    Invitation,
    /// A step of a registration whose answer is no secret.
    Step,
    /// A command on the own account: the first, or one after another that was carried out.
    Command,
    /// A command on the own account, after another that was not carried out.
    CommandAgain,
}

impl Session {
    /// What its question asks for.
    #[must_use]
    pub const fn asked(&self) -> Asked {
        match &self.stage {
            Stage::Password | Stage::Second(_) => Asked::Proof,
            Stage::Invited(_) => Asked::Invitation,
            Stage::Setup(setup) => setup.asked(),
            Stage::Manage(manage) => manage.asked(),
        }
    }

    /// Whether a question for the second proof has been put in it.
    pub(crate) fn began_asking(&self) -> bool {
        self.checked_against != CheckedAgainst::default()
    }

    /// A login that begins now and has not been asked anything.
    pub(crate) fn begin(id: AttemptId, now: UnixTime) -> Self {
        Self {
            id: *id.as_bytes(),
            stage: Stage::Password,
            unchecked: Unchecked::default(),
            began_at: now,
            rounds: 0,
            guesses: 0,
            wish: Wish::SignIn,
            proof: None,
            checked_against: CheckedAgainst::default(),
        }
    }

    /// What is known of the first password.
    pub(crate) const fn primary(&self) -> PrimaryResult {
        match &self.stage {
            Stage::Password => PrimaryResult::NotAsked,
            Stage::Second(primary) | Stage::Invited(primary) => *primary,
            Stage::Setup(setup) => setup.primary,
            Stage::Manage(manage) => manage.primary,
        }
    }

    /// The attempt's id, which stands in every record of it.
    #[must_use]
    pub fn attempt(&self) -> AttemptId {
        AttemptId::from_bytes(self.id)
    }

    /// When it began.
    #[must_use]
    pub fn began_at(&self) -> UnixTime {
        self.began_at
    }

    /// When it can no longer be answered.
    #[must_use]
    pub fn expires_at(&self) -> UnixTime {
        let seconds = match self.stage {
            Stage::Password | Stage::Second(_) | Stage::Invited(_) => limits::SESSION_SECONDS,
            Stage::Setup(_) | Stage::Manage(_) => limits::SETUP_SECONDS,
        };
        self.began_at.plus_seconds(seconds)
    }

    /// How many questions may still be put in it.
    pub(crate) const fn rounds_left(&self) -> u8 {
        self.rounds_max().saturating_sub(self.rounds)
    }

    /// Whether no further question may be put in it.
    pub(crate) const fn is_last_round(&self) -> bool {
        self.rounds >= self.rounds_max()
    }

    /// How often it may be asked anything.
    pub(crate) const fn rounds_max(&self) -> u8 {
        match self.stage {
            Stage::Password | Stage::Second(_) | Stage::Invited(_) => limits::ROUNDS_MAX,
            Stage::Setup(_) | Stage::Manage(_) => limits::SETUP_ROUNDS_MAX,
        }
    }

    /// Seals it for carriage by somebody else, bound to a client and a typed name. [`SEALED_OCTETS`] long.
    pub fn seal(
        &self,
        keys: &KeyRing,
        random: &dyn Random,
        client: &str,
        typed: &str,
    ) -> Result<Vec<u8>, KeyError> {
        let key = keys.derive(keys.newest(), purpose_at(self.began_at))?;
        let mut plain = postcard::to_allocvec(self).map_err(|_| KeyError::DoesNotSeal)?;
        let length = u8::try_from(plain.len()).map_err(|_| KeyError::DoesNotSeal)?;
        plain.insert(0, length);
        if plain.len() > PLAIN_OCTETS {
            return Err(KeyError::DoesNotSeal);
        }
        plain.resize(PLAIN_OCTETS, 0);
        let plain = Secret::new(plain);
        encrypt(random, &key, &binding(client, typed), plain.expose())
    }

    /// Opens what [`Session::seal`] made for the same client and name. Keys live for two days.
    pub fn open(
        keys: &KeyRing,
        now: UnixTime,
        client: &str,
        typed: &str,
        sealed: &[u8],
    ) -> Result<Self, KeyError> {
        if sealed.len() != SEALED_OCTETS {
            return Err(KeyError::DoesNotOpen);
        }
        let aad = binding(client, typed);
        // A server whose clock is ahead may have sealed it tomorrow.
        let ahead = now.plus_seconds(limits::CLOCK_DIFFERENCE_SECONDS);
        let days = [now, ahead, now.minus_seconds(SECONDS_OF_DAY)];
        let opened = keys.ids().find_map(|id| {
            days.iter().find_map(|day| {
                let key = keys.derive(id, purpose_at(*day)).ok()?;
                decrypt(&key, &aad, sealed).ok().map(Secret::new)
            })
        });
        let plain = opened.ok_or(KeyError::DoesNotOpen)?;
        let (length, rest) = plain.expose().split_first().ok_or(KeyError::DoesNotOpen)?;
        let body = rest.get(..usize::from(*length)).ok_or(KeyError::DoesNotOpen)?;
        postcard::from_bytes(body).map_err(|_| KeyError::DoesNotOpen)
    }
}

fn purpose_at(moment: UnixTime) -> Purpose {
    Purpose::Session { day: moment.seconds().checked_div(SECONDS_OF_DAY).unwrap_or(0) }
}

/// No two pairs of client and name give the same binding: the length of the first is in it.
fn binding(client: &str, typed: &str) -> Vec<u8> {
    let mut octets = client.len().to_be_bytes().to_vec();
    octets.extend_from_slice(client.as_bytes());
    octets.extend_from_slice(typed.as_bytes());
    octets
}
