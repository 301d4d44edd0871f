//! Tests wait for a condition with a deadline; they never sleep and hope.

use super::code::{Language, before_tests, names};
use super::tree::{File, Tree, Violation};

const RULE: &str = "sleeps";

/// A pause that sets a pace, between two looks at a condition or two keystrokes, says so on its line or the one before.
const PACE: &str = "// pace: ";

const RUST: [&str; 4] = ["thread::sleep", "time::sleep", "sleep(", "sleep_until("];
const SCRIPT: [&str; 3] = ["setTimeout(", "waitForTimeout(", "sleep("];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    tree.files().iter().flat_map(of_file).collect()
}

fn of_file(file: &File) -> Vec<Violation> {
    let Some(language) = file.language() else { return Vec::new() };
    let code = file.code();
    let first = match (file.is_test(), language) {
        (true, _) => 0,
        (false, Language::Rust) => before_tests(&code).lines().count(),
        (false, Language::Script) => return Vec::new(),
    };
    let sleeps: &[&str] = if language == Language::Rust { &RUST } else { &SCRIPT };
    let lines: Vec<&str> = file.text.lines().collect();
    let mut violations = Vec::new();
    for (index, text) in code.lines().enumerate().skip(first) {
        let sleeps_here = !only_brings_the_name(text) && sleeps.iter().any(|name| names(text, name));
        let paced = sets_a_pace(lines[index])
            || index.checked_sub(1).is_some_and(|before| sets_a_pace(lines[before]));
        if sleeps_here && !paced {
            let sentence = "wait for a condition with a deadline; a pause with another purpose says so after `// pace: `";
            violations.push(file.violation(index + 1, RULE, sentence));
        }
    }
    violations
}

fn only_brings_the_name(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with("use ")
        || text.starts_with("import ")
        || text.contains("fn sleep")
        || text.contains("function sleep")
}

fn sets_a_pace(line: &str) -> bool {
    line.split_once(PACE).is_some_and(|(_, reason)| !reason.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::tree::said;

    #[test]
    fn a_sleep_in_a_test_is_caught() {
        let rust = "fn f() {}\n#[cfg(test)]\nmod tests {\n    fn t() { std::thread::sleep(SECOND); }\n}";
        let script = "await new Promise((done) => setTimeout(done, 100));";
        let files = [
            ("relay/src/a.rs", rust),
            ("web-pkg/src/a.test.ts", script),
            ("relay/tests/b.rs", "sleep(SECOND).await;"),
        ];
        let told = said(check, &files);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("relay/src/a.rs:4 sleeps: "));
    }

    #[test]
    fn a_pace_with_a_reason_and_code_outside_tests_are_free() {
        let paced = "sleep(TICK).await; // pace: as fast as a person types\n// pace: between two looks\nsleep(TICK).await;";
        let files = [("tests/src/a.rs", paced), ("relay/src/b.rs", "tokio::time::sleep(TICK).await;")];
        assert_eq!(said(check, &files), Vec::<String>::new());
    }

    #[test]
    fn a_pace_without_a_reason_is_caught() {
        assert_eq!(said(check, &[("tests/src/a.rs", "sleep(TICK).await; // pace: ")]).len(), 1);
    }
}
