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
    use super::{list, table};

    #[test]
    fn columns_align_also_under_wide_characters() {
        let rows =
            [vec!["Łukasz".to_owned(), "enforced".to_owned()], vec!["李".to_owned(), "disabled".to_owned()]];
        assert_eq!(table(&["user", "state"], rows), "USER    STATE\nŁukasz  enforced\n李      disabled\n");
    }

    #[test]
    fn control_and_format_characters_are_shown_not_obeyed() {
        let shown = table(&["user"], [vec!["a\u{1b}[2J\n\u{202e}b\u{200b}".to_owned()]]);
        assert_eq!(shown, "USER\na\\u{1b}[2J\\u{a}\\u{202e}b\\u{200b}\n");
        assert_eq!(list(&[("user", "a\n\u{2066}b".to_owned())]), "user  a\\u{a}\\u{2066}b\n");
    }
}
