//! `sim --seeds N --from S [--lines N] [--bug saved-early|outbox-forgets]`: runs seeds and tells what they found.

use std::process::ExitCode;
use std::time::Instant;

use causeway_core::planted::Planted;
use causeway_tests::sim::{self, Options, Tally};

fn main() -> ExitCode {
    let Some((seeds, from, options)) = arguments() else {
        eprintln!("usage: sim [--seeds N] [--from S] [--lines N] [--bug saved-early|outbox-forgets]");
        return ExitCode::from(2);
    };
    let begun = Instant::now();
    let (mut tally, mut failed, mut events, mut edits) = (Tally::default(), Vec::new(), 0, 0);
    for seed in from..from + seeds {
        let report = sim::run(seed, &options);
        tally.join(&report.tally);
        events += report.events;
        edits += report.edits;
        if let Some(failure) = &report.failure {
            println!("seed {seed}: {failure}");
            if failed.is_empty() {
                println!("{}", sim::retell(&report, &options));
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

fn arguments() -> Option<(u64, u64, Options)> {
    let (mut seeds, mut from, mut options) = (20, 1, Options::default());
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next()?;
        match word.as_str() {
            "--seeds" => seeds = value.parse().ok()?,
            "--from" => from = value.parse().ok()?,
            "--lines" => options.lines = value.parse().ok()?,
            "--bug" => options.bug = Some(Planted::parse(&value)?),
            _ => return None,
        }
    }
    Some((seeds, from, options))
}
