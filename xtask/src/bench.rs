//! `cargo xtask bench`: the benchmarks of the workspace, in one optimised run.

use crate::cargo::cargo;
use crate::failure::Outcome;
use crate::process;
use crate::report::Report;

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut report = Report::new("bench");
    let outcome = report.step("benchmarks", || {
        let command = ["run", "--release", "--package", "causeway-tests", "--bin", "bench", "--"];
        process::run(cargo(command).args(arguments))
    });
    report.print();
    outcome
}
