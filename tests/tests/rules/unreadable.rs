//! ST4 at the home and on a device: a place of the disk that cannot be read costs what lies there.

use causeway_core::device::Event;
use causeway_core::home::CompactionPlan;
use causeway_core::ids::StreamId;
use causeway_core::limits::RESEND_AFTER;
use causeway_core::stored::{self, Prefix, QuarantineRecord};
use causeway_core::time::Millis;
use causeway_core::wire::{self, Need};
use causeway_tests::network::Network;

fn often() -> CompactionPlan {
    CompactionPlan { entries: 10, bytes: u64::MAX / 4, quiet: Millis(500), ..CompactionPlan::default() }
}

/// A word each, entry by entry, at the end of a text.
fn write(network: &mut Network, device: usize, text: StreamId, words: impl IntoIterator<Item = u32>) {
    for word in words {
        let end = network.devices[device].room.text_len(text).expect("it is open");
        network.insert(device, text, end, &format!("{word} "));
        network.settle();
        network.wait(60);
    }
    network.rest();
}

/// Two texts that two devices have written in turn, the first of them open on both.
fn two_texts() -> (Network, StreamId, StreamId) {
    let (mut network, text) = Network::with_document(2);
    let other = StreamId::ydoc([0xff; 16]);
    for device in 0..2 {
        network.open(device, other);
    }
    network.rest();
    write(&mut network, 0, text, 0..20);
    write(&mut network, 1, other, 0..20);
    (network, text, other)
}

fn entries(network: &mut Network, text: StreamId, from: u64, to: u64) {
    network.relay.disk.make_unreadable(Some(stored::entry_range(&text, from, to)));
}

fn set_apart(network: &Network, text: StreamId) -> Option<String> {
    let row = network.relay.disk.row(&stored::quarantine_key(&text))?;
    Some(QuarantineRecord::decode(row).expect("it is whole").code)
}

#[test]
fn st4_a_place_that_the_home_cannot_read_costs_a_newcomer_what_lies_there_and_no_more() {
    let (mut network, text, other) = two_texts();
    entries(&mut network, text, 5, 9);
    let late = network.join();
    network.open(late, text);
    network.open(late, other);
    network.rest();
    assert_eq!(network.relay.closed, [], "nobody's link is cut");
    assert_eq!(network.text(late, other), network.text(1, other), "the other text is whole");
    assert_eq!(network.relay.home.figures().entries_damaged, 4, "each is counted once");
    let reads = network.relay.reads;
    for _ in 0..10 {
        network.rest();
    }
    assert!(
        network.relay.reads - reads < 100,
        "and is not read again and again: {}",
        network.relay.reads - reads
    );
    assert!(network.text(late, text).starts_with("0 1 "), "{}", network.text(late, text));
    let told = network.events(late);
    let lost =
        told.iter().filter(|event| matches!(event, Event::Damaged { code, .. } if code == "home.entry"));
    assert_eq!(lost.count(), 4, "and is told so: {told:?}");
    // Who was there before goes on, and so does who is new.
    write(&mut network, 0, text, 20..22);
    assert_eq!(network.text(0, text), network.text(1, text));
    write(&mut network, late, other, 20..22);
    assert_eq!(network.text(late, other), network.text(1, other));
    assert_eq!(network.relay.closed, []);
    // The disk is better, and nothing has to be started again for that.
    network.relay.disk.make_unreadable(None);
    network.drop_link(late);
    network.rest();
    assert_eq!(network.text(late, text), network.text(0, text));
}

#[test]
fn st4_where_a_chain_begins_is_looked_for_from_the_start_when_its_index_cannot_be_read() {
    let (mut network, text, _) = two_texts();
    network.go_offline(1);
    write(&mut network, 0, text, 20..24);
    network.relay.disk.make_unreadable(Some(Prefix::Index.range()));
    network.go_online(1);
    network.rest();
    assert_eq!(network.relay.closed, []);
    assert_eq!(network.text(1, text), network.text(0, text));
}

#[test]
fn st4_a_part_of_the_archive_that_cannot_be_read_is_passed_over() {
    let (mut network, text, _) = two_texts();
    network.relay.plan_compaction(often());
    for round in 2..8 {
        write(&mut network, 0, text, round * 12..(round + 1) * 12);
    }
    let segments = network.relay.disk.rows_of(Prefix::Archive as u8);
    let ends: Vec<u64> = segments
        .filter_map(|(key, _)| stored::parse_archive_key(key))
        .filter(|(of, _)| *of == text)
        .map(|(_, end)| end)
        .collect();
    assert!(ends.len() > 4, "{ends:?}");
    let place = (stored::archive_key(&text, ends[1]), stored::archive_key(&text, ends[3]));
    network.relay.disk.make_unreadable(Some(place));
    let chain = network.devices[0].room.replica();
    let before = network.relay.sent.len();
    network.inject(1, wire::encode(&Need { stream: text, replica: chain, from: 1, to: 60 }.into()));
    network.rest();
    assert_eq!(network.relay.closed, []);
    let sent = network.relay.sent[before..].iter().map(|(_, message)| message);
    let came = crate::craft::entries_in(sent, text) as u64;
    assert!(network.relay.home.figures().entries_damaged > 0);
    assert_eq!(came, 60 - (ends[2].min(60) - ends[0].min(60)), "all but those of the two segments: {ends:?}");
}

#[test]
fn rl15_a_stream_that_cannot_be_read_is_set_apart_and_keeps_no_other_from_its_snapshot() {
    let (mut network, text, other) = two_texts();
    // The longer one.
    write(&mut network, 0, text, 20..30);
    entries(&mut network, text, 5, 9);
    network.relay.plan_compaction(often());
    write(&mut network, 1, other, 20..21);
    for _ in 0..5 {
        network.rest();
    }
    assert_eq!(set_apart(&network, text).as_deref(), Some("log.unreadable"));
    assert_eq!(network.relay.home.figures().snapshots_failed, 1, "and is not tried again and again");
    assert!(network.relay.disk.row(&stored::snapshot_key(&other)).is_some(), "the other has its own");
    assert_eq!(set_apart(&network, other), None);
    // The same for what lies under the snapshot that stands.
    network.relay.disk.make_unreadable(Some(Prefix::Page.range()));
    write(&mut network, 1, other, 21..40);
    for _ in 0..5 {
        network.rest();
    }
    assert_eq!(set_apart(&network, other).as_deref(), Some("snapshot.unreadable"));
    assert_eq!(network.relay.closed, []);
    network.wait(RESEND_AFTER.0);
    network.rest();
    assert_eq!(network.text(0, other), network.text(1, other), "as logs they go on");
}
