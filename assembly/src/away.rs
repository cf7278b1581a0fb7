//! In place of a store that could not be opened: it answers everything with why that was.

use common::bundle::{Bundle, Outcome};
use common::lane::LaneKey;
use common::ports::{Loaded, Store, StoreError};
use common::throttle::{Count, Seen};
use common::{AttemptId, Username};
use store::Trouble;

/// Why there is no store.
pub(crate) struct Away {
    trouble: Trouble,
    sentence: String,
}

/// The same once more.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Before(String);

impl Away {
    pub(crate) fn because(error: &StoreError) -> Self {
        let mut sentence = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            sentence = format!("{sentence}: {error}");
            cause = error.source();
        }
        Self { trouble: Trouble::of(error), sentence }
    }

    fn answer<T>(&self) -> Result<T, StoreError> {
        let source = Box::new(Before(self.sentence.clone()));
        Err(match self.trouble {
            Trouble::Damaged => StoreError::Damaged { what: self.sentence.clone(), source: Some(source) },
            trouble => StoreError::Unavailable {
                operation: "opening the store".to_owned(),
                trouble: trouble.through_the_port(),
                source,
            },
        })
    }
}

impl Store for Away {
    fn load(&self, _: &Username, _: &LaneKey, _: Option<AttemptId>) -> Result<Loaded, StoreError> {
        self.answer()
    }

    fn count(&self, _: &Count) -> Result<Seen, StoreError> {
        self.answer()
    }

    fn sign_ins(&self, _: &Username, _: u32) -> Result<Vec<common::login::SignIn>, StoreError> {
        self.answer()
    }

    fn commit(&self, _: &[Bundle]) -> Result<Vec<Outcome>, StoreError> {
        self.answer()
    }
}
