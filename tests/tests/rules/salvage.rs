//! RL14: rows of a home that a disk has damaged, put together to a room again.

use std::collections::BTreeMap;

use causeway_core::home::CompactionPlan;
use causeway_core::ids::StreamId;
use causeway_core::salvage::{Found, Loss, put_together};
use causeway_core::stored::Prefix;
use causeway_core::time::Millis;
use causeway_tests::disk::Disk;
use causeway_tests::network::Network;

/// A room with a snapshot, an archive and entries above them.
fn with_history() -> (Network, StreamId) {
    let (mut network, text) = Network::with_document(2);
    network.relay.plan_compaction(CompactionPlan { entries: 10, bytes: u64::MAX / 4, quiet: Millis(500) });
    for n in 0..36 {
        network.insert(n % 2, text, 0, "ab");
        network.settle();
        network.wait(60);
    }
    network.rest();
    network.relay.plan_compaction(CompactionPlan { entries: 10_000, ..CompactionPlan::default() });
    for n in 0..7 {
        network.insert(n % 2, text, 0, "cd");
        network.settle();
        network.wait(60);
    }
    network.rest();
    assert!(network.relay.disk.rows_of(Prefix::Archive as u8).count() > 0, "there is history");
    assert!(network.relay.entries(&text) > 5, "and something above it");
    (network, text)
}

fn found(disk: &Disk) -> Found {
    disk.rows().map(|(key, value)| (key.to_vec(), vec![value.to_vec()])).collect()
}

/// Serves what was put together, in a new epoch, and answers what a newcomer reads there.
fn served(network: &mut Network, text: StreamId, rows: BTreeMap<Vec<u8>, Vec<u8>>) -> String {
    let mut disk = Disk::default();
    rows.into_iter().for_each(|(key, value)| disk.put(key, value));
    network.relay.put_back(disk, 2);
    network.restart_home();
    for _ in 0..20 {
        network.rest();
    }
    let late = network.join();
    network.open(late, text);
    network.rest();
    network.text(late, text)
}

#[test]
fn rl14_a_sound_room_comes_out_as_it_went_in() {
    let (network, _) = with_history();
    let salvaged = put_together(&found(&network.relay.disk));
    assert_eq!(salvaged.lost, []);
    assert!(salvaged.rows.iter().map(|(key, value)| (&key[..], &value[..])).eq(network.relay.disk.rows()));
}

#[test]
fn rl14_everything_derived_is_made_again_and_nothing_is_lost() {
    let derived = [Prefix::Stream, Prefix::Tip, Prefix::Index, Prefix::Place];
    for prefix in derived {
        let (mut network, text) = with_history();
        let all = network.text(0, text);
        let mut rows = found(&network.relay.disk);
        rows.iter_mut().filter(|(key, _)| key[0] == prefix as u8).for_each(|(_, values)| values.clear());
        let salvaged = put_together(&rows);
        assert_eq!(salvaged.lost, [], "{prefix:?}");
        assert_eq!(served(&mut network, text, salvaged.rows), all, "{prefix:?}");
    }
}

#[test]
fn rl14_without_its_snapshot_a_text_is_made_from_its_archive() {
    for prefix in [Prefix::Snapshot, Prefix::Page] {
        let (mut network, text) = with_history();
        let all = network.text(0, text);
        let mut rows = found(&network.relay.disk);
        rows.iter_mut().filter(|(key, _)| key[0] == prefix as u8).for_each(|(_, values)| values.clear());
        let salvaged = put_together(&rows);
        assert!(salvaged.lost.contains(&Loss::Snapshot { stream: text }), "{:?}", salvaged.lost);
        assert_eq!(salvaged.lost.len(), 1, "{:?}", salvaged.lost);
        assert_eq!(served(&mut network, text, salvaged.rows), all);
    }
}

#[test]
fn rl14_entries_that_are_lost_are_named_and_brought_again_by_their_authors() {
    let (mut network, text) = with_history();
    let all = network.text(0, text);
    let mut rows = found(&network.relay.disk);
    let entries: Vec<Vec<u8>> =
        network.relay.disk.rows_of(Prefix::Entry as u8).map(|(key, _)| key.to_vec()).collect();
    // Also what builds on it cannot stay.
    let lost = &entries[entries.len() - 4];
    rows.get_mut(lost).expect("it was there").clear();
    let salvaged = put_together(&rows);
    let named = salvaged.lost.iter().filter(|loss| matches!(loss, Loss::Entries { .. })).count();
    assert!(named > 0 && named == salvaged.lost.len(), "{:?}", salvaged.lost);
    assert_eq!(served(&mut network, text, salvaged.rows), all);
}

#[test]
fn rl14_older_rows_beside_the_newest_change_nothing() {
    let (mut network, text) = with_history();
    let earlier = found(&network.relay.disk);
    for n in 0..5 {
        network.insert(n % 2, text, 0, "ef");
        network.settle();
        network.wait(60);
    }
    network.rest();
    let all = network.text(0, text);
    let mut rows = earlier;
    for (key, values) in found(&network.relay.disk) {
        rows.entry(key).or_default().extend(values);
    }
    let salvaged = put_together(&rows);
    assert_eq!(salvaged.lost, []);
    assert!(salvaged.rows.iter().map(|(key, value)| (&key[..], &value[..])).eq(network.relay.disk.rows()));
    assert_eq!(served(&mut network, text, salvaged.rows), all);
}
