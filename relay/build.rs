//! Builds the relay anew when the web app it carries has changed.

use std::path::Path;

fn main() {
    // The deepest of these that exists: a path that does not would make every build a new one.
    let nearest = ["../web-pkg/ide/dist", "../web-pkg/ide", "../web-pkg/package.json", "build.rs"];
    if let Some(path) = nearest.iter().find(|path| Path::new(path).exists()) {
        println!("cargo::rerun-if-changed={path}");
    }
}
