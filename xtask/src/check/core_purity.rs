//! Core and guard name no runtime, socket, file, clock, environment or log sink, and only ordered maps (DESIGN §4, §10).

use super::code::{before_tests, names};
use super::tree::{Tree, Violation, numbered};

const RULE: &str = "core-purity";

const FOLDERS: [&str; 2] = ["engine/core/src/", "engine/guard/src/"];

/// A name and what to do instead.
const NAMES: [(&str, &str); 14] = [
    ("SystemTime", "the time arrives as an argument"),
    ("Instant", "the time arrives as an argument"),
    ("tokio", "the shell drives, core is polled"),
    ("println!", "return it, or write a `tracing` event"),
    ("eprintln!", "return it, or write a `tracing` event"),
    ("print!", "return it, or write a `tracing` event"),
    ("eprint!", "return it, or write a `tracing` event"),
    ("HashMap", "use a `BTreeMap`: the same inputs must give the same bytes"),
    ("HashSet", "use a `BTreeSet`: the same inputs must give the same bytes"),
    ("RandomState", "randomness arrives as an argument"),
    ("thread_rng", "randomness arrives as an argument"),
    ("getrandom", "randomness arrives as an argument"),
    ("static mut", "state belongs into a value that somebody owns"),
    ("thread_local!", "state belongs into a value that somebody owns"),
];

/// Modules of the standard library, which may also be named in a group: `use std::{fs, net}`.
const MODULES: [&str; 5] = ["env", "fs", "net", "process", "thread"];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    let pure = |path: &str| FOLDERS.iter().any(|folder| path.starts_with(folder)) && path.ends_with(".rs");
    for file in tree.files().iter().filter(|file| pure(&file.path) && !file.is_test()) {
        let code = file.code();
        for (line, text) in numbered(before_tests(&code)) {
            for (name, instead) in NAMES {
                if names(text, name) {
                    violations.push(file.violation(
                        line,
                        RULE,
                        format!("`{name}` has no place here: {instead}"),
                    ));
                }
            }
            for module in MODULES.iter().filter(|module| names_std(text, module)) {
                let sentence =
                    format!("`std::{module}` has no place here: let a shell do it and hand in the outcome");
                violations.push(file.violation(line, RULE, sentence));
            }
        }
    }
    violations
}

fn names_std(line: &str, module: &str) -> bool {
    if names(line, &format!("std::{module}")) {
        return true;
    }
    let Some((_, group)) = line.split_once("std::{") else { return false };
    group.split([',', '}']).any(|entry| {
        let entry = entry.trim();
        entry == module
            || entry
                .strip_prefix(module)
                .is_some_and(|rest| rest.starts_with("::") || rest.starts_with(" as "))
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::tree::said;

    #[test]
    fn a_clock_a_file_and_an_unordered_map_are_caught() {
        let text = "use std::time::Instant;\nuse std::{fs, fmt};\nfn f(m: HashMap<u8, u8>) {}\nlet now = std::env::var(\"X\");";
        let told = said(check, &[("engine/core/src/log.rs", text)]);
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told[0].starts_with("engine/core/src/log.rs:1 core-purity: `Instant`"));
        assert!(told[1].starts_with("engine/core/src/log.rs:2 core-purity: `std::fs`"));
    }

    #[test]
    fn prose_tests_and_shells_are_free() {
        let text = "//! Never a HashMap, never tokio.\nfn f() {}\n#[cfg(test)]\nmod tests {\n use std::collections::HashMap; }";
        let shell = "use tokio::time::Instant;";
        let files = [
            ("engine/core/src/lib.rs", text),
            ("engine/src/driver.rs", shell),
            ("engine/core/tests/a.rs", shell),
        ];
        assert_eq!(said(check, &files), Vec::<String>::new());
    }
}
