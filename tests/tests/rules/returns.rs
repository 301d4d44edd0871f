//! F3: what is put back is in the text or a fork: all of it, however much it is and whoever refuses it.

use causeway_core::device::{Fork, ForkId};
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::log::{EntryKind, Head, Tip};
use causeway_core::stored::{self, IndexRecord, StreamRecord, TipRecord};
use causeway_core::time::Millis;
use causeway_core::wire::Message;
use causeway_core::ydoc::{DeltaOp, Document};
use causeway_tests::network::Network;

use crate::craft::entry;
use crate::forks::refuse;
use crate::takeovers::forks as rows;

fn forks(network: &Network) -> Vec<Fork> {
    network.devices[0].room.forks()
}

fn put_back(network: &mut Network, id: ForkId) {
    let now = network.clock(0);
    network.devices[0].room.reapply_fork(id, "", now).expect("it can be put back");
}

fn apply(network: &mut Network, text: StreamId, delta: &[DeltaOp]) {
    let now = network.clock(0);
    network.devices[0].room.apply_delta(text, None, delta, now).expect("inside the text");
}

/// A fork of more than fits into one entry, and much more than one edit puts in.
fn large() -> (Network, StreamId) {
    let (mut network, text) = Network::with_document(1);
    network.insert(0, text, 0, "common ground");
    network.rest();
    let sent = network.devices[0].sent.len();
    apply(&mut network, text, &[DeltaOp::Insert("mine".repeat(MINE))]);
    network.wait(60);
    network.lose_what_is_on_its_way();
    let first = network.devices[0].sent[sent..].iter().find_map(|message| match message {
        Message::Entries(entries) => entries.first().map(|entry| entry.name()),
        Message::Other(_) => None,
    });
    refuse(&mut network, 0, text, first.expect("the device has sent entries"));
    network.rest();
    network.rest();
    assert_eq!(network.text(0, text), "common ground");
    (network, text)
}

const MINE: usize = 75_000;

#[test]
fn f3_a_power_cut_finds_a_large_fork_whole_in_the_text_or_whole_as_a_fork() {
    let mut met = std::collections::BTreeSet::new();
    for online in [false, true] {
        for (commits, kept) in (0..4).flat_map(|commits| (0..3).map(move |kept| (commits, kept))) {
            let (mut network, text) = large();
            if !online {
                network.go_offline(0);
            }
            let id = forks(&network)[0].id;
            network.devices[0].disk_answers = false;
            put_back(&mut network, id);
            for _ in 0..commits {
                network.settle();
                network.wait(60);
                network.settle();
                network.answer_commit(0);
            }
            network.devices[0].disk.cut_power(kept);
            network.go_offline(0);
            network.restart(0, false);
            network.devices[0].disk_answers = true;
            network.open(0, text);
            network.rest();
            let in_text = network.text(0, text).matches("mine").count();
            let is_fork = rows(&network, 0) > 0;
            let whole = if is_fork { 0 } else { MINE };
            assert_eq!(in_text, whole, "online: {online}, {commits} commits, {kept} kept");
            met.insert((online, is_fork));
        }
    }
    assert_eq!(met.len(), 4, "it was cut before and after: {met:?}");
}

/// So many have put a letter each into a text: as it stands on a home's disk.
fn crowded(writers: u32) -> (Network, StreamId) {
    let (mut network, text) = Network::with_document(1);
    network.relay.snapshot_after(u64::MAX / 4, 500);
    let (disk, mut arrivals, mut bytes) = (&mut network.relay.disk, 0, 0);
    for number in 0..writers {
        let mut key = [1; 32];
        key[..4].copy_from_slice(&number.to_le_bytes());
        let replica = ReplicaId::of_key(&key);
        let letter = Document::new(replica.client()).edit(None, Millis(0), |edit| edit.insert(0, "x")).1;
        let letter = letter.expect("a letter was put in").update;
        let (mut head, mut seq) = (Head::START, 0);
        let create = (number == 0).then_some((EntryKind::Create, Vec::new()));
        for (kind, payload) in create.into_iter().chain([(EntryKind::Edit, letter)]) {
            seq += 1;
            let entry = entry(text, replica, (seq, seq), kind, &payload);
            head = head.next(&entry);
            disk.put(stored::entry_key(&text, arrivals), stored::encode_entry(&entry));
            let index = IndexRecord { arrival: arrivals, head };
            disk.put(stored::index_key(&text, &replica, seq), index.encode());
            arrivals += 1;
            bytes += entry.bytes().len() as u64;
        }
        let tip = Tip { seq, head, logical: seq, clock: 1, introduced: None };
        disk.put(stored::tip_key(&text, &replica), TipRecord::from(tip).encode());
    }
    disk.put(stored::stream_key(&text), StreamRecord { arrivals, bytes, jumps: u64::from(writers) }.encode());
    network.restart_home();
    for _ in 0..4 {
        network.rest();
    }
    (network, text)
}

#[test]
fn f3_what_this_device_itself_refuses_when_it_is_put_back_stays_a_fork() {
    // More people's words than one entry may take out.
    const WRITERS: u32 = 4_100;
    let (mut network, text) = crowded(WRITERS);
    assert_eq!(network.text(0, text), "x".repeat(WRITERS as usize));
    let all = [DeltaOp::Delete(WRITERS)];
    apply(&mut network, text, &all);
    for turn in 0..3 {
        network.rest();
        assert_eq!(network.text(0, text).len(), WRITERS as usize, "turn {turn}");
        let [fork] = &forks(&network)[..] else { panic!("one fork in turn {turn}") };
        let id = fork.id;
        let told = network.devices[0].room.fork_text(id).expect("the document is open");
        assert_eq!(
            (told.text.as_str(), &told.delta[..], told.is_complete),
            ("", &all[..], true),
            "turn {turn}"
        );
        put_back(&mut network, id);
    }
}
