//! What somebody can have or be: proofs, and conditions that others decide on.

use std::collections::BTreeSet;

/// One thing that somebody has, or that is so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Atom {
    /// The password of the system or of a directory, that `pam_unix.so` and its like ask for.
    Password,
    /// The password that Countersign itself checks.
    OwnPassword,
    /// A key or another method of sshd, before PAM is asked.
    Key,
    /// A code or another second proof of Countersign.
    Code,
    /// An app password of Countersign, good for the service.
    AppPassword,
    /// A second proof that another module asks for.
    OtherSecond(String),
    /// Whatever a module asks for that we do not know.
    Unknown(String),
    /// The rights of root, in the calling program.
    Root,
    /// No second step is asked of the user: state `disabled`, a rule with `skip`, a deadline that has not passed.
    NotAsked,
    /// The account of the system has an empty password.
    EmptyPassword,
    /// A module says yes to who somebody is, where they come from or what they are member of.
    Condition(String),
}

/// What one login has.
pub type World = BTreeSet<Atom>;

impl Atom {
    /// In words, as in "a code alone".
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Password => "the system's password".to_owned(),
            Self::OwnPassword => "the password".to_owned(),
            Self::Key => "a key".to_owned(),
            Self::Code => "a code".to_owned(),
            Self::AppPassword => "an app password".to_owned(),
            Self::OtherSecond(module) => format!("the second proof of {module}"),
            Self::Unknown(module) => format!("what {module} asks for"),
            Self::Root => "the rights of root".to_owned(),
            Self::NotAsked => "no second step being asked of the user".to_owned(),
            Self::EmptyPassword => "an empty password".to_owned(),
            Self::Condition(said) => format!("{said:?} being so"),
        }
    }

    /// For programs.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Password => "password".to_owned(),
            Self::OwnPassword => "own-password".to_owned(),
            Self::Key => "key".to_owned(),
            Self::Code => "code".to_owned(),
            Self::AppPassword => "app-password".to_owned(),
            Self::OtherSecond(module) | Self::Unknown(module) => module.clone(),
            Self::Root => "root".to_owned(),
            Self::NotAsked => "no-second-step-asked".to_owned(),
            Self::EmptyPassword => "empty-password".to_owned(),
            Self::Condition(said) => format!("condition:{said}"),
        }
    }

    fn is_first(&self) -> bool {
        matches!(
            self,
            Self::Password
                | Self::OwnPassword
                | Self::Key
                | Self::AppPassword
                | Self::Root
                | Self::Unknown(_)
        )
    }

    fn is_second(&self) -> bool {
        matches!(self, Self::Code | Self::AppPassword | Self::OtherSecond(_) | Self::Root)
    }
}

/// How much a set of proofs is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// A first and a second proof, or what is meant to stand for both.
    Both,
    /// A first one, of somebody of whom no second step is asked.
    FirstOfExempt,
    /// A second proof, and nothing that vouches for the first.
    SecondAlone,
    /// A first proof alone, of somebody of whom both are asked.
    FirstAlone,
    /// Nothing of somebody of whom no second step is asked.
    NothingOfExempt,
    /// Nothing.
    Nothing,
}

/// How much these are.
#[must_use]
pub fn strength(world: &World) -> Strength {
    let first = world.iter().any(Atom::is_first);
    let second = world.iter().any(Atom::is_second);
    let is_exempt = world.contains(&Atom::NotAsked);
    match (first, second) {
        (true, true) => Strength::Both,
        (false, true) => Strength::SecondAlone,
        (true, false) if is_exempt => Strength::FirstOfExempt,
        (true, false) => Strength::FirstAlone,
        (false, false) if is_exempt => Strength::NothingOfExempt,
        (false, false) => Strength::Nothing,
    }
}

/// A set in words: "the password and a code", "a key alone", "nothing".
#[must_use]
pub fn in_words(world: &World) -> String {
    let is_proof = |atom: &&Atom| !matches!(atom, Atom::NotAsked | Atom::Condition(_));
    let proofs: Vec<String> = world.iter().filter(is_proof).map(Atom::words).collect();
    let conditions: Vec<String> =
        world.iter().filter(|atom| !is_proof(atom)).map(|atom| format!(", with {}", atom.words())).collect();
    let said = match proofs.as_slice() {
        [] => "nothing".to_owned(),
        [one] => format!("{one} alone"),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    };
    format!("{said}{}", conditions.concat())
}
