//! M5: what applying a text may cost is bounded across its entries, by what a snapshot has shown to cost little.

use causeway_core::home::CompactionPlan;
use causeway_core::ids::StreamId;
use causeway_core::limits::{SNAPSHOT_JUMPS, SNAPSHOT_JUMPS_MOST};
use causeway_core::snapshot::JobError;
use causeway_core::stored;
use causeway_core::time::Millis;
use causeway_core::wire::{Body, LaterWhy, Message};
use causeway_tests::network::Network;

/// Jumps after which a snapshot is due, and after which nothing more is let in.
const DUE: u64 = 4;
const MOST: u64 = DUE * SNAPSHOT_JUMPS_MOST / SNAPSHOT_JUMPS;

/// Two devices, and a home that lets few jumps in before it makes a snapshot.
fn strict() -> (Network, StreamId) {
    let (mut network, text) = Network::with_document(2);
    network.relay.plan_compaction(CompactionPlan {
        entries: u64::MAX / 4,
        bytes: u64::MAX / 4,
        jumps: DUE,
        quiet: Millis(100),
        ..CompactionPlan::default()
    });
    (network, text)
}

/// Each letter in an entry of its own, in front of all the others.
fn jump(network: &mut Network, text: StreamId, times: u64) {
    for _ in 0..times {
        network.insert(0, text, 0, "x");
        network.settle();
        network.wait(60);
    }
}

/// Long enough for a device that was told to come later.
fn rest(network: &mut Network) {
    for _ in 0..12 {
        network.rest();
        network.wait(1_000);
    }
    network.rest();
}

fn told_to_wait(network: &Network) -> bool {
    network.relay.sent.iter().any(|(_, message)| match message {
        Message::Other(Body::Later(later)) => later.why == LaterWhy::Snapshot,
        Message::Other(_) | Message::Entries(_) => false,
    })
}

fn is_saved(network: &Network, text: StreamId) -> bool {
    network.devices[0].room.save_status(text).unsaved_on_relay == 0
}

#[test]
fn m5_a_text_takes_no_more_jumps_than_a_snapshot_has_shown_to_cost_little() {
    let (mut network, text) = strict();
    network.relay.jobs_fail = Some(JobError::Time);
    jump(&mut network, text, 2 * MOST);
    rest(&mut network);
    let shown = network.text(1, text).len() as u64;
    assert_eq!(shown, MOST, "what the home took before nobody could build it");
    assert!(told_to_wait(&network) && !is_saved(&network, text));
    // A restart forgets nothing of it.
    network.restart_home();
    rest(&mut network);
    assert_eq!(network.text(1, text).len() as u64, MOST);
    // The rest waits where it was written, and comes as soon as it may.
    network.relay.jobs_fail = None;
    network.release(text);
    rest(&mut network);
    assert_eq!(network.text(1, text).len() as u64, 2 * MOST);
    assert_eq!(network.text(0, text), network.text(1, text));
    assert!(is_saved(&network, text));
}

#[test]
fn m5_whoever_brings_more_jumps_at_once_waits_for_a_snapshot_and_loses_nothing() {
    let (mut network, text) = strict();
    // No snapshot comes between them.
    network.relay.disk_answers = false;
    jump(&mut network, text, 5 * MOST);
    assert!(told_to_wait(&network));
    network.release_home_disk();
    rest(&mut network);
    rest(&mut network);
    assert_eq!(network.text(1, text).len() as u64, 5 * MOST);
    assert_eq!(network.text(0, text), network.text(1, text));
    assert!(is_saved(&network, text));
}

#[test]
fn m5_typing_on_waits_for_nothing() {
    let (mut network, text) = strict();
    network.relay.jobs_fail = Some(JobError::Time);
    for at in 0..4 * MOST as u32 {
        network.insert(0, text, at, "x");
        network.settle();
        network.wait(60);
    }
    rest(&mut network);
    assert_eq!(network.text(1, text).len() as u64, 4 * MOST);
    assert!(!told_to_wait(&network) && is_saved(&network, text));
}

#[test]
fn m5_a_text_whose_snapshot_the_disk_spoils_goes_on() {
    let (mut network, text) = strict();
    network.relay.damages_pages = true;
    jump(&mut network, text, 2 * MOST);
    rest(&mut network);
    assert!(network.relay.disk.row(&stored::quarantine_key(&text)).is_some());
    assert_eq!(network.text(1, text).len() as u64, 2 * MOST);
    assert!(is_saved(&network, text));
}

#[test]
fn m5_a_text_that_has_no_snapshot_for_another_reason_than_its_cost_goes_on() {
    for reason in [JobError::Differs, JobError::Late, JobError::Panic] {
        let (mut network, text) = strict();
        let code = reason.code();
        network.relay.jobs_fail = Some(reason);
        jump(&mut network, text, 2 * MOST);
        rest(&mut network);
        assert_eq!(network.text(1, text).len() as u64, 2 * MOST, "{code}");
        assert!(is_saved(&network, text), "{code}");
    }
}
