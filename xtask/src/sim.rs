//! `cargo xtask sim`: many seeds of the simulated world.

use crate::args::SimOptions;
use crate::cargo::cargo;
use crate::failure::Outcome;
use crate::process;
use crate::report::Report;

pub(crate) fn run(options: SimOptions) -> Outcome {
    let mut report = Report::new("sim");
    let outcome = report.step("simulated world", || {
        let command = ["run", "--release", "--package", "causeway-tests", "--bin", "sim", "--"];
        let (seeds, from) = (options.seeds.to_string(), options.from.to_string());
        process::run(cargo(command).args(["--seeds", &seeds, "--from", &from]))
    });
    report.print();
    outcome
}
