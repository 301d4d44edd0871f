//! Rule 5 in rooms where very many have written: what it costs to find out what one lacks, in bytes.

use causeway_core::directory::DirectoryOp;
use causeway_core::home::CompactionPlan;
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::limits::LINK_MARKS;
use causeway_core::log::{Dep, EntryKind, Head, Header, Tip};
use causeway_core::stored::{self, IndexRecord, StreamRecord, TipRecord};
use causeway_core::time::Millis;
use causeway_core::wire::{self, Body, Message};
use causeway_tests::disk::Disk;
use causeway_tests::network::{self, Network};

/// The stream that everybody follows.
const CROWDED: StreamId = StreamId::DIRECTORY;

/// A replica by its number.
fn anybody(number: u32) -> ReplicaId {
    let mut key = [1; 32];
    key[..4].copy_from_slice(&number.to_le_bytes());
    ReplicaId::of_key(&key)
}

/// One of those whose keys were tried out until their names began with the same byte.
fn ground(number: u32) -> ReplicaId {
    let mut name = *anybody(number).as_bytes();
    name[0] = 7;
    ReplicaId::from_bytes(name)
}

/// So many replicas each wrote once, one after the other, and never came back: as it stands on a home's disk. The first
/// builds on the number before it, if there is one.
fn move_in(disk: &mut Disk, numbers: std::ops::Range<u32>, name: fn(u32) -> ReplicaId) {
    let record =
        disk.row(&stored::stream_key(&CROWDED)).map(|row| StreamRecord::decode(row).expect("a record"));
    let StreamRecord { mut arrivals, mut bytes, jumps } =
        record.unwrap_or(StreamRecord { arrivals: 0, bytes: 0, jumps: 0 });
    let mut before = numbers.start.checked_sub(1).map(|number| {
        let tip = disk.row(&stored::tip_key(&CROWDED, &name(number))).expect("it moved in");
        let head = Tip::from(TipRecord::decode(tip).expect("a tip")).head;
        Dep { replica: name(number), seq: 1, head: head.short() }
    });
    for number in numbers {
        let (replica, logical) = (name(number), u64::from(number) + 1);
        let header = Header {
            stream: CROWDED,
            replica,
            seq: 1,
            deps: before.into_iter().collect(),
            logical,
            time: Millis(0),
            kind: EntryKind::Edit,
            target: None,
            key_epoch: 0,
            payload_hash: [0; 32],
        };
        let op = DirectoryOp::Remove { document: StreamId::ydoc([3; 16]) };
        let entry = wire::entry::build(header, &wire::payload::encode_directory(&op));
        let head = Head::START.next(&entry);
        let (arrival, tip) = (arrivals, Tip { seq: 1, head, logical, clock: 0, introduced: None });
        arrivals += 1;
        before = Some(Dep { replica, seq: 1, head: head.short() });
        bytes += entry.bytes().len() as u64;
        disk.put(stored::entry_key(&CROWDED, arrival), stored::encode_entry(&entry));
        disk.put(stored::index_key(&CROWDED, &replica, 1), IndexRecord { arrival, head }.encode());
        disk.put(stored::tip_key(&CROWDED, &replica), TipRecord::from(tip).encode());
    }
    disk.put(stored::stream_key(&CROWDED), StreamRecord { arrivals, bytes, jumps }.encode());
}

/// A room with such a crowd, and two devices that are in step. The home makes snapshots or does not.
fn crowd(replicas: u32, snapshots: bool) -> Network {
    crowd_of(replicas, anybody, snapshots)
}

fn crowd_of(replicas: u32, name: fn(u32) -> ReplicaId, snapshots: bool) -> Network {
    let mut network = Network::new(0);
    let often =
        CompactionPlan { entries: 2_000, bytes: 1 << 40, quiet: Millis(1), ..CompactionPlan::default() };
    let never = CompactionPlan { entries: 1 << 40, ..often };
    network.relay.plan_compaction(if snapshots { often } else { never });
    move_in(&mut network.relay.disk, 0..replicas, name);
    network.restart_home();
    settle(&mut network);
    network.join();
    network.join();
    settle(&mut network);
    network
}

fn settle(network: &mut Network) {
    for _ in 0..8 {
        network.settle();
        network.wait(1_000);
    }
    network.settle();
}

/// One device writes something that everybody is to hear of.
fn write(network: &mut Network, device: usize, path: &str) {
    let (document, now) = (StreamId::first_document(&network::room()), network.clock(device));
    network.devices[device].room.list_document(document, path, now).expect("the directory is there");
    settle(network);
}

fn shows(network: &Network, device: usize, path: &str) -> bool {
    network.devices[device].room.directory().iter().any(|listing| listing.path == path)
}

/// Bytes that go over a device's links while something happens.
struct Traffic {
    /// In entries and snapshots.
    content: usize,
    /// In everything else.
    beyond: usize,
}

fn traffic(network: &mut Network, device: usize, happens: impl FnOnce(&mut Network)) -> Traffic {
    let (down, up) = (network.relay.sent.len(), network.devices[device].sent.len());
    happens(network);
    let link = network.devices[device].link().expect("it is online");
    let down = network.relay.sent[down..].iter().filter(|(to, _)| *to == link).map(|(_, message)| message);
    let mut traffic = Traffic { content: 0, beyond: 0 };
    for message in down.chain(&network.devices[device].sent[up..]) {
        let bytes = wire::encode(message).len();
        match message {
            Message::Entries(_) | Message::Other(Body::Chunk(_)) => traffic.content += bytes,
            Message::Other(_) => traffic.beyond += bytes,
        }
    }
    traffic
}

fn come_back(network: &mut Network) {
    network.go_online(1);
    settle(network);
}

#[test]
fn rule_5_a_room_of_ten_thousand_replicas_stays_small_on_the_wire() {
    let mut network = crowd(10_000, true);
    assert!(network.relay.home.figures().snapshots_made > 0);
    network.go_offline(1);
    let in_step = traffic(&mut network, 1, come_back);
    println!("in step: {} bytes", in_step.beyond);
    assert!(in_step.beyond < 200 && in_step.content == 0, "{} bytes in step", in_step.beyond);

    network.go_offline(1);
    write(&mut network, 0, "one-more.md");
    let behind = traffic(&mut network, 1, come_back);
    println!("one entry behind: {} bytes and {} of content", behind.beyond, behind.content);
    assert!(behind.beyond + behind.content < 1_000, "{} and {} bytes", behind.beyond, behind.content);
    assert!(shows(&network, 1, "one-more.md"));

    let late = network.join();
    let cold = traffic(&mut network, late, settle);
    println!("cold: {} bytes and {} of content", cold.beyond, cold.content);
    assert!(cold.beyond < 1_000, "{} bytes to join beyond the content", cold.beyond);
    assert!(shows(&network, late, "one-more.md"));
}

#[test]
fn rule_5_one_stream_in_step_costs_less_than_two_hundred_bytes_where_others_are_not() {
    let mut network = crowd(10_000, false);
    let elsewhere = StreamId::first_document(&network::room());
    network.open(0, elsewhere);
    settle(&mut network);
    network.insert(0, elsewhere, 0, "what device 1 never opened");
    settle(&mut network);
    network.go_offline(1);
    let in_step = traffic(&mut network, 1, come_back);
    println!("one stream in step: {} bytes", in_step.beyond);
    assert!(in_step.beyond < 2 * 200 && in_step.content == 0, "{} bytes in step", in_step.beyond);
}

#[test]
fn rule_5_a_home_that_forgot_what_was_is_told_only_where_one_differs() {
    let mut network = crowd(10_000, false);
    write(&mut network, 1, "before.md");
    network.go_offline(1);
    // It writes on without a link, and somebody else as well.
    write(&mut network, 1, "apart.md");
    write(&mut network, 0, "one-more.md");
    network.restart_home();
    let behind = traffic(&mut network, 1, come_back);
    println!("one entry behind after a restart: {} bytes and {} of content", behind.beyond, behind.content);
    assert!(behind.beyond < 10_000, "{} bytes", behind.beyond);
    assert!(behind.content < 1_000, "what it holds does not come again: {} bytes", behind.content);
    assert!(network.devices.iter().all(|device| !device.room.directory().is_empty()));
    let listed = |device: usize| network.devices[device].room.directory()[0].path.clone();
    assert_eq!(listed(0), listed(1));
    let told = network.devices[1].sent.iter().rev().find_map(|message| match message {
        Message::Other(Body::Compare(told)) => Some(told.above.len() + told.own.len()),
        _ => None,
    });
    assert!(told.is_some_and(|told| told < 300), "{told:?} chains are told");
}

#[test]
fn rule_5_fifty_thousand_chains_can_be_told() {
    let mut network = crowd(50_000, false);
    write(&mut network, 0, "first.md");
    network.go_offline(1);
    write(&mut network, 0, "second.md");
    network.restart_home();
    let behind = traffic(&mut network, 1, come_back);
    println!("one entry behind in fifty thousand: {} bytes", behind.beyond);
    assert!(behind.beyond < 20_000, "{} bytes", behind.beyond);
    assert!(shows(&network, 1, "second.md"));

    // A home that lost everything is told everything, page by page, and nobody is cut off.
    network.relay.put_back(Disk::default(), 2);
    network.restart_home();
    let closed = network.relay.closed.len();
    let before = network.devices[1].sent.len();
    come_back(&mut network);
    let told = network.devices[1].sent[before..].iter().map(|message| match message {
        Message::Other(Body::Compare(told)) => told.above.len() + told.own.len(),
        _ => 0,
    });
    assert!(told.sum::<usize>() > 50_000, "nothing is left untold");
    assert_eq!(network.relay.closed.len(), closed);
    assert!(network.devices[1].room.is_synced(CROWDED));
}

/// Chains that a device told of in its newest answers, and in how many.
fn told(network: &Network, device: usize, since: usize) -> (usize, usize) {
    let answers = network.devices[device].sent[since..].iter().filter_map(|message| match message {
        Message::Other(Body::Compare(told)) => Some(told.above.len() + told.own.len()),
        _ => None,
    });
    answers.fold((0, 0), |(chains, answers), told| (chains + told, answers + 1))
}

#[test]
fn rule_5_ten_thousand_replicas_ground_into_one_group_cost_that_group_chain_by_chain() {
    let mut network = crowd_of(10_000, ground, false);
    network.go_offline(1);
    let in_step = traffic(&mut network, 1, come_back);
    assert!(in_step.beyond < 2 * 200 && in_step.content == 0, "{} bytes in step", in_step.beyond);
    network.go_offline(1);
    write(&mut network, 0, "one-more.md");
    let behind = traffic(&mut network, 1, come_back);
    assert!(behind.beyond + behind.content < 1_000, "{} and {} bytes", behind.beyond, behind.content);

    // Even where the home forgot what was, who writes in another group pays nothing for it.
    write(&mut network, 1, "before.md");
    network.go_offline(1);
    write(&mut network, 0, "elsewhere.md");
    network.restart_home();
    let since = network.devices[1].sent.len();
    let behind = traffic(&mut network, 1, come_back);
    let (chains, _) = told(&network, 1, since);
    println!("one entry behind in another group: {} bytes, {chains} chains are told", behind.beyond);
    assert!(behind.beyond < 10_000 && chains < 10, "{} bytes, {chains} chains", behind.beyond);

    // And who is behind in it tells it once, page by page.
    network.go_offline(1);
    network.go_offline(0);
    move_in(&mut network.relay.disk, 10_000..10_001, ground);
    network.restart_home();
    let since = network.devices[1].sent.len();
    let behind = traffic(&mut network, 1, come_back);
    let (chains, answers) = told(&network, 1, since);
    println!("one entry behind in it: {} bytes, {chains} chains in {answers} answers", behind.beyond);
    assert!((10_000..10_020).contains(&chains) && answers <= 11, "{chains} chains in {answers} answers");
    assert!(behind.beyond < 40 * 10_000, "{} bytes", behind.beyond);
    assert!(behind.content < 1_000, "what it holds does not come again: {} bytes", behind.content);
    assert!(network.devices[1].room.is_synced(CROWDED));
}

#[test]
fn rule_5_who_tells_of_more_chains_than_a_home_remembers_is_sent_what_it_may_have() {
    let crowd = 3 * LINK_MARKS as u32 / 2;
    let mut network = crowd_of(crowd, anybody, false);
    network.go_offline(0);
    network.go_offline(1);
    // More have written, of every group, and the home has forgotten what was.
    let more = 2_000;
    move_in(&mut network.relay.disk, crowd..crowd + more, anybody);
    network.restart_home();
    let (since, sent) = (network.devices[1].sent.len(), network.relay.sent.len());
    come_back(&mut network);
    let (chains, _) = told(&network, 1, since);
    assert!(chains > LINK_MARKS, "{chains} chains are told");
    let link = network.devices[1].link().expect("it is online");
    let came = network.relay.sent[sent..].iter().filter(|(to, _)| *to == link);
    let came = crate::craft::entries_in(came.map(|(_, message)| message), CROWDED);
    println!("{came} entries come, of which {more} were lacking");
    assert!(came <= (crowd + more) as usize - LINK_MARKS, "no more than that: {came}");
    assert!(network.devices[1].room.is_synced(CROWDED));
    network.relay.sent.clear();
    network.go_offline(1);
    let again = traffic(&mut network, 1, come_back);
    assert!(again.beyond < 2 * 200 && again.content == 0, "it holds everything: {} bytes", again.beyond);
}
