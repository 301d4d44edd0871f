//! `cargo xtask torture`: one scenario against a real relay or engine, optimised as people run them.

use crate::cargo::cargo;
use crate::failure::Outcome;
use crate::process;
use crate::report::Report;

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut report = Report::new("torture");
    let outcome = report.step("torture", || {
        let command = ["run", "--release", "--package", "causeway-tests", "--bin", "torture", "--"];
        process::run(cargo(command).args(arguments))
    });
    report.print();
    outcome
}
