//! What becomes of the deadline by which somebody has to register.

use crate::UnixTime;
use crate::account::Deadline;

/// What becomes of a deadline. What is left out stays as the account, else the policy, has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadlineChange {
    /// Of the moment.
    pub by: Limit<UnixTime>,
    /// Of the sign-ins.
    pub sign_ins: Limit<u32>,
}

/// What becomes of one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit<T> {
    /// It stays.
    Kept,
    /// There is none any more.
    Lifted,
    /// It is this.
    Set(T),
}

impl DeadlineChange {
    /// Nothing changes.
    pub const KEPT: Self = Self { by: Limit::Kept, sign_ins: Limit::Kept };

    /// What comes of a deadline by it.
    pub(super) fn over(self, before: Option<Deadline>) -> Option<Deadline> {
        if self == Self::KEPT {
            return before;
        }
        let Deadline { by, sign_ins } = before.unwrap_or_default();
        Some(Deadline { by: self.by.over(by), sign_ins: self.sign_ins.over(sign_ins) })
    }
}

impl<T> Limit<T> {
    /// The same of what is meant by it.
    pub fn map<U>(self, meant: impl FnOnce(T) -> U) -> Limit<U> {
        match self {
            Self::Kept => Limit::Kept,
            Self::Lifted => Limit::Lifted,
            Self::Set(limit) => Limit::Set(meant(limit)),
        }
    }

    fn over(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Kept => before,
            Self::Lifted => None,
            Self::Set(limit) => Some(limit),
        }
    }
}

/// Both limits of a deadline together; none leaves all as it is.
impl From<Option<Deadline>> for DeadlineChange {
    fn from(deadline: Option<Deadline>) -> Self {
        let Some(Deadline { by, sign_ins }) = deadline else { return Self::KEPT };
        Self {
            by: by.map_or(Limit::Lifted, Limit::Set),
            sign_ins: sign_ins.map_or(Limit::Lifted, Limit::Set),
        }
    }
}
