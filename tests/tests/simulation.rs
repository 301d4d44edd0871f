//! The seeded world, run two hundred times, and the bugs it must find.

use causeway_core::planted::Planted;
use causeway_tests::sim::{self, Cuts, Fault, Options, SEEDS_FOR_A_BUG, Tally};

/// Seeds of one test run, and the threads that share them.
const SEEDS: u64 = 200;
const THREADS: u64 = 2;
/// At the most once in so many copies two homes may have other words under one name.
const SELDOM: u64 = 20;

#[test]
fn two_hundred_worlds_full_of_trouble_end_well() {
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let runs = (0..THREADS).map(|first| scope.spawn(move || every_second_seed(first)));
        for run in runs.collect::<Vec<_>>() {
            tally.join(&run.join().expect("a seed that fails is told above"));
        }
    });
    println!("{SEEDS} seeds:\n{tally}");
    assert_eq!(tally.never(), [], "kinds of trouble that never occurred");
    // Such a world ends before the last checks.
    let (parted, copied) = (tally.of(Fault::HomesParted), tally.of(Fault::DiskCopied));
    assert!(parted * SELDOM <= copied, "homes part {parted} times for {copied} copies");
}

fn every_second_seed(first: u64) -> Tally {
    let options = Options::default();
    let mut tally = Tally::default();
    for seed in (1..=SEEDS).filter(|seed| seed % THREADS == first) {
        let report = sim::run(seed, &options);
        assert!(report.failure.is_none(), "{}", sim::retell(&report, &options));
        tally.join(&report.tally);
    }
    tally
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
fn p2_a_home_that_answers_saved_before_its_disk_is_found_out() {
    found_out(Planted::SavedEarly, &["not on its disk"]);
}

#[test]
fn p3_a_device_that_forgets_its_outbox_is_found_out() {
    found_out(Planted::OutboxForgets, &["after everything healed", "another timeline"]);
}

#[test]
fn r16_a_home_that_does_not_look_at_sums_is_found_out() {
    let rotten = ["cannot be read", "not on its disk", "without cause", "not mended", "different logs"];
    found_out(Planted::SumsSkipped, &rotten);
}

#[test]
fn r1_a_home_that_takes_an_entry_twice_is_found_out() {
    found_out(Planted::ResendDoubles, &["a second time", "store was copied"]);
}

#[test]
fn r6_a_home_that_answers_saved_across_a_gap_is_found_out() {
    found_out(Planted::SavedAcrossGap, &["not on its disk"]);
}

#[test]
fn r4_a_home_that_takes_an_entry_before_what_it_builds_on_is_found_out() {
    found_out(Planted::BeforeDeps, &["which it builds on"]);
}

#[test]
fn p4_a_home_that_drops_what_a_wrong_snapshot_covers_is_found_out() {
    // What the home then holds is not what is brought again either.
    let by = ["talk without end", "after everything healed", "snapshot and tail", "refused without cause"];
    found_out(Planted::UnverifiedDrop, &by);
}

#[test]
fn r2_a_page_that_takes_its_old_name_again_is_found_out() {
    let mixed = [
        "different channels",
        "different texts",
        "different logs",
        "without cause",
        "lost",
        "after everything healed",
    ];
    found_out(Planted::ReplicaReused, &mixed);
}

#[test]
fn t2_a_page_that_calls_work_kept_before_its_disk_is_found_out() {
    found_out(Planted::KeptEarly, &["the power may take it"]);
}

#[test]
fn ch5_a_device_that_forgets_what_happened_to_the_posts_of_a_page_is_found_out() {
    found_out(Planted::PageStale, &["give different channels", "posts, and"]);
}

#[test]
fn p4_a_home_that_lets_history_go_below_a_snapshot_it_has_not_read_is_found_out() {
    found_out(Planted::HistoryUnread, &["was not read back"]);
}

#[test]
fn r9_a_home_that_writes_down_more_history_gone_than_has_is_found_out() {
    found_out(Planted::HistoryTooFar, &["with other segments than its own"]);
}

#[test]
fn r11_a_home_that_does_not_check_the_signature_of_a_head_is_found_out() {
    found_out(Planted::HeadUnchecked, &["that nobody wrote"]);
}

#[test]
fn r10_a_device_that_takes_a_home_of_an_earlier_epoch_for_the_one_it_knew_is_found_out() {
    found_out(Planted::EpochEarlier, &["back at the relay are"]);
}

fn found_out(bug: Planted, by: &[&str]) {
    let report = sim::hunt(bug).found;
    let report = report.unwrap_or_else(|| panic!("{bug:?} went unnoticed for {SEEDS_FOR_A_BUG} seeds"));
    let failure = report.failure.unwrap_or_default();
    println!("{bug:?} is found by seed {}: {failure}", report.seed);
    assert!(by.iter().any(|by| failure.contains(by)), "it is found for the right reason: {failure}");
}

#[test]
fn a_seed_that_fails_shrinks_to_a_story_that_fails_again() {
    let options = Options { bug: Some(Planted::OutboxForgets), ..Options::default() };
    let report = sim::hunt(Planted::OutboxForgets).found.expect("it is found");
    let shrunk = sim::shrink(&report, &options);
    assert!(shrunk.report.events < report.events / 4, "{} of {}", shrunk.report.events, report.events);
    let cuts: Cuts = shrunk.cuts.to_string().parse().expect("cuts are told as they are read");
    let again = sim::run(report.seed, &Options { cuts, ..options });
    assert_eq!((again.trace, again.failure), (shrunk.report.trace, shrunk.report.failure));
    let story = sim::retell(&report, &options);
    assert!(story.contains("--bug outbox-forgets --cuts") && story.contains("FAILED"), "{story}");
}
