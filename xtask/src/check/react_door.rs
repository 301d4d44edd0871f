//! React is unknown to the client: only the door `./react` imports it (DESIGN §10).

use super::script_imports::imports;
use super::tree::{Tree, Violation};

const RULE: &str = "react-door";

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    let client = |path: &str| {
        let inside = path.strip_prefix("web-pkg/src/");
        inside.is_some_and(|inside| !inside.starts_with("react/") && !inside.starts_with("react."))
    };
    for file in tree.files().iter().filter(|file| client(&file.path) && file.language().is_some()) {
        for (line, name) in imports(&file.text) {
            let package = name.split('/').next().unwrap_or_default();
            if package == "react" || package == "react-dom" {
                let sentence =
                    format!("`{name}` belongs behind the door web-pkg/src/react: offer `subscribe` here");
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
    fn react_in_the_client_is_caught() {
        let text = "import { useState } from \"react\";";
        let told = said(check, &[("web-pkg/src/client.ts", text), ("web-pkg/src/react/useText.ts", text)]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("web-pkg/src/client.ts:1 react-door: "));
    }
}
