//! Lines that no window of 80 columns breaks in the middle of a word.

/// Characters of the first line: ssh puts `(user@host) ` before it.
const FIRST_COLUMNS: usize = 60;
/// Characters of each line below it.
const COLUMNS: usize = 78;

/// Ends long lines between words. It is done in place: what is shown is often secret, and no copy of it is left anywhere.
pub(super) fn wrap(text: &mut String) {
    for place in breaks(text) {
        text.replace_range(place..place.saturating_add(1), "\n");
    }
}

/// The blanks that become ends of lines.
fn breaks(text: &str) -> Vec<usize> {
    let mut breaks = Vec::new();
    let mut room = FIRST_COLUMNS;
    // Characters of this line, and of them those up to its last blank, which stands there.
    let (mut columns, mut blank) = (0_usize, None);
    for (place, character) in text.char_indices() {
        match character {
            '\n' => (columns, blank, room) = (0, None, COLUMNS),
            ' ' => {
                columns = columns.saturating_add(1);
                blank = Some((place, columns));
            }
            _ => {
                columns = columns.saturating_add(1);
                if let Some((end, before)) = blank.filter(|_| columns > room) {
                    breaks.push(end);
                    (columns, blank, room) = (columns.saturating_sub(before), None, COLUMNS);
                }
            }
        }
    }
    breaks
}

#[cfg(test)]
mod tests {
    use super::wrap;

    fn wrapped(text: &str) -> String {
        let mut text = text.to_owned();
        wrap(&mut text);
        text
    }

    #[test]
    fn long_lines_end_between_words_and_no_octet_is_added() {
        let text = "twelve words ".repeat(20);
        let lines = wrapped(&text);
        assert_eq!(lines.replace('\n', " "), text);
        assert!(lines.lines().next().is_some_and(|line| (48..=60).contains(&line.len())), "{lines}");
        assert!(lines.lines().all(|line| line.trim_end().len() <= 78), "{lines}");
    }

    #[test]
    fn what_fits_stays_as_it_is_and_so_does_what_has_no_words() {
        for text in ["Code: ", "one\ntwo\n\nthree: ", "", "Überlänge: "] {
            assert_eq!(wrapped(text), text);
        }
        let link = format!("see\notpauth://{} ", "x".repeat(200));
        assert_eq!(wrapped(&link), link);
    }

    #[test]
    fn the_blank_behind_a_question_stays() {
        let question = format!("{}: ", "x".repeat(60));
        assert_eq!(wrapped(&question), question);
    }
}
