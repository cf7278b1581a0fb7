//! Text that a stranger chose, made fit for one line: nothing in it ends a line, a field or a quotation,
//! hides itself or turns the reading direction round.

/// Octets of one value after [`visible`]; a longer one is cut and ends in `…`.
pub(crate) const VALUE_OCTETS_MAX: usize = 320;

/// Octets that [`visible`] may add to [`VALUE_OCTETS_MAX`]: one character shown and `…`.
const SURPLUS_OCTETS_MAX: usize = 16;

/// The text with every invisible or directing character shown as `\u{..}`, cut to [`VALUE_OCTETS_MAX`].
/// A typed `\u{` is itself shown as `\u{5c}u{`, so that no two texts look the same.
pub(crate) fn visible(text: &str) -> String {
    shown(text, VALUE_OCTETS_MAX)
}

/// The same in its whole length, for one cell or line of a terminal.
#[must_use]
pub fn visible_whole(text: &str) -> String {
    shown(text, usize::MAX)
}

/// Whether [`visible`] can have made it.
pub(crate) fn is_visible(text: &str) -> bool {
    text.len() <= VALUE_OCTETS_MAX.saturating_add(SURPLUS_OCTETS_MAX) && !text.contains(is_invisible)
}

fn shown(text: &str, octets_max: usize) -> String {
    let mut shown = String::new();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if shown.len() >= octets_max {
            shown.push('…');
            break;
        }
        let looks_escaped = character == '\\' && rest.as_str().starts_with("u{");
        if looks_escaped || is_invisible(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Control characters, line separators, zero-width and format characters, tags and directional overrides.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

/// A value between quotation marks for `key="value"`.
pub(crate) fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::{VALUE_OCTETS_MAX, is_visible, quoted, visible, visible_whole};

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in ["alice", "José", "EXAMPLE\\alice", "10.0.0.1", "a \"b\" ]"] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(visible("a\nb\0\u{7f}\u{85}"), "a\\u{a}b\\u{0}\\u{7f}\\u{85}");
        assert_eq!(visible("\u{2028}\u{202e}\u{feff}"), "\\u{2028}\\u{202e}\\u{feff}");
    }

    #[test]
    fn a_typed_escape_is_told_from_a_real_one() {
        assert_eq!(visible("\\u{a}"), "\\u{5c}u{a}");
        assert_ne!(visible("\\u{a}"), visible("\n"));
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        let shown = visible(&"\u{2028}".repeat(1000));
        assert!(shown.len() <= VALUE_OCTETS_MAX + 16 && shown.ends_with('…'), "{}", shown.len());
        assert!(is_visible(&shown) && !is_visible(&"a".repeat(400)) && !is_visible("a\u{202e}"));
        assert_eq!(visible_whole(&"\u{2028}".repeat(100)).len(), 800);
    }

    #[test]
    fn quotation_marks_cannot_be_closed_from_inside() {
        assert_eq!(quoted("a\" x=\"1\\"), r#""a\" x=\"1\\""#);
    }
}
