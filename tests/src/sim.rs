//! The simulator: a small world in which everything goes wrong that can, decided by one number.
//!
//! The same seed gives the same run, down to the byte. A run is a time of trouble, in which people type on, and then a
//! time in which everything is mended and the books are compared.

mod agenda;
mod bugs;
mod checks;
mod chronicle;
mod copied;
mod cuts;
mod departure;
mod device;
mod disks;
mod epochs;
mod fate;
mod history;
mod homes;
mod hub;
mod ledger;
mod liar;
mod link;
mod pages;
mod person;
mod plan;
mod relay;
mod rng;
mod rot;
mod rows;
mod shrink;
mod talk;
mod tally;
mod telling;
mod wires;
mod world;

use causeway_core::planted::Planted;

pub use bugs::{Hunt, SEEDS_FOR_A_BUG, hunt};
pub use cuts::Cuts;
pub use shrink::{Shrunk, shrink};
pub use tally::{Fault, Tally};

use world::World;

/// How to run a seed.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A bug to plant, to see whether it is found.
    pub bug: Option<Planted>,
    /// How many of the last events to keep in words.
    pub lines: usize,
    /// What to leave out.
    pub cuts: Cuts,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// Which.
    pub seed: u64,
    /// What was wrong, if anything was.
    pub failure: Option<String>,
    /// A hash of all that happened.
    pub trace: [u8; 32],
    /// What went wrong on purpose.
    pub tally: Tally,
    /// How many things happened.
    pub events: u64,
    /// How many edits people made.
    pub edits: usize,
    /// How many devices took part from the beginning.
    pub devices: usize,
    /// Milliseconds until everything healed.
    pub trouble: u64,
    /// Numbers of the strokes of fate that fell.
    pub strokes: std::ops::RangeInclusive<u64>,
    /// Numbers of the copies that were made of disks.
    pub copies: Vec<u64>,
    /// What people did, numbered as [`Cuts::acts`].
    pub acts: Vec<u64>,
    /// The last events, if they were wanted.
    pub chronicle: Vec<String>,
}

/// Runs one seed.
pub fn run(seed: u64, options: &Options) -> Report {
    let mut world = World::new(seed, options);
    world.run_until(world.plan.trouble);
    if world.goes_on() {
        world.conclude();
    }
    Report {
        seed,
        failure: world.failure.clone(),
        trace: world.chronicle.digest(),
        tally: world.tally.clone(),
        events: world.chronicle.events,
        edits: world.ledger.edits(),
        devices: world.plan.devices,
        trouble: world.plan.trouble,
        strokes: 1..=world.strokes,
        copies: std::mem::take(&mut world.copies_made),
        acts: std::mem::take(&mut world.acts),
        chronicle: world.chronicle.lines(),
    }
}

/// Events of a story that are told, of its beginning and of its end.
const BEGINNING: usize = 70;
const END: usize = 30;
/// Events of the longest run there may be.
const ALL_LINES: usize = 200_000;

/// Makes a seed that has failed smaller, and tells what is left of it in words.
pub fn retell(report: &Report, options: &Options) -> String {
    // What was cut by hand or by an earlier shrinking is told as it is.
    let Shrunk { cuts, report: small, runs } = if options.cuts == Cuts::default() {
        shrink(report, options)
    } else {
        Shrunk { cuts: options.cuts.clone(), report: report.clone(), runs: 0 }
    };
    let told = run(report.seed, &Options { lines: ALL_LINES, cuts: cuts.clone(), ..options.clone() });
    let bug = options.bug.map(|bug| format!(" --bug {}", bug.name())).unwrap_or_default();
    format!(
        "seed {} failed: {}\nshrunk in {runs} runs from {} devices and {} events to {} and {}: {}\n{}\n\
         replay: cargo run -p causeway-tests --bin sim -- --seeds 1 --from {}{bug} --cuts '{cuts}'",
        report.seed,
        report.failure.as_deref().unwrap_or("not at all"),
        report.devices,
        report.events,
        small.devices,
        small.events,
        small.failure.as_deref().unwrap_or("not at all"),
        beginning_and_end(&told.chronicle, options.lines),
        report.seed,
    )
}

fn beginning_and_end(lines: &[String], more: usize) -> String {
    let (beginning, end) = (BEGINNING + more, END + more);
    if lines.len() <= beginning + end {
        return lines.join("\n");
    }
    let left_out = format!("  … {} more lines (--lines N) …", lines.len() - beginning - end);
    [&lines[..beginning], &[left_out], &lines[lines.len() - end..]].concat().join("\n")
}
