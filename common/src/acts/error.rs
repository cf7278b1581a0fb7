//! Why an act was refused, and what to do instead.

use crate::address::Address;
use crate::id::{AppPasswordId, ContactId, FactorId};
use crate::keys::KeyError;
use crate::number_rules::NumberRefused;
use crate::ports::StoreError;
use crate::totp::TotpError;
use crate::{Username, limits};

/// Why an act was refused. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// There is no such account.
    #[error("there is no account '{0}': make one with 'countersign user add {0}'")]
    NoSuchAccount(Username),
    /// The name is taken.
    #[error("there is an account '{0}' already")]
    NameTaken(Username),
    /// There is no such factor.
    #[error("the account has no factor {0}: 'countersign user show' lists them")]
    NoSuchFactor(FactorId),
    /// There is no such app password.
    #[error("the account has no app password {0}: 'countersign app-password list' lists them")]
    NoSuchAppPassword(AppPasswordId),
    /// There is no such contact.
    #[error("the account has no contact {0}: 'countersign contact list' lists them")]
    NoSuchContact(ContactId),
    /// Nothing to revoke.
    #[error("the account has no temporary code")]
    NoTemporaryCode,
    /// Too many factors.
    #[error("the account has {} factors already, which is the limit: remove one first", limits::FACTORS_MAX)]
    TooManyFactors,
    /// Too many app passwords.
    #[error(
        "the account has {} app passwords already, which is the limit: revoke one first",
        limits::APP_PASSWORDS_MAX
    )]
    TooManyAppPasswords,
    /// Too many contacts.
    #[error(
        "the account has {} contacts already, which is the limit: remove one first",
        limits::CONTACTS_MAX
    )]
    TooManyContacts,
    /// The account has this secret already.
    #[error("the account has a factor with this secret already: one code would work twice")]
    SecretKnown,
    /// A factor that a file would bring to somebody of whom an administrator has demanded to begin anew.
    #[error(
        "{0} must register again, and no file brings a factor to them: take the factors that are new here out of the file, \
         let {0} register, or register one with 'countersign enroll {0}'"
    )]
    MustRegister(Username),
    /// A label that no file can carry.
    #[error("the label of factor {0} cannot be written: give it another one with 'countersign factor label'")]
    UnusableLabel(FactorId),
    /// The account has this number or address already.
    #[error("the account has {} already", .0.masked())]
    AddressKnown(Address),
    /// A number that the site does not send to.
    #[error(transparent)]
    NumberRefused(#[from] NumberRefused),
    /// An app password that is good nowhere.
    #[error("an app password needs at least one service or client where it is good")]
    EmptyScope,
    /// A reset of nothing.
    #[error(
        "a reset needs at least one of: registration again, app passwords deleted, remembered devices forgotten"
    )]
    EmptyReset,
    /// A temporary code that would live too long, or not at all.
    #[error("a temporary code is good for at least one second and at most {} days", limits::TEMPORARY_CODE_SECONDS_MAX / 86_400)]
    TemporaryCodeLife,
    /// An end that has passed.
    #[error("that moment has passed already")]
    Past,
    /// The code that should prove the factor is not of this secret at this time.
    #[error(
        "the code does not belong to this secret at this time: check the clock of the phone and try the next code"
    )]
    WrongCode,
    /// Two codes that should follow each other.
    #[error(
        "these are not two codes in a row of this token, as far as was looked: let it show two new codes, one right after \
         the other, and type them in that order"
    )]
    WrongCodes,
    /// The code is from before the floor, as after a restore, or is used up.
    #[error(
        "the code was used already, or is from a time that the store refuses, as just after a restore: wait for the next one"
    )]
    CodeRefused,
    /// A factor without a counter or clock of its own.
    #[error("factor {0} has neither clock nor counter: codes are sent to it")]
    NotAToken(FactorId),
    /// The secret or its parameters cannot be used.
    #[error(transparent)]
    Totp(#[from] TotpError),
    /// The key file does not serve.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store does not serve.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others changed the account each time.
    #[error("the account was changed by others each time this was tried: try again")]
    TooManyRaces,
}
