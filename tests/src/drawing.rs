//! A window as a picture for a page of the documentation: SVG, in one line.

use std::io::{self, Write as _};

use crate::screen::Screen;

/// What a line begins with that holds a picture: its name and the SVG follow. `cargo xtask pictures` collects them.
pub const DRAWN: &str = "drawn: ";

/// Units of a cell: both halves of it are square.
const CELL_COLUMNS: usize = 8;
const CELL_ROWS: usize = 16;
/// Units around the window.
const MARGIN: usize = 12;

impl Screen {
    /// Hands a picture over to `cargo xtask pictures`, from the last line with these words on.
    pub fn draw(&self, name: &str, words: &str) {
        // Nobody reads it if nobody listens.
        let _ = writeln!(io::stdout(), "\n{DRAWN}{name} {}", self.svg(words));
    }

    /// The lines up to the last one that has something on it.
    fn svg(&self, words: &str) -> String {
        let mut lines = self.lines();
        lines.drain(..lines.iter().rposition(|line| !words.is_empty() && line.contains(words)).unwrap_or(0));
        let used = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last.saturating_add(1));
        let columns = self.columns().saturating_mul(CELL_COLUMNS).saturating_add(MARGIN.saturating_mul(2));
        let rows = used.saturating_mul(CELL_ROWS).saturating_add(MARGIN.saturating_mul(2));
        let shown: String = (0..)
            .zip(lines.iter().take(used))
            .map(|(row, line)| format!("{}{}", blocks(line, row), letters(line, row)))
            .collect();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {columns} {rows}\" width=\"{columns}\" height=\"{rows}\">\
             <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#16181d\"/>\
             <g font-family=\"monospace\" font-size=\"13\" fill=\"#e6e6e6\" shape-rendering=\"crispEdges\">{shown}</g></svg>"
        )
    }
}

fn left(column: usize) -> usize {
    column.saturating_mul(CELL_COLUMNS).saturating_add(MARGIN)
}

fn top(row: usize) -> usize {
    row.saturating_mul(CELL_ROWS).saturating_add(MARGIN)
}

/// The blocks of a line as one path, of bars as long as they are.
fn blocks(line: &str, row: usize) -> String {
    let cells: Vec<char> = line.chars().collect();
    let bars = cells.chunk_by(|one, other| one == other).scan(0_usize, |column, bar| {
        let x = left(*column);
        *column = column.saturating_add(bar.len());
        Some((x, bar))
    });
    let drawn: String = bars.filter_map(|(x, bar)| drawn(*bar.first()?, bar.len(), x, top(row))).collect();
    if drawn.is_empty() { drawn } else { format!("<path d=\"{drawn}\"/>") }
}

fn drawn(cell: char, columns: usize, x: usize, y: usize) -> Option<String> {
    let (from, height) = match cell {
        '█' => (y, CELL_ROWS),
        '▀' => (y, CELL_ROWS / 2),
        '▄' => (y.saturating_add(CELL_ROWS / 2), CELL_ROWS / 2),
        _ => return None,
    };
    let width = columns.saturating_mul(CELL_COLUMNS);
    Some(format!("M{x} {from}h{width}v{height}h-{width}z"))
}

/// The letters of a line that has no blocks, each in its cell whatever the font is.
fn letters(line: &str, row: usize) -> String {
    if line.is_empty() || line.contains(['█', '▀', '▄']) {
        return String::new();
    }
    let (x, y) = (left(0), top(row).saturating_add(CELL_ROWS.saturating_sub(4)));
    let width = line.chars().count().saturating_mul(CELL_COLUMNS);
    let escaped = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<text x=\"{x}\" y=\"{y}\" textLength=\"{width}\" xml:space=\"preserve\">{escaped}</text>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_drawn_up_to_its_last_line() {
        let svg = Screen::showing("a < b\r\n▀██\r\n".as_bytes(), 24, 80).svg("");
        assert!(
            svg.contains("a &lt; b</text>") && svg.contains("<path d=\"M12 28h8v8h-8zM20 28h16v16h-16z\"/>"),
            "{svg}"
        );
        assert!(svg.contains("width=\"664\" height=\"56\"") && !svg.contains('\n'), "{svg}");
    }
}
