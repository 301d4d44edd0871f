//! `cargo xtask fuzz`: libFuzzer on one target of `engine/fuzz`, and its corpus brought home.

mod corpus;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::args::FuzzOptions;
use crate::cargo::cargo;
use crate::failure::{During, Failure, Outcome};
use crate::report::Report;
use crate::{process, toolchain, workspace};

pub(crate) fn run(options: &FuzzOptions) -> Outcome {
    let mut report = Report::new("fuzz");
    let outcome = steps(&mut report, options);
    report.print();
    let found = outcome?;
    println!("\n{}: {} executions, {} findings", options.target, found.executions, found.inputs.len());
    for input in &found.inputs {
        println!("  {}", workspace::shown(input));
    }
    if found.inputs.is_empty() {
        Ok(())
    } else {
        Err(Failure::new("give each finding a named test, then mend it"))
    }
}

/// What a run came to.
struct Found {
    executions: u64,
    inputs: Vec<PathBuf>,
}

fn steps(report: &mut Report, options: &FuzzOptions) -> Outcome<Found> {
    let place = Place::of(&options.target)?;
    report.step("C compiler", toolchain::ensure_compiler)?;
    let program = report.step("cargo-fuzz", installed)?;
    report.step("corpus", || corpus::unpack(&place.committed, &place.inputs))?;
    let mut executions = 0;
    let ended = report.step("libFuzzer", || {
        let seconds = format!("-max_total_time={}", options.minutes.saturating_mul(60));
        let mut command = place.libfuzzer(&program, &[&place.inputs]);
        let transcript =
            process::run_keeping_lines(command.args(LIMITS).args(["-print_final_stats=1", &seconds]))?;
        executions = counted(&transcript.lines);
        transcript.end
    });
    let inputs = files(&place.findings)?;
    // A finding ends libFuzzer with an error; without one the error is another.
    if inputs.is_empty() {
        ended?;
        report.step("smallest corpus", || place.bring_home(&program))?;
    }
    Ok(Found { executions, inputs })
}

/// Where the inputs of one target lie.
struct Place {
    target: String,
    /// The corpus under version control.
    committed: PathBuf,
    /// All inputs found on this machine.
    inputs: PathBuf,
    findings: PathBuf,
}

impl Place {
    fn of(target: &str) -> Outcome<Self> {
        let door = workspace::root().join(LIBFUZZER).join(format!("targets/{target}.rs"));
        if !door.is_file() {
            return Err(Failure::new(format!("there is no target `{target}` in {LIBFUZZER}/targets")));
        }
        let own = workspace::target().join("fuzz").join(target);
        let (inputs, findings) = (own.join("inputs"), own.join("findings"));
        for folder in [&inputs, &findings] {
            std::fs::create_dir_all(folder).during("cannot make a folder for the inputs")?;
        }
        let committed = workspace::root().join(format!("engine/fuzz/corpus/{target}.hex"));
        Ok(Self { target: target.to_owned(), committed, inputs, findings })
    }

    /// libFuzzer over these folders; it writes into the first. No sanitizer: the code has no `unsafe`, and the tool chain
    /// stays the one that everything else is built with.
    fn libfuzzer(&self, program: &Path, folders: &[&PathBuf]) -> Command {
        let mut command = Command::new(program);
        let build = workspace::target().join("fuzz/build");
        command.current_dir(workspace::root().join(LIBFUZZER)).args([
            "run",
            "--sanitizer",
            "none",
            "--fuzz-dir",
            ".",
        ]);
        command.arg("--target-dir").arg(build).arg(&self.target).args(folders);
        command.arg("--").arg(format!("-artifact_prefix={}/", self.findings.display()));
        command
    }

    /// Keeps of all inputs the few that reach all code the others reach, and commits the smallest of those.
    fn bring_home(&self, program: &Path) -> Outcome {
        let merged = self.inputs.with_file_name("merged");
        std::fs::remove_dir_all(&merged).ok();
        std::fs::create_dir_all(&merged).during("cannot make a folder for the inputs")?;
        process::run(self.libfuzzer(program, &[&merged, &self.inputs]).args(LIMITS).arg("-merge=1"))?;
        corpus::pack(&merged, &self.committed)
    }
}

/// Known to take `--sanitizer none` on a stable tool chain.
const VERSION: &str = "0.13.2";

/// The one of our own beside the build output; it builds in about a minute.
fn installed() -> Outcome<PathBuf> {
    let folder = workspace::target().join("tools");
    let program = folder.join("bin/cargo-fuzz");
    if !program.is_file() {
        let (folder, build) = (folder.display().to_string(), workspace::target().join("tools-build"));
        let install =
            ["install", "cargo-fuzz", "--version", VERSION, "--locked", "--debug", "--root", &folder];
        process::run(cargo(install).arg("--target-dir").arg(build))?;
    }
    Ok(program)
}

fn counted(lines: &[String]) -> u64 {
    let figure = |line: &String| line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok();
    lines.iter().find_map(figure).unwrap_or(0)
}

fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).during("cannot read the folder of findings")?;
    Ok(entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
}

const LIBFUZZER: &str = "engine/fuzz/libfuzzer";

/// Inputs beyond 2 KiB find nothing that shorter ones do not, and cost their length. An input that takes 5 s or 1 GiB is
/// a finding as well.
const LIMITS: [&str; 3] = ["-max_len=2048", "-timeout=5", "-rss_limit_mb=1024"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_are_read_from_what_libfuzzer_prints_last() {
        let lines = ["#5 DONE", "stat::number_of_executed_units: 1200345", "stat::peak_rss_mb: 40"];
        assert_eq!(counted(&lines.map(String::from)), 1_200_345);
    }

    #[test]
    fn a_target_that_is_not_there_is_named() {
        let failure = Place::of("no-such-target").err().expect("there is none");
        assert!(failure.to_string().contains("`no-such-target`"));
    }
}
