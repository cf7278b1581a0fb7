//! The lines of a PAM file, as libpam takes them to pieces (pam.conf(5)): comments, lines that go on behind a backslash,
//! words in brackets. Debian's `@include` too. No input is refused: what libpam cannot read is a line that says no.

use super::control::Actions;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Facility {
    /// Who somebody is.
    Auth,
    /// Whether they may.
    Account,
    /// What surrounds a session.
    Session,
    /// Changes of a password.
    Password,
}

/// One line, joined with those that go on from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The number of its first physical line, from 1.
    pub number: u32,
    /// The line as it stands, with single spaces.
    pub text: String,
    /// What it says.
    pub entry: Entry,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// `@include FILE`: the lines of another file, of every kind.
    IncludeAll(String),
    /// A line of a stack.
    Rule(Rule),
    /// The last line of the file would go on: libpam reads nothing of the service then.
    Unfinished,
}

/// A line of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it is about; none where the word is no such word, which libpam takes for `auth`, and refuses.
    pub facility: Option<Facility>,
    /// What becomes of what its module says.
    pub control: Control,
    /// The module, or the file of `include` and `substack`; none where the line ends too early.
    pub target: Option<String>,
    /// What stands behind it.
    pub arguments: Vec<String>,
    /// Why the line cannot be read, where it cannot.
    pub broken: Option<&'static str>,
}

/// The second word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// What is done about each return value.
    Actions(Actions),
    /// The lines of another file, in this place.
    Include,
    /// The same, as a stack of its own.
    Substack,
}

/// All lines of a file of /etc/pam.d.
#[must_use]
pub fn lines(text: &str) -> Vec<Line> {
    joined(text).into_iter().filter_map(|(number, line)| of_words(number, &line)).collect()
}

/// The lines of /etc/pam.conf that are for this service; they begin with its name.
#[must_use]
pub fn lines_for(text: &str, service: &str) -> Vec<Line> {
    let own = joined(text).into_iter().filter_map(|(number, line)| {
        let (first, rest) = token(&line)?;
        first.eq_ignore_ascii_case(service).then_some((number, rest.to_owned()))
    });
    own.filter_map(|(number, line)| of_words(number, &line)).collect()
}

/// The mark of a last line that would go on: a line feed, which no line has.
const UNFINISHED: char = '\n';

/// Lines without comments, with those that go on put together. A comment ends a line, also one that would go on.
fn joined(text: &str) -> Vec<(u32, String)> {
    let mut lines = Vec::new();
    let mut begun: Option<(u32, String)> = None;
    for (number, physical) in (1_u32..).zip(text.split('\n')) {
        let physical = physical.trim_start_matches(is_space);
        if physical.is_empty() || physical.starts_with('#') {
            continue;
        }
        let (first, mut line) = begun.take().unwrap_or((number, String::new()));
        let uncommented = physical.split('#').next().unwrap_or_default();
        let has_comment = uncommented.len() < physical.len();
        match uncommented.trim_end_matches(is_space).strip_suffix('\\') {
            Some(start) if !has_comment => {
                line.push_str(start);
                line.push(' ');
                begun = Some((first, line));
            }
            Some(_) | None => {
                line.push_str(uncommented);
                lines.push((first, line));
            }
        }
    }
    lines.extend(begun.map(|(number, line)| (number, format!("{line}{UNFINISHED}"))));
    lines
}

fn of_words(number: u32, line: &str) -> Option<Line> {
    if let Some(begun) = line.strip_suffix(UNFINISHED) {
        return Some(Line { number, text: begun.trim().to_owned(), entry: Entry::Unfinished });
    }
    let (first, rest) = token(line)?;
    let text = line.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if first.eq_ignore_ascii_case("@include") {
        let file = token(rest).map(|(file, _)| file)?;
        return Some(Line { number, text, entry: Entry::IncludeAll(file) });
    }
    Some(Line { number, text, entry: Entry::Rule(rule(&first, rest)) })
}

fn rule(first: &str, rest: &str) -> Rule {
    let word = first.strip_prefix('-').unwrap_or(first);
    let facility = match word.to_ascii_lowercase().as_str() {
        "auth" => Some(Facility::Auth),
        "account" => Some(Facility::Account),
        "session" => Some(Facility::Session),
        "password" => Some(Facility::Password),
        _ => None,
    };
    let mut broken =
        facility.is_none().then_some("its first word is none of auth, account, session and password");
    let (control, rest) = control(rest, &mut broken);
    let (target, rest) = token(rest).map_or((None, ""), |(target, rest)| (Some(target), rest));
    if target.is_none() {
        broken = broken.or(Some("it names no module"));
    }
    Rule { facility, control, target, arguments: tokens(rest), broken }
}

fn control<'a>(rest: &'a str, broken: &mut Option<&'static str>) -> (Control, &'a str) {
    let Some((word, after)) = token(rest) else {
        *broken = broken.or(Some("it has no control"));
        let actions = Actions::of_brackets("default=bad").unwrap_or_else(|bad| bad);
        return (Control::Actions(actions), "");
    };
    let control = match word.to_ascii_lowercase().as_str() {
        "include" => Control::Include,
        "substack" => Control::Substack,
        lower => Control::Actions(Actions::of_word(lower).unwrap_or_else(|| {
            Actions::of_brackets(&word).unwrap_or_else(|all_bad| {
                *broken = broken.or(Some("its control is no word and no list that libpam knows"));
                all_bad
            })
        })),
    };
    (control, after)
}

fn tokens(mut rest: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    while let Some((word, after)) = token(rest) {
        tokens.push(word);
        rest = after;
    }
    tokens
}

/// The next word; one in brackets goes up to the next `]`, where `\]` stands for the sign itself.
fn token(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start_matches(is_space);
    let Some(inside) = text.strip_prefix('[') else {
        let end = text.find(is_space).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end)?;
        return (!word.is_empty()).then(|| (word.to_owned(), rest));
    };
    let mut word = String::new();
    let mut rest = inside;
    loop {
        if let Some(after) = rest.strip_prefix("\\]") {
            word.push(']');
            rest = after;
        } else if let Some(after) = rest.strip_prefix(']') {
            return Some((word, after));
        } else {
            let mut characters = rest.chars();
            let Some(next) = characters.next() else { return Some((word, "")) };
            word.push(next);
            rest = characters.as_str();
        }
    }
}

/// What separates words; other blanks are letters to libpam.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n')
}

#[cfg(test)]
mod tests {
    use super::{Control, Entry, Facility, Rule, lines, lines_for};
    use crate::pam::control::Actions;

    fn rules(text: &str) -> Vec<(u32, Rule)> {
        let rules = lines(text).into_iter().filter_map(|line| match line.entry {
            Entry::Rule(rule) => Some((line.number, rule)),
            Entry::IncludeAll(_) | Entry::Unfinished => None,
        });
        rules.collect()
    }

    #[test]
    fn comments_blank_lines_and_tabs_say_nothing() {
        let found =
            rules("#%PAM-1.0\n\n  \t# auth required a.so\nauth\trequired\tpam_unix.so nullok # why\n");
        assert_eq!(found.len(), 1);
        let (number, rule) = &found[0];
        assert_eq!((*number, rule.facility), (4, Some(Facility::Auth)));
        assert_eq!(rule.target.as_deref(), Some("pam_unix.so"));
        assert_eq!(rule.arguments, ["nullok"]);
    }

    #[test]
    fn a_line_goes_on_behind_a_backslash_and_not_behind_a_comment() {
        let found = rules(
            "auth [success=1 \\\n   default=ignore] \\\n# in between\n\n pam_unix.so nullok\nauth required x.so \\ # end\n",
        );
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].0, 1);
        assert_eq!(
            found[0].1.control,
            Control::Actions(Actions::of_brackets("success=1 default=ignore").unwrap())
        );
        assert_eq!(found[0].1.arguments, ["nullok"]);
        assert_eq!(found[1].1.arguments, ["\\"]);
    }

    #[test]
    fn a_last_line_that_would_go_on_is_told_apart() {
        for text in ["auth required pam_permit.so \\", "auth required pam_permit.so \\\n\n# end\n"] {
            let found = lines(text);
            assert_eq!((found.len(), found[0].number), (1, 1), "{text:?}");
            assert_eq!(found[0].entry, Entry::Unfinished, "{text:?}");
            assert_eq!(found[0].text, "auth required pam_permit.so");
        }
    }

    #[test]
    fn words_in_brackets_hold_spaces_and_escaped_brackets() {
        let found = rules("auth required pam_exec.so [a b \\] c] d\n");
        assert_eq!(found[0].1.arguments, ["a b ] c", "d"]);
        assert_eq!(rules("auth required pam_exec.so [never closed")[0].1.arguments, ["never closed"]);
    }

    #[test]
    fn what_libpam_cannot_read_is_a_line_that_refuses() {
        for (text, why) in [
            ("authh required pam_unix.so", "first word"),
            ("auth", "no control"),
            ("auth required", "names no module"),
            ("auth requried pam_unix.so", "no word and no list"),
            ("auth [success=ok", "names no module"),
        ] {
            let found = rules(text);
            assert!(found[0].1.broken.is_some_and(|said| said.contains(why)), "{text}: {found:?}");
        }
    }

    #[test]
    fn a_minus_and_capitals_are_the_same_line() {
        let rule = &rules("-AUTH Required pam_x.so")[0].1;
        assert_eq!((rule.facility, rule.broken), (Some(Facility::Auth), None));
    }

    #[test]
    fn files_are_included_in_three_ways() {
        let found = lines("@include common-auth\nauth include system-auth\nauth substack password-auth\n");
        assert_eq!(found[0].entry, Entry::IncludeAll("common-auth".to_owned()));
        let controls: Vec<_> =
            rules("auth include a\nauth substack b").into_iter().map(|it| it.1.control).collect();
        assert_eq!(controls, [Control::Include, Control::Substack]);
    }

    #[test]
    fn pam_conf_has_the_service_first() {
        let text = "other auth required pam_deny.so\nSSHD auth required pam_unix.so\n";
        let found = lines_for(text, "sshd");
        assert_eq!((found.len(), found[0].number), (1, 2));
        assert_eq!(found[0].text, "auth required pam_unix.so");
    }
}
