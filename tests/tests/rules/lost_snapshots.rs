//! Rules 12 and 16: a device whose own snapshot has rotted takes the home's, and nothing that it has not handed over counts as
//! saved because of it.

use causeway_core::home::CompactionPlan;
use causeway_core::ids::StreamId;
use causeway_core::limits::DEVICE_TAIL;
use causeway_core::stored;
use causeway_core::time::Millis;
use causeway_tests::disk::Disk;
use causeway_tests::network::Network;

use crate::history::{MINUTE, pass};
use crate::snapshots::{archived, eager, write};

/// What a device has set aside of a text.
fn set_aside(network: &Network, device: usize) -> usize {
    network.devices[device].disk.rows_of(b'f').map(|(_, value)| value.len()).sum()
}

fn unsaved(network: &Network, device: usize, text: StreamId) -> u64 {
    network.devices[device].room.save_status(text).unsaved_on_relay
}

/// The page of the snapshot on a device's disk rots.
fn rot(network: &mut Network, device: usize, text: StreamId) {
    let of_text = |key: &[u8]| key[1..].starts_with(&text.to_bytes());
    let pages = network.devices[device].disk.rows_of(b'p').map(|(key, _)| key.to_vec());
    let page = pages.into_iter().find(|key| of_text(key)).expect("a page on the device");
    network.devices[device].disk.damage(&page);
}

/// A minute of a quiet room.
fn while_passes(network: &mut Network) {
    for _ in 0..240 {
        network.settle();
        network.wait(250);
    }
}

/// The device starts again over a disk of which the snapshot's page has rotted, and comes back.
fn come_back_without_a_page(network: &mut Network, device: usize, text: StreamId) {
    rot(network, device, text);
    network.restart(device, true);
    network.open(device, text);
    network.rest();
    network.go_online(device);
    while_passes(network);
}

/// A device that has the home's snapshot and has typed a little without a link, which only its journal knows; and a copy of
/// its disk.
fn copied_beside_a_snapshot() -> (Network, StreamId, usize, Disk) {
    let (mut network, text) = eager(2);
    write(&mut network, text, 30);
    let late = network.join();
    network.open(late, text);
    network.rest();
    network.go_offline(late);
    network.insert(late, text, 0, "left behind. ");
    network.wait(60);
    let copy = network.devices[late].disk.clone();
    (network, text, late, copy)
}

/// So much that it is sealed without a link.
fn write_much(network: &mut Network, device: usize, text: StreamId) {
    let page = "only here. ".repeat(5_000);
    for _ in 0..6 {
        network.insert(device, text, 0, &page);
        network.wait(60);
    }
}

/// A device of its own that starts from such a disk.
fn start_copy(network: &mut Network, copy: Disk, text: StreamId) -> usize {
    let other = network.join();
    network.devices[other].disk = copy;
    network.open(other, text);
    network.rest();
    other
}

/// The copy was first, and a snapshot of the home's covers what it wrote; the device has written much more under those names.
fn overtaken_by_its_copy() -> (Network, StreamId, usize) {
    let (mut network, text, late, copy) = copied_beside_a_snapshot();
    start_copy(&mut network, copy, text);
    write_much(&mut network, late, text);
    write(&mut network, text, 30);
    (network, text, late)
}

/// What it wrote is kept, and it has what the others have.
fn is_kept_aside(network: &mut Network, device: usize, text: StreamId) {
    assert!(set_aside(network, device) > 6 * 55_000, "what it wrote is kept");
    assert_eq!(network.text(device, text), network.text(0, text));
    assert_eq!(unsaved(network, device, text), 0);
    network.insert(device, text, 0, "On: ");
    network.rest();
    assert!(network.text(0, text).starts_with("On: "), "and it goes on");
}

#[test]
fn rule_12_a_device_that_lost_its_snapshot_compares_what_a_copy_may_have_written_before_it_is_called_saved() {
    let (mut network, text, late) = overtaken_by_its_copy();
    come_back_without_a_page(&mut network, late, text);
    is_kept_aside(&mut network, late, text);
}

#[test]
fn rule_12_nor_is_it_called_saved_by_a_snapshot_that_comes_before_the_disk_is_read() {
    let (mut network, text, late) = overtaken_by_its_copy();
    rot(&mut network, late, text);
    network.devices[late].disk_reads = false;
    network.restart(late, true);
    network.devices[late].online = true;
    network.open(late, text);
    network.settle();
    // Between any two reads the home has the time to answer.
    for _ in 0..12 {
        network.answer_read(late);
        for _ in 0..10 {
            network.settle();
            network.wait(100);
        }
    }
    network.release_reads(late);
    while_passes(&mut network);
    is_kept_aside(&mut network, late, text);
}

#[test]
fn rule_12_nor_while_its_disk_fails_now_and_then() {
    let mut failed = 0;
    for fails in 0..30 {
        let (mut network, text, late) = overtaken_by_its_copy();
        rot(&mut network, late, text);
        network.devices[late].disk_reads = false;
        network.restart(late, true);
        network.devices[late].online = true;
        network.open(late, text);
        network.settle();
        for _ in 0..fails {
            network.answer_read(late);
            network.settle();
            network.wait(100);
        }
        let read = network.fail_read(late);
        network.wait(1_000);
        network.settle();
        network.release_reads(late);
        while_passes(&mut network);
        while_passes(&mut network);
        is_kept_aside(&mut network, late, text);
        failed += usize::from(read);
        if !read {
            break;
        }
    }
    assert!(failed > 4, "{failed} reads failed, one in each story");
}

#[test]
fn rule_12_nor_is_it_believed_where_its_own_chain_joins_the_log_without_the_snapshot() {
    let (mut network, text) = Network::with_document(1);
    network.relay.snapshot_after(10, 500);
    network.insert_times(DEVICE_TAIL as usize + 1, 0, text, "a");
    network.rest();
    network.go_offline(0);
    network.go_online(0);
    network.rest();
    let snapshot = network.devices[0].disk.row(&stored::snapshot_key(&text));
    assert!(snapshot.is_some(), "its own log had grown long");
    network.go_offline(0);
    network.insert(0, text, 0, "as it was. ");
    network.wait(60);
    let before = network.devices[0].disk.clone();
    // It goes on for three entries; then the disk of that day is put back, and seals one under the same name.
    network.go_online(0);
    for word in ["one ", "two ", "three "] {
        network.insert(0, text, 0, word);
        network.rest();
    }
    let other = network.join();
    network.open(other, text);
    write(&mut network, text, 30);
    network.go_offline(0);
    network.devices[0].disk = before;
    network.restart(0, true);
    network.open(0, text);
    network.rest();
    network.insert(0, text, 0, "only here. ");
    network.rest();
    come_back_without_a_page(&mut network, 0, text);
    let words = b"as it was. ";
    let mut pieces = network.devices[0].disk.rows_of(b'f');
    assert!(pieces.any(|(_, piece)| piece.windows(words.len()).any(|of| of == words)), "it is kept");
    drop(pieces);
    assert_eq!(network.text(0, text), network.text(other, text));
    assert_eq!(unsaved(&network, 0, text), 0);
}

#[test]
fn rule_16_what_the_home_has_of_it_is_saved_and_nothing_is_set_aside() {
    for expires in [false, true] {
        let (mut network, text, late, _) = copied_beside_a_snapshot();
        write_much(&mut network, late, text);
        network.restart(late, true);
        network.open(late, text);
        network.rest();
        // All of it is sealed now. Its copy brings the very entries.
        let copy = network.devices[late].disk.clone();
        let other = start_copy(&mut network, copy, text);
        write(&mut network, text, 30);
        network.devices[other].online = false;
        network.drop_link(other);
        if expires {
            let_history_go(&mut network, text);
        }
        come_back_without_a_page(&mut network, late, text);
        assert_eq!(set_aside(&network, late), 0, "expires: {expires}");
        assert_eq!(network.text(late, text), network.text(0, text));
        assert!(network.text(0, text).contains("only here"));
        assert_eq!(unsaved(&network, late, text), 0);
    }
}

/// The home keeps nothing of what its snapshot covers.
fn let_history_go(network: &mut Network, text: StreamId) {
    let plan =
        CompactionPlan { entries: 10, bytes: u64::MAX / 4, quiet: Millis(500), ..CompactionPlan::default() };
    network.relay.plan_compaction(plan);
    network.relay.keep_history(Millis(MINUTE));
    network.restart_home();
    network.rest();
    pass(network, 5 * MINUTE);
    assert_eq!(archived(network, text), [], "it has let go of all");
}

#[test]
fn rule_12_what_can_be_compared_no_more_as_its_history_has_expired_is_kept() {
    let (mut network, text, late) = overtaken_by_its_copy();
    let_history_go(&mut network, text);
    come_back_without_a_page(&mut network, late, text);
    is_kept_aside(&mut network, late, text);
}

#[test]
fn rule_12_a_home_that_has_no_snapshot_any_more_takes_what_it_lacks_and_the_rest_is_compared() {
    for copied in [false, true] {
        let (mut network, text) = eager(2);
        let backup = network.relay.disk.clone();
        network.go_offline(1);
        write_at(&mut network, 0, text, 40);
        let late = network.join();
        network.open(late, text);
        network.rest();
        network.go_offline(late);
        network.insert(late, text, 0, "left behind. ");
        network.wait(60);
        let copy = network.devices[late].disk.clone();
        write_much(&mut network, late, text);
        network.restart(late, true);
        network.open(late, text);
        network.rest();
        if copied {
            network.go_offline(0);
            start_copy(&mut network, copy, text);
            network.go_online(0);
        }
        network.relay.snapshot_after(u64::MAX / 4, 500);
        network.relay.put_back(backup, 2);
        network.restart_home();
        network.rest();
        come_back_without_a_page(&mut network, late, text);
        network.go_online(1);
        while_passes(&mut network);
        if copied {
            assert!(set_aside(&network, late) > 6 * 55_000, "what it wrote is kept");
        } else {
            assert!(network.text(0, text).contains("only here"), "all of it is there");
            assert_eq!(set_aside(&network, late), 0);
        }
        assert_eq!(network.text(late, text), network.text(0, text), "copied: {copied}");
        assert_eq!(network.text(1, text), network.text(0, text), "copied: {copied}");
        assert_eq!(unsaved(&network, late, text), 0, "copied: {copied}");
    }
}

#[test]
fn rule_16_what_builds_on_more_than_the_homes_snapshot_covers_waits_and_is_not_passed_over() {
    for restarts in [false, true] {
        let (mut network, text) = eager(2);
        write_at(&mut network, 1, text, 30);
        let backup = network.relay.disk.clone();
        write_at(&mut network, 1, text, 30);
        let late = network.join();
        network.open(late, text);
        network.rest();
        network.go_offline(late);
        write_much(&mut network, late, text);
        network.go_offline(1);
        network.relay.put_back(backup, 2);
        network.restart_home();
        come_back_without_a_page(&mut network, late, text);
        if restarts {
            network.restart(late, true);
            network.open(late, text);
            while_passes(&mut network);
        }
        assert!(unsaved(&network, late, text) > 0, "what it builds on is with its author alone");
        network.insert(late, text, 0, "On: ");
        network.rest();
        network.go_online(1);
        while_passes(&mut network);
        assert_eq!(unsaved(&network, late, text), 0);
        assert_eq!(set_aside(&network, late), 0);
        assert!(network.text(0, text).contains("only here"), "it joins when that has come");
        assert_eq!(network.text(late, text), network.text(0, text));
    }
}

fn write_at(network: &mut Network, device: usize, text: StreamId, times: usize) {
    crate::history::write(network, device, text, times);
}
