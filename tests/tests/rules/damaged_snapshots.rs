//! Promise 4 and rule 16: what a crash between any two steps of a snapshot leaves, and rot in what it covers.

use causeway_core::ids::StreamId;
use causeway_core::limits::DEVICE_TAIL;
use causeway_core::stored::{self, IndexRecord, Prefix};
use causeway_tests::disk::Disk;
use causeway_tests::network::Network;

use crate::snapshots::{archived, eager, root, rows, write};

#[test]
fn rule_16_a_lost_snapshot_on_a_device_comes_again_and_costs_no_work() {
    let (mut network, text) = eager(2);
    write(&mut network, text, 30);
    let late = network.join();
    network.open(late, text);
    network.rest();
    network.go_offline(late);
    network.insert(late, text, 0, "kept: ");
    network.wait(60);
    let page =
        network.devices[late].disk.rows_of(b'p').find(|(key, _)| key[1..].starts_with(&text.to_bytes()));
    let page = page.map(|(key, _)| key.to_vec()).expect("a page on the device");
    network.devices[late].disk.damage(&page);
    network.restart(late, true);
    network.open(late, text);
    network.rest();
    network.go_online(late);
    for _ in 0..3 {
        network.rest();
    }
    let all = network.text(0, text);
    assert!(all.starts_with("kept: "), "what was written above the lost snapshot arrives");
    assert_eq!(network.text(late, text), all);
}

#[test]
fn promise_4_a_crash_between_any_two_commits_of_a_compaction_loses_nothing() {
    // The home's disk takes so many commits after the writing has ended, and then the home dies.
    let mut stages = std::collections::BTreeSet::new();
    for taken in 0..4 {
        for torn in [false, true] {
            let (mut network, text) = Network::with_document(2);
            write(&mut network, text, 24);
            let before = network.text(0, text);
            network.relay.snapshot_after(10, 100);
            network.restart_home();
            network.relay.disk_answers = false;
            for _ in 0..taken {
                network.rest();
                network.step_home_disk();
            }
            network.rest();
            if torn {
                // What was on its way to the disk got there, and nobody was told.
                network.relay.write_held();
            }
            stages.insert((rows(&network, Prefix::Draft), rows(&network, Prefix::Snapshot)));
            network.relay.disk_answers = true;
            network.restart_home();
            let late = network.join();
            network.open(late, text);
            for _ in 0..3 {
                network.rest();
            }
            assert_eq!(network.text(late, text), before, "after {taken} commits, torn: {torn}");
            assert_eq!(rows(&network, Prefix::Draft), 0, "after {taken} commits, torn: {torn}");
            assert_eq!(rows(&network, Prefix::Page), 1, "after {taken} commits, torn: {torn}");
            let whole = archived(&network, text).len() + network.relay.entries(&text);
            assert!(whole >= 24 && root(&network, text).is_some(), "the next run has finished it");
        }
    }
    assert_eq!(Vec::from_iter(stages), [(0, 0), (0, 1), (1, 0)], "it died before, between and after them");
}

#[test]
fn promise_4_a_page_that_reads_back_otherwise_replaces_nothing() {
    let (mut network, text) = Network::with_document(2);
    write(&mut network, text, 24);
    network.relay.snapshot_after(10, 100);
    network.relay.damages_pages = true;
    network.restart_home();
    for _ in 0..3 {
        network.rest();
    }
    assert!(root(&network, text).is_none(), "it never became a snapshot");
    assert!(network.relay.entries(&text) >= 24, "and every entry is still there");
    assert_eq!(network.relay.home.figures().snapshots_failed, 1);
    network.insert(0, text, 0, "as a log it goes on: ");
    network.rest();
    assert_eq!(network.text(0, text), network.text(1, text));
    let late = network.join();
    network.open(late, text);
    network.rest();
    assert_eq!(network.text(late, text), network.text(0, text), "also for whoever comes new");
}

#[test]
fn rule_16_a_damaged_entry_is_brought_again_though_its_page_is_closed_and_a_snapshot_covers_what_it_continues()
 {
    let (mut network, text) = eager(2);
    write(&mut network, text, 24);
    let covered = root(&network, text).expect("a snapshot").root;
    network.insert(0, text, 0, "here ");
    network.rest();
    let replica = network.devices[0].room.replica();
    let first = covered.covered(&replica) + 1;
    let index = network.relay.disk.row(&stored::index_key(&text, &replica, first)).expect("an entry above");
    let arrival = IndexRecord::decode(index).expect("an index").arrival;
    assert!(network.relay.disk.row(&stored::index_key(&text, &replica, first - 1)).is_none());
    let key = stored::entry_key(&text, arrival);
    network.relay.disk.damage(&key);
    network.restart(0, true);
    network.open(0, text);
    network.rest();
    let late = network.join();
    network.open(late, text);
    for _ in 0..4 {
        network.rest();
    }
    let mended = network.relay.disk.row(&key).map(<[u8]>::to_vec).expect("the row is there");
    assert!(stored::decode_entry(mended).is_ok(), "and it is mended");
    assert_eq!(network.text(late, text), network.text(1, text));
}

#[test]
fn rule_16_an_entry_that_rotted_before_its_snapshot_is_asked_of_its_author_and_sets_nothing_apart() {
    let (mut network, text) = eager(2);
    write(&mut network, text, 6);
    let entries = network.relay.disk.rows_of(Prefix::Entry as u8);
    let rotten = entries.map(|(key, _)| key.to_vec()).nth(3).expect("six were written");
    network.relay.disk.damage(&rotten);
    // The first attempt meets it; those that follow find it mended.
    for _ in 0..4 {
        write(&mut network, text, 4);
        network.wait(60_000);
        network.rest();
    }
    let mended = network.relay.disk.row(&rotten).map(|row| stored::decode_entry(row.to_vec()).is_ok());
    assert_ne!(mended, Some(false), "its author has brought it again");
    assert!(root(&network, text).is_some(), "and a snapshot was made");
    assert_eq!(rows(&network, Prefix::Quarantine), 0);
}

/// What a device has set aside of a text.
fn set_aside(network: &Network, device: usize) -> usize {
    network.devices[device].disk.rows_of(b'f').map(|(_, value)| value.len()).sum()
}

/// The device starts again over a disk of which the snapshot's page has rotted, and comes back.
fn come_back_without_a_page(network: &mut Network, device: usize, text: StreamId) {
    let of_text = |key: &[u8]| key[1..].starts_with(&text.to_bytes());
    let pages = network.devices[device].disk.rows_of(b'p').map(|(key, _)| key.to_vec());
    let page = pages.into_iter().find(|key| of_text(key)).expect("a page on the device");
    network.devices[device].disk.damage(&page);
    network.restart(device, true);
    network.open(device, text);
    network.rest();
    network.go_online(device);
    for _ in 0..6 {
        network.rest();
    }
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

#[test]
fn rule_12_a_device_that_lost_its_snapshot_compares_what_a_copy_may_have_written_before_it_is_called_saved() {
    let (mut network, text, late, copy) = copied_beside_a_snapshot();
    start_copy(&mut network, copy, text);
    write_much(&mut network, late, text);
    write(&mut network, text, 30);
    come_back_without_a_page(&mut network, late, text);
    assert!(set_aside(&network, late) > 6 * 55_000, "what it wrote is kept");
    assert_eq!(network.text(late, text), network.text(0, text));
    assert_eq!(network.devices[late].room.save_status(text).unsaved_on_relay, 0);
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
    assert_eq!(network.devices[0].room.save_status(text).unsaved_on_relay, 0);
}

#[test]
fn rule_16_what_the_home_has_of_it_is_saved_and_nothing_is_set_aside() {
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
    come_back_without_a_page(&mut network, late, text);
    assert_eq!(set_aside(&network, late), 0);
    assert_eq!(network.text(late, text), network.text(0, text));
    assert!(network.text(0, text).contains("only here"));
    assert_eq!(network.devices[late].room.save_status(text).unsaved_on_relay, 0);
}
