//! Where things are.

use std::path::{Path, PathBuf};

/// The repository's root folder, wherever the command was started.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.parent().expect("xtask lies in a folder of the root").to_owned()
}

/// Cargo's output folder.
pub(crate) fn target() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    root().join(named)
}

/// The npm package, which holds the IDE page as well.
pub(crate) fn web_package() -> PathBuf {
    root().join("web-pkg")
}

/// Where the WebAssembly artefact lies for the npm package.
pub(crate) fn web_artefact() -> PathBuf {
    web_package().join("wasm")
}

/// A path as a person in the root folder would write it.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
