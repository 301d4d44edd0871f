//! Cargo as a child process.

use std::process::Command;

use crate::workspace;

/// A cargo command in the root folder.
pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(workspace::root()).args(arguments);
    forget_own_package(&mut command);
    command
}

/// Some build scripts watch these variables, which `cargo run` set for us: with them in place, `cargo build` typed by
/// hand and through here would undo each other's work.
fn forget_own_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let ours = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
        if ours.iter().any(|prefix| text.starts_with(prefix)) || text == "CARGO_PRIMARY_PACKAGE" {
            command.env_remove(&name);
        }
    }
}
