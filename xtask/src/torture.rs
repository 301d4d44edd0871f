//! `cargo xtask torture`: one scenario against a real relay or engine, optimised as people run them.

use crate::cargo::cargo;
use crate::failure::Outcome;
use crate::report::Report;
use crate::{debian, process, web, workspace};

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut report = Report::new("torture");
    let outcome = torture(arguments, &mut report);
    report.print();
    outcome
}

fn torture(arguments: &[String], report: &mut Report) -> Outcome {
    if arguments.first().is_some_and(|name| name == IN_BROWSER) {
        report.step("browser", || debian::ensure(&["chromium"]))?;
        web::build(report)?;
        let relay = ["build", "--release", "--package", "causeway-relay"];
        report.step("relay", || process::run(&mut cargo(relay)))?;
    }
    report.step("torture", || {
        let command = ["run", "--release", "--package", "causeway-tests", "--bin", "torture", "--"];
        let relay = workspace::target().join("release/causeway-relay");
        process::run(cargo(command).args(arguments).env("CAUSEWAY_RELAY_BIN", relay))
    })
}

/// The scenario that needs pages and a browser.
const IN_BROWSER: &str = "worker";
