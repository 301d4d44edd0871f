//! Rule 9 where whoever runs the home keeps history for a while only.

use causeway_core::device::Event;
use causeway_core::home::CompactionPlan;
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::log::EntryName;
use causeway_core::salvage::{Found, put_together};
use causeway_core::snapshot::SignedRoot;
use causeway_core::stored::{self, HistoryRecord, Prefix};
use causeway_core::time::Millis;
use causeway_core::wire::{self, Body, Lost, Message, Need};
use causeway_tests::network::Network;

pub(crate) const MINUTE: u64 = 60_000;

/// A room whose home makes a snapshot after every tenth entry, and keeps what it covers for a minute.
pub(crate) fn forgetful(devices: usize) -> (Network, StreamId) {
    forgets_after(devices, MINUTE)
}

/// The same, but it keeps it for so many milliseconds.
pub(crate) fn forgets_after(devices: usize, keep: u64) -> (Network, StreamId) {
    let (mut network, text) = Network::with_document(devices);
    let quiet = Millis(500);
    let plan = CompactionPlan { entries: 10, bytes: u64::MAX / 4, quiet, ..CompactionPlan::default() };
    network.relay.plan_compaction(plan);
    network.relay.keep_history(Millis(keep));
    network.restart_home();
    network.rest();
    (network, text)
}

pub(crate) fn write(network: &mut Network, device: usize, text: StreamId, times: usize) {
    for _ in 0..times {
        network.insert(device, text, 0, "ab");
        network.settle();
        network.wait(60);
    }
    network.rest();
}

/// Lets a span pass in which nobody writes.
pub(crate) fn pass(network: &mut Network, span: u64) {
    for _ in 0..span / 10_000 {
        network.wait(10_000);
        network.settle();
    }
    network.rest();
}

pub(crate) fn rows(network: &Network, prefix: Prefix) -> usize {
    network.relay.disk.rows_of(prefix as u8).count()
}

pub(crate) fn begins(network: &Network, text: StreamId) -> u64 {
    let row = network.relay.disk.row(&stored::history_key(&text));
    row.map_or(0, |row| HistoryRecord::decode(row).expect("a record").begins)
}

pub(crate) fn covered(network: &Network, text: StreamId) -> u64 {
    let row = network.relay.disk.row(&stored::snapshot_key(&text)).expect("a snapshot");
    SignedRoot::decode(row).expect("a root").root.arrivals
}

/// Asks the home for a chain by name: the numbers that come, and of what is said to be gone the first.
pub(crate) fn ask(
    network: &mut Network,
    text: StreamId,
    replica: ReplicaId,
    to: u64,
) -> (Vec<u64>, Vec<Lost>) {
    let sent = network.relay.sent.len();
    network.inject(0, wire::encode(&Need { stream: text, replica, from: 1, to }.into()));
    network.rest();
    let (mut came, mut gone) = (Vec::new(), Vec::new());
    for (_, message) in &network.relay.sent[sent..] {
        match message {
            Message::Entries(entries) => came.extend(entries.iter().map(|entry| entry.name())),
            Message::Other(Body::Lost(lost)) => gone.push(*lost),
            Message::Other(_) => {}
        }
    }
    came.retain(|name| name.replica == replica);
    (came.into_iter().map(|name| name.seq).collect(), gone)
}

#[test]
fn rule_9_history_that_is_too_old_goes_and_what_it_made_stays() {
    let (mut network, text) = forgetful(2);
    write(&mut network, 0, text, 12);
    write(&mut network, 0, text, 12);
    let chain = network.devices[0].room.replica();
    assert!(rows(&network, Prefix::Archive) >= 2);
    pass(&mut network, MINUTE / 2);
    assert!(rows(&network, Prefix::Archive) >= 2, "a minute is not over");
    pass(&mut network, 4 * MINUTE);
    assert_eq!([Prefix::Archive, Prefix::Place].map(|prefix| rows(&network, prefix)), [0; 2]);
    assert!(network.relay.home.figures().segments_expired >= 2);
    let all = network.text(0, text);
    let late = network.join();
    network.open(late, text);
    network.rest();
    assert_eq!(network.text(late, text), all, "a newcomer begins with the snapshot");
    // What is written now has its own minute.
    write(&mut network, 0, text, 24);
    let arrivals = covered(&network, text);
    let (before, after) = ask(&mut network, text, chain, 40);
    let gone = Lost::expired(text, EntryName { replica: chain, seq: 1 });
    assert_eq!(after, [gone], "who asks for what is gone is told once");
    assert!(before.len() > 10 && before.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{before:?}");
    assert_eq!(before.last(), Some(&40), "and is sent what there is");
    let found: Found =
        network.relay.disk.rows().map(|(key, value)| (key.to_vec(), vec![value.to_vec()])).collect();
    let salvaged = put_together(&found);
    assert_eq!(salvaged.lost, [], "what was let go is not lost");
    assert!(salvaged.rows.iter().map(|(key, value)| (&key[..], &value[..])).eq(network.relay.disk.rows()));
    pass(&mut network, 4 * MINUTE);
    let history = network.relay.disk.row(&stored::history_key(&text)).map(HistoryRecord::decode);
    assert_eq!(history, Some(Ok(HistoryRecord { begins: arrivals, noticed: None })));
    let reads = network.relay.reads;
    assert_eq!(ask(&mut network, text, chain, 20), (vec![], vec![gone]));
    assert_eq!(network.relay.reads - reads, 1, "to say so takes one look");
}

#[test]
fn rule_9_without_a_word_history_stays_for_ever() {
    let (mut network, text) = Network::with_document(1);
    let plan = CompactionPlan { entries: 10, quiet: Millis(500), ..CompactionPlan::default() };
    network.relay.plan_compaction(plan);
    write(&mut network, 0, text, 25);
    let before = rows(&network, Prefix::Archive);
    assert!(before > 0);
    pass(&mut network, 200 * MINUTE);
    assert_eq!(rows(&network, Prefix::Archive), before);
}

#[test]
fn promise_4_history_stays_while_the_snapshot_that_covers_it_cannot_be_read() {
    for prefix in [Prefix::Snapshot, Prefix::Page] {
        let (mut network, text) = forgetful(1);
        write(&mut network, 0, text, 25);
        let before = [Prefix::Archive, Prefix::Place].map(|prefix| rows(&network, prefix));
        let rotten = network.relay.disk.rows_of(prefix as u8).map(|(key, _)| key.to_vec()).next();
        network.relay.disk.damage(&rotten.expect("there is a snapshot"));
        pass(&mut network, 5 * MINUTE);
        let after = [Prefix::Archive, Prefix::Place].map(|prefix| rows(&network, prefix));
        assert_eq!(after, before, "{prefix:?} was damaged: the archive may be all there is");
        assert_eq!(begins(&network, text), 0);
    }
}

#[test]
fn rule_9_a_crash_while_history_goes_leaves_all_of_it_or_nothing() {
    for written in [false, true] {
        let (mut network, text) = forgetful(1);
        write(&mut network, 0, text, 25);
        let all = network.text(0, text);
        let archived = rows(&network, Prefix::Archive);
        pass(&mut network, 2 * MINUTE);
        assert_eq!(rows(&network, Prefix::History), 1, "it is known to be too old");
        network.relay.disk_answers = false;
        pass(&mut network, 2 * MINUTE);
        assert_eq!(rows(&network, Prefix::Archive), archived, "the disk has not answered");
        if written {
            network.relay.write_held();
        }
        network.relay.disk_answers = true;
        let left = if written { 0 } else { archived };
        assert_eq!(rows(&network, Prefix::Archive), left);
        network.restart_home();
        pass(&mut network, 4 * MINUTE);
        assert_eq!([Prefix::Archive, Prefix::Place].map(|prefix| rows(&network, prefix)), [0; 2]);
        let late = network.join();
        network.open(late, text);
        network.rest();
        assert_eq!(network.text(late, text), all);
    }
}

#[test]
fn rule_9_a_device_that_needs_history_which_is_gone_is_told() {
    let (mut network, text) = forgetful(1);
    write(&mut network, 0, text, 12);
    let backup = network.relay.disk.clone();
    write(&mut network, 0, text, 12);
    // It holds a snapshot of which the restored home lacks a part that nobody brings again.
    let keeper = network.join();
    network.open(keeper, text);
    network.rest();
    let kept = network.text(keeper, text);
    network.go_offline(0);
    network.go_offline(keeper);
    network.relay.put_back(backup, 2);
    network.restart_home();
    let newcomer = network.join();
    network.open(newcomer, text);
    network.rest();
    write(&mut network, newcomer, text, 12);
    pass(&mut network, 4 * MINUTE);
    assert_eq!(rows(&network, Prefix::Archive), 0);
    network.events(keeper);
    network.go_online(keeper);
    pass(&mut network, MINUTE);
    let told = network.events(keeper);
    let expired = |event: &Event| matches!(event, Event::Damaged { code, .. } if code == "home.expired");
    assert!(told.iter().any(expired), "{told:?}");
    assert_eq!(network.text(keeper, text), kept, "and what only it has stays with it");
}
