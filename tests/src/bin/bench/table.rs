//! Figures as a person reads them, in a terminal and in a document.

use std::fmt;

/// One benchmark.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) title: &'static str,
    /// How it was measured, in a sentence or two.
    pub(crate) how: String,
    pub(crate) heads: &'static [&'static str],
    pub(crate) rows: Vec<Vec<String>>,
    /// What it should be, and whether it is.
    pub(crate) verdict: String,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n\n{}\n", self.title, self.how)?;
        let heads: Vec<String> = self.heads.iter().map(ToString::to_string).collect();
        let width = |column: usize| {
            let cells = self.rows.iter().chain([&heads]).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..heads.len()).map(width).collect();
        let line = |f: &mut fmt::Formatter<'_>, cells: &[String]| {
            for (cell, width) in cells.iter().zip(&widths) {
                write!(f, "| {cell:width$} ")?;
            }
            writeln!(f, "|")
        };
        line(f, &heads)?;
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        line(f, &rule)?;
        for row in &self.rows {
            line(f, row)?;
        }
        writeln!(f, "\n{}", self.verdict)
    }
}

/// All of it as `docs/benchmarks.md`.
pub(crate) fn document(machine: &str, tables: &[Table]) -> String {
    let mut text = String::from("# Benchmarks\n\n");
    text.push_str("Written by `cargo xtask bench --write`. Each figure stands beside a peer or a floor of the same run;\n");
    text.push_str("compare within a table, not between machines.\n\n");
    text.push_str(machine);
    for table in tables {
        text.push_str(&format!("\n{table}"));
    }
    text
}
