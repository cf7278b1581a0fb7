//! Errors as people read them.

use std::error::Error;

/// An error and its causes, in one line for a log or a terminal.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // An error that repeats its cause need not be read twice.
        if !sentence.ends_with(&text) {
            sentence = format!("{sentence}: {text}");
        }
        cause = error.source();
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::with_causes;
    use crate::ports::{StoreError, StoreTrouble};

    #[test]
    fn an_error_is_told_with_its_causes_and_none_of_them_twice() {
        let source = std::io::Error::other("the disk does not answer");
        let error = StoreError::Unavailable {
            operation: "reading".to_owned(),
            trouble: StoreTrouble::Other,
            source: Box::new(source),
        };
        assert_eq!(with_causes(&error).matches("the disk does not answer").count(), 1);
        assert!(with_causes(&error).ends_with(": the disk does not answer"), "{}", with_causes(&error));
    }
}
