//! Every document that README names exists.

use super::tree::{Tree, Violation, numbered};

const RULE: &str = "readme-names";

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let Some(readme) = tree.file("README.md") else { return Vec::new() };
    let mut violations = Vec::new();
    for (line, text) in numbered(&readme.text) {
        let between_quotes = text.split('`').skip(1).step_by(2);
        for name in between_quotes.filter(|name| names_a_document(name)) {
            if !tree.has(name.trim_end_matches('/')) {
                let sentence = format!("there is no `{name}`: write it or do not name it");
                violations.push(readme.violation(line, RULE, sentence));
            }
        }
    }
    violations
}

fn names_a_document(name: &str) -> bool {
    let plain = !name.contains([' ', '*', '{', '<', '$']) && !name.starts_with("..");
    plain && (name.starts_with("docs/") || name.ends_with(".md"))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::tree::said;

    #[test]
    fn a_document_that_is_not_there_is_caught() {
        let text = "Read `ARCHITECTURE.md`, `docs/adr/` and\n`docs/none.md`; run `cargo xtask up`.";
        let told = said(check, &[("README.md", text), ("ARCHITECTURE.md", ""), ("docs/adr/README.md", "")]);
        assert_eq!(
            told,
            ["README.md:2 readme-names: there is no `docs/none.md`: write it or do not name it"]
        );
    }
}
