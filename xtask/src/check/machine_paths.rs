//! Nothing in the repository knows on which machine it was written.

use super::tree::{Tree, Violation, numbered};

const RULE: &str = "machine-paths";

/// Folders in the root of somebody's machine. Written without their slashes so that this file passes its own rule.
const FOLDERS: [&str; 4] = ["work", "root", "home", "Users"];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.files() {
        for (line, text) in numbered(&file.text) {
            for folder in FOLDERS.iter().filter(|folder| names_absolute(text, folder)) {
                let sentence = format!(
                    "the folder `{folder}` of one machine: write a path from the root of the repository"
                );
                violations.push(file.violation(line, RULE, sentence));
            }
        }
    }
    violations
}

fn names_absolute(line: &str, folder: &str) -> bool {
    let path = format!("/{folder}/");
    line.match_indices(&path).any(|(at, _)| {
        // After one of these the slash is inside a longer relative path or an address.
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| {
            c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '}' | ')' | '~' | '*' | '@' | '/')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::tree::said;

    #[test]
    fn a_path_of_one_machine_is_caught_and_a_relative_one_is_not() {
        let absolute = format!("read(\"/{}/main/data\")", "work");
        let relative = format!("see ./{0}/x, https://example.org/{0}/y and src/{0}/z", "home");
        let told = said(check, &[("a.rs", &absolute), ("b.md", &relative)]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("a.rs:1 machine-paths: "));
    }
}
