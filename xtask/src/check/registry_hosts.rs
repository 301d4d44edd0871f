//! Lock files and documents name packages, not the hosts they came from: a mirror of one machine is nobody else's.

use super::tree::{Tree, Violation, numbered};

const RULE: &str = "registry-hosts";

/// Written in two parts so that this file passes its own rule.
const HOSTS: [(&str, &str); 8] = [
    ("registry.npmjs", "org"),
    ("registry.yarnpkg", "com"),
    ("index.crates", "io"),
    ("static.crates", "io"),
    ("files.pythonhosted", "org"),
    ("pypi", "org"),
    ("deb.debian", "org"),
    ("static.rust-lang", "org"),
];

/// Cargo's own way to name its default registry, whatever mirror served it.
const DEFAULT_REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.files() {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        for (line, text) in numbered(&file.text) {
            for (start, end) in HOSTS {
                if text.contains(&format!("{start}.{end}")) {
                    violations.push(file.violation(
                        line,
                        RULE,
                        format!("leave `{start}` out: name the package only"),
                    ));
                }
            }
            if let Some(sentence) = resolved_elsewhere(name, text.trim()) {
                violations.push(file.violation(line, RULE, sentence));
            }
        }
    }
    violations
}

fn resolved_elsewhere(name: &str, line: &str) -> Option<&'static str> {
    match name {
        "Cargo.lock" => {
            let source = line.strip_prefix("source = \"")?.trim_end_matches('"');
            (source != DEFAULT_REGISTRY)
                .then_some("a package from another source than the default registry: publish it there")
        }
        "package-lock.json" => {
            let resolved = line.strip_prefix("\"resolved\": \"")?;
            let named = resolved.starts_with("http") || resolved.starts_with("git");
            named.then_some("run npm install with `omit-lockfile-registry-resolved=true` in .npmrc")
        }
        ".npmrc" => line
            .contains("registry=")
            .then_some("a registry is a matter of the machine: set it in the user's .npmrc"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::check::tree::said;

    #[test]
    fn hosts_in_lock_files_are_caught() {
        let npm = "{\n  \"resolved\": \"https://mirror.example/x.tgz\",\n}";
        let cargo = "source = \"registry+https://mirror.example/index\"";
        let told = said(check, &[("web-pkg/package-lock.json", npm), ("Cargo.lock", cargo)]);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("web-pkg/package-lock.json:2 registry-hosts: "));
    }

    #[test]
    fn the_default_registry_is_free() {
        let cargo = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
        assert_eq!(
            said(check, &[("Cargo.lock", cargo), ("README.md", "on crates.io")]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_known_host_is_caught_anywhere() {
        let text = format!("fetch from https://{}.{}/x", "registry.npmjs", "org");
        assert_eq!(said(check, &[("docs/a.md", &text)]).len(), 1);
    }
}
