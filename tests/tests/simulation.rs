//! The seeded world, run two hundred times.

use causeway_core::planted::Planted;
use causeway_tests::sim::{self, Options, Tally};

/// Seeds of one test run.
const SEEDS: u64 = 200;
/// A planted bug must be found within so many.
const SEEDS_FOR_A_BUG: u64 = 50;

#[test]
fn two_hundred_worlds_full_of_trouble_end_well() {
    let options = Options::default();
    let mut tally = Tally::default();
    for seed in 1..=SEEDS {
        let report = sim::run(seed, &options);
        assert!(report.failure.is_none(), "{}", sim::retell(&report, &options));
        tally.join(&report.tally);
    }
    println!("{SEEDS} seeds:\n{tally}");
    assert_eq!(tally.never(), [], "kinds of trouble that never occurred");
}

#[test]
fn the_same_seed_is_the_same_world() {
    for seed in [7, 11, 42] {
        let (one, two) = (sim::run(seed, &Options::default()), sim::run(seed, &Options::default()));
        assert_eq!((one.trace, one.events, one.tally), (two.trace, two.events, two.tally), "seed {seed}");
        let told = sim::run(seed, &Options { lines: 10, ..Options::default() });
        assert_eq!(one.trace, told.trace, "a world that is watched goes the same way");
    }
}

#[test]
fn a_home_that_answers_saved_before_its_disk_is_found_out() {
    found_out(Planted::SavedEarly, "not on its disk");
}

#[test]
fn a_device_that_forgets_its_outbox_is_found_out() {
    found_out(Planted::OutboxForgets, "after everything healed");
}

fn found_out(bug: Planted, by: &str) {
    let options = Options { bug: Some(bug), ..Options::default() };
    let mut reports = (1..=SEEDS_FOR_A_BUG).map(|seed| sim::run(seed, &options));
    let found = reports.find_map(|report| Some((report.seed, report.failure?)));
    let (seed, failure) =
        found.unwrap_or_else(|| panic!("{bug:?} went unnoticed for {SEEDS_FOR_A_BUG} seeds"));
    println!("{bug:?} is found by seed {seed}: {failure}");
    assert!(failure.contains(by), "it is found for the right reason: {failure}");
}
