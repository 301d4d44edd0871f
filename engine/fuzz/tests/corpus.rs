//! What the fuzzer found worth keeping, read again by every target. Each test fails if its corpus is gone or no longer
//! reaches what the target guards.

use std::path::Path;

use causeway_fuzz::{Target, corpus};

/// Reads all inputs of a target; at least so many parts of them have to be taken for sound.
fn replay(target: Target, least: usize) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("corpus/{}.hex", target.name()));
    let text = std::fs::read_to_string(&file).expect("every target has a corpus");
    let inputs = corpus::read(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let sound: usize = inputs.iter().map(|input| target.judge(input)).sum();
    assert!(sound >= least, "{sound} parts of {} inputs were taken for sound", inputs.len());
}

#[test]
fn the_guard_holds() {
    replay(Target::Guard, 5);
}

#[test]
fn what_passes_the_guard_yrs_can_work_with() {
    replay(Target::Engine, 100);
}

#[test]
fn well_formed_lies_leave_a_text_to_work_with() {
    replay(Target::Lies, 300);
}

#[test]
fn what_passes_the_guard_automerge_can_work_with() {
    replay(Target::Amdoc, 80);
}

#[test]
fn frames_and_entries_are_written_as_they_were_read() {
    replay(Target::Frames, 40);
}

#[test]
fn records_and_keys_are_written_as_they_were_read() {
    replay(Target::Records, 100);
}

#[test]
fn a_channel_is_the_same_in_any_order() {
    replay(Target::Chat, 150);
}

#[test]
fn the_directory_is_the_same_in_any_order() {
    replay(Target::Directory, 100);
}
