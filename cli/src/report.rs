//! What a command has to say, in two forms: text for people, JSON for programs.

use assembly::audit::is_invisible;
use serde::Serialize;
use zeroize::Zeroizing;

/// Something that a command found out or did. Its JSON shape is part of the interface.
pub(crate) trait Report: Serialize {
    /// The same for people; it ends with a line feed.
    fn text(&self) -> String;

    /// Whether the text is drawn with colours.
    fn drawing(&self) -> Drawing {
        Drawing::Plain
    }
}

/// What a text for people may have besides letters and line feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drawing {
    /// Nothing: whatever directs a terminal came from a stranger.
    Plain,
    /// Colours of our own.
    Coloured,
}

/// The form that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// For programs: one line of JSON for each report.
    Json,
}

impl Form {
    /// The report in this form; it ends with a line feed.
    /// It may hold a secret that is given out, so it is wiped.
    pub(crate) fn render(self, report: &impl Report) -> Result<Zeroizing<String>, serde_json::Error> {
        let text = match self {
            Self::Text => {
                let text = Zeroizing::new(report.text());
                let is_ours = |c| c == '\t' || c == '\x1b' && report.drawing() == Drawing::Coloured;
                unhidden(&text, |c| if is_ours(c) { c.to_string() } else { c.escape_unicode().to_string() })
            }
            Self::Json => {
                let mut line = Zeroizing::new(serde_json::to_string(report)?);
                line.push('\n');
                json(&line)
            }
        };
        Ok(Zeroizing::new(text))
    }
}

/// Lines that others had a say in, fit for a terminal: nothing in them hides itself or turns the reading direction round.
pub(crate) fn harmless(text: &str) -> String {
    unhidden(text, |c| c.escape_unicode().to_string())
}

/// JSON with all that cannot be seen as `\uXXXX`, which says the same. `serde_json` leaves such characters only in strings.
pub(crate) fn json(text: &str) -> String {
    unhidden(text, |c| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect())
}

fn unhidden(text: &str, shown: impl Fn(char) -> String) -> String {
    // Room for all of it, so that no secret is left behind where the text grew; what is hidden is rare.
    let mut whole = String::with_capacity(text.len().saturating_mul(2));
    for character in text.chars() {
        if character != '\n' && is_invisible(character) {
            whole.push_str(&shown(character));
        } else {
            whole.push(character);
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::{Drawing, Form, Report, harmless};

    #[derive(Serialize)]
    #[serde(transparent)]
    struct Said(String, #[serde(skip)] Drawing);

    impl Report for Said {
        fn text(&self) -> String {
            self.0.clone()
        }

        fn drawing(&self) -> Drawing {
            self.1
        }
    }

    #[test]
    fn what_hides_or_directs_is_shown_in_either_form() {
        let text = "a\u{202e}\u{1b}[2J\u{e0041}\n";
        let said = |drawing| Said(text.to_owned(), drawing);
        let shown = |form: Form, drawing| form.render(&said(drawing)).unwrap().to_string();
        assert_eq!(shown(Form::Text, Drawing::Plain), "a\\u{202e}\\u{1b}[2J\\u{e0041}\n");
        assert_eq!(shown(Form::Text, Drawing::Coloured), "a\\u{202e}\u{1b}[2J\\u{e0041}\n");
        assert_eq!(harmless(text), shown(Form::Text, Drawing::Plain));
        let json = shown(Form::Json, Drawing::Plain);
        assert!(json.contains("a\\u202e\\u001b[2J\\udb40\\udc41\\n"), "{json}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), serde_json::json!(text));
    }
}
