//! Rules 8, 9, 10 and 14: snapshots, the archive, and what restored homes and readers below them are sent.

use causeway_core::ids::StreamId;
use causeway_core::log::Entry;
use causeway_core::snapshot::{SignedRoot, unpack};
use causeway_core::stored::{self, Prefix};
use causeway_core::wire::{self, Body, Message, Need};
use causeway_tests::network::Network;

/// A room whose home makes a snapshot after every tenth entry.
pub(crate) fn eager(devices: usize) -> (Network, StreamId) {
    let (mut network, text) = Network::with_document(devices);
    network.relay.snapshot_after(10, 500);
    (network, text)
}

/// Everybody writes a little, entry by entry.
pub(crate) fn write(network: &mut Network, text: StreamId, times: u32) {
    let devices = network.devices.len();
    for n in 0..times {
        let device = n as usize % devices;
        let end = network.devices[device].room.text_len(text).expect("it is open");
        network.insert(device, text, end / 2, "ab");
        if n % 5 == 4 {
            network.delete(device, text, 0, 1);
        }
        network.settle();
        network.wait(60);
    }
    network.rest();
}

pub(crate) fn root(network: &Network, text: StreamId) -> Option<SignedRoot> {
    let row = network.relay.disk.row(&stored::snapshot_key(&text))?;
    Some(SignedRoot::decode(row).expect("a root"))
}

pub(crate) fn rows(network: &Network, prefix: Prefix) -> usize {
    network.relay.disk.rows_of(prefix as u8).count()
}

pub(crate) fn archived(network: &Network, text: StreamId) -> Vec<Entry> {
    let prefix = stored::stream_prefix(Prefix::Archive, &text);
    let rows = network.relay.disk.rows_of(Prefix::Archive as u8).filter(|(key, _)| key.starts_with(&prefix));
    rows.flat_map(|(_, value)| unpack(stored::decode_segment(value).expect("a row").1).expect("a segment"))
        .collect()
}

#[test]
fn rule_8_a_long_tail_becomes_a_snapshot_in_one_line() {
    let (mut network, text) = eager(2);
    write(&mut network, text, 30);
    let first = root(&network, text).expect("a snapshot");
    assert!(first.root.arrivals >= 30 && network.relay.entries(&text) < 10, "{first:?}");
    write(&mut network, text, 30);
    let second = root(&network, text).expect("a snapshot");
    assert_eq!(second.home, first.home, "one key signs all of a room");
    assert_eq!(second.root.id(), {
        let again = SignedRoot::decode(&second.encode()).unwrap();
        again.root.id()
    });
    assert!(second.root.parent.is_some() && second.root.arrivals > first.root.arrivals);
    assert_eq!((rows(&network, Prefix::Draft), rows(&network, Prefix::Snapshot)), (0, 1));
    assert_eq!(rows(&network, Prefix::Page), 1, "the parent's page has gone");
    assert_eq!(network.text(0, text), network.text(1, text));
    for (replica, tip) in &second.root.coverage {
        assert!(tip.seq <= network.relay.seq(&text, replica));
    }
}

#[test]
fn rule_9_entries_come_out_of_the_archive_byte_for_byte() {
    let (mut network, text) = Network::with_document(2);
    write(&mut network, text, 40);
    let before: Vec<Vec<u8>> = network
        .relay
        .disk
        .rows_of(b'e')
        .map(|(_, value)| stored::decode_entry(value.to_vec()).unwrap().bytes().to_vec())
        .collect();
    network.relay.snapshot_after(10, 0);
    network.restart_home();
    network.rest();
    assert_eq!(network.relay.entries(&text), 0);
    let after: Vec<Vec<u8>> = archived(&network, text).iter().map(|entry| entry.bytes().to_vec()).collect();
    assert_eq!(after, before);
}

#[test]
fn rule_8_a_newcomer_is_sent_the_snapshot_and_the_entries_above_it() {
    let (mut network, text) = eager(2);
    write(&mut network, text, 60);
    let covered = root(&network, text).expect("a snapshot").root.arrivals;
    let before = network.relay.sent.len();
    let late = network.join();
    network.open(late, text);
    network.rest();
    let all = network.text(0, text);
    assert_eq!(network.text(late, text), all);
    let sent: Vec<_> = network.relay.sent[before..].iter().map(|(_, message)| message.clone()).collect();
    let entries = crate::craft::entries_in(&sent, text);
    assert!(entries <= 10 && covered >= 60, "{entries} entries are sent above {covered}");
    let figures = network.relay.home.figures();
    assert_eq!(figures.snapshots_sent, 1);
    // It is on the device's disk, without what it covers, and enough to start from without a link.
    let rows = network.devices[late].disk.rows_of(b'e').count();
    assert!(rows <= 10, "{rows} entries rest on the device");
    network.restart(late, true);
    network.devices[late].online = false;
    network.open(late, text);
    network.rest();
    assert_eq!(network.text(late, text), all);
    network.insert(late, text, 0, "offline: ");
    network.rest();
    network.go_online(late);
    network.rest();
    assert_eq!(network.text(0, text), format!("offline: {all}"));
    let deps = network.devices[late].sent.iter().filter_map(|message| match message {
        causeway_core::wire::Message::Entries(entries) => Some(entries),
        causeway_core::wire::Message::Other(_) => None,
    });
    assert!(deps.flatten().all(|entry| entry.header().deps.len() <= 2), "an entry names the newest only");
}

#[test]
fn rule_8_entries_that_leave_their_rows_under_a_reader_are_not_passed_over() {
    let (mut network, text) = Network::with_document(2);
    write(&mut network, text, 40);
    network.relay.keeps_quiet_of_drops = true;
    network.relay.snapshot_after(10, 0);
    network.restart_home();
    network.rest();
    assert_eq!((network.relay.entries(&text), network.relay.home.figures().snapshots_made), (0, 0));
    let before = network.relay.sent.len();
    let (late, again) = (network.join(), network.join());
    for device in [late, again] {
        network.open(device, text);
    }
    // Another wants a chain by name, and is read its own page.
    let chain = network.devices[0].room.replica();
    let need = wire::encode(&Need { stream: text, replica: chain, from: 1, to: 3 }.into());
    network.inject(0, need);
    network.rest();
    let told = |network: &Network, device: usize| {
        let link = network.devices[device].link();
        let sent = network.relay.sent[before..].iter().filter(move |(to, _)| Some(*to) == link);
        sent.filter(|(_, message)| match message {
            Message::Other(Body::Synced(synced)) => synced.stream == text,
            Message::Other(_) | Message::Entries(_) => false,
        })
        .count()
    };
    assert_eq!([late, again].map(|device| told(&network, device)), [0, 0], "nobody is told that this is all");
    network.release_home_disk();
    network.rest();
    for device in [late, again] {
        assert_eq!(network.text(device, text), network.text(0, text));
        assert_eq!(told(&network, device), 1, "and it was brought up at once");
    }
}

#[test]
fn rule_8_a_snapshot_meets_unsealed_and_unsaved_work() {
    let (mut network, text) = eager(2);
    write(&mut network, text, 8);
    network.go_offline(1);
    let receipt = network.insert(1, text, 0, "[not sealed] ");
    network.wait(60);
    network.insert_times(40, 0, text, "x");
    network.rest();
    network.go_online(1);
    network.rest();
    assert!(network.relay.home.figures().snapshots_sent > 0);
    let all = network.text(0, text);
    assert!(all.contains("[not sealed] ") && network.receipt(1, &receipt).relay);
    assert_eq!(network.text(1, text), all);
    assert_eq!(network.devices[1].room.save_status(text).forks, 0);
    network.restart(1, true);
    network.open(1, text);
    network.rest();
    assert_eq!(network.text(1, text), all);
}

#[test]
fn rule_10_a_restored_home_is_refilled_by_authors_that_hold_a_snapshot() {
    let (mut network, text) = eager(2);
    let backup = network.relay.disk.clone();
    write(&mut network, text, 12);
    for device in 0..2 {
        network.go_offline(device);
        network.insert_times(15, 1 - device, text, "y");
        network.rest();
        network.go_online(device);
        network.rest();
    }
    assert!(network.relay.home.figures().snapshots_sent > 0, "somebody has let go of others' entries");
    let all = network.text(0, text);
    network.relay.put_back(backup, 2);
    network.restart_home();
    for _ in 0..20 {
        network.rest();
    }
    let late = network.join();
    network.open(late, text);
    network.rest();
    assert_eq!(network.text(late, text), all);
}

#[test]
fn rule_10_what_only_a_device_s_snapshot_covers_stays_on_its_disk() {
    let (mut network, text) = eager(3);
    let author = 0;
    let (holder, other) = (1, 2);
    write(&mut network, text, 12);
    network.go_offline(other);
    network.go_offline(holder);
    let backup = network.relay.disk.clone();
    let write_alone = |network: &mut Network, device: usize, word: &str| {
        network.insert_times(30, device, text, word);
        network.rest();
    };
    write_alone(&mut network, author, "before ");
    network.go_online(holder);
    network.rest();
    assert_eq!(network.text(holder, text), network.text(author, text));
    let covered = network.relay.home.figures().snapshots_sent;
    assert!(covered > 0, "the holder has it in a snapshot");
    network.go_offline(author);
    network.go_offline(holder);
    // The backup knows nothing of it, and neither does who writes on with the restored home, which makes a snapshot too.
    network.relay.put_back(backup, 2);
    network.restart_home();
    network.go_online(other);
    network.rest();
    write_alone(&mut network, other, "after ");
    assert!(!network.text(other, text).contains("before"));
    network.go_online(holder);
    for _ in 0..3 {
        network.rest();
    }
    assert!(network.relay.home.figures().snapshots_sent > 0, "it was sent the restored home's");
    let both = |text: &str| (text.matches("before ").count(), text.matches("after ").count());
    assert_eq!(both(&network.text(holder, text)), (30, 30));
    network.restart(holder, true);
    network.devices[holder].online = false;
    network.open(holder, text);
    network.rest();
    assert_eq!(both(&network.text(holder, text)), (30, 30), "from its disk alone");
    // What its author brings again ends in a snapshot that it takes.
    network.go_online(author);
    network.go_online(holder);
    for _ in 0..20 {
        network.rest();
    }
    write_alone(&mut network, author, "at last ");
    let all = network.text(author, text);
    assert_eq!(both(&all), (30, 30));
    assert_eq!((&network.text(holder, text), &network.text(other, text)), (&all, &all));
}

#[test]
fn rule_9_a_reader_below_the_snapshot_gets_on_from_wherever_it_was() {
    let (mut network, text) = eager(3);
    write(&mut network, text, 9);
    network.go_offline(2);
    let end = network.devices[2].room.text_len(text).unwrap();
    network.insert(2, text, end, " written offline");
    network.insert_times(30, 0, text, "x");
    network.rest();
    assert!(root(&network, text).is_some_and(|root| root.root.arrivals > 30));
    network.go_online(2);
    let late = network.join();
    network.open(late, text);
    network.rest();
    let all = network.text(0, text);
    assert!(all.contains("written offline"));
    assert_eq!((&network.text(2, text), &network.text(late, text)), (&all, &all));
    network.insert(late, text, 0, "and I: ");
    network.rest();
    assert_eq!(network.text(0, text), format!("and I: {all}"));
}

#[test]
fn rule_9_who_asks_for_a_chain_is_sent_it_from_its_segment_on() {
    let (mut network, text) = eager(2);
    for _ in 0..12 {
        write(&mut network, text, 12);
    }
    let chain = network.devices[1].room.replica();
    let tip = root(&network, text).expect("a snapshot").root.covered(&chain);
    let segments = rows(&network, Prefix::Archive);
    assert!(segments >= 10, "{segments} segments");
    let unpacked = |network: &mut Network, from: u64| {
        let (jobs, sent) = (network.relay.jobs_run, network.relay.sent.len());
        let need = Need { stream: text, replica: chain, from, to: tip };
        network.inject(0, wire::encode(&need.into()));
        network.rest();
        let came = network.relay.sent[sent..].iter().flat_map(|(_, message)| match message {
            Message::Entries(entries) => entries.iter().map(|entry| entry.name()).collect(),
            Message::Other(_) => Vec::new(),
        });
        let came: Vec<_> = came.filter(|name| name.replica == chain).map(|name| name.seq).collect();
        (network.relay.jobs_run - jobs, came)
    };
    assert_eq!(unpacked(&mut network, tip), (1, vec![tip]), "the last segment is enough for the last entry");
    let (jobs, came) = unpacked(&mut network, tip / 2);
    assert_eq!(came, (tip / 2..=tip).collect::<Vec<_>>());
    assert!(jobs <= segments / 2 + 2, "{jobs} of {segments} segments for half of the chain");
    assert_eq!(unpacked(&mut network, 1).1, (1..=tip).collect::<Vec<_>>());
    // A row that is gone costs a longer way and nothing else.
    let places: Vec<Vec<u8>> =
        network.relay.disk.rows_of(Prefix::Place as u8).map(|(key, _)| key.to_vec()).collect();
    places.iter().for_each(|key| network.relay.disk.damage(key));
    assert_eq!(unpacked(&mut network, tip), (segments, vec![tip]));
}

#[test]
fn rule_14_nothing_of_snapshot_and_archive_stays_of_a_deleted_document() {
    use crate::craft::{entry, frame};
    let (mut network, text) = eager(2);
    write(&mut network, text, 30);
    assert!(root(&network, text).is_some());
    let replica = network.devices[0].room.replica();
    let tip = network.relay.disk.row(&stored::tip_key(&text, &replica)).unwrap();
    let tip = stored::TipRecord::decode(tip).unwrap();
    let delete = causeway_core::log::EntryKind::Delete;
    network.inject(0, frame(&entry(text, replica, (tip.seq + 1, tip.logical + 1), delete, &[])));
    network.rest();
    let left = |prefix: Prefix| {
        let prefix = stored::stream_prefix(prefix, &text);
        network.relay.disk.rows().filter(|(key, _)| key.starts_with(&prefix)).count()
    };
    let kinds = [Prefix::Entry, Prefix::Index, Prefix::Snapshot, Prefix::Draft, Prefix::Page];
    assert_eq!(kinds.map(left), [0; 5]);
    assert_eq!([Prefix::Archive, Prefix::Place].map(left), [0; 2]);
}
