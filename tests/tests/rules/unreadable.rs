//! ST4 at the home: a place of the disk that cannot be read costs what lies there.

use causeway_core::device::Event;
use causeway_core::home::CompactionPlan;
use causeway_core::ids::StreamId;
use causeway_core::limits::{SNAPSHOT_AGAIN, STREAM_HOLES};
use causeway_core::stored::{self, Prefix, QuarantineRecord};
use causeway_core::time::Millis;
use causeway_core::wire::{self, Body, Lost, Message, Need};
use causeway_tests::network::Network;

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

/// Two texts, each written by one of two devices, the first of them open on both.
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

fn lose(network: &mut Network, text: StreamId, from: u64, end: u64) {
    let (from, end) = stored::entry_range(&text, from, end);
    network.relay.disk.make_unreadable(from, end);
}

/// Minutes in which nobody writes.
fn pass(network: &mut Network, span: Millis) {
    for _ in 0..span.0.div_ceil(5_000) {
        network.wait(5_000);
        network.settle();
    }
}

/// The numbers of entries of a stream that the home has sent since, and those it has called lost.
fn sent(network: &Network, text: StreamId, since: usize) -> (Vec<u64>, Vec<u64>) {
    let (mut came, mut lost) = (Vec::new(), Vec::new());
    for (_, message) in &network.relay.sent[since..] {
        match message {
            Message::Entries(entries) => {
                let of = entries.iter().filter(|entry| entry.header().stream == text);
                came.extend(of.map(|entry| entry.name().seq));
            }
            Message::Other(Body::Lost(Lost { stream, name, .. })) if *stream == text => lost.push(name.seq),
            Message::Other(_) => {}
        }
    }
    (came, lost)
}

fn set_apart(network: &Network, text: StreamId) -> Option<QuarantineRecord> {
    let row = network.relay.disk.row(&stored::quarantine_key(&text))?;
    Some(QuarantineRecord::decode(row).expect("it is whole"))
}

#[test]
fn st4_a_newcomer_gets_all_that_is_sound_and_one_word_about_the_rest() {
    // One place, two places with an entry between them, the first entry, the last one, and half of them.
    for places in [&[(5, 9)][..], &[(5, 7), (8, 9)], &[(0, 1)], &[(19, 20)], &[(3, 13)]] {
        let (mut network, text, other) = two_texts();
        let chain = network.devices[0].room.replica();
        let all = network.relay.entries(&text) as u64;
        assert_eq!(network.relay.seq(&text, &chain), all, "one entry a word");
        let place = |at: u64| places.iter().any(|(from, end)| (*from..*end).contains(&at));
        places.iter().for_each(|(from, end)| lose(&mut network, text, *from, *end));
        let before = network.relay.sent.len();
        let late = network.join();
        network.open(late, text);
        network.open(late, other);
        network.rest();
        assert_eq!(network.relay.closed, [], "nobody's link is cut");
        assert_eq!(network.text(late, other), network.text(1, other), "the other text is whole");
        let sound: Vec<u64> = (0..all).filter(|at| !place(*at)).map(|at| at + 1).collect();
        let (mut came, mut lost) = sent(&network, text, before);
        came.sort_unstable();
        came.dedup();
        lost.sort_unstable();
        lost.dedup();
        assert_eq!(came, sound, "{places:?}");
        let (first, last) = (places[0].0 + 1, places[places.len() - 1].1);
        let ends = if first == last { vec![first] } else { vec![first, last] };
        assert_eq!(lost, ends, "of a chain the first and the last");
        assert_eq!(network.relay.home.figures().entries_damaged, all - sound.len() as u64, "each once");
        let told = network.events(late);
        let is_lost = |event: &&Event| matches!(event, Event::Damaged { code, .. } if code == "home.entry");
        assert_eq!(told.iter().filter(is_lost).count(), ends.len(), "{told:?}");
        // Nobody writes there, also not its author.
        network.rest();
        assert_eq!(network.relay.closed, []);
        // The disk is better, and nothing has to be started again for that.
        network.relay.disk.make_readable();
        network.drop_link(late);
        network.rest();
        assert_eq!(network.text(late, text), network.text(0, text), "{places:?}");
    }
}

#[test]
fn st4_a_place_that_is_known_takes_one_look_and_holds_up_nobody() {
    let (mut network, text, other) = two_texts();
    lose(&mut network, text, 5, 17);
    let late = network.join();
    network.open(late, text);
    network.open(late, other);
    network.rest();
    let reads = network.relay.reads;
    let later = network.join();
    network.open(later, text);
    network.rest();
    assert!(network.relay.reads - reads < 20, "{}", network.relay.reads - reads);
    let reads = network.relay.reads;
    pass(&mut network, Millis(60_000));
    assert!(network.relay.reads - reads < 200, "{}", network.relay.reads - reads);
    write(&mut network, 0, text, 20..22);
    assert_eq!(network.text(0, text), network.text(1, text));
    write(&mut network, late, other, 20..22);
    assert_eq!(network.text(late, other), network.text(1, other));
    assert_eq!(network.relay.closed, []);
}

#[test]
fn st4_whoever_asks_by_name_for_what_cannot_be_read_is_told() {
    let (mut network, text, _) = two_texts();
    lose(&mut network, text, 5, 9);
    let chain = network.devices[0].room.replica();
    let before = network.relay.sent.len();
    network.inject(1, wire::encode(&Need { stream: text, replica: chain, from: 7, to: 12 }.into()));
    network.rest();
    let (came, lost) = sent(&network, text, before);
    assert_eq!(came, [10, 11, 12]);
    assert_eq!(lost[0], 7, "the first of those it lacks: {lost:?}");
    assert_eq!(network.relay.closed, []);
}

#[test]
fn st4_where_a_chain_begins_is_looked_for_from_the_start_when_its_index_cannot_be_read() {
    let (mut network, text, _) = two_texts();
    network.go_offline(1);
    write(&mut network, 0, text, 20..24);
    let (from, end) = (vec![Prefix::Index as u8], vec![Prefix::Index as u8 + 1]);
    network.relay.disk.make_unreadable(from, end);
    network.go_online(1);
    network.rest();
    assert_eq!(network.relay.closed, []);
    assert_eq!(network.text(1, text), network.text(0, text));
}

#[test]
fn st4_a_disk_full_of_places_cuts_no_link() {
    let (mut network, text, other) = two_texts();
    write(&mut network, 0, text, 20..200);
    (0..=STREAM_HOLES as u64 + 10).for_each(|place| lose(&mut network, text, 2 * place, 2 * place + 1));
    let late = network.join();
    network.open(late, text);
    network.open(late, other);
    network.rest();
    assert_eq!(network.relay.closed, []);
    assert_eq!(network.text(late, other), network.text(1, other));
}

#[test]
fn rl15_a_stream_that_cannot_be_read_keeps_no_other_from_its_snapshot_and_is_tried_again() {
    let (mut network, text, other) = two_texts();
    // The longer one.
    write(&mut network, 0, text, 20..30);
    lose(&mut network, text, 5, 9);
    let often =
        CompactionPlan { entries: 10, bytes: u64::MAX / 4, quiet: Millis(500), ..CompactionPlan::default() };
    network.relay.plan_compaction(often);
    write(&mut network, 1, other, 20..21);
    pass(&mut network, Millis(60_000));
    let record = set_apart(&network, text).expect("no snapshot can be made of it");
    assert_eq!((record.code.as_str(), record.attempts), ("store.unreadable", 1), "not again and again");
    assert!(network.relay.disk.row(&stored::snapshot_key(&other)).is_some(), "the other has its own");
    network.relay.disk.make_readable();
    pass(&mut network, Millis(2 * SNAPSHOT_AGAIN.0));
    assert!(network.relay.disk.row(&stored::snapshot_key(&text)).is_some(), "it is tried again by itself");
    assert_eq!(set_apart(&network, text), None);
}

#[test]
fn st4_of_the_archive_nothing_behind_a_place_is_sent_and_that_is_told() {
    let (mut network, text, _) = two_texts();
    let often =
        CompactionPlan { entries: 10, bytes: u64::MAX / 4, quiet: Millis(500), ..CompactionPlan::default() };
    network.relay.plan_compaction(often);
    (2..6).for_each(|round| write(&mut network, 0, text, round * 12..(round + 1) * 12));
    let segments = network.relay.disk.rows_of(Prefix::Archive as u8).map(|(key, _)| key.to_vec());
    let segments: Vec<Vec<u8>> = segments.collect();
    let ends = [segments[0].clone(), [segments[0].as_slice(), &[0]].concat()];
    let [from, end] = ends;
    network.relay.disk.make_unreadable(from, end);
    let chain = network.devices[0].room.replica();
    let before = network.relay.sent.len();
    network.inject(1, wire::encode(&Need { stream: text, replica: chain, from: 1, to: 60 }.into()));
    network.rest();
    assert_eq!(network.relay.closed, []);
    assert_eq!(sent(&network, text, before).1, [1]);
}
