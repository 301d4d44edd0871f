//! F3: what is put back is in the text or a fork: all of it, however much it is and whoever refuses it.

use causeway_core::device::{Fork, ForkId};
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::log::EntryKind;
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

/// Somebody has begun to write under the client id that is this device's.
fn take_the_id(network: &mut Network, text: StreamId) {
    let mut name = *network.devices[0].room.replica().as_bytes();
    name[31] ^= 1;
    let taken = ReplicaId::from_bytes(name);
    let letter = Document::new(taken.client()).edit(None, Millis(0), |edit| edit.insert(0, "z")).1;
    let letter = letter.expect("a letter was put in").update;
    let theirs = entry(text, taken, (1, 1), EntryKind::Edit, &letter);
    network.hand_to_device(0, &Message::Entries(vec![theirs]));
    network.rest();
}

#[test]
fn f3_what_this_device_itself_refuses_when_it_is_put_back_stays_a_fork() {
    let (mut network, text) = Network::with_document(2);
    network.insert(1, text, 0, "common ground");
    network.rest();
    take_the_id(&mut network, text);
    let mine = [DeltaOp::Retain(14), DeltaOp::Insert(", and mine".into())];
    apply(&mut network, text, &mine);
    for turn in 0..3 {
        network.rest();
        let shown = network.text(0, text);
        assert!(shown.ends_with("common ground"), "turn {turn}: {shown}");
        let [fork] = &forks(&network)[..] else { panic!("one fork in turn {turn}") };
        let id = fork.id;
        let told = network.devices[0].room.fork_text(id).expect("the document is open");
        assert_eq!((told.text, told.is_complete), (format!("{shown}, and mine"), true), "turn {turn}");
        take_the_id(&mut network, text);
        put_back(&mut network, id);
    }
}
