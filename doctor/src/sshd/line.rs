//! One line of sshd_config: a keyword and its arguments (sshd_config(5)).

/// A line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: u32,
    /// The line as it stands, without blanks around it.
    pub text: String,
    /// The keyword, in small letters.
    pub keyword: String,
    /// What stands behind it, without quotes and comments.
    pub arguments: Vec<String>,
    /// Whether a quote is never closed: sshd does not start with such a line.
    pub broken: bool,
}

/// All lines that say something.
#[must_use]
pub fn lines(text: &str) -> Vec<Line> {
    let numbered = (1_u32..).zip(text.split('\n'));
    numbered.filter_map(|(number, line)| read(number, line)).collect()
}

fn read(number: u32, line: &str) -> Option<Line> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(line.len());
    let (keyword, rest) = line.split_at_checked(end)?;
    let rest = rest.trim_start();
    // One sign of equality may stand between the two.
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    let (arguments, broken) = split(rest);
    let keyword = keyword.trim_matches('"').to_ascii_lowercase();
    Some(Line { number, text: line.to_owned(), keyword, arguments, broken })
}

/// Words; quotes hold blanks together, a backslash takes a quote for a letter, and a `#` that begins a word ends the line.
fn split(text: &str) -> (Vec<String>, bool) {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), c) if c == open => quote = None,
            (_, '\\') if characters.peek().is_some_and(|next| matches!(next, '"' | '\'' | '\\')) => {
                word.get_or_insert_default().extend(characters.next());
            }
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, c @ ('"' | '\'')) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, c) if c.is_ascii_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    (words, quote.is_some())
}

#[cfg(test)]
mod tests {
    use super::{Line, lines};

    fn one(text: &str) -> Line {
        lines(text).into_iter().next().unwrap()
    }

    #[test]
    fn a_keyword_is_the_same_in_all_its_spellings() {
        for text in ["UsePAM yes", "usepam=yes", "  UsePAM = yes", "\tUSEPAM\tyes  # why", "UsePAM \"yes\""] {
            let line = one(text);
            assert_eq!(
                (line.keyword.as_str(), line.arguments.as_slice()),
                ("usepam", &["yes".to_owned()][..]),
                "{text}"
            );
        }
    }

    #[test]
    fn quotes_hold_words_together_and_comments_end_a_line() {
        let line = one("Match Group \"vpn users\",staff#2 Address=10.0.0.0/8 # here\n");
        assert_eq!(line.arguments, ["Group", "vpn users,staff#2", "Address=10.0.0.0/8"]);
        assert!(one("Banner \"never closed").broken);
        assert!(lines("\n# nothing\n   \n").is_empty());
    }
}
