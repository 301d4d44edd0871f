//! The module names that a TypeScript or JavaScript file imports.

/// Every `from "x"`, `import "x"`, `import("x")`, `require("x")` and `new URL("x"`, with its line.
pub(crate) fn imports(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (line, words) in super::tree::numbered(text) {
        let trimmed = words.trim_start();
        if trimmed.starts_with("//") || trimmed.starts_with('*') {
            continue;
        }
        for opening in OPENINGS {
            for (at, _) in words.match_indices(opening) {
                found.extend(literal(&words[at + opening.len()..]).map(|name| (line, name)));
            }
        }
    }
    found
}

const OPENINGS: [&str; 5] = ["from ", "import ", "import(", "require(", "new URL("];

fn literal(rest: &str) -> Option<&str> {
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    rest[1..].split_once(quote).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::imports;

    #[test]
    fn every_form_of_import_is_seen() {
        let text = "import { a,\n  b } from \"x\";\nimport 'y.css';\nconst c = await import(\"z\"); // from \"q\"?\n// from \"no\"";
        let names: Vec<_> = imports(text).into_iter().collect();
        assert_eq!(names, [(2, "x"), (3, "y.css"), (4, "q"), (4, "z")]);
    }
}
