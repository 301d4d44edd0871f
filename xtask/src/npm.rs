//! The npm package as a child process.

use std::fs;
use std::process::Command;

use crate::failure::{During, Failure, Outcome};
use crate::{process, workspace};

/// Whether the package has a script of this name.
pub(crate) fn has_script(name: &str) -> Outcome<bool> {
    let path = workspace::web_package().join("package.json");
    let text = fs::read_to_string(&path).during("cannot read web-pkg/package.json")?;
    let package: serde_json::Value =
        serde_json::from_str(&text).during("web-pkg/package.json is not JSON")?;
    Ok(package["scripts"][name].is_string())
}

/// Installs exactly what the lock file names, unless that has been done for this lock file.
pub(crate) fn install() -> Outcome {
    let package = workspace::web_package();
    let wanted = fs::read(package.join("package-lock.json")).map_err(|error| {
        Failure::new(format!("cannot read web-pkg/package-lock.json: {error}; run npm install there"))
    })?;
    let stamp = package.join("node_modules").join(STAMP);
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        println!("node_modules is what package-lock.json says");
        return Ok(());
    }
    process::run(npm().args(["ci", "--no-audit", "--no-fund"]))?;
    fs::write(&stamp, wanted).during("cannot write the stamp into node_modules")
}

/// An npm command in the package's folder, without colours so that its lines can be read.
pub(crate) fn npm() -> Command {
    let mut command = Command::new("npm");
    command.current_dir(workspace::web_package()).env("NO_COLOR", "1").env_remove("FORCE_COLOR");
    command
}

/// A copy of the lock file that was installed: npm leaves a changed tree behind when it is interrupted, and modification
/// times say nothing after a checkout.
const STAMP: &str = ".installed-package-lock.json";
