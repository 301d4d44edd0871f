//! Nothing unfinished or switched off is left behind.

use super::code::{Language, names};
use super::tree::{Tree, Violation, numbered};

const RULE: &str = "leftovers";

const RUST: [(&str, &str); 4] = [
    ("todo!", "write it, or return an error that says what is missing"),
    ("unimplemented!", "write it, or return an error that says what is missing"),
    ("dbg!", "remove it, or write a `tracing` event"),
    ("#[ignore", "mend the test or delete it"),
];

const SCRIPT: [(&str, &str); 2] = [(".only(", "let the other tests run as well"), ("debugger;", "remove it")];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.files() {
        let leftovers: &[(&str, &str)] = match file.language() {
            Some(Language::Rust) => &RUST,
            Some(Language::Script) => &SCRIPT,
            None => continue,
        };
        for (line, text) in numbered(&file.code()) {
            for (name, instead) in leftovers.iter().filter(|(name, _)| names(text, name)) {
                violations.push(file.violation(line, RULE, format!("`{name}`: {instead}")));
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
    fn unfinished_and_switched_off_code_is_caught() {
        let rust = "fn a() { todo!() }\n#[ignore = \"slow\"]\nfn b() { dbg!(1); }";
        let told = said(check, &[("engine/src/a.rs", rust), ("web-pkg/src/a.test.ts", "it.only(\"x\", f);")]);
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told[0].starts_with("engine/src/a.rs:1 leftovers: `todo!`"));
    }

    #[test]
    fn talking_about_them_is_free() {
        assert_eq!(said(check, &[("a.rs", "// never todo!()\nlet s = \"dbg!\";")]), Vec::<String>::new());
    }
}
