//! Shows findings to people: the line, a caret under the place, what is allowed.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::finding::{Finding, Severity};

/// Whether the text may hold colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// For a terminal.
    Terminal,
    /// For everything else.
    Plain,
}

impl Finding {
    /// The finding with its line and a caret, for people.
    #[must_use]
    pub fn render(&self, colour: Colour) -> String {
        let renderer = match colour {
            Colour::Terminal => Renderer::styled(),
            Colour::Plain => Renderer::plain(),
        };
        renderer.render(&[self.group()])
    }

    fn group(&self) -> Group<'_> {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mark = AnnotationKind::Primary.span(self.shown.marked.clone());
        let label = self.allowed.as_ref().map(|allowed| format!("allowed: {allowed}"));
        let snippet = Snippet::source(self.shown.text.as_str())
            .line_start(self.line)
            .path(self.file.to_string_lossy())
            .annotation(mark.label(label));
        let group = level.primary_title(self.message.as_str()).element(snippet);
        match &self.help {
            Some(help) => group.element(Level::HELP.message(help.as_str())),
            None => group,
        }
    }
}

/// Several findings, an empty line between them.
pub(crate) fn render_findings(findings: &[Finding], colour: Colour) -> String {
    let mut text = String::new();
    for finding in findings {
        text.push_str(&finding.render(colour));
        text.push_str("\n\n");
    }
    text
}
