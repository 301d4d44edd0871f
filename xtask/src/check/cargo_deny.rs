//! Licences, bans and sources by cargo-deny.

use std::path::PathBuf;
use std::process::Command;

use crate::cargo::cargo;
use crate::failure::Outcome;
use crate::{process, workspace};

/// Known to read our `deny.toml`; builds in one to two minutes on two cores.
const VERSION: &str = "0.20.2";

pub(crate) fn run() -> Outcome {
    let program = installed()?;
    let root = workspace::root();
    process::run(Command::new(&program).current_dir(&root).args([
        "check",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ]))?;
    if !has_advisories() {
        println!(
            "advisories were not checked: there is no local copy of the advisory database (`cargo deny fetch` makes one)"
        );
        return Ok(());
    }
    process::run(Command::new(&program).current_dir(&root).args(["check", "--disable-fetch", "advisories"]))
}

/// The one on this machine, or one of our own beside the build output.
fn installed() -> Outcome<PathBuf> {
    if process::exists("cargo-deny") {
        return Ok(PathBuf::from("cargo-deny"));
    }
    let folder = workspace::target().join("tools");
    let program = folder.join("bin/cargo-deny");
    if !program.is_file() {
        let folder = folder.display().to_string();
        let build = workspace::target().join("tools-build").display().to_string();
        // Unoptimised it builds in clearly less time and still answers within two seconds.
        let install = ["install", "cargo-deny", "--version", VERSION, "--locked", "--debug"];
        process::run(cargo(install).args(["--root", &folder, "--target-dir", &build]))?;
    }
    Ok(program)
}

fn has_advisories() -> bool {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    home.is_some_and(|home| home.join("advisory-dbs").is_dir())
}
