//! `cargo xtask bench`: the benchmarks of the workspace, in one optimised run.

use std::path::PathBuf;

use crate::cargo::cargo;
use crate::failure::Outcome;
use crate::report::Report;
use crate::{process, workspace};

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut report = Report::new("bench");
    let outcome = (|| {
        let is_asked = |name: &str| arguments.iter().all(|word| word == name || word.starts_with("--"));
        let mut peer = None;
        if is_asked(WITH_PEER) {
            peer = Some(report.step("y-sweet, the peer", y_sweet)?);
        }
        report.step("benchmarks", || {
            let command = ["run", "--release", "--package", "causeway-tests", "--bin", "bench", "--"];
            let mut command = cargo(command);
            process::run(command.args(arguments).envs(peer.map(|program| ("CAUSEWAY_Y_SWEET", program))))
        })
    })();
    report.print();
    outcome
}

/// The table it stands in.
const WITH_PEER: &str = "fan-out";

/// Its newest release.
const VERSION: &str = "0.9.1";

/// The one of our own beside the build output; it builds in about five minutes on two cores.
fn y_sweet() -> Outcome<PathBuf> {
    let folder = workspace::target().join("tools");
    let program = folder.join("bin/y-sweet");
    if !program.is_file() {
        let (folder, build) = (folder.display().to_string(), workspace::target().join("tools-build"));
        let install = ["install", "y-sweet", "--version", VERSION, "--locked", "--root", &folder];
        process::run(cargo(install).arg("--target-dir").arg(build))?;
    }
    Ok(program)
}
