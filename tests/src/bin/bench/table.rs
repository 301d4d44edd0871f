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

/// `docs/benchmarks.md` with these tables in it: each takes the place of the one with its title, and the others stay as
/// they were measured. New ones stand at the end.
pub(crate) fn document(before: &str, machine: &str, tables: &[Table]) -> String {
    let mut sections: Vec<String> =
        before.split(SECTION).skip(1).map(|section| format!("{}\n", section.trim_end())).collect();
    for table in tables {
        let section = format!("{}\n{machine}", table.to_string().trim_start_matches("## "));
        match sections.iter_mut().find(|section| section.lines().next() == Some(table.title)) {
            Some(measured_before) => *measured_before = section,
            None => sections.push(section),
        }
    }
    sections.iter().fold(INTRODUCTION.into(), |text, section| text + SECTION + section)
}

/// What a table begins with.
const SECTION: &str = "\n## ";

const INTRODUCTION: &str = "# Benchmarks

Written by `cargo xtask bench --write`, or with the name of a table to measure that one alone. Each figure stands beside a
peer or a floor of the same run; compare within a table, not between machines.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn table(title: &'static str, figure: &str) -> Table {
        Table {
            title,
            how: "So.".into(),
            heads: &["figure"],
            rows: vec![vec![figure.into()]],
            verdict: "Held.".into(),
        }
    }

    #[test]
    fn one_table_is_measured_again_and_the_others_stay() {
        let all = document("", "Machine: old\n", &[table("One", "1"), table("Two", "2")]);
        assert_eq!(document(&all, "Machine: old\n", &[table("One", "1")]), all, "nothing has changed");
        let again = document(&all, "Machine: new\n", &[table("One", "3"), table("Three", "4")]);
        let titles: Vec<&str> = again.lines().filter(|line| line.starts_with('#')).collect();
        assert_eq!(titles, ["# Benchmarks", "## One", "## Two", "## Three"]);
        assert!(again.contains("| 3      |") && !again.contains("| 1      |"), "{again}");
        assert_eq!(again.matches("Machine: new").count(), 2, "{again}");
        assert_eq!(again.matches("Machine: old").count(), 1, "{again}");
    }
}
