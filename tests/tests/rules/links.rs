//! RL8: what one link may cost its home, and what the others notice of it.

use bytes::Bytes;
use causeway_core::device::Room;
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::limits::{LINK_NEEDS, ROOM_SEGMENTS};
use causeway_core::stored::Prefix;
use causeway_core::wire::{self, Body, Message, Need};
use causeway_tests::network::Network;

/// Writes to a text, entry by entry.
fn write(network: &mut Network, device: usize, text: StreamId, words: &str, times: usize) {
    network.insert_times(times, device, text, words);
    network.settle();
}

fn rows(network: &Network, prefix: Prefix) -> usize {
    network.relay.disk.rows_of(prefix as u8).count()
}

fn needs(needs: impl Iterator<Item = Need>) -> Bytes {
    let frames: Vec<u8> = needs.flat_map(|need| wire::encode(&need.into())).collect();
    frames.into()
}

/// The numbers of a chain's entries that a device was sent since its home had said so much.
fn came(network: &Network, device: usize, since: usize, chain: ReplicaId) -> Vec<u64> {
    let link = network.devices[device].link();
    let sent = network.relay.sent[since..].iter().filter(|(to, _)| Some(*to) == link);
    let entries = sent.flat_map(|(_, message)| match message {
        Message::Entries(entries) => entries.iter().map(|entry| entry.name()).collect(),
        Message::Other(_) => Vec::new(),
    });
    entries.filter(|name| name.replica == chain).map(|name| name.seq).collect()
}

fn laters(network: &Network, since: usize) -> usize {
    let sent = network.relay.sent[since..].iter();
    sent.filter(|(_, message)| matches!(message, Message::Other(Body::Later(_)))).count()
}

#[test]
fn rl8_a_link_that_reads_nothing_holds_one_snapshot_however_many_streams_it_follows() {
    const TEXTS: u8 = 200;
    let mut network = Network::new(1);
    network.relay.snapshot_after(6, 1);
    let texts: Vec<StreamId> = (0..TEXTS).map(|number| StreamId::ydoc([number; 16])).collect();
    let page = "deep water ".repeat(5_000);
    for text in &texts {
        network.open(0, *text);
        network.settle();
        write(&mut network, 0, *text, &page, 6);
    }
    for _ in 0..20 {
        network.rest();
    }
    assert_eq!(rows(&network, Prefix::Snapshot), texts.len());
    assert_eq!(network.relay.home.snapshot_bytes(), 0, "nobody is sent any");

    let late = network.join();
    network.rest();
    network.relay.slow = true;
    texts.iter().for_each(|text| network.open(late, *text));
    network.settle();
    let held = network.relay.home.snapshot_bytes();
    println!("{held} bytes are held of snapshots of {} bytes each", 6 * page.len());
    assert!(held > page.len() && held < 2 * 6 * page.len(), "one is held: {held} bytes");
    while network.relay.home.figures().snapshots_sent < u64::from(TEXTS) {
        let before = network.relay.sent.len();
        network.trickle();
        network.settle();
        assert!(network.relay.home.snapshot_bytes() < 2 * 6 * page.len());
        assert!(network.relay.sent.len() > before, "whoever reads gets on");
    }
    network.drain();
    network.rest();
    assert_eq!(network.relay.home.snapshot_bytes(), 0);
    let whole =
        |room: &Room| texts.iter().all(|text| room.text_len(*text).ok() == Some(6 * page.len() as u32));
    assert!(whole(&network.devices[late].room), "and in the end it has them all");
}

#[test]
fn rl8_what_is_asked_for_by_name_ends_where_it_was_asked_to() {
    let (mut network, text) = Network::with_document(2);
    network.relay.snapshot_after(1 << 40, 1);
    let page = "long water ".repeat(4_000);
    write(&mut network, 0, text, &page, 40);
    let chain = network.devices[0].room.replica();
    let (before, reads) = (network.relay.sent.len(), network.relay.reads);
    let ask = |from, to| Need { stream: text, replica: chain, from, to };
    network.inject(1, needs([ask(2, 4)].into_iter()));
    network.rest();
    assert_eq!(came(&network, 1, before, chain), [2, 3, 4]);
    let reads = network.relay.reads - reads;
    assert!(reads <= 3, "{reads} reads for three of forty pages");
    // What comes meanwhile is not missed.
    network.inject(1, needs([ask(1, 1), ask(1, 1 << 40)].into_iter()));
    network.insert(0, text, 0, "and on, ");
    network.rest();
    assert!(network.text(1, text) == network.text(0, text));
}

#[test]
fn rl8_ten_thousand_needs_cost_the_one_who_asks_and_not_the_honest_reader() {
    let (mut network, text) = Network::with_document(3);
    network.relay.snapshot_after(10, 1);
    for device in [0, 1, 2].into_iter().cycle().take(60) {
        write(&mut network, device, text, "ab", 1);
    }
    assert!(rows(&network, Prefix::Archive) > 3);
    network.go_offline(2);
    write(&mut network, 0, text, "while you were away ", 15);
    let chains: Vec<ReplicaId> = (0..3).map(|device| network.devices[device].room.replica()).collect();
    let (before, reads, jobs) = (network.relay.sent.len(), network.relay.reads, network.relay.jobs_run);
    let closed = network.relay.closed.len();
    let ask = |replica, number: u64| Need { stream: text, replica, from: 1 + number % 5, to: 5 + number % 7 };
    network.inject(1, needs((0..10_000).map(|number| ask(chains[number as usize % 3], number))));
    network.go_online(2);
    network.rest();
    assert_eq!(network.text(2, text), network.text(0, text));
    let (reads, jobs) = (network.relay.reads - reads, network.relay.jobs_run - jobs);
    println!("{reads} reads and {jobs} jobs for ten thousand questions about three chains");
    assert!(reads < 100 && jobs < 50, "{reads} reads, {jobs} jobs");
    assert_eq!((network.relay.closed.len(), laters(&network, before)), (closed, 0), "it may ask again");
    for chain in &chains {
        let came = came(&network, 1, before, *chain);
        assert!((1..=11).all(|seq| came.contains(&seq)), "and is answered: {came:?}");
    }

    // Of chains that nobody has heard of so many wait, and then it is asked to come later; it does not read that.
    let nobody = |number: u64| {
        let mut name = [7; 32];
        name[..8].copy_from_slice(&number.to_le_bytes());
        ask(ReplicaId::from_bytes(name), number)
    };
    let (before, reads) = (network.relay.sent.len(), network.relay.reads);
    network.inject(1, needs((0..10_000).map(nobody)));
    network.go_offline(2);
    write(&mut network, 0, text, "and again ", 15);
    network.go_online(2);
    network.rest();
    assert_eq!(network.text(2, text), network.text(0, text));
    let asked = network.relay.reads - reads;
    assert!(laters(&network, before) > 0 && asked < 100 + LINK_NEEDS, "{asked} reads");
}

#[test]
fn rl8_a_reader_whose_read_found_the_queue_full_is_not_cut() {
    let (mut network, text) = Network::with_document(2);
    network.relay.snapshot_after(10, 1);
    write(&mut network, 0, text, "ab", 40);
    network.go_offline(1);
    write(&mut network, 0, text, "cd", 15);
    let closed = network.relay.closed.len();
    (network.relay.busy_reads, network.relay.busy_jobs) = (20, 5);
    network.go_online(1);
    for _ in 0..5 {
        network.rest();
    }
    let chain = network.devices[0].room.replica();
    let before = network.relay.sent.len();
    network.inject(1, needs([Need { stream: text, replica: chain, from: 1, to: 3 }].into_iter()));
    network.rest();
    assert_eq!((network.relay.busy_reads, network.relay.busy_jobs), (0, 0), "it was asked again and again");
    assert_eq!(network.relay.closed.len(), closed);
    assert_eq!(network.text(1, text), network.text(0, text));
    assert_eq!(came(&network, 1, before, chain), [1, 2, 3]);
}

#[test]
fn rl8_while_nobody_unpacks_a_segment_it_is_read_once_for_each_reader() {
    const READERS: usize = 12;
    let (mut network, text) = Network::with_document(READERS + 1);
    network.relay.snapshot_after(10, 1);
    write(&mut network, 0, text, "ab", 40);
    network.rest();
    assert!(rows(&network, Prefix::Archive) > 0);
    let chain = network.devices[0].room.replica();
    let first = |seq| Need { stream: text, replica: chain, from: 1, to: seq };
    let (reads, before) = (network.relay.reads, network.relay.sent.len());
    network.relay.busy_jobs = usize::MAX;
    (1..=READERS).for_each(|device| network.inject(device, needs([first(3)].into_iter())));
    network.settle();
    // Each looks up where the chain begins, and those whose turn it is read.
    let asked = network.relay.reads - reads;
    assert_eq!(asked, READERS + ROOM_SEGMENTS);
    let tries = network.relay.busy_jobs;
    for _ in 0..100 {
        network.wait(100);
    }
    assert_eq!(network.relay.reads - reads, asked, "nothing is read again");
    assert!(tries - network.relay.busy_jobs >= 99 * ROOM_SEGMENTS, "but tried again");
    // Those who go do not keep their turn.
    (1..=ROOM_SEGMENTS).for_each(|device| network.go_offline(device));
    network.relay.busy_jobs = 0;
    for _ in 0..10 {
        network.wait(100);
    }
    for device in ROOM_SEGMENTS + 1..=READERS {
        assert_eq!(came(&network, device, before, chain), [1, 2, 3], "device {device}");
    }
    assert_eq!(network.relay.reads - reads, READERS + READERS, "a look-up and a segment each");
}

#[test]
fn rl8_what_a_link_asks_for_while_it_is_behind_is_answered_when_it_has_caught_up() {
    let (mut network, text) = Network::with_document(2);
    network.relay.snapshot_after(1 << 40, 1);
    write(&mut network, 0, text, "ab", 5);
    write(&mut network, 1, text, "cd", 5);
    let chains = [0, 1].map(|device: usize| network.devices[device].room.replica());
    network.relay.slow = true;
    let behind = network.relay.home.figures().links_behind;
    write(&mut network, 0, text, &"long water ".repeat(4_000), 10);
    assert!(network.relay.home.figures().links_behind > behind, "more came than its lane holds");
    let before = network.relay.sent.len();
    network
        .inject(1, needs(chains.map(|replica| Need { stream: text, replica, from: 2, to: 4 }).into_iter()));
    network.settle();
    network.drain();
    network.rest();
    for chain in chains {
        let came = came(&network, 1, before, chain);
        assert!([2, 3, 4].iter().all(|seq| came.contains(seq)), "{came:?}");
    }
    assert_eq!(network.text(1, text), network.text(0, text));
}
