//! `cargo xtask check`: what a reviewer should never have to say twice, as code.

mod cargo_deny;
mod code;
mod core_purity;
mod doc_links;
mod edges;
mod file_length;
mod file_names;
mod hazards;
mod ide_imports;
mod layers;
mod leftovers;
mod machine_paths;
mod no_unsafe;
mod planted;
mod react_door;
mod readme_names;
mod registry_hosts;
mod script_imports;
mod serialised;
mod sleeps;
mod tree;

use crate::cargo::cargo;
use crate::failure::{Failure, Outcome};
use crate::report::Report;
use crate::{process, toolchain};
use tree::{Tree, Violation};

pub(crate) fn run() -> Outcome {
    let mut report = Report::new("check");
    // Every step runs, whatever the one before it said: one run shows all there is to mend.
    report.step("format", || process::run(&mut cargo(["fmt", "--all", "--check"]))).ok();
    report.step("layering", layering).ok();
    report.step("tidiness", tidiness).ok();
    report.step("clippy", clippy).ok();
    report.step("core without a machine", core_for_wasm).ok();
    report.step("no planted bugs in what is shipped", planted::run).ok();
    report.step("licences, bans, sources", cargo_deny::run).ok();
    report.print();
    match report.failures() {
        0 => Ok(()),
        failures => Err(Failure::new(format!("{failures} of the checks failed"))),
    }
}

fn clippy() -> Outcome {
    process::run(&mut cargo(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
}

/// A crate that builds for a target without an operating system reaches for none.
fn core_for_wasm() -> Outcome {
    toolchain::ensure_rust()?;
    let packages = ["--package", "causeway-guard", "--package", "causeway-core"];
    process::run(cargo(["check", "--target", "wasm32-unknown-unknown"]).args(packages))
}

/// Who may name whom (DESIGN §4 and §10).
fn layering() -> Outcome {
    let mut violations = layers::check(&edges::read()?);
    violations.extend(verdict_of(&LAYERING)?);
    told("layering", &violations)
}

fn tidiness() -> Outcome {
    told("tidiness", &verdict_of(&TIDINESS)?)
}

type Rule = fn(&Tree) -> Vec<Violation>;

const LAYERING: [Rule; 5] =
    [core_purity::check, serialised::check, no_unsafe::check, react_door::check, ide_imports::check];

const TIDINESS: [Rule; 9] = [
    file_length::check,
    file_names::check,
    doc_links::check,
    readme_names::check,
    hazards::check,
    sleeps::check,
    leftovers::check,
    machine_paths::check,
    registry_hosts::check,
];

fn verdict_of(rules: &[Rule]) -> Outcome<Vec<Violation>> {
    let tree = Tree::read()?;
    println!("{} rules over {} files", rules.len(), tree.files().len());
    Ok(rules.iter().flat_map(|rule| rule(&tree)).collect())
}

fn told(what: &str, violations: &[Violation]) -> Outcome {
    for violation in violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => Ok(()),
        number => Err(Failure::new(format!("{number} violations of {what}"))),
    }
}
