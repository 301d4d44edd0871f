//! A row of `docs/reliability.md`: what was done so often, what came of it, and the command to do it again.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;

/// What came of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// What was tortured, which names the row.
    pub(crate) name: String,
    /// What is added up over runs.
    pub(crate) counts: Vec<(String, u64)>,
    /// Figures of this run alone, in words.
    pub(crate) figures: String,
    /// The command that makes the row again.
    pub(crate) command: String,
}

impl Row {
    fn parse(line: &str) -> Option<Self> {
        let cells: Vec<&str> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let [name, counts, figures, command] = cells[..] else { return None };
        let count = |text: &str| {
            let (number, label) = text.split_once(' ')?;
            Some((label.to_owned(), number.replace(',', "").parse().ok()?))
        };
        Some(Self {
            name: name.into(),
            counts: counts.split(", ").map(count).collect::<Option<_>>()?,
            figures: figures.into(),
            command: command.trim_matches('`').into(),
        })
    }

    /// Counts of an earlier run under the same name are added to these.
    fn add(&mut self, earlier: &Self) {
        for (label, count) in &mut self.counts {
            *count += earlier.counts.iter().find(|(known, _)| known == label).map_or(0, |(_, count)| *count);
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<String> =
            self.counts.iter().map(|(label, count)| format!("{} {label}", grouped(*count))).collect();
        write!(f, "| {} | {} | {} | `{}` |", self.name, counts.join(", "), self.figures, self.command)
    }
}

/// Adds these rows to the document, in the place of those with their names.
pub(crate) fn write(rows: &[Row], machine: &str) -> Outcome<()> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reliability.md");
    let text = fs::read_to_string(&path)?;
    fs::write(path, updated(&text, rows, machine).ok_or("docs/reliability.md has lost its table")?)?;
    Ok(())
}

fn updated(text: &str, rows: &[Row], machine: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (table, after) = rest.split_once(END)?;
    let mut known: Vec<Row> = table.lines().filter_map(Row::parse).collect();
    for row in rows {
        let mut row = row.clone();
        match known.iter_mut().find(|known| known.name == row.name) {
            Some(known) => {
                row.add(known);
                *known = row;
            }
            None => known.push(row),
        }
    }
    let mut table = format!("\n\n{machine}\n{HEAD}\n");
    for row in known {
        table.push_str(&format!("{row}\n"));
    }
    Some(format!("{before}{BEGIN}{table}\n{END}{after}"))
}

/// A number with a comma between thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

const BEGIN: &str = "<!-- rows of cargo xtask torture -->";
const END: &str = "<!-- end of rows -->";
const HEAD: &str = "| what | added up over runs | the last run | again |\n| --- | --- | --- | --- |";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_is_written_and_counts_add_up() {
        let row = |kills, figures: &str| Row {
            name: "kill, sled".into(),
            counts: vec![("kills".into(), kills), ("entries lost".into(), 0)],
            figures: figures.into(),
            command: "cargo xtask torture kill".into(),
        };
        let first = row(1_200, "12 ms");
        assert_eq!(Row::parse(&first.to_string()), Some(first.clone()));
        let empty = format!("# Title\n\n{BEGIN}\n{END}\nmore\n");
        let once = updated(&empty, &[first], "Machine: one\n").unwrap();
        let twice = updated(&once, &[row(5, "9 ms")], "Machine: one\n").unwrap();
        assert!(
            twice
                .contains("| kill, sled | 1,205 kills, 0 entries lost | 9 ms | `cargo xtask torture kill` |")
        );
        assert!(twice.starts_with("# Title") && twice.ends_with("more\n"));
        assert_eq!(twice.matches("kill, sled").count(), 1);
    }
}
