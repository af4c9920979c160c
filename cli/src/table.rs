//! Tables for people: columns side by side, as wide as they must be, the last one as long as it is.

/// Rows under headings.
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row: a cell for each heading.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.iter().map(|cell| visible(cell)).collect());
    }

    /// The whole table, line by line.
    pub(crate) fn text(&self) -> String {
        let headings: Vec<String> = self.headings.iter().map(ToString::to_string).collect();
        let all = || std::iter::once(&headings).chain(&self.rows);
        let width = |at: usize| all().filter_map(|row| row.get(at)).map(|cell| wide(cell)).max();
        let widths: Vec<usize> = (0..headings.len()).map(|at| width(at).unwrap_or(0)).collect();
        all().map(|row| line(row, &widths)).collect()
    }
}

fn line(row: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in row.iter().zip(widths) {
        line.push_str(cell);
        line.push_str(&" ".repeat(width.saturating_sub(wide(cell)) + 2));
    }
    format!("{}\n", line.trim_end())
}

fn wide(cell: &str) -> usize {
    cell.chars().count()
}

/// A cell without what would move the cursor or colour the screen.
fn visible(cell: &str) -> String {
    cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_stand_under_their_headings_whatever_letters_they_hold() {
        let mut table = Table::new(&["NAME", "STATE", "SAID"]);
        table.row(["café".into(), "dead".into(), "400".into()]);
        table.row(["tea and cake".into(), String::new(), "x".into()]);
        assert_eq!(
            table.text(),
            "NAME          STATE  SAID\ncafé          dead   400\ntea and cake         x\n"
        );
    }

    #[test]
    fn nothing_in_a_cell_moves_the_cursor() {
        let mut table = Table::new(&["SAID"]);
        table.row(["a\n\u{1b}[2Jb".into()]);
        assert_eq!(table.text(), "SAID\na  [2Jb\n");
    }
}
