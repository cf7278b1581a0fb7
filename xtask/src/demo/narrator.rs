//! Shows what was typed, what was answered and whether that is right; plain text where nobody looks at a terminal.

use std::env;
use std::io::{self, IsTerminal};
use std::time::Instant;

use test_ground::Failure;

use crate::problem::Problem;

const BOLD: &str = "1";
const DIM: &str = "2";
const GREEN: &str = "32";
const RED: &str = "31";

/// Tells the story on standard output.
pub(super) struct Narrator {
    colours: Colours,
    chapter: u32,
    /// When the chapter began.
    begun: Instant,
    checks: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Colours {
    Shown,
    Left,
}

impl Narrator {
    pub(super) fn new() -> Self {
        let is_dumb = env::var("TERM").map_or(true, |kind| kind == "dumb");
        let colours = if io::stdout().is_terminal() && !is_dumb { Colours::Shown } else { Colours::Left };
        Self { colours, chapter: 0, begun: Instant::now(), checks: 0 }
    }

    /// A new chapter.
    pub(super) fn chapter(&mut self, title: &str) {
        self.chapter = self.chapter.saturating_add(1);
        self.begun = Instant::now();
        println!("\n{}", self.in_colour(BOLD, &format!("{}. {title}", self.chapter)));
    }

    /// A command line: `#` before root's, `$` before everybody else's.
    pub(super) fn typed(&self, line: &str) {
        println!("   {}", self.in_colour(BOLD, line));
    }

    /// What a program has said, line by line.
    pub(super) fn answered(&self, text: &str) {
        let text = match self.colours {
            Colours::Shown => text.to_owned(),
            Colours::Left => without_colours(text),
        };
        for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
            println!("   {} {line}", self.in_colour(DIM, "│"));
        }
    }

    /// Something to know before the next chapter.
    pub(super) fn aside(&self, text: &str) {
        println!("\n   {}", self.in_colour(DIM, text));
    }

    /// A question, and the answer that was typed to it without being shown.
    pub(super) fn asked(&self, question: &str, answer: &str) {
        let shown = format!("{}{}", question.trim_start(), self.in_colour(DIM, &format!("‹{answer}›")));
        self.answered(&shown);
    }

    /// Something that is as it should be, or the failure that it is not.
    pub(super) fn check(&mut self, is_so: bool, what: &str, seen: &str) -> Result<(), Failure> {
        if !is_so {
            let found = format!("not so: {what}; seen was: {seen}");
            return Err(Failure::Unreadable { what: "the demonstration", found });
        }
        self.done(what);
        Ok(())
    }

    /// Something that could not have come to its end otherwise.
    pub(super) fn done(&mut self, what: &str) {
        self.checks = self.checks.saturating_add(1);
        let seconds = self.begun.elapsed().as_secs_f32();
        println!(
            "   {} {what} {}",
            self.in_colour(GREEN, "✓"),
            self.in_colour(DIM, &format!("({seconds:.1} s)"))
        );
    }

    /// The last word when all went well.
    pub(super) fn closing(&self) {
        let text = format!("All {} checks passed.", self.checks);
        println!("\n{}", self.in_colour(GREEN, &text));
    }

    /// The last word when something did not.
    pub(super) fn broken(&self, problem: &Problem) {
        println!("   {} {problem:?}", self.in_colour(RED, "✗"));
    }

    fn in_colour(&self, colour: &str, text: &str) -> String {
        match self.colours {
            Colours::Shown => format!("\x1b[{colour}m{text}\x1b[0m"),
            Colours::Left => text.to_owned(),
        }
    }
}

/// Without the escape sequences that set colours (`ESC [ … m`).
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').map_or(part, |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::without_colours;

    #[test]
    fn colours_are_left_out() {
        assert_eq!(without_colours("\x1b[0;97;40m██\x1b[0m\nmm"), "██\nmm");
    }
}
