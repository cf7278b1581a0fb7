//! The lines of sshd_config, and the times in it.

use assembly::doctor::sshd::line::lines;
use assembly::doctor::sshd::methods::seconds;

use crate::input::text;

pub(crate) fn run(octets: &[u8]) {
    let text = text(octets);
    let lines = lines(&text);
    assert!(lines.windows(2).all(|pair| pair[0].number < pair[1].number));
    for line in &lines {
        assert_eq!(line.keyword, line.keyword.to_ascii_lowercase());
        assert!(!line.text.starts_with('#') && text.contains(&line.text));
        for argument in &line.arguments {
            // What reads as a time is none of more than its digits allow.
            if let Some(seconds) = seconds(argument) {
                assert!(seconds == 0 || argument.contains(|c: char| c.is_ascii_digit()), "{argument}");
            }
        }
    }
}
