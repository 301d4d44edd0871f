//! `cargo xtask test`: every test there is, and one line with the figures at the end.

mod tally;

use std::process::Command;

use crate::args::TestOptions;
use crate::cargo::cargo;
use crate::failure::{Failure, Outcome};
use crate::report::Report;
use crate::{debian, npm, process, toolchain, web};
use tally::{Runner, Tally};

pub(crate) fn run(options: TestOptions) -> Outcome {
    let mut report = Report::new("test");
    let mut total = Tally { failed: options.failed_before, ..Tally::default() };
    // A step that fails is in the report; the next suite runs all the same, so that the whole picture is printed.
    report.step("system packages", || debian::ensure(&PACKAGES)).ok();
    report.step("C compiler", toolchain::ensure_compiler).ok();
    web::build(&mut report).ok();
    total +=
        suite(&mut report, "cargo tests", Runner::Cargo, || Ok(cargo(workspace("test", "--no-fail-fast"))));
    total += suite(&mut report, "tests of web-bindgen", Runner::Cargo, || Ok(web::test_bindgen()));
    total += npm_suite(&mut report, "page unit tests", Runner::Vitest, "test");
    total += browser_suite(&mut report);
    report.print();
    close(total.with_failed_steps(report.failures()))
}

fn npm_suite(report: &mut Report, name: &str, runner: Runner, script: &str) -> Tally {
    match npm::has_script(script) {
        Ok(true) => suite(report, name, runner, || {
            let mut command = npm::npm();
            command.args(["run", script]);
            Ok(command)
        }),
        Ok(false) => {
            report.skip(name, &format!("web-pkg has no script `{script}` yet"));
            Tally::default()
        }
        Err(failure) => {
            report.step(name, || Err::<(), _>(failure)).ok();
            Tally::default()
        }
    }
}

fn browser_suite(report: &mut Report) -> Tally {
    let build = workspace("build", "--all-targets");
    if report.step("relay for the browser", || process::run(&mut cargo(build))).is_err() {
        report.skip("browser stories", "there is no relay to talk to");
        return Tally::default();
    }
    npm_suite(report, "browser stories", Runner::Node, "test:browser")
}

/// The same packages for every cargo command, because another choice gives their dependencies other features and compiles
/// them once more. `web-bindgen` has minutes of dependencies, which are built already on their own.
fn workspace(command: &'static str, flag: &'static str) -> [&'static str; 5] {
    [command, "--workspace", "--exclude", "web-bindgen", flag]
}

/// Runs one suite to its end and counts what its closing lines say.
fn suite(
    report: &mut Report,
    name: &str,
    runner: Runner,
    command: impl FnOnce() -> Outcome<Command>,
) -> Tally {
    let mut counted = Tally::default();
    let outcome = report.step(name, || {
        let mut command = command()?;
        command.env("CAUSEWAY_RELAY_BIN", crate::workspace::target().join("debug/causeway-relay"));
        let transcript = process::run_keeping_lines(&mut command)?;
        counted = tally::count(runner, &transcript.lines)?;
        println!("── {name}: {counted}");
        transcript.end
    });
    if outcome.is_err() {
        counted.suites_failed = 1;
        // A suite that stopped before its first test has failed all the same.
        counted.failed = counted.failed.max(1);
    }
    counted
}

fn close(total: Tally) -> Outcome {
    let strict = std::env::var("CI").is_ok_and(|value| value == "true");
    let left_out = total.left_out > 0;
    if left_out {
        println!("\n{} tests were ignored or skipped for another reason than missing data", total.left_out);
    }
    let total = if strict { total.with_left_out_failed() } else { total };
    println!("\n{total}");
    if total.failed > 0 { Err(Failure::already_told()) } else { Ok(()) }
}

/// A browser, glyphs for emoji (they are boxes without), and network namespaces for the stories about cut lines.
const PACKAGES: [&str; 3] = ["chromium", "fonts-noto-color-emoji", "iproute2"];
