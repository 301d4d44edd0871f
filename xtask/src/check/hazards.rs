//! Every hazard the guard exists for has a rule, a bound and a test, and those that `docs/behaviour.md` names exist.

use super::tree::{File, Tree, Violation, numbered};

const RULE: &str = "hazards";
const TABLE: &str = "docs/behaviour.md";
/// Those of `limits.rs` that the table names constants of.
const LIMITS: [&str; 3] =
    ["engine/guard/src/limits.rs", "engine/guard/src/amdoc/limits.rs", "engine/core/src/limits.rs"];
const HAZARDS: u32 = 12;
/// What stands for a bound where nothing of the kind passes.
const NOTHING_PASSES: &str = "nothing passes";

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let Some(table) = tree.file(TABLE) else { return Vec::new() };
    let rows = || numbered(&table.text).filter_map(|(line, text)| Some((line, Row::of(text)?)));
    let mut violations: Vec<Violation> =
        rows().flat_map(|(line, row)| row.judge(tree, table, line)).collect();
    for number in (1..=HAZARDS).filter(|number| !rows().any(|(_, row)| row.number == *number)) {
        let sentence = format!("hazard M{number} has no row: number, hazard, rule, bounds, tests");
        violations.push(table.violation(1, RULE, sentence));
    }
    violations
}

/// A row: `| M1 | hazard | rule | bounds | tests |`.
struct Row<'a> {
    number: u32,
    bounds: &'a str,
    tests: &'a str,
}

impl<'a> Row<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let cells: Vec<&str> = line.strip_prefix("| M")?.split('|').map(str::trim).collect();
        let number = cells.first()?.parse().ok()?;
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
        Some(Self { number, bounds: cell(3), tests: cell(4) })
    }

    fn judge(&self, tree: &Tree, table: &File, line: usize) -> Vec<Violation> {
        let mut sentences = Vec::new();
        let bounds: Vec<&str> = quoted(self.bounds).collect();
        if bounds.is_empty() && self.bounds != NOTHING_PASSES {
            sentences.push(format!("M{} names no bound, and does not say '{NOTHING_PASSES}'", self.number));
        }
        let known =
            |bound: &str| LIMITS.iter().any(|path| tree.file(path).is_some_and(|file| defines(file, bound)));
        let unknown = bounds.iter().filter(|bound| !known(bound));
        sentences.extend(unknown.map(|bound| format!("no limits.rs has a constant `{bound}`")));
        let tests: Vec<&str> = quoted(self.tests).collect();
        if tests.is_empty() {
            sentences.push(format!("M{} names no test", self.number));
        }
        for test in tests {
            let named_after = test.split('_').any(|word| word == format!("m{}", self.number));
            let exists = tree.files().iter().any(|file| file.text.contains(&format!("fn {test}(")));
            if !exists || !named_after {
                sentences.push(format!("there is no test `{test}` that is named after M{}", self.number));
            }
        }
        sentences.into_iter().map(|sentence| table.violation(line, RULE, sentence)).collect()
    }
}

fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn defines(file: &File, constant: &str) -> bool {
    file.text.contains(&format!("const {constant}:"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tree::said;

    const CODE: [(&str, &str); 2] = [
        ("engine/guard/src/limits.rs", "const BYTES: usize = 1;"),
        ("engine/guard/tests/ydoc/main.rs", "#[test]\nfn m1_a_string() {}\nfn m8_m9_both() {}"),
    ];

    fn told(row: &str) -> Vec<String> {
        let files = [CODE.as_slice(), &[(TABLE, row)]].concat();
        said(check, &files).into_iter().filter(|line| !line.contains("has no row")).collect()
    }

    #[test]
    fn a_row_that_names_what_exists_is_right() {
        assert!(told("| M1 | strings | checked | `BYTES` | `m1_a_string` |").is_empty());
        assert!(told("| M9 | filters | none | nothing passes | `m8_m9_both` |").is_empty());
    }

    #[test]
    fn what_is_not_there_is_named() {
        assert_eq!(told("| M1 | strings | checked | `BITES` | `m1_a_string` |").len(), 1);
        assert_eq!(told("| M1 | strings | checked | none | `m1_other` |").len(), 2);
        assert_eq!(told("| M2 | strings | checked | `BYTES` | `m1_a_string` |").len(), 1);
        assert_eq!(told("| M1 | strings | checked |").len(), 2);
        assert_eq!(said(check, &[(TABLE, "")]).len(), 12, "all rows are missing");
    }
}
