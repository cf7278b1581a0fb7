//! Tables for people: a line of titles, columns that align, nothing else.

use assembly::audit::visible_whole;
use comfy_table::{ContentArrangement, Table};

/// Rows under titles, ready to be printed; it ends with a line feed.
pub(crate) fn table(titles: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(titles.iter().map(|title| title.to_uppercase()));
    for row in rows {
        table.add_row(row.iter().map(|cell| visible_whole(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    lines_without_trailing_spaces(&table.to_string())
}

/// Less of a column that is cut would say nothing.
const ELASTIC_COLUMNS_MIN: usize = 24;

/// A table that fits a terminal.
pub(crate) struct Fitted {
    /// The table; it ends with a line feed.
    pub(crate) text: String,
    /// What had to be left out or cut for that, as a sentence.
    pub(crate) note: Option<String>,
}

/// The same in so many columns of a terminal: what stands last goes first, and of what is left the first is cut at the end.
pub(crate) fn fitted(titles: &[&str], rows: &[Vec<String>], columns: Option<usize>) -> Fitted {
    let whole = table(titles, rows.iter().cloned());
    let Some(columns) = columns.filter(|columns| width(&whole) > *columns) else {
        return Fitted { text: whole, note: None };
    };
    for kept in (2..titles.len()).rev() {
        let titles_kept: Vec<&str> = titles.iter().take(kept).copied().collect();
        let cut = rows.iter().map(|row| row.iter().take(kept).cloned().collect());
        let text = table(&titles_kept, cut);
        if width(&text) <= columns {
            let left_out: Vec<&str> = titles.iter().skip(kept).copied().collect();
            let note = format!("This terminal is too narrow for: {}.", left_out.join(", "));
            return Fitted { text, note: Some(note) };
        }
    }
    let text: String = whole.lines().map(|line| format!("{}\n", cut(line, columns))).collect();
    Fitted { text, note: Some("This terminal is too narrow: the lines are cut at its edge.".to_owned()) }
}

/// The same where one column takes what the others leave, and is cut in it; the columns after that one go first.
pub(crate) fn fitted_around(
    titles: &[&str],
    rows: &[Vec<String>],
    columns: Option<usize>,
    elastic: usize,
) -> Fitted {
    let whole = table(titles, rows.iter().cloned());
    let Some(columns) = columns.filter(|columns| width(&whole) > *columns) else {
        return Fitted { text: whole, note: None };
    };
    for kept in (elastic.saturating_add(1)..=titles.len()).rev() {
        let titles_kept: Vec<&str> = titles.iter().take(kept).copied().collect();
        let cut_to = |room: usize| {
            let cells = |row: &Vec<String>| {
                let cell = |(place, cell): (usize, &String)| match place == elastic {
                    true => cut(&visible_whole(cell), room),
                    false => cell.clone(),
                };
                row.iter().take(kept).enumerate().map(cell).collect()
            };
            table(&titles_kept, rows.iter().map(cells))
        };
        let room =
            columns.saturating_sub(width(&cut_to(ELASTIC_COLUMNS_MIN))).saturating_add(ELASTIC_COLUMNS_MIN);
        let text = cut_to(room);
        if width(&text) <= columns {
            let gone: Vec<&str> = titles.iter().skip(kept).copied().collect();
            let gone = if gone.is_empty() { String::new() } else { format!(" for: {}", gone.join(", ")) };
            return Fitted { text, note: Some(format!("This terminal is too narrow{gone}.")) };
        }
    }
    fitted(titles, rows, Some(columns))
}

/// Columns of the widest line.
fn width(text: &str) -> usize {
    text.lines().map(columns_of).max().unwrap_or(0)
}

/// What a text takes at a terminal, as the table has counted it: its own width without anything beside it.
fn columns_of(text: &str) -> usize {
    text.chars().map(|character| if character.is_ascii() { 1 } else { 2 }).sum()
}

/// As much of a line as fits, its end shown by a sign of its own.
fn cut(line: &str, columns: usize) -> String {
    let mut left = columns.saturating_sub(2);
    let kept = line.chars().take_while(|character| {
        let own = columns_of(character.encode_utf8(&mut [0; 4]));
        let fits = own <= left;
        left = left.saturating_sub(own);
        fits
    });
    if columns_of(line) <= columns { line.to_owned() } else { kept.chain(['…']).collect() }
}

/// Names and values below each other; it ends with a line feed.
pub(crate) fn list(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    pairs.iter().map(|(name, value)| format!("{name:width$}  {}\n", visible_whole(value))).collect()
}

fn lines_without_trailing_spaces(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::{fitted, fitted_around, list, table};

    #[test]
    fn columns_align_also_under_wide_characters() {
        let rows =
            [vec!["Łukasz".to_owned(), "enforced".to_owned()], vec!["李".to_owned(), "disabled".to_owned()]];
        assert_eq!(table(&["user", "state"], rows), "USER    STATE\nŁukasz  enforced\n李      disabled\n");
    }

    #[test]
    fn a_narrow_terminal_gets_what_matters_most_and_hears_what_is_missing() {
        let rows = || vec![vec!["alice".to_owned(), "enforced".to_owned(), "2026-11-22".to_owned()]];
        let titles = ["user", "state", "last"];
        let whole = "USER   STATE     LAST\nalice  enforced  2026-11-22\n";
        for columns in [None, Some(80), Some(27)] {
            let fitted = fitted(&titles, &rows(), columns);
            assert_eq!(fitted.text, whole, "{columns:?}");
            assert_eq!(fitted.note, None);
        }
        let narrow = fitted(&titles, &rows(), Some(26));
        assert_eq!(narrow.text, "USER   STATE\nalice  enforced\n");
        assert_eq!(narrow.note.as_deref(), Some("This terminal is too narrow for: last."));
        let cut = fitted(&titles, &rows(), Some(10));
        assert_eq!(cut.text.lines().nth(1), Some("alice  e…"));
        assert!(cut.note.is_some());
    }

    #[test]
    fn a_column_that_may_be_cut_takes_what_the_others_leave() {
        let rows = [vec!["alice".to_owned(), "x".repeat(60), "sshd".to_owned()]];
        let fitted = |columns| fitted_around(&["user", "detail", "place"], &rows, Some(columns), 1);
        assert_eq!(fitted(74).note, None);
        let cut = fitted(60);
        assert!(cut.text.lines().all(|line| line.len() <= 62 && !line.ends_with('x')), "{}", cut.text);
        assert!(cut.text.contains("…  sshd"), "{}", cut.text);
        assert_eq!(cut.note.as_deref(), Some("This terminal is too narrow."));
        let narrow = fitted(36);
        assert!(!narrow.text.contains("sshd") && narrow.text.contains('…'), "{}", narrow.text);
        assert_eq!(narrow.note.as_deref(), Some("This terminal is too narrow for: place."));
    }

    #[test]
    fn control_and_format_characters_are_shown_not_obeyed() {
        let shown = table(&["user"], [vec!["a\u{1b}[2J\n\u{202e}b\u{200b}".to_owned()]]);
        assert_eq!(shown, "USER\na\\u{1b}[2J\\u{a}\\u{202e}b\\u{200b}\n");
        assert_eq!(list(&[("user", "a\n\u{2066}b".to_owned())]), "user  a\\u{a}\\u{2066}b\n");
    }
}
