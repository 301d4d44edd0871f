//! RL14: rows of a home that a disk has damaged, put together to a room again.

use std::collections::BTreeMap;

use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::log::Dep;
use causeway_core::salvage::{Found, Loss, put_together};
use causeway_core::stored::{
    HistoryRecord, Prefix, decode_entry, history_key, parse_archive_key, stream_of, tombstone_key,
};
use causeway_core::wire::{self, Message, Need};
use causeway_tests::disk::Disk;
use causeway_tests::network::Network;

use crate::craft::{forged, frame};
use crate::history::{self, MINUTE, forgetful, pass};

/// Both devices write a word by turns, entry by entry.
fn write(network: &mut Network, text: StreamId, word: &str, times: usize) {
    (0..times).for_each(|n| network.insert_times(1, n % 2, text, word));
    network.rest();
}

/// A room with a snapshot, an archive and entries above them.
fn with_history() -> (Network, StreamId) {
    let (mut network, text) = Network::with_document(2);
    network.relay.snapshot_after(10, 500);
    write(&mut network, text, "ab", 36);
    network.relay.snapshot_after(10_000, 500);
    write(&mut network, text, "cd", 7);
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

/// What the home sends of a chain to whoever asks for one entry by its name.
fn came_by_name(network: &mut Network, text: StreamId, replica: ReplicaId, seq: u64) -> Vec<u64> {
    let sent = network.relay.sent.len();
    network.inject(0, wire::encode(&Need { stream: text, replica, from: seq, to: seq }.into()));
    network.rest();
    let entries = network.relay.sent[sent..].iter().filter_map(|(_, message)| match message {
        Message::Entries(entries) => Some(entries),
        Message::Other(_) => None,
    });
    let names = entries.flatten().map(|entry| entry.name()).filter(|name| name.replica == replica);
    names.map(|name| name.seq).collect()
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
        let places = |disk: &Disk| disk.rows_of(Prefix::Place as u8).count();
        let before = places(&network.relay.disk);
        assert_eq!(served(&mut network, text, salvaged.rows), all, "{prefix:?}");
        assert_eq!(places(&network.relay.disk), before, "{prefix:?}");
        for device in 0..2 {
            let chain = network.devices[device].room.replica();
            assert_eq!(came_by_name(&mut network, text, chain, 2), [2], "{prefix:?}: out of the archive");
        }
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
fn rl14_history_that_is_gone_is_named_by_its_places_whether_or_not_its_row_is_there() {
    for gone in [true, false] {
        let (mut network, text) = with_history();
        network.relay.snapshot_after(10, 500);
        for n in 0..36 {
            network.insert(n % 2, text, 0, "ab");
            network.rest();
        }
        let all = network.text(0, text);
        let mut rows = found(&network.relay.disk);
        let segments: Vec<Vec<u8>> =
            network.relay.disk.rows_of(Prefix::Archive as u8).map(|(key, _)| key.to_vec()).collect();
        let ends: Vec<u64> = segments.iter().filter_map(|key| Some(parse_archive_key(key)?.1)).collect();
        assert!(ends.len() > 2, "{ends:?}");
        if gone {
            rows.remove(&segments[1]);
        } else {
            rows.get_mut(&segments[1]).expect("it was there").clear();
        }
        let salvaged = put_together(&rows);
        assert_eq!(salvaged.lost, [Loss::Archive { stream: text, from: ends[0], end: ends[1] }]);
        assert_eq!(served(&mut network, text, salvaged.rows), all, "the snapshot has what it made");
    }
}

#[test]
fn rl14_history_of_which_nobody_knows_how_much_was_let_go_is_not_called_lost() {
    let (mut network, text) = forgetful(1);
    (0..2).for_each(|_| history::write(&mut network, 0, text, 12));
    pass(&mut network, 5 * MINUTE);
    history::write(&mut network, 0, text, 12);
    let row = history_key(&text);
    assert!(network.relay.disk.rows_of(Prefix::Archive as u8).count() > 0, "some has come since");
    network.relay.disk.damage(&row);
    let unknown = Some(HistoryRecord::UNKNOWN.encode());
    let salvaged = put_together(&found(&network.relay.disk));
    assert_eq!((salvaged.lost.as_slice(), salvaged.rows.get(&row).cloned()), (&[][..], unknown));
    // The home goes on without knowing, also when it writes down that more is too old.
    network.restart_home();
    pass(&mut network, MINUTE);
    let noted = |network: &Network| {
        let row = network.relay.disk.row(&row).and_then(|row| HistoryRecord::decode(row).ok());
        row.is_some_and(|history| history.noticed.is_some())
    };
    for _ in 0..20 {
        if !noted(&network) {
            pass(&mut network, MINUTE / 6);
        }
    }
    assert!(noted(&network), "more is known to be too old");
    assert!(network.relay.disk.rows_of(Prefix::Archive as u8).count() > 0, "it is doubted");
    assert_eq!(put_together(&found(&network.relay.disk)).lost, []);
    // Also when that goes.
    pass(&mut network, 5 * MINUTE);
    assert_eq!(network.relay.disk.rows_of(Prefix::Archive as u8).count(), 0);
    assert_eq!(put_together(&found(&network.relay.disk)).lost, []);
}

#[test]
fn rl14_an_entry_that_the_home_let_in_when_it_remembered_less_stays() {
    let (mut network, text) = Network::with_document(2);
    for device in [0, 1, 1, 1, 1] {
        network.insert(device, text, 0, "ab");
        network.rest();
    }
    let other = network.devices[1].room.replica();
    let tip = network.relay.seq(&text, &other);
    assert!(tip > 1);
    // Its author says otherwise of an entry of somebody else than stands there, which a home that has just been started
    // cannot know.
    let honest = forged(&network, 0, text, "cd");
    let mut header = honest.header().clone();
    header.deps = vec![Dep { replica: other, seq: tip - 1, head: [7; 8] }];
    let entry = wire::entry::build(header, honest.payload());
    network.restart_home();
    network.rest();
    network.inject(0, frame(&entry));
    network.rest();
    let rows = found(&network.relay.disk);
    let kept = network.relay.disk.rows_of(Prefix::Entry as u8);
    assert!(kept.filter_map(|(_, row)| decode_entry(row.to_vec()).ok()).any(|kept| kept == entry));
    let salvaged = put_together(&rows);
    assert_eq!(salvaged.lost, []);
    assert!(salvaged.rows.iter().map(|(key, value)| (&key[..], &value[..])).eq(network.relay.disk.rows()));
    // Without anything that tells of it, it is judged as whatever a device sends, and named.
    let mut bare = rows;
    bare.retain(|key, _| ![Prefix::Index as u8, Prefix::Tip as u8].contains(&key[0]));
    let name = entry.name();
    let lost = Loss::Entries { stream: text, replica: name.replica, from: name.seq, to: name.seq };
    assert_eq!(put_together(&bare).lost, [lost]);
}

#[test]
fn rl14_a_document_that_was_deleted_stays_so_although_its_tombstone_cannot_be_read() {
    let (network, text) = with_history();
    let mut rows = found(&network.relay.disk);
    rows.insert(tombstone_key(&text), Vec::new());
    let salvaged = put_together(&rows);
    assert!(salvaged.rows.contains_key(&tombstone_key(&text)));
    assert!(salvaged.rows.keys().all(|key| key[0] != Prefix::Entry as u8 || stream_of(key) != Some(text)));
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
