//! No `unsafe` outside code that a generator writes while it compiles (DESIGN §10).

use super::code::names;
use super::tree::{Tree, Violation, numbered};

const RULE: &str = "no-unsafe";

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.files().iter().filter(|file| file.ending() == "rs") {
        for (line, text) in numbered(&file.code()) {
            if names(text, "unsafe") {
                violations.push(file.violation(
                    line,
                    RULE,
                    "say it in safe Rust, or use a library that is audited for it",
                ));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::tree::said;

    #[test]
    fn an_unsafe_block_is_caught_and_the_lint_that_forbids_it_is_not() {
        let told = said(check, &[("relay/src/main.rs", "#![forbid(unsafe_code)]\nunsafe { f() }")]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("relay/src/main.rs:2 no-unsafe: "));
    }
}
