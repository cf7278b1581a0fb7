//! Values made harmless for the place where they stand: nothing in a name or a label can change what a request means.

use std::fmt::Write as _;

use common::gateway::BodyFormat;

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the path or query of a URL.
    Url,
    /// In the value of a header.
    Header,
    /// In a body.
    Body(BodyFormat),
    /// In an argument of a program.
    Argument,
}

/// Appends a value.
pub(crate) fn put(value: &str, place: Place, out: &mut String) {
    match place {
        Place::Url | Place::Body(BodyFormat::Form) => percent(value, out),
        Place::Body(BodyFormat::Json) => json(value, out),
        Place::Body(BodyFormat::Xml) => xml(value, out),
        Place::Body(BodyFormat::Text) => out.push_str(value),
        // A line end would begin another header, and NUL ends an argument.
        Place::Header | Place::Argument => {
            out.extend(value.chars().map(|c| if c.is_control() { ' ' } else { c }));
        }
    }
}

/// All but what a URL leaves alone everywhere (RFC 3986 §2.3). A form takes `%20` for a space as well as `+`.
fn percent(value: &str, out: &mut String) {
    for octet in value.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(octet.into()),
            _ => {
                let _ = write!(out, "%{octet:02X}");
            }
        }
    }
}

/// Inside a string (RFC 8259 §7).
fn json(value: &str, out: &mut String) {
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\u{0}'..='\u{1f}' | '\u{7f}' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
}

/// In content and in values of attributes. Characters that XML 1.0 has not (§2.2) become spaces.
fn xml(value: &str, out: &mut String) {
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => out.push(' '),
            _ if c.is_control() => out.push(' '),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, put};
    use common::gateway::BodyFormat;

    fn escaped(value: &str, place: Place) -> String {
        let mut out = String::new();
        put(value, place, &mut out);
        out
    }

    const HOSTILE: &str = "a&b=c\"}<x>\r\nBcc: é%'\\";

    #[test]
    fn a_value_stays_inside_its_place() {
        let percent = "a%26b%3Dc%22%7D%3Cx%3E%0D%0ABcc%3A%20%C3%A9%25%27%5C";
        assert_eq!(escaped(HOSTILE, Place::Url), percent);
        assert_eq!(escaped(HOSTILE, Place::Body(BodyFormat::Form)), percent);
        assert_eq!(
            escaped(HOSTILE, Place::Body(BodyFormat::Json)),
            "a&b=c\\\"}<x>\\u000d\\u000aBcc: é%'\\\\"
        );
        assert_eq!(
            escaped(HOSTILE, Place::Body(BodyFormat::Xml)),
            "a&amp;b=c&quot;}&lt;x&gt;  Bcc: é%&apos;\\"
        );
        assert_eq!(escaped(HOSTILE, Place::Header), "a&b=c\"}<x>  Bcc: é%'\\");
        assert_eq!(escaped("a\0b", Place::Argument), "a b");
        assert_eq!(escaped("+4915112345678", Place::Url), "%2B4915112345678");
    }
}
