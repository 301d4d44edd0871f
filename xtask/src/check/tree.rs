//! The files a rule looks at.

use std::collections::BTreeSet;
use std::fmt;
use std::process::Command;

use super::code::{self, Language};
use crate::failure::Outcome;
use crate::{process, workspace};

/// Every text file of the repository that is tracked or would be.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: Vec<File>,
    paths: BTreeSet<String>,
}

/// One text file.
#[derive(Debug)]
pub(crate) struct File {
    /// From the root folder, with `/` between its parts.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Something a rule does not allow.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    path: String,
    line: usize,
    rule: &'static str,
    sentence: String,
}

impl Tree {
    /// Reads the working tree; what git ignores is not part of it.
    pub(crate) fn read() -> Outcome<Self> {
        let root = workspace::root();
        let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listed = process::read(Command::new("git").args(list).current_dir(&root))?;
        let mut tree = Self::default();
        for path in listed.split('\0').filter(|path| !path.is_empty()) {
            // Listed but gone: deleted and not yet committed. Not text: no rule reads it, but links may name it.
            let Ok(bytes) = std::fs::read(root.join(path)) else { continue };
            tree.paths.insert(path.to_owned());
            if let Ok(text) = String::from_utf8(bytes) {
                tree.files.push(File { path: path.to_owned(), text });
            }
        }
        Ok(tree)
    }

    pub(crate) fn files(&self) -> &[File] {
        &self.files
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether there is a file or a folder of this path; the empty path is the root.
    pub(crate) fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty()
            || self.paths.contains(path)
            || self.paths.iter().any(|other| other.starts_with(&folder))
    }

    #[cfg(test)]
    pub(crate) fn planted(files: &[(&str, &str)]) -> Self {
        let paths = files.iter().map(|(path, _)| String::from(*path)).collect();
        let files =
            files.iter().map(|(path, text)| File { path: (*path).into(), text: (*text).into() }).collect();
        Self { files, paths }
    }
}

impl File {
    /// The file's ending, without the dot.
    pub(crate) fn ending(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, ending)| ending)
    }

    pub(crate) fn language(&self) -> Option<Language> {
        match self.ending() {
            "rs" => Some(Language::Rust),
            "ts" | "tsx" | "js" | "jsx" | "mjs" | "cjs" => Some(Language::Script),
            _ => None,
        }
    }

    /// The text without comments and strings, line for line; empty for what is not code.
    pub(crate) fn code(&self) -> String {
        self.language().map(|language| code::code_only(&self.text, language)).unwrap_or_default()
    }

    /// Whether all of the file is test code.
    pub(crate) fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let folder =
            self.path.split('/').any(|part| part == "tests" || part == "test" || part == "__tests__");
        let mut stems = name.split('.');
        let stem = stems.next().unwrap_or_default();
        let marked = stems.any(|part| part == "test" || part == "spec");
        folder || marked || stem == "tests" || stem.ends_with("_test") || stem.ends_with("_tests")
    }

    pub(crate) fn violation(
        &self,
        line: usize,
        rule: &'static str,
        sentence: impl Into<String>,
    ) -> Violation {
        Violation { path: self.path.clone(), line, rule, sentence: sentence.into() }
    }
}

impl Violation {
    pub(crate) fn of_manifest(path: &str, rule: &'static str, sentence: String) -> Self {
        Self { path: path.to_owned(), line: 1, rule, sentence }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{} {}: {}", self.path, self.line, self.rule, self.sentence)
    }
}

/// Lines with their numbers as an editor counts them.
pub(crate) fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// What a rule says about planted files, one line each.
#[cfg(test)]
pub(crate) fn said(rule: fn(&Tree) -> Vec<Violation>, files: &[(&str, &str)]) -> Vec<String> {
    rule(&Tree::planted(files)).iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_reads_as_place_rule_and_sentence() {
        let tree = Tree::planted(&[("engine/core/src/lib.rs", "")]);
        let file = tree.file("engine/core/src/lib.rs").expect("planted");
        let told = file.violation(7, "some-rule", "do it differently").to_string();
        assert_eq!(told, "engine/core/src/lib.rs:7 some-rule: do it differently");
    }

    #[test]
    fn test_code_is_known_by_its_place() {
        let places = [
            "tests/src/lib.rs",
            "engine/tests/sync.rs",
            "engine/core/src/log/tests.rs",
            "web-pkg/src/a.test.ts",
        ];
        for path in places {
            assert!(File { path: path.into(), text: String::new() }.is_test(), "{path}");
        }
        for path in ["engine/core/src/lib.rs", "xtask/src/latest.rs", "web-pkg/src/index.ts"] {
            assert!(!File { path: path.into(), text: String::new() }.is_test(), "{path}");
        }
    }

    #[test]
    fn folders_exist_through_their_files() {
        let tree = Tree::planted(&[("docs/adr/README.md", "")]);
        assert!(tree.has("docs/adr") && tree.has("docs/adr/README.md") && tree.has(""));
        assert!(!tree.has("docs/ad"));
    }
}
