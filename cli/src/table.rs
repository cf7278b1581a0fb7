//! Tables for people: a line of titles, columns that align, nothing else.

use comfy_table::{ContentArrangement, Table};

/// Rows under titles, ready to be printed; it ends with a line feed.
pub(crate) fn table(titles: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(titles.iter().map(|title| title.to_uppercase()));
    for row in rows {
        table.add_row(row.iter().map(|cell| visible(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    lines_without_trailing_spaces(&table.to_string())
}

/// Names and values below each other; it ends with a line feed.
pub(crate) fn list(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    pairs.iter().map(|(name, value)| format!("{name:width$}  {}\n", visible(value))).collect()
}

/// Text that others chose must not move the cursor of whoever reads it.
pub(crate) fn visible(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().collect() } else { c.to_string() };
    text.chars().map(escaped).collect()
}

fn lines_without_trailing_spaces(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::{list, table};

    #[test]
    fn columns_align_also_under_wide_characters() {
        let rows =
            [vec!["Łukasz".to_owned(), "enforced".to_owned()], vec!["李".to_owned(), "disabled".to_owned()]];
        assert_eq!(table(&["user", "state"], rows), "USER    STATE\nŁukasz  enforced\n李      disabled\n");
    }

    #[test]
    fn control_characters_are_shown_not_obeyed() {
        let shown = table(&["user"], [vec!["a\u{1b}[2J\nb".to_owned()]]);
        assert_eq!(shown, "USER\na\\u{1b}[2J\\nb\n");
        assert_eq!(list(&[("user", "a\nb".to_owned())]), "user  a\\nb\n");
    }
}
