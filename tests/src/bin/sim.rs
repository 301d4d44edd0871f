//! `sim --seeds N --from S [--lines N] [--bug NAME] [--cuts CUTS]`: runs seeds and tells what they found; the first that
//! fails is made smaller and told in words.
//! `sim --bugs [--write]`: plants each bug and tells which seed finds it; `--write` puts the table into
//! `docs/reliability.md`.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use causeway_core::planted::Planted;
use causeway_tests::sim::{self, Hunt, Options, SEEDS_FOR_A_BUG, Tally};

/// What the person asked for.
enum Task {
    Seeds { seeds: u64, from: u64, options: Options },
    Bugs { write: bool },
}

fn main() -> ExitCode {
    match arguments() {
        Some(Task::Seeds { seeds, from, options }) => run(seeds, from, &options),
        Some(Task::Bugs { write }) => hunt(write),
        None => {
            let bugs: Vec<&str> = Planted::ALL.into_iter().map(Planted::name).collect();
            eprintln!(
                "usage: sim [--seeds N] [--from S] [--lines N] [--cuts CUTS] [--bug {}]",
                bugs.join("|")
            );
            eprintln!("       sim --bugs [--write]");
            ExitCode::from(2)
        }
    }
}

fn run(seeds: u64, from: u64, options: &Options) -> ExitCode {
    let begun = Instant::now();
    let (mut tally, mut failed, mut events, mut edits) = (Tally::default(), Vec::new(), 0, 0);
    for seed in from..from + seeds {
        let report = sim::run(seed, options);
        tally.join(&report.tally);
        events += report.events;
        edits += report.edits;
        if let Some(failure) = &report.failure {
            println!("seed {seed}: {failure}");
            if failed.is_empty() {
                println!("{}", sim::retell(&report, options));
            }
            failed.push(seed);
        }
    }
    println!(
        "{seeds} seeds from {from} in {:.1} s: {events} events, {edits} edits, {} failed {failed:?}",
        begun.elapsed().as_secs_f64(),
        failed.len()
    );
    print!("{tally}");
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn hunt(write: bool) -> ExitCode {
    let hunts: Vec<Hunt> = Planted::ALL.into_iter().map(sim::hunt).collect();
    let rows: Vec<String> = hunts.iter().map(Hunt::to_string).collect();
    let table = format!(
        "| bug | what it does | found by seed (of {SEEDS_FOR_A_BUG}) | as |\n|---|---|---|---|\n{}\n",
        rows.join("\n")
    );
    print!("{table}");
    if write {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reliability.md");
        match between_marks(&path, &table) {
            Ok(()) => println!("written to docs/reliability.md"),
            Err(error) => {
                eprintln!("docs/reliability.md: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    if hunts.iter().all(|hunt| hunt.found.is_some()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Replaces what stands between the two marks of the table.
fn between_marks(path: &Path, table: &str) -> std::io::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let missing = || std::io::Error::other("the marks around the table are missing");
    let (before, rest) = text.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    std::fs::write(path, format!("{before}{BEGIN}\n{table}{END}{after}"))
}

fn arguments() -> Option<Task> {
    let (mut seeds, mut from, mut options, mut bugs, mut write) = (20, 1, Options::default(), false, false);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--bugs" => bugs = true,
            "--write" => write = true,
            "--seeds" => seeds = words.next()?.parse().ok()?,
            "--from" => from = words.next()?.parse().ok()?,
            "--lines" => options.lines = words.next()?.parse().ok()?,
            "--cuts" => options.cuts = words.next()?.parse().ok()?,
            "--bug" => options.bug = Some(Planted::parse(&words.next()?)?),
            _ => return None,
        }
    }
    if bugs { Some(Task::Bugs { write }) } else { (!write).then_some(Task::Seeds { seeds, from, options }) }
}

const BEGIN: &str = "<!-- planted bugs -->";
const END: &str = "<!-- /planted bugs -->";
