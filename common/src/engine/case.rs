//! Whom an attempt is about, and what is loaded for it.

use crate::account::{Account, Factor, FactorKind, PasswordHash, State};
use crate::engine::ledger::Round;
use crate::engine::{Engine, Trouble};
use crate::keys::{KeyRing, Sealed};
use crate::login::Subject;
use crate::ports::{Identity, Loaded, Random, Stored};
use crate::session::Session;
use crate::throttle::Tracks;
use crate::totp::TotpParameters;
use crate::{AccountId, Attempt, FactorId, Place, PrimaryMode, Secret, UnixTime, Username};

/// Octets of the secret of [`decoy`]: as many as an authenticator app's.
const DECOY_SECRET_OCTETS: usize = 20;

/// Whom an attempt is about, and what was loaded for it.
pub(super) struct Case {
    pub(super) subject: Subject,
    pub(super) loaded: Box<Loaded>,
    /// The account of [`crate::Parties::target`].
    pub(super) target: Option<Box<Account>>,
    pub(super) tracks: Tracks,
    pub(super) now: UnixTime,
}

impl Case {
    /// Which account and hash a password is checked against.
    pub(super) fn checked_against(&self) -> Option<(AccountId, Option<PasswordHash>)> {
        let account = self.loaded.account.as_ref()?;
        Some((account.id, account.password_hash.clone()))
    }

    /// The name, where what was typed is one.
    pub(super) const fn name(&self) -> Option<&Username> {
        match &self.subject {
            Subject::Known(name) | Subject::Unknown(name) => Some(name),
            Subject::NotAName => None,
        }
    }
}

impl Engine {
    /// Loads both halves of the account and finds out whom the attempt is about.
    pub(super) fn load(
        &self,
        attempt: &Attempt,
        session: &Session,
        round: &mut Round,
    ) -> Result<Case, Trouble> {
        let now = self.now();
        let typed = Username::parse(attempt.typed.as_str()).ok();
        let Some(typed) = typed.map(|name| self.parts.policy.folding.fold(&name)) else {
            let tracks = Tracks::new(self.keys(), attempt.typed.as_str(), attempt)?;
            return Ok(Case {
                subject: Subject::NotAName,
                loaded: Box::default(),
                target: None,
                tracks,
                now,
            });
        };
        let (loaded, tracks) = self.load_name(attempt, session, &typed, round)?;
        self.tell_of_rollback(attempt, now);
        let stored = if loaded.account.is_some() { Stored::Yes } else { Stored::No };
        let canonical = match self.identify(attempt, &typed, stored) {
            // A directory may give back capitals that the realm folds.
            Identity::Known(name) => self.parts.policy.folding.fold(&name),
            Identity::Unknown => {
                return Ok(Case { subject: Subject::Unknown(typed), loaded, target: None, tracks, now });
            }
            Identity::Unavailable => return Err(Trouble::Names),
        };
        let (loaded, tracks) = match canonical == typed {
            true => (loaded, tracks),
            false => self.load_name(attempt, session, &canonical, round)?,
        };
        let target = self.load_target(attempt, session)?;
        Ok(Case { subject: Subject::Known(canonical), loaded, target, tracks, now })
    }

    fn load_target(&self, attempt: &Attempt, session: &Session) -> Result<Option<Box<Account>>, Trouble> {
        let name = attempt.parties.target.as_deref().and_then(|name| Username::parse(name).ok());
        let Some(name) = name.map(|name| self.parts.policy.folding.fold(&name)) else { return Ok(None) };
        Ok(self.load_name(attempt, session, &name, &mut Round::default())?.0.account.map(Box::new))
    }

    fn load_name(
        &self,
        attempt: &Attempt,
        session: &Session,
        name: &Username,
        round: &mut Round,
    ) -> Result<(Box<Loaded>, Tracks), Trouble> {
        let tracks = Tracks::new(self.keys(), name.as_str(), attempt)?;
        let ledger = self.ledger(attempt, Some(name));
        let loaded = ledger.load(name, &tracks.lane, session.attempt(), round, self.now())?;
        Ok((Box::new(loaded), tracks))
    }

    fn identify(&self, attempt: &Attempt, name: &Username, stored: Stored) -> Identity {
        match (&attempt.place, attempt.primary) {
            // Behind RADIUS there is no other module: whoever answers for passwords knows the names.
            (Place::Client(_), _) | (_, PrimaryMode::Own) => self.parts.primary.identify(name, stored),
            (_, PrimaryMode::Stack | PrimaryMode::Failed | PrimaryMode::None) => {
                let told = attempt.identity.as_ref().filter(|_| attempt.typed.as_str() == name.as_str());
                told.cloned().unwrap_or_else(|| self.parts.names.identify(name, stored))
            }
        }
    }
}

/// An account of nobody with one token of each kind, which no code of anybody can be right for.
pub(super) fn decoy(keys: &KeyRing, random: &dyn Random) -> Option<Account> {
    let id = AccountId::generate(random);
    let begun = UnixTime::default();
    let mut account = Account::new(id, Username::parse("nobody").ok()?, State::Enforced, begun);
    let by_time = |secret| FactorKind::Totp { parameters: TotpParameters::default(), secret, drift: 0 };
    let by_counter = |secret| FactorKind::Hotp { digits: 6, secret, counter: 0 };
    let kinds: [&dyn Fn(Sealed) -> FactorKind; 2] = [&by_time, &by_counter];
    for kind in kinds {
        let factor = FactorId::generate(random);
        let mut secret = vec![0; DECOY_SECRET_OCTETS];
        random.fill(&mut secret);
        let secret = keys.seal(random, id, &Factor::secret_field(factor), &Secret::new(secret)).ok()?;
        account.factors.push(Factor {
            id: factor,
            label: String::new(),
            kind: kind(secret),
            added_at: begun,
        });
    }
    Some(account)
}
