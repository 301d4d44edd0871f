//! The simulator: a small world in which everything goes wrong that can, decided by one number.
//!
//! The same seed gives the same run, down to the byte. A run is a time of trouble, in which people type on, and then a
//! time in which everything is mended and the books are compared.

mod bugs;
mod checks;
mod chronicle;
mod device;
mod disks;
mod fate;
mod ledger;
mod link;
mod pages;
mod person;
mod plan;
mod relay;
mod rng;
mod rot;
mod rows;
mod talk;
mod tally;
mod wires;
mod world;

use causeway_core::planted::Planted;

pub use bugs::{Hunt, SEEDS_FOR_A_BUG, hunt};
pub use tally::{Fault, Tally};

use world::World;

/// How to run a seed.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A bug to plant, to see whether it is found.
    pub bug: Option<Planted>,
    /// How many of the last events to keep in words.
    pub lines: usize,
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
    /// The last events, if they were wanted.
    pub chronicle: Vec<String>,
}

/// Runs one seed.
pub fn run(seed: u64, options: &Options) -> Report {
    let mut world = World::new(seed, options);
    world.run_until(world.plan.trouble);
    if world.failure.is_none() {
        world.conclude();
    }
    Report {
        seed,
        failure: world.failure.clone(),
        trace: world.chronicle.digest(),
        tally: world.tally.clone(),
        events: world.chronicle.events,
        edits: world.ledger.edits(),
        chronicle: world.chronicle.lines(),
    }
}

/// Events a failure is told with.
const LINES: usize = 60;

/// Runs a seed that has failed once more, and tells its end in words.
pub fn retell(report: &Report, options: &Options) -> String {
    let told = run(report.seed, &Options { lines: options.lines.max(LINES), ..options.clone() });
    format!(
        "seed {} failed: {}\n{}\nreplay: cargo run -p causeway-tests --bin sim -- --seeds 1 --from {}",
        report.seed,
        report.failure.as_deref().unwrap_or("not at all"),
        told.chronicle.join("\n"),
        report.seed,
    )
}
