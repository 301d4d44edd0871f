//! The IDE uses the package as anybody would: by its name (DESIGN §7).

use super::script_imports::imports;
use super::tree::{Tree, Violation};

const RULE: &str = "ide-imports";
const FOLDER: &str = "web-pkg/ide";

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    let in_ide = |path: &str| path.strip_prefix(FOLDER).is_some_and(|rest| rest.starts_with('/'));
    for file in tree.files().iter().filter(|file| in_ide(&file.path) && file.language().is_some()) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (line, name) in imports(&file.text).into_iter().filter(|(_, name)| name.starts_with('.')) {
            let stays =
                super::doc_links::resolved(folder, name).is_some_and(|path| in_ide(&path) || path == FOLDER);
            if !stays {
                let sentence = format!("`{name}` leaves the IDE: import it from \"@causeway/web\"");
                violations.push(file.violation(line, RULE, sentence));
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
    fn a_path_into_the_package_is_caught() {
        let text = "import { open } from \"@causeway/web\";\nimport { x } from \"../../src/client\";\nimport \"../style.css\";";
        let told = said(check, &[("web-pkg/ide/src/main.tsx", text)]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("web-pkg/ide/src/main.tsx:2 ide-imports: `../../src/client`"));
    }
}
