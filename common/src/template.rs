//! Texts with placeholders, such as `{code} is your code`. Who fills one in says how each value has to be escaped for the
//! place where it will stand. A brace that opens no placeholder is a brace: JSON needs no doubling.

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template<P> {
    pieces: Vec<Piece<P>>,
    written: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece<P> {
    Literal(String),
    Value(P),
}

/// A list of placeholders.
pub trait Placeholder: Copy + PartialEq + 'static {
    /// All of them.
    const ALL: &'static [Self];

    /// The word between the braces: lower-case letters and hyphens.
    fn word(self) -> &'static str;
}

/// A word in braces that is no placeholder here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no placeholder {{{word}}} here")]
pub struct UnknownPlaceholder {
    /// The word.
    pub word: String,
}

impl<P: Placeholder> Template<P> {
    /// Reads a text. `{word}` of lower-case letters and hyphens is a placeholder, or a mistake; other braces are braces.
    pub fn parse(text: &str) -> Result<Self, UnknownPlaceholder> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            literal.push_str(before);
            rest = after;
            let Some((word, behind)) = after.split_once('}').filter(|(word, _)| is_word(word)) else {
                literal.push('{');
                continue;
            };
            let known = P::ALL.iter().copied().find(|it| it.word() == word);
            let value = known.ok_or_else(|| UnknownPlaceholder { word: word.to_owned() })?;
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Value(value));
            rest = behind;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self { pieces, written: text.to_owned() })
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether a placeholder stands in it.
    #[must_use]
    pub fn has(&self, placeholder: P) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Value(value) if *value == placeholder))
    }

    /// What it starts with before the first placeholder.
    #[must_use]
    pub fn beginning(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Literal(text)) => text,
            Some(Piece::Value(_)) | None => "",
        }
    }

    /// Fills it in: `put` appends a value to the text, escaped for its place.
    pub fn fill(&self, mut put: impl FnMut(P, &mut String)) -> String {
        // Room for all of it at once: a text that grows leaves pieces of a code behind in memory.
        let mut filled = String::with_capacity(self.written.len().saturating_add(FILLED_OCTETS));
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => filled.push_str(text),
                Piece::Value(value) => put(*value, &mut filled),
            }
        }
        filled
    }
}

/// Octets that values usually have at most.
const FILLED_OCTETS: usize = 2048;

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'-')
}

#[cfg(test)]
mod tests {
    use super::{Placeholder, Template};

    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Word {
        To,
        Text,
    }

    impl Placeholder for Word {
        const ALL: &'static [Self] = &[Self::To, Self::Text];

        fn word(self) -> &'static str {
            match self {
                Self::To => "to",
                Self::Text => "text",
            }
        }
    }

    fn filled(text: &str) -> String {
        Template::<Word>::parse(text).unwrap().fill(|word, out| out.push_str(&word.word().to_uppercase()))
    }

    #[test]
    fn placeholders_are_filled_in_and_other_braces_stay() {
        assert_eq!(filled("a {to} b {text}{to}"), "a TO b TEXTTO");
        assert_eq!(
            filled(r#"{"to": "{to}", "nested": {"text":"{text}"}, "empty": {}}"#),
            r#"{"to": "TO", "nested": {"text":"TEXT"}, "empty": {}}"#
        );
        assert_eq!(filled("{ to } {To} {{to}} {to"), "{ to } {To} {TO} {to");
        assert_eq!(filled(""), "");
    }

    #[test]
    fn a_misspelt_placeholder_is_a_mistake() {
        assert_eq!(Template::<Word>::parse("{too}").unwrap_err().word, "too");
    }

    #[test]
    fn a_value_is_never_read_as_a_template() {
        let template = Template::<Word>::parse("{to}").unwrap();
        assert_eq!(template.fill(|_, out| out.push_str("{text}")), "{text}");
    }
}
