//! Promise 4 and rule 16: what a crash between any two steps of a snapshot leaves, and rot in what it covers.

use causeway_core::stored::{self, IndexRecord, Prefix};
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
