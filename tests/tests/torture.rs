//! Short versions of `cargo xtask torture`: the same program, real relays, a few rounds each.

use std::io::Write;
use std::process::Command;

fn torture(words: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_torture")).args(words.split(' ')).output();
    let output = output.expect("the program is built with this test");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "torture {words}:\n{said}");
    println!("{said}");
}

/// Where this machine lets us mount something.
fn torture_with_a_disk(test: &str, words: &str) {
    match std::fs::OpenOptions::new().read(true).write(true).open("/dev/fuse") {
        Ok(_) => torture(words),
        Err(_) => skip("no right to mount anything", test),
    }
}

/// Where this machine lets us make a network namespace.
fn torture_with_islands(test: &str, words: &str) {
    let name = format!("causeway-may-{}", std::process::id());
    let netns = |word| Command::new("ip").args(["netns", word, &name]).output();
    if netns("add").is_ok_and(|said| said.status.success()) {
        assert!(netns("delete").is_ok_and(|said| said.status.success()), "{name} is left behind");
        torture(words);
    } else {
        skip("no right to make a network namespace", test);
    }
}

/// Whoever counts the tests counts this one as left out. Not by `eprintln!`, which the test harness swallows.
fn skip(why: &str, test: &str) {
    writeln!(std::io::stderr(), "SKIPPED ({why}): {test}").expect("stderr can be written");
}

#[test]
fn p2_what_was_called_saved_outlives_a_relay_that_is_killed() {
    torture("kill --rounds 4");
}

#[test]
fn st2_what_was_called_saved_outlives_a_power_cut_at_any_operation() {
    torture_with_a_disk(
        "st2_what_was_called_saved_outlives_a_power_cut_at_any_operation",
        "power --rounds 24",
    );
}

#[test]
fn rl16_a_relay_whose_disk_hangs_ends_itself_or_waits_and_loses_nothing() {
    torture_with_a_disk(
        "rl16_a_relay_whose_disk_hangs_ends_itself_or_waits_and_loses_nothing",
        "hang --rounds 3 --store redb",
    );
}

#[test]
fn st4_a_relay_on_sled_whose_disk_failed_goes_on_by_itself_and_has_told_no_lie() {
    torture_with_a_disk(
        "st4_a_relay_on_sled_whose_disk_failed_goes_on_by_itself_and_has_told_no_lie",
        "full --rounds 3 --store sled",
    );
}

#[test]
fn st4_a_relay_on_redb_whose_disk_failed_goes_on_by_itself_and_has_told_no_lie() {
    torture_with_a_disk(
        "st4_a_relay_on_redb_whose_disk_failed_goes_on_by_itself_and_has_told_no_lie",
        "full --rounds 3 --store redb",
    );
}

#[test]
fn st3_a_changed_byte_of_a_store_is_named_or_refused() {
    torture("flip --rounds 60");
}

#[test]
fn rl13_a_relay_restored_from_a_backup_is_refilled_by_its_devices_until_nothing_is_missing() {
    torture("drill --rounds 1");
}

#[test]
fn p1_what_was_called_kept_outlives_an_engine_that_is_killed() {
    torture("device-kill --rounds 8");
}

#[test]
fn rl11_devices_come_back_after_a_relay_was_killed_until_all_are_in_step() {
    torture("storm --rounds 400 --store sled");
}

#[test]
fn rl8_readers_that_stopped_reading_cost_little_and_have_everything_when_they_read_again() {
    torture("stall --rounds 200");
}

#[test]
fn rl10_a_cable_that_goes_dead_is_noticed_at_both_ends_and_nothing_typed_is_lost() {
    torture_with_islands(
        "rl10_a_cable_that_goes_dead_is_noticed_at_both_ends_and_nothing_typed_is_lost",
        "half-open --rounds 1",
    );
}

#[test]
fn rl3_whatever_is_sent_ends_its_own_link_and_no_other() {
    torture("frames --rounds 3000");
}

#[test]
fn rl10_people_connect_while_clients_hold_half_requests() {
    torture("slowloris --rounds 400");
}
