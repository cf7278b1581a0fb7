//! What a command has to say, in two forms: text for people, JSON for programs.

use serde::Serialize;
use zeroize::Zeroizing;

/// Something that a command found out or did. Its JSON shape is part of the interface.
pub(crate) trait Report: Serialize {
    /// The same for people; it ends with a line feed.
    fn text(&self) -> String;
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
            Self::Text => report.text(),
            Self::Json => format!("{}\n", *Zeroizing::new(serde_json::to_string(report)?)),
        };
        Ok(Zeroizing::new(text))
    }
}
