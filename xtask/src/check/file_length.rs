//! A file is read in one sitting.

use super::tree::{Tree, Violation};

const RULE: &str = "file-length";

/// The wall of STYLE: longer than this and nobody holds the file in mind.
const MOST_LINES: usize = 800;

const ENDINGS: [&str; 8] = ["rs", "ts", "tsx", "js", "mjs", "css", "html", "md"];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let written = tree.files().iter().filter(|file| ENDINGS.contains(&file.ending()));
    let mut violations = Vec::new();
    for file in written {
        let lines = file.text.lines().count();
        if lines > MOST_LINES {
            let sentence = format!("{lines} lines: split it by idea before it passes {MOST_LINES}");
            violations.push(file.violation(MOST_LINES + 1, RULE, sentence));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tree::said;

    #[test]
    fn one_line_too_many_is_caught() {
        let (full, over) = ("\n".repeat(MOST_LINES), "\n".repeat(MOST_LINES + 1));
        let told = said(check, &[("a.rs", &full), ("b.css", &over), ("package-lock.json", &over)]);
        assert_eq!(told, ["b.css:801 file-length: 801 lines: split it by idea before it passes 800"]);
    }
}
