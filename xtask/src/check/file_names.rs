//! A file is named after its idea.

use super::tree::{Tree, Violation};

const RULE: &str = "file-names";

/// Names that say nothing about what is inside and attract everything.
const DRAWERS: [&str; 6] = ["utils", "util", "helpers", "helper", "common", "misc"];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.files() {
        if file.path.rsplit('/').next() == Some("mod.rs") {
            violations.push(file.violation(1, RULE, "name it after its module and put it beside the folder"));
        }
        let drawer = file.path.split('/').find(|part| {
            let stem = part.split('.').next().unwrap_or_default().to_lowercase();
            DRAWERS.contains(&stem.as_str())
        });
        if let Some(drawer) = drawer {
            violations.push(file.violation(
                1,
                RULE,
                format!("`{drawer}` names no idea: name what is inside"),
            ));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::tree::said;

    #[test]
    fn drawers_and_mod_files_are_caught() {
        let files =
            [("a/mod.rs", ""), ("web-pkg/src/utils/x.ts", ""), ("b/helpers.test.ts", ""), ("b/model.rs", "")];
        let told = said(check, &files);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[1].starts_with("web-pkg/src/utils/x.ts:1 file-names: `utils`"));
    }
}
