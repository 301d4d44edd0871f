//! Which package of the workspace depends on what.

use serde_json::Value;

use crate::cargo::cargo;
use crate::failure::{During, Failure, Outcome};
use crate::{process, workspace};

/// One line of a `[dependencies]` table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) from: String,
    /// The manifest that says so, from the root folder.
    pub(crate) manifest: String,
    pub(crate) to: String,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What is shipped, built scripts included.
    Shipped,
    /// `[dev-dependencies]`: tests, examples and benchmarks.
    Tests,
}

/// All edges out of the workspace's own packages.
pub(crate) fn read() -> Outcome<Vec<Edge>> {
    let text = process::read(&mut cargo(["metadata", "--format-version=1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&text).during("cannot read what cargo metadata says")?;
    let packages = metadata["packages"].as_array().ok_or_else(not_understood)?;
    let mut edges = Vec::new();
    for package in packages {
        let from = package["name"].as_str().ok_or_else(not_understood)?;
        let manifest = package["manifest_path"].as_str().ok_or_else(not_understood)?;
        let manifest = workspace::shown(manifest.as_ref());
        for dependency in package["dependencies"].as_array().ok_or_else(not_understood)? {
            let to = dependency["name"].as_str().ok_or_else(not_understood)?;
            let kind = if dependency["kind"].as_str() == Some("dev") { Kind::Tests } else { Kind::Shipped };
            edges.push(Edge { from: from.into(), manifest: manifest.clone(), to: to.into(), kind });
        }
    }
    Ok(edges)
}

fn not_understood() -> Failure {
    Failure::new("cargo metadata has another form than expected")
}
