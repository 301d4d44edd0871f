//! What is shipped cannot have a bug planted: the feature for it is the tests' alone.

use crate::cargo::cargo;
use crate::failure::{Failure, Outcome};
use crate::process;

/// What people are given.
const SHIPPED: [&str; 6] =
    ["causeway-relay", "causeway", "causeway-wasm", "causeway-mobile", "causeway-store", "causeway-lan"];
const FEATURE: &str = "planted-bugs";

pub(crate) fn run() -> Outcome {
    for package in SHIPPED {
        let tree =
            process::read(&mut cargo(["tree", "--edges", "normal,build,features", "--package", package]))?;
        if reaches(&tree) {
            return Err(Failure::new(format!("{package} is built with `{FEATURE}`")));
        }
    }
    Ok(())
}

fn reaches(tree: &str) -> bool {
    tree.lines().any(|line| line.contains(&format!("\"{FEATURE}\"")))
}

#[cfg(test)]
mod tests {
    use super::reaches;

    #[test]
    fn a_feature_deep_in_the_tree_is_seen() {
        assert!(reaches("causeway-relay v0.1.0\n└── causeway-core feature \"planted-bugs\"\n"));
        assert!(!reaches("causeway-relay v0.1.0\n└── causeway-core feature \"default\"\n"));
    }
}
