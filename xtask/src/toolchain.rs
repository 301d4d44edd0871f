//! The Rust tool chain and the programs beside it that a build needs.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::cargo::cargo;
use crate::failure::{Failure, Outcome};
use crate::workspace;
use crate::{debian, process};

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Vite's lower bound.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// Makes sure that everything `rust-toolchain.toml` names is there: rustup does not always add targets by itself.
pub(crate) fn ensure_rust() -> Outcome {
    if has_wasm_target()? {
        println!("the tool chain has its {WASM_TARGET} target");
        return Ok(());
    }
    if !process::exists("rustup") {
        let sentence =
            format!("the Rust tool chain lacks the {WASM_TARGET} target and there is no rustup to add it");
        return Err(Failure::new(sentence));
    }
    let mut install = Command::new("rustup");
    // cargo's own setting of this variable would hide the file in the root folder, and with it the targets.
    install.env_remove("RUSTUP_TOOLCHAIN").args(["toolchain", "install"]).current_dir(workspace::root());
    process::run(&mut install)
}

/// Whether the standard library can be built: its source is there, and what that depends on. Asked for once: what is built and what
/// is measured must be the same.
pub(crate) fn can_build_library() -> Outcome<bool> {
    static CAN: OnceLock<bool> = OnceLock::new();
    if let Some(can) = CAN.get() {
        return Ok(*can);
    }
    let can = has_library_source()? && has_library_crates()?;
    if !can {
        println!("the artefact is built with the compiler's own standard library");
    }
    Ok(*CAN.get_or_init(|| can))
}

fn has_library_source() -> Outcome<bool> {
    if library()?.is_file() {
        return Ok(true);
    }
    let mut add = Command::new("rustup");
    add.env_remove("RUSTUP_TOOLCHAIN").args(["component", "add", "rust-src"]).current_dir(workspace::root());
    if !process::exists("rustup") || process::run(&mut add).is_err() {
        println!("rust-src cannot be had");
    }
    Ok(library()?.is_file())
}

/// Its crates come from the registry, and stay in cargo's cache.
fn has_library_crates() -> Outcome<bool> {
    let mut fetch = cargo(["fetch", "--quiet", "--locked", "--target", WASM_TARGET, "--manifest-path"]);
    let fetched = process::run(fetch.arg(library()?).env("RUSTC_BOOTSTRAP", "1")).is_ok();
    if !fetched {
        println!("the crates of the standard library cannot be had");
    }
    Ok(fetched)
}

fn library() -> Outcome<PathBuf> {
    Ok(sysroot()?.join("lib/rustlib/src/rust/library/Cargo.toml"))
}

fn sysroot() -> Outcome<PathBuf> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let told =
        process::read(Command::new(rustc).args(["--print", "sysroot"]).current_dir(workspace::root()))?;
    Ok(PathBuf::from(told.trim()))
}

/// Build scripts need a C compiler and a linker.
pub(crate) fn ensure_compiler() -> Outcome {
    if process::exists("cc") { Ok(()) } else { debian::ensure(&["build-essential"]) }
}

/// Makes sure that node is there and new enough for the page's build.
pub(crate) fn ensure_node() -> Outcome {
    if !process::exists("node") || !process::exists("npm") {
        debian::ensure(&["nodejs", "npm"])?;
    }
    let said = process::read(Command::new("node").arg("--version"))?;
    let said = said.trim();
    println!("node {said}");
    if node_version(said).is_some_and(|version| version >= OLDEST_NODE) {
        return Ok(());
    }
    let (major, minor) = OLDEST_NODE;
    Err(Failure::new(format!(
        "the page needs node {major}.{minor} or newer, this is {said}: install a newer one"
    )))
}

fn has_wasm_target() -> Outcome<bool> {
    Ok(sysroot()?.join("lib/rustlib").join(WASM_TARGET).join("lib").is_dir())
}

fn node_version(said: &str) -> Option<(u32, u32)> {
    let mut parts = said.strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_compare_by_number() {
        assert!(node_version("v20.20.2").is_some_and(|version| version >= OLDEST_NODE));
        assert!(node_version("v22.3.0").is_some_and(|version| version >= OLDEST_NODE));
        assert!(node_version("v18.20.4").is_some_and(|version| version < OLDEST_NODE));
        assert_eq!(node_version("something else"), None);
    }
}
