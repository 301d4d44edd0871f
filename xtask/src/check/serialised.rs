//! Only core's `wire` and `stored` know a serialised layout of ours (DESIGN §10).

use super::code::{before_tests, names};
use super::tree::{Tree, Violation, numbered};

const RULE: &str = "serialised";

const HOMES: [&str; 4] = [
    "engine/core/src/wire.rs",
    "engine/core/src/wire/",
    "engine/core/src/stored.rs",
    "engine/core/src/stored/",
];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.files().iter().filter(|file| file.ending() == "rs" && !file.is_test()) {
        if HOMES.iter().any(|home| file.path.starts_with(home)) {
            continue;
        }
        let code = file.code();
        for (line, text) in numbered(before_tests(&code)) {
            if names(text, "postcard") {
                let sentence = "give the type to `wire` or `stored` and call what they offer: a layout needs its golden vector";
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
    fn a_layout_elsewhere_is_caught() {
        let told = said(check, &[("relay/src/room.rs", "\nlet bytes = postcard::to_allocvec(&entry);")]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("relay/src/room.rs:2 serialised: "));
    }

    #[test]
    fn wire_and_stored_are_its_home() {
        let text = "use postcard::Error;";
        let files = [("engine/core/src/wire/frame.rs", text), ("engine/core/src/stored.rs", text)];
        assert_eq!(said(check, &files), Vec::<String>::new());
    }
}
