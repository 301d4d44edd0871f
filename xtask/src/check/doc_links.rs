//! Relative links in Markdown lead somewhere.

use super::tree::{Tree, Violation, numbered};

const RULE: &str = "doc-links";

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.files().iter().filter(|file| file.ending() == "md") {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (line, target) in links(&file.text) {
            let path = target.split(['#', '?']).next().unwrap_or_default();
            if path.is_empty() || is_elsewhere(target) {
                continue;
            }
            let leads = resolved(folder, path).is_some_and(|path| tree.has(&path));
            if !leads {
                let sentence = format!("`{target}` leads nowhere: mend the link or write what it names");
                violations.push(file.violation(line, RULE, sentence));
            }
        }
    }
    violations
}

/// The targets of `[text](target)` and `[name]: target`, outside code.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_fence = false;
    for (line, words) in numbered(text) {
        let trimmed = words.trim_start();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            in_fence = !in_fence;
        }
        if in_fence {
            continue;
        }
        // What stands between back quotes is code: every second part.
        for prose in words.split('`').step_by(2) {
            for (at, _) in prose.match_indices("](") {
                found.extend(prose[at + 2..].split([')', ' ']).next().map(|target| (line, target)));
            }
        }
        let named = trimmed.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        found.extend(named.filter(|(name, _)| !name.contains(']')).map(|(_, target)| (line, target.trim())));
    }
    found
}

fn is_elsewhere(target: &str) -> bool {
    let scheme = target.split(':').next().unwrap_or_default();
    scheme.len() < target.len() && scheme.chars().all(|c| c.is_ascii_alphanumeric())
}

/// A relative path from a folder, as a path from the root; nothing if it leaves the root.
pub(crate) fn resolved(folder: &str, path: &str) -> Option<String> {
    let start = if path.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(path.split('/')).filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop()?;
        } else {
            parts.push(part);
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tree::said;

    #[test]
    fn a_link_to_nothing_is_caught() {
        let text = "See [the log](protocol.md#log), [home](../README.md),\n[web](https://example.org), [gone](gone.md).";
        let files = [("docs/behaviour.md", text), ("docs/protocol.md", ""), ("README.md", "")];
        let told = said(check, &files);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("docs/behaviour.md:2 doc-links: `gone.md`"));
    }

    #[test]
    fn links_out_of_the_repository_and_named_links_are_looked_at() {
        let told = said(check, &[("README.md", "[a](../shared/DESIGN.md)\n\n[b]: docs/none.md")]);
        assert_eq!(told.len(), 2, "{told:?}");
    }

    #[test]
    fn code_is_not_a_link() {
        let text = "`[a](b.md)` and\n```\n[a](b.md)\n```\n";
        assert_eq!(said(check, &[("README.md", text)]), Vec::<String>::new());
    }
}
